#include "tests/interop/held_port.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace handfast::tls::test {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::abort();
}

}  // namespace

HeldPort::HeldPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int yes = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  Require(fd_ >= 0 && setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
              bind(fd_, generic, size) == 0 && getsockname(fd_, generic, &size) == 0,
          "held_port");
  port_ = ntohs(address.sin_port);
}

HeldPort::~HeldPort() { close(fd_); }

int HeldPort::ListenForHeir() {
  Require(listen(fd_, 8) == 0 && fcntl(fd_, F_SETFD, 0) == 0, "listen");
  return fd_;
}

void HeldPort::EndOfHeirs() { Require(fcntl(fd_, F_SETFD, FD_CLOEXEC) == 0, "fcntl"); }

}  // namespace handfast::tls::test
