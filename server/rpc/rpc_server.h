// The gRPC server: services, completion queues, listeners, and the order in which they end.
#ifndef HANDFAST_SERVER_RPC_RPC_SERVER_H_
#define HANDFAST_SERVER_RPC_RPC_SERVER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <grpcpp/grpcpp.h>

#include "server/access/policy.h"
#include "server/access/work_queue.h"
#include "server/connections/connections.h"
#include "server/custody/custody.h"
#include "server/handshakes/durable.h"
#include "server/handshakes/handshakes.h"
#include "server/handshakes/profile_interface.h"
#include "server/observe/metrics_interface.h"
#include "server/rpc/call_count.h"
#include "server/rpc/completion_loop.h"
#include "server/rpc/connection_cap.h"
#include "server/rpc/health_service.h"
#include "server/rpc/listener.h"
#include "server/rpc/relay_streams.h"
#include "server/rpc/service.h"

namespace handfast::rpc {

// Mutual TLS; the files are watched.
struct TcpEndpoint {
  std::string host;
  uint16_t port = 0;
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;
};

struct UnixEndpoint {
  std::string path;
  mode_t mode = 0600;
  std::vector<uid_t> allowed_uids;
  // Who its callers are.
  std::string principal;
};

// What one connection may ask of gRPC itself. Tests loosen single ones, to see that it is these
// that hold.
struct CallLimits {
  // The largest message is ImportKey's: a key, and a chain of ten certificates. Relay's have
  // 64 KiB.
  int receive_bytes = 256 * 1024;
  // gRPC's own default, stated: our callers send no metadata at all.
  int metadata_bytes = 8 * 1024;
  // A thin client needs one stream; a connection pool in front of several, a few.
  int streams = 100;
  // gRPC's default of two minutes would let silent connections fill the cap.
  std::chrono::milliseconds handshake{5'000};
  // A caller that pings more often, or more than twice in between, is sent away.
  std::chrono::milliseconds least_ping_interval{10'000};
  // After a rollout load spreads within half an hour; what is live then has a minute to end.
  std::chrono::milliseconds connection_age = std::chrono::minutes(30);
};

struct RpcOptions {
  std::vector<TcpEndpoint> tcp;
  std::vector<UnixEndpoint> unix_sockets;
  size_t max_connections = 1000;
  CallLimits limits = {};
  // Threads that poll gRPC.
  int pollers = 1;
};

// All outlive the server.
struct Backends {
  const access::Policy& policy;
  const handshakes::ProfileSource& profiles;
  handshakes::Handshakes& handshakes;
  const handshakes::Clock& clock;
  connections::Connections& connections;
  custody::Custody& custody;
  // Its general lane is also served by the pollers.
  access::WorkQueue& work;
  // For what waits for a disk or makes keys.
  access::WorkQueueInterface& blocking;
  // Handshakes that are in the store, and where calls wait for it.
  handshakes::SavedHandshakes& saved;
  handshakes::DurableHandshakes& durable;
  access::WorkQueueInterface& durable_work;
  observe::MetricsInterface& metrics;
  // Where kept connections of other replicas are; null: there are none.
  connections::Whereabouts* whereabouts = nullptr;
};

class RpcServer {
 public:
  // Serves from now on, but calls itself healthy only after SetServing.
  static absl::StatusOr<std::unique_ptr<RpcServer>> Start(const RpcOptions& options,
                                                          const Backends& backends);
  // Ends what is left at once, but for calls that the blocking queue is working on.
  ~RpcServer();

  // In the order of the options, TCP first; with the ports as bound.
  std::vector<std::string> addresses() const;
  void SetServing(bool serving) { health_->SetServing(serving); }
  // OK where every listener accepts a fresh connection.
  absl::Status CheckLive();
  // To be called now and then, from one thread: sends long-lived streams elsewhere.
  void DrainOldStreams();
  // Takes no more connections, sends callers elsewhere, lets live handshakes finish for `within`.
  void Drain(std::chrono::milliseconds within);
  size_t streams() const { return streams_.size(); }

 private:
  explicit RpcServer(const Backends& backends);

  absl::Status Bind(const RpcOptions& options);
  void AddServices(grpc::ServerBuilder& builder);
  absl::Status Build(const RpcOptions& options);

  const Backends backends_;
  const DurableServices durable_{backends_.durable, backends_.durable_work};
  RelayStreams streams_;
  CallCount calls_;
  std::unique_ptr<ConnectionCap> cap_;
  std::vector<BoundSocket> bound_;
  std::vector<std::unique_ptr<Service>> services_;
  HealthService* health_ = nullptr;  // one of them
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<CompletionLoop> loop_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  bool drained_ = false;
  handshakes::MonotonicTime next_age_check_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_RPC_SERVER_H_
