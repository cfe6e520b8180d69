// The admin port: /metrics, /livez and /readyz over plain HTTP, for Prometheus and for probes.
// Read-only, GET and HEAD; it takes no input but the path and shows no secret. Bind it to loopback
// or to the pod's own address.
#ifndef HANDFAST_SERVER_OBSERVE_ADMIN_SERVER_H_
#define HANDFAST_SERVER_OBSERVE_ADMIN_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace handfast::observe {

struct AdminOptions {
  std::string host = "127.0.0.1";  // an IP address
  uint16_t port = 9464;            // 0: the system chooses
};

// Called on the port's threads, several at once.
struct AdminPages {
  std::function<std::string()> metrics;
  // OK, or why not: the page is 200 "ok" or 503 with the words. /livez should open a fresh
  // connection to the service; it answers within kProbeTimeout or counts as failed by the prober.
  std::function<absl::Status()> live;
  std::function<absl::Status()> ready;
};

class AdminServer {
 public:
  // UNAVAILABLE where the address cannot be bound.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(const AdminOptions& options,
                                                            AdminPages pages);
  // Stops; waits for pages that are being made.
  ~AdminServer();

  // As bound.
  uint16_t port() const;

 private:
  struct State;
  explicit AdminServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_ADMIN_SERVER_H_
