#include "client/cli/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace handfast::cli {

std::optional<HostAndPort> SplitAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  HostAndPort parts{.host = text.substr(0, colon), .port = text.substr(colon + 1)};
  if (parts.host.size() > 2 && parts.host.front() == '[' && parts.host.back() == ']') {
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  }
  return parts;
}

bool IsAddress(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::string AddressText(const sockaddr_storage& address, socklen_t size) {
  char host[NI_MAXHOST] = "";
  char port[NI_MAXSERV] = "";
  const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host,
                                 sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  if (failed != 0) return "unknown";
  const bool is_ipv6 = address.ss_family == AF_INET6;
  return (is_ipv6 ? "[" + std::string(host) + "]" : std::string(host)) + ":" + port;
}

Connected Connect(const HostAndPort& to) {
  Connected connected;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(to.host.c_str(), to.port.c_str(), &hints, &found);
  if (failed != 0) {
    connected.error = gai_strerror(failed);
    return connected;
  }
  for (const addrinfo* at = found; at != nullptr && connected.fd < 0; at = at->ai_next) {
    const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // It bounds the attempt to connect as well.
    const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) == 0) {
      connected.fd = fd;
      sockaddr_storage address{};
      std::memcpy(&address, at->ai_addr, at->ai_addrlen);
      connected.address = AddressText(address, at->ai_addrlen);
    } else {
      // What a connect says whose time is up.
      connected.error = errno == EINPROGRESS ? "no answer" : std::strerror(errno);
      if (fd >= 0) close(fd);
    }
  }
  freeaddrinfo(found);
  return connected;
}

bool WriteAll(int fd, tls::ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(wrote));
  }
  return true;
}

Came ReadSome(int fd, tls::Bytes& stream) {
  pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
  if (poll(&wait, 1, kPatienceMs) <= 0) return Came::kSilence;
  uint8_t bytes[kReadSize];
  const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
  if (got <= 0) return Came::kEnd;
  tls::Append(stream, {bytes, static_cast<size_t>(got)});
  return Came::kBytes;
}

}  // namespace handfast::cli
