// The parts of load.h that look at the machine.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/str_cat.h"

#include "server/config/document.h"
#include "server/config/load.h"

namespace handfast::config {
namespace {

constexpr char kSystemFolder[] = "/var/lib/handfast";
constexpr std::string_view kPrefix = "HANDFAST_";

std::string Variable(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

std::string DefaultStateFolder(const std::map<std::string, std::string>& environment) {
  if (std::string given = Variable(environment, "HANDFAST_STATE_DIR"); !given.empty()) return given;
  if (geteuid() == 0 || access(kSystemFolder, W_OK) == 0) return kSystemFolder;
  if (std::string state = Variable(environment, "XDG_STATE_HOME"); state.starts_with('/')) {
    return state + "/handfast";
  }
  return Variable(environment, "HOME") + "/.local/state/handfast";
}

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const bool wanted = name.starts_with(kPrefix) || name == "HOME" || name == "XDG_STATE_HOME";
    if (equals == std::string_view::npos || !wanted) continue;
    environment.emplace(name, text.substr(equals + 1));
  }
  return environment;
}

absl::StatusOr<std::string> ReadDocument(const std::string& path) {
  absl::Status status = CheckReadable(path);
  if (!status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  std::ifstream in(path, std::ios::binary);
  std::string text(kMaxDocumentSize + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return absl::UnavailableError(absl::StrCat(path, ": cannot be read"));
  text.resize(static_cast<size_t>(in.gcount()));
  return text;
}

absl::Status CheckReadable(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot be read");
  struct stat info {};
  const bool file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  close(fd);
  return file ? absl::OkStatus() : absl::InvalidArgumentError("is no file");
}

}  // namespace handfast::config
