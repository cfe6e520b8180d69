#include "client/edge/metrics.h"

#include <array>
#include <map>
#include <mutex>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace handfast::edge {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;

// Reasons come from the service's fixed table; this only bounds what a strange service could do.
constexpr size_t kMaxResults = 256;

const prometheus::Histogram::BucketBoundaries& HandshakeBuckets() {
  static const prometheus::Histogram::BucketBoundaries kBuckets = {
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  return kBuckets;
}

}  // namespace

std::string_view NameOf(Ending ending) {
  static constexpr std::array<std::string_view, kEndingCount> kNames = {
      "clean",          "handshake_failed",  "service_failed",
      "closed_early",   "bad_proxy_header",  "no_route",
      "backend_failed", "truncated",         "client_broken",
      "bad_record",     "handshake_timeout", "idle_timeout",
      "drained"};
  return kNames[static_cast<size_t>(ending)];
}

struct Metrics::State {
  prometheus::Registry registry;
  Counter& accepted = BuildCounter()
                          .Name("handfast_edge_connections_accepted_total")
                          .Help("Connections accepted.")
                          .Register(registry)
                          .Add({});
  Counter& refused = BuildCounter()
                         .Name("handfast_edge_connections_refused_total")
                         .Help("Connections closed at once: --max-connections.")
                         .Register(registry)
                         .Add({});
  prometheus::Gauge& open = BuildGauge()
                                .Name("handfast_edge_connections")
                                .Help("Connections that are open.")
                                .Register(registry)
                                .Add({});
  Family<Counter>& ended = BuildCounter()
                               .Name("handfast_edge_connections_ended_total")
                               .Help("Connections ended, by how.")
                               .Register(registry);
  Family<Counter>& handshakes = BuildCounter()
                                    .Name("handfast_edge_handshakes_total")
                                    .Help("Handshakes relayed to their end.")
                                    .Register(registry);
  Family<Counter>& bytes = BuildCounter()
                               .Name("handfast_edge_plaintext_bytes_total")
                               .Help("Application data forwarded.")
                               .Register(registry);
  prometheus::Histogram& seconds = BuildHistogram()
                                       .Name("handfast_edge_handshake_seconds")
                                       .Help("From accept to the end of the handshake.")
                                       .Register(registry)
                                       .Add({}, HandshakeBuckets());
  Counter& from_clients = bytes.Add({{"direction", "from_client"}});
  Counter& to_clients = bytes.Add({{"direction", "to_client"}});
  std::array<Counter*, kEndingCount> endings{};

  // The family's own look-up builds a map and takes a lock for each label set.
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, Counter*, std::less<>> results;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {
  for (int i = 0; i < kEndingCount; ++i) {
    const std::string how(NameOf(static_cast<Ending>(i)));
    state_->endings[static_cast<size_t>(i)] = &state_->ended.Add({{"how", how}});
  }
}

Metrics::~Metrics() = default;

void Metrics::OnAccepted() {
  state_->accepted.Increment();
  state_->open.Increment();
}

void Metrics::OnRefused() { state_->refused.Increment(); }

void Metrics::OnEnded(Ending ending) {
  state_->endings[static_cast<size_t>(ending)]->Increment();
  state_->open.Decrement();
}

void Metrics::OnHandshake(std::string_view version, std::string_view result, double seconds) {
  state_->seconds.Observe(seconds);
  const std::lock_guard lock(state_->mutex);
  const std::pair<std::string, std::string> key(version, result);
  auto found = state_->results.find(key);
  if (found == state_->results.end()) {
    if (state_->results.size() >= kMaxResults) return;
    Counter& added = state_->handshakes.Add({{"version", key.first}, {"result", key.second}});
    found = state_->results.emplace(key, &added).first;
  }
  found->second->Increment();
}

void Metrics::OnBytes(size_t from_clients, size_t to_clients) {
  if (from_clients > 0) state_->from_clients.Increment(static_cast<double>(from_clients));
  if (to_clients > 0) state_->to_clients.Increment(static_cast<double>(to_clients));
}

std::string Metrics::Text() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace handfast::edge
