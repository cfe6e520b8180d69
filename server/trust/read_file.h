// A whole file of bounded size.
#ifndef HANDFAST_SERVER_TRUST_READ_FILE_H_
#define HANDFAST_SERVER_TRUST_READ_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace handfast::trust {

// The message begins with what is wrong: "cannot be read", "is larger than 10 bytes".
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most);

}  // namespace handfast::trust

#endif  // HANDFAST_SERVER_TRUST_READ_FILE_H_
