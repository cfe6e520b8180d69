// Files that a command reads: "-" is standard input. A secret never comes from the command line.
#ifndef HANDFAST_CLIENT_CLI_FILES_H_
#define HANDFAST_CLIENT_CLI_FILES_H_

#include <optional>
#include <string>

namespace handfast::cli {

// Of what is read here nothing is larger: a PEM key or chain.
constexpr size_t kMaxFile = size_t{256} * 1024;

struct FileText {
  std::string text;
  // Why there is none.
  std::optional<std::string> error;
};

FileText ReadPublic(const std::string& path);
// Also refuses a file that everybody can read.
FileText ReadSecret(const std::string& path);

}  // namespace handfast::cli

#endif  // HANDFAST_CLIENT_CLI_FILES_H_
