// The key-encryption key: 32 random bytes in a file of their own, beside the database or mounted
// from elsewhere. The file is one line of text, so that it survives a copy by hand:
//
//   handfast-kek-v1 <64 hex digits>
//
// Whoever has this file and the database has the private keys: keep their backups apart.
#ifndef HANDFAST_SERVER_CUSTODY_KEY_ENCRYPTION_KEY_H_
#define HANDFAST_SERVER_CUSTODY_KEY_ENCRYPTION_KEY_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/base/secret.h"
#include "tls/crypto/random.h"

namespace handfast::custody {

inline constexpr size_t kKekSize = 32;

class KeyEncryptionKey {
 public:
  // Nullopt where there is no such file. FAILED_PRECONDITION where users other than the owner can
  // reach it, it belongs to neither this user nor root, or it is no key file; UNAVAILABLE where it
  // cannot be read.
  static absl::StatusOr<std::optional<KeyEncryptionKey>> Load(const std::string& path);
  // Makes a new one and writes it with mode 0600, durably: it is on the disk when this returns.
  // ALREADY_EXISTS where there is a file by now; INTERNAL where randomness failed.
  static absl::StatusOr<KeyEncryptionKey> Create(const std::string& path,
                                                 tls::Randomness& randomness);
  explicit KeyEncryptionKey(tls::AeadKey key);

  const tls::AeadKey& key() const { return key_; }
  // 16 hex digits that tell one key from another and nothing of the key itself.
  const std::string& id() const { return id_; }

 private:
  tls::AeadKey key_;
  std::string id_;
};

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_KEY_ENCRYPTION_KEY_H_
