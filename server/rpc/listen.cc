// Binding: what Listener is given.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/rpc/listener.h"

namespace handfast::rpc {
namespace {

// Connections that wait to be accepted: a burst of thin clients that start together.
constexpr int kBacklog = 1024;

absl::Status Failed(const std::string& address, const char* what) {
  return absl::UnavailableError(absl::StrCat(address, ": ", what, ": ", std::strerror(errno)));
}

struct TcpAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

bool ParseAddress(const std::string& host, uint16_t port, TcpAddress& address) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
    return true;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
    return true;
  }
  return false;
}

uint16_t PortOf(const TcpAddress& address) {
  // Both families have it at the same place.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

std::string Text(const std::string& host, uint16_t port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

// OK where nothing is there any more.
absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return absl::OkStatus();
  if (!S_ISSOCK(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is there, and is no socket"));
  }
  const Socket probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // EAGAIN: somebody listens, and has a full queue.
  if (connect(probe.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": another process answers here; stop it, or choose another path"));
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return Failed(path, "cannot be removed");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BoundSocket> ListenTcp(const std::string& host, uint16_t port) {
  TcpAddress address;
  if (!ParseAddress(host, port, address)) {
    return absl::InvalidArgumentError(absl::StrCat(host, " is no IP address"));
  }
  Socket listening(
      socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(listening.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listening.fd(), address.get(), address.size) != 0 ||
      listen(listening.fd(), kBacklog) != 0 ||
      getsockname(listening.fd(), address.get(), &address.size) != 0) {
    return Failed(Text(host, port), "cannot listen");
  }
  return BoundSocket{.socket = std::move(listening),
                     .name = address.storage,
                     .name_size = address.size,
                     .address = Text(host, PortOf(address)),
                     .path = {},
                     .allowed_uids = {}};
}

absl::StatusOr<BoundSocket> ListenUnix(const std::string& path, mode_t mode,
                                       std::vector<uid_t> allowed_uids) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is longer than a socket's path may be (",
                                                   sizeof address.sun_path - 1, " bytes)"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (absl::Status removed = RemoveStale(path, address); !removed.ok()) return removed;
  Socket listening(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // Before it has a name, so that it never stands open; chmod where the umask took something away.
  if (fchmod(listening.fd(), mode) != 0 ||
      bind(listening.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), mode) != 0 || listen(listening.fd(), kBacklog) != 0) {
    return Failed(path, "cannot listen");
  }
  BoundSocket bound{.socket = std::move(listening),
                    .name = {},
                    .name_size = sizeof address,
                    .address = absl::StrCat("unix:", path),
                    .path = path,
                    .allowed_uids = std::move(allowed_uids)};
  std::memcpy(&bound.name, &address, sizeof address);
  return bound;
}

}  // namespace handfast::rpc
