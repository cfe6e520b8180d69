// What the edge counts. The hot path sees plain functions; prometheus-cpp stands behind them.
#ifndef HANDFAST_CLIENT_EDGE_METRICS_H_
#define HANDFAST_CLIENT_EDGE_METRICS_H_

#include <memory>
#include <string>
#include <string_view>

namespace handfast::edge {

// How a connection ended.
enum class Ending : int {
  kClean,            // close_notify both ways
  kHandshakeFailed,  // the service, or the peer, ended the handshake
  kServiceFailed,    // the request failed: unavailable, refused, overloaded
  kClosedEarly,      // the client went away before it had said anything
  kBadProxyHeader,   // not what --accept-proxy-v2 promises
  kNoRoute,          // no backend for the name
  kBackendFailed,    // not reached, or broken
  kTruncated,        // the client ended without close_notify
  kClientBroken,     // reset, or not writable
  kBadRecord,        // the client broke the record protocol, or sent a fatal alert
  kHandshakeTimeout,
  kIdleTimeout,
  kDrained,  // still there when the drain's time was over
};
constexpr int kEndingCount = static_cast<int>(Ending::kDrained) + 1;
std::string_view NameOf(Ending ending);

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void OnAccepted();
  void OnRefused();
  void OnEnded(Ending ending);
  // `version`: "TLSv1.3"; `result`: "established", or the failure's reason.
  void OnHandshake(std::string_view version, std::string_view result, double seconds);
  void OnBytes(size_t from_clients, size_t to_clients);

  // In Prometheus's text format.
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_METRICS_H_
