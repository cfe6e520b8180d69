// Sockets for tests: a TCP connection, a server with a function for each connection, HTTP GET.
#ifndef HANDFAST_TESTS_SUPPORT_NET_H_
#define HANDFAST_TESTS_SUPPORT_NET_H_

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace handfast::test {

// A blocking connection to 127.0.0.1:PORT, whose reads and writes fail after kPatience; -1. A
// small receive buffer makes a peer wait sooner; 0: the system's.
int ConnectTo(int port, int receive_buffer = 0);

// False: it broke.
bool SendAll(int fd, std::string_view bytes);
// Up to `size` bytes, fewer only at the end; what came before an error is lost.
std::string ReceiveExactly(int fd, size_t size);
// Until the end. nullopt-like: `*reset` tells an error from an end.
std::string ReceiveAll(int fd, bool* reset = nullptr);

// Listens on a free loopback port; `serve` runs in a thread for each connection, whose socket is
// closed behind it.
class Server {
 public:
  explicit Server(std::function<void(int fd)> serve);
  // Waits for the threads.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  void Accept();

  std::function<void(int)> serve_;
  int fd_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> stopping_{false};
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

// The body of a 200 answer, else the whole answer.
std::string HttpGet(const std::string& host_and_port, const std::string& path);

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_NET_H_
