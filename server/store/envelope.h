// What is stored outside this process, and under which name.
//
//   form (1 byte: 1)   generation (8)   nonce (12)   ciphertext   tag (16)
//
// Form and generation stay in front in every form to come: the store compares them without the key.
// A put of "hi" (2 bytes) is 39 bytes: 01 0000000000000001, then 12 + 2 + 16 that look random.
// All that an entry is bound to, its incarnation, space, tenant, handle, form and generation, is
// associated data; and each entry has a key of its own, derived from the store's, so that random
// nonces stay far from their limit however many entries there are.
#ifndef HANDFAST_SERVER_STORE_ENVELOPE_H_
#define HANDFAST_SERVER_STORE_ENVELOPE_H_

#include <string>

#include "absl/status/statusor.h"

#include "server/store/store_interface.h"
#include "tls/base/secret.h"
#include "tls/crypto/random.h"

namespace handfast::store {

inline constexpr size_t kStoreKeySize = 32;
inline constexpr size_t kEnvelopeOverhead = 1 + 8 + 12 + 16;

// Generations as they stand in an envelope.
std::string GenerationBytes(uint64_t generation);
// 0 where it is no generation.
uint64_t GenerationFrom(tls::ByteView bytes);

class Envelope {
 public:
  // Only who has the same `key` and `space` reads what is sealed here. `key` is kStoreKeySize
  // random bytes. The randomness outlives this.
  Envelope(tls::AeadKey key, std::string space, tls::Randomness& randomness);

  // 64 hex digits that tell neither tenant nor handle.
  std::string NameOf(std::string_view incarnation, const Key& key) const;

  absl::StatusOr<tls::Bytes> Seal(std::string_view incarnation, const Key& key, uint64_t generation,
                                  tls::ByteView value) const;

  // DATA_LOSS where it was not sealed for exactly this; FAILED_PRECONDITION where its form is
  // unknown, as a newer release's is.
  absl::StatusOr<Value> Open(std::string_view incarnation, const Key& key,
                             tls::ByteView stored) const;

 private:
  absl::StatusOr<tls::AeadKey> KeyOf(std::string_view incarnation, const Key& key) const;

  const tls::AeadKey key_;
  const std::string space_;
  tls::Randomness& randomness_;
};

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_ENVELOPE_H_
