// A loopback port for a server program, held until that listens on it, so that nobody else gets it
// in between.
#ifndef HANDFAST_TESTS_INTEROP_HELD_PORT_H_
#define HANDFAST_TESTS_INTEROP_HELD_PORT_H_

#include <cstdint>

namespace handfast::tls::test {

// Bound with SO_REUSEADDR, without listening: the kernel gives the port to nobody, but lets a
// program that sets SO_REUSEADDR as well, as all servers do, bind it again and listen.
class HeldPort {
 public:
  HeldPort();
  ~HeldPort();
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;

  uint16_t port() const { return port_; }

  // For a program that takes a listening socket over: listens, and lets the programs that are
  // started next inherit the socket. Its number.
  int ListenForHeir();
  // They were started: the next ones do not inherit it.
  void EndOfHeirs();

 private:
  int fd_ = -1;
  uint16_t port_ = 0;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_HELD_PORT_H_
