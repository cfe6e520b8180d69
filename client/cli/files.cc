#include "client/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace handfast::cli {
namespace {

constexpr mode_t kOthers = S_IROTH | S_IWOTH | S_IXOTH;

FileText Failed(const std::string& path, const std::string& why) {
  return {.text = {}, .error = path + ": " + why};
}

// No stdio: its buffer would keep a copy of a secret.
FileText ReadAll(int fd, const std::string& path) {
  FileText file;
  // Once, so that growing leaves no copies behind.
  file.text.resize(kMaxFile);
  size_t size = 0;
  while (size < file.text.size()) {
    const ssize_t got = read(fd, file.text.data() + size, file.text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(path, std::strerror(errno));
    if (got == 0) {
      file.text.resize(size);
      return file;
    }
    size += static_cast<size_t>(got);
  }
  return Failed(path, "is too large to be a key or a chain");
}

FileText Read(const std::string& path, bool is_secret) {
  if (path == "-") return ReadAll(STDIN_FILENO, "standard input");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path, std::strerror(errno));
  struct stat status {};
  if (is_secret && fstat(fd, &status) == 0 && (status.st_mode & kOthers) != 0) {
    close(fd);
    return Failed(path, "everybody on this machine can read it; run: chmod 600 " + path);
  }
  FileText file = ReadAll(fd, path);
  close(fd);
  return file;
}

}  // namespace

FileText ReadPublic(const std::string& path) { return Read(path, /*is_secret=*/false); }

FileText ReadSecret(const std::string& path) { return Read(path, /*is_secret=*/true); }

}  // namespace handfast::cli
