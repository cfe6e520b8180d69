#include "client/cli/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace handfast::cli {
namespace {

// One client is served, a few wait.
constexpr int kBacklog = 8;

std::string ToText(const sockaddr_storage& address, socklen_t size) {
  char host[NI_MAXHOST] = "";
  char port[NI_MAXSERV] = "";
  const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host,
                                 sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  if (failed != 0) return "unknown";
  const bool is_ipv6 = address.ss_family == AF_INET6;
  return (is_ipv6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

}  // namespace

Listener::~Listener() {
  if (fd_ >= 0) close(fd_);
}

std::optional<std::string> Listener::Open(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return "--listen " + address + " is not HOST:PORT";
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* name = host.empty() || host == "*" ? nullptr : host.c_str();
  const int failed = getaddrinfo(name, address.c_str() + colon + 1, &hints, &found);
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
  return ToText(address, size);
}

int Listener::Accept(std::string& peer) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const int fd = accept4(fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC);
  if (fd >= 0) peer = ToText(address, size);
  return fd;
}

}  // namespace handfast::cli
