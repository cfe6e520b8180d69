// The metrics of the service, in the Prometheus text format. One prefix, base units; no label by
// tenant, server name or key: such a series would grow with the customers, and tell them apart to
// whoever may scrape.
#ifndef HANDFAST_SERVER_OBSERVE_METRICS_H_
#define HANDFAST_SERVER_OBSERVE_METRICS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/observe/metrics_interface.h"

namespace handfast::observe {

// What is asked at each scrape rather than told; null members are left out.
struct MetricSources {
  // not_after of each certificate being served, seconds since the epoch.
  std::function<std::vector<int64_t>()> served_not_after;
  // When the key that seals tickets began to, likewise; 0: there is none.
  std::function<int64_t()> ticket_keys_rotated = nullptr;
  // Waiting pieces of work in a lane ("general", "rsa").
  std::function<double(std::string_view lane)> queue_length;
};

class Metrics final : public MetricsInterface {
 public:
  Metrics(std::string_view version, MetricSources sources);
  ~Metrics() override;

  void HandshakeStarted() override;
  void HandshakeFinished(const FinishedHandshake& handshake) override;
  void PrivateKeyUsed(const PrivateKeyOperation& operation) override;
  void RpcFinished(std::string_view method, std::string_view code) override;
  void Refused(std::string_view reason) override;
  void RecordsDone(RecordDirection direction, uint64_t records, uint64_t bytes) override;
  void WorkDone(std::string_view lane, double waited_s, double ran_s) override;

  // The exposition, text format 0.0.4.
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_METRICS_H_
