// How a row at rest is sealed: as server/store/sealing.h has it, under the key-encryption key, with
// all of the row that is not secret as associated data.
#ifndef HANDFAST_SERVER_CUSTODY_SEALING_H_
#define HANDFAST_SERVER_CUSTODY_SEALING_H_

#include "absl/status/statusor.h"

#include "server/custody/key_encryption_key.h"
#include "server/store/sealing.h"
#include "tls/base/bytes.h"
#include "tls/crypto/random.h"

namespace handfast::custody {

// Its label names the row's table: "keys v1".
using RowBinding = store::Binding;

inline absl::StatusOr<tls::Bytes> SealRow(const KeyEncryptionKey& kek, tls::Randomness& randomness,
                                          const RowBinding& binding, tls::ByteView plaintext) {
  return store::Seal(kek.key(), randomness, binding, plaintext);
}

// DATA_LOSS where the row is not what was sealed.
inline absl::StatusOr<tls::Bytes> OpenRow(const KeyEncryptionKey& kek, const RowBinding& binding,
                                          tls::ByteView sealed) {
  return store::Open(kek.key(), binding, sealed);
}

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_SEALING_H_
