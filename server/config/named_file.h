// A file that the configuration names, and what it must hold. Mistakes there are told at start,
// with the line that names the file, rather than at the first caller.
#ifndef HANDFAST_SERVER_CONFIG_NAMED_FILE_H_
#define HANDFAST_SERVER_CONFIG_NAMED_FILE_H_

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace handfast::config {

struct NamedFile {
  enum class Content : uint8_t { kCertificates, kPrivateKey, kCrls, kStoreKey, kPassword };
  std::string path;
  Content content = Content::kCertificates;
  // Of a private key: the file whose first certificate must be for it.
  std::string certificate_file = {};
};

// The message begins with what is wrong: "cannot be read: ...", "holds no certificate in PEM".
using CheckFile = std::function<absl::Status(const NamedFile& file)>;

}  // namespace handfast::config

#endif  // HANDFAST_SERVER_CONFIG_NAMED_FILE_H_
