#include "server/trust/read_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace handfast::trust {

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t most) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, "cannot be read");
  // To open a pipe would wait for its writer.
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError("is no file");
  std::ifstream in(path, std::ios::binary);
  if (!in) return absl::ErrnoToStatus(errno, "cannot be read");
  const absl::Status too_large =
      absl::InvalidArgumentError(absl::StrCat("is larger than ", most, " bytes"));
  if (static_cast<size_t>(info.st_size) > most) return too_large;
  // One byte more than it has: it may be growing.
  std::string text(static_cast<size_t>(info.st_size) + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return absl::UnavailableError("cannot be read");
  const auto read = static_cast<size_t>(in.gcount());
  if (read == text.size()) return absl::UnavailableError("grows while it is read");
  text.resize(read);
  return text;
}

}  // namespace handfast::trust
