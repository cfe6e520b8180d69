// A listening socket with an accept loop of our own, which feeds gRPC. gRPC's listener would die
// for good when descriptors run out once (CVE-2023-4785), and shows no uid of a Unix socket's peer.
#ifndef HANDFAST_SERVER_RPC_LISTENER_H_
#define HANDFAST_SERVER_RPC_LISTENER_H_

#include <sys/socket.h>
#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include <grpcpp/server_builder.h>

#include "server/rpc/connection_cap.h"

namespace handfast::rpc {

// Closes at the end.
class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.Take()) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  int fd() const { return fd_; }
  int Take();

 private:
  int fd_;
};

struct BoundSocket {
  Socket socket;
  sockaddr_storage name{};
  socklen_t name_size = 0;
  // "127.0.0.1:8443" with the port as bound, "[::1]:8443", "unix:/run/handfast/handfast.sock".
  std::string address;
  // Of a Unix socket, to be removed at the end.
  std::string path;
  // Of a Unix socket.
  std::vector<uid_t> allowed_uids;
};

// `host` is an IP address; port 0: the system chooses. UNAVAILABLE where it cannot be bound.
absl::StatusOr<BoundSocket> ListenTcp(const std::string& host, uint16_t port);
// A stale socket is replaced; FAILED_PRECONDITION where somebody answers on it, or the path is
// something else.
absl::StatusOr<BoundSocket> ListenUnix(const std::string& path, mode_t mode,
                                       std::vector<uid_t> allowed_uids);

class Listener {
 public:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  // `cap` must outlive it. Accepts from now on.
  Listener(BoundSocket bound, std::unique_ptr<Acceptor> acceptor, ConnectionCap& cap);
  // As Stop.
  ~Listener();

  const std::string& address() const { return bound_.address; }
  // Accepts no more, and lets go of the address.
  void Stop();
  // Opens a fresh connection to itself: UNAVAILABLE where nobody accepts it in time.
  absl::Status Probe(std::chrono::milliseconds timeout);

 private:
  void Run();
  void Count();
  void AcceptAll();
  void AcceptOne(Socket connection);
  bool IsWelcome(const Socket& connection);
  void OnOutOfDescriptors();

  BoundSocket bound_;
  std::unique_ptr<Acceptor> acceptor_;
  ConnectionCap& cap_;
  Socket stop_;
  // Given up for a moment when descriptors run out, to take a connection and close it: else it
  // would stay in the queue and wake us for ever.
  Socket spare_;
  std::mutex mutex_;
  std::condition_variable accepted_one_;
  uint64_t accepted_ = 0;
  std::thread thread_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_LISTENER_H_
