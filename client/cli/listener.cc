#include "client/cli/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "client/cli/socket.h"

namespace handfast::cli {
namespace {

// One client is served, a few wait.
constexpr int kBacklog = 8;

}  // namespace

Listener::~Listener() {
  if (fd_ >= 0) close(fd_);
}

std::optional<std::string> Listener::Open(const std::string& address) {
  const auto parts = SplitAddress(address);
  if (!parts) return "--listen " + address + " is not HOST:PORT";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* name = parts->host.empty() || parts->host == "*" ? nullptr : parts->host.c_str();
  const int failed = getaddrinfo(name, parts->port.c_str(), &hints, &found);
  if (failed != 0) return "--listen " + address + ": " + gai_strerror(failed);
  fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const bool ok =
      fd_ >= 0 && bind(fd_, found->ai_addr, found->ai_addrlen) == 0 && listen(fd_, kBacklog) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (!ok) return "--listen " + address + ": " + std::strerror(error);
  return std::nullopt;
}

std::string Listener::address() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
  return AddressText(address, size);
}

int Listener::Accept(std::string& peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC);
  if (fd >= 0) peer = AddressText(address, size);
  return fd;
}

}  // namespace handfast::cli
