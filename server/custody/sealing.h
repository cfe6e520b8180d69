// How a row at rest is sealed: AES-256-GCM under the key-encryption key with a random 96-bit nonce.
// All of the row that is not secret is associated data, each field with its length before it, so
// that no field can be changed and no two rows swapped. Random nonces are good for 2^32 rows under
// one key-encryption key (NIST SP 800-38D §8.3), which custody never nears.
#ifndef HANDFAST_SERVER_CUSTODY_SEALING_H_
#define HANDFAST_SERVER_CUSTODY_SEALING_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/custody/key_encryption_key.h"
#include "tls/base/bytes.h"
#include "tls/crypto/random.h"

namespace handfast::custody {

// The associated data of one row. Numbers are 8 bytes, big-endian.
class RowBinding {
 public:
  // `table` keeps rows of different tables apart: "keys v1".
  explicit RowBinding(std::string_view table) { Add(table); }
  RowBinding& Add(std::string_view text) { return Add(tls::AsBytes(text)); }
  RowBinding& Add(tls::ByteView bytes);
  RowBinding& Add(int64_t number);
  tls::ByteView bytes() const { return bytes_; }

 private:
  tls::Bytes bytes_;
};

// Nonce, ciphertext and tag in one: plaintext.size() + 28 bytes. An empty plaintext makes a seal on
// the binding alone. INTERNAL where randomness or libcrypto failed.
absl::StatusOr<tls::Bytes> SealRow(const KeyEncryptionKey& kek, tls::Randomness& randomness,
                                   const RowBinding& binding, tls::ByteView plaintext);

// The plaintext, which the caller wipes. DATA_LOSS where the row is not what was sealed.
absl::StatusOr<tls::Bytes> OpenRow(const KeyEncryptionKey& kek, const RowBinding& binding,
                                   tls::ByteView sealed);

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_SEALING_H_
