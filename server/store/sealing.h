// How bytes at rest are sealed: AES-256-GCM with a random 96-bit nonce. What is not secret of them
// is associated data, each field with its length before it, so that no field can be changed and no
// two sealed things swapped. Random nonces are good for 2^32 seals under one key (NIST SP 800-38D
// §8.3): custody never nears that, and the store derives a key for each entry.
#ifndef HANDFAST_SERVER_STORE_SEALING_H_
#define HANDFAST_SERVER_STORE_SEALING_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/base/bytes.h"
#include "tls/base/secret.h"
#include "tls/crypto/random.h"

namespace handfast::store {

// The associated data. Numbers are 8 bytes, big-endian.
class Binding {
 public:
  // `label` keeps what is sealed for different ends apart: "keys v1".
  explicit Binding(std::string_view label) { Add(label); }
  Binding& Add(std::string_view text) { return Add(tls::AsBytes(text)); }
  Binding& Add(tls::ByteView bytes);
  Binding& Add(int64_t number);
  tls::ByteView bytes() const { return bytes_; }

 private:
  tls::Bytes bytes_;
};

// Nonce, ciphertext and tag in one: plaintext.size() + 28 bytes. An empty plaintext makes a seal on
// the binding alone. INTERNAL where randomness or libcrypto failed.
absl::StatusOr<tls::Bytes> Seal(const tls::AeadKey& key, tls::Randomness& randomness,
                                const Binding& binding, tls::ByteView plaintext);

// The plaintext, which the caller wipes. DATA_LOSS where it is not what was sealed.
absl::StatusOr<tls::Bytes> Open(const tls::AeadKey& key, const Binding& binding,
                                tls::ByteView sealed);

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_SEALING_H_
