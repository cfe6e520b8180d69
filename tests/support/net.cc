#include "tests/support/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/patience.h"

namespace handfast::test {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

void SetPatience(int fd) {
  const timeval patience{.tv_sec = kPatience.count() / 1000, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

int ConnectTo(int port, int receive_buffer) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SetPatience(fd);
  if (receive_buffer > 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

bool SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return true;
}

std::string ReceiveExactly(int fd, size_t size) {
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t got = recv(fd, bytes.data() + have, size - have, 0);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

std::string ReceiveAll(int fd, bool* reset) {
  std::string bytes;
  char some[65536];
  ssize_t got;
  while ((got = recv(fd, some, sizeof some, 0)) > 0) bytes.append(some, static_cast<size_t>(got));
  if (reset != nullptr) *reset = got < 0 && errno == ECONNRESET;
  return bytes;
}

Server::Server(std::function<void(int)> serve) : serve_(std::move(serve)) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  (void)bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
  (void)listen(fd_, SOMAXCONN);
  (void)getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

Server::~Server() {
  stopping_ = true;
  shutdown(fd_, SHUT_RDWR);
  acceptor_.join();
  close(fd_);
  for (std::thread& thread : threads_) thread.join();
}

void Server::Accept() {
  while (!stopping_) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    SetPatience(fd);
    ++connections_;
    threads_.emplace_back([this, fd] {
      serve_(fd);
      close(fd);
    });
  }
}

std::string HttpGet(const std::string& host_and_port, const std::string& path) {
  const int fd = ConnectTo(std::stoi(host_and_port.substr(host_and_port.rfind(':') + 1)));
  if (fd < 0) return {};
  (void)SendAll(
      fd, "GET " + path + " HTTP/1.1\r\nHost: " + host_and_port + "\r\nConnection: close\r\n\r\n");
  const std::string answer = ReceiveAll(fd);
  close(fd);
  const size_t body = answer.find("\r\n\r\n");
  const bool is_ok = answer.find(" 200 ") < answer.find("\r\n");
  return is_ok && body != std::string::npos ? answer.substr(body + 4) : answer;
}

}  // namespace handfast::test
