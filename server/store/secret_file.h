// The store's secrets in files: the key that all is sealed under, and Redis's password. Statuses
// say what is wrong in words that follow the file's name.
#ifndef HANDFAST_SERVER_STORE_SECRET_FILE_H_
#define HANDFAST_SERVER_STORE_SECRET_FILE_H_

#include <string>

#include "absl/status/statusor.h"

#include "tls/base/secret.h"

namespace handfast::store {

// 64 hex digits and perhaps a line's end. FAILED_PRECONDITION where others may read the file;
// INVALID_ARGUMENT where it holds something else.
absl::StatusOr<tls::AeadKey> ReadKeyFile(const std::string& path);

// The first line, 1 to 512 bytes. Statuses likewise.
absl::StatusOr<tls::Secret<512>> ReadPasswordFile(const std::string& path);

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_SECRET_FILE_H_
