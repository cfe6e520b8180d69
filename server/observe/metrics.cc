#include "server/observe/metrics.h"

#include <algorithm>
#include <atomic>
#include <shared_mutex>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "server/observe/process_stats.h"
#include "server/observe/single_sample.h"

namespace handfast::observe {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// Seconds. An edge on each objective: a Relay adds 0.25 ms (median) and 1 ms (99 in 100) at most
// (performance.md, P9); the rest spans what round trips of peers and the deadline make of it.
const Buckets kHandshakeBuckets = {0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
// An ECDSA P-256 signature takes 0.03 ms, RSA-2048 1 ms, RSA-4096 6 ms.
const Buckets kPrivateKeyBuckets = {0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001,
                                    0.0025,   0.005,   0.01,   0.025,   0.1};
const Buckets kQueueBuckets = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                               0.01,    0.025,  0.05,    0.1,    0.25,  0.5,    1};

constexpr std::string_view kNone = "none";
constexpr std::string_view kLanes[] = {"general", "rsa"};

template <class T>
std::string NameOr(const std::optional<T>& value) {
  return value ? tls::Name(*value) : std::string(kNone);
}

std::string_view KeyTypeOf(tls::SignatureScheme scheme) {
  switch (scheme) {
    case tls::SignatureScheme::kEcdsaSecp256r1Sha256:
    case tls::SignatureScheme::kEcdsaSecp384r1Sha384:
    case tls::SignatureScheme::kEcdsaSecp521r1Sha512:
    case tls::SignatureScheme::kEcdsaSha1:
      return "ecdsa";
    case tls::SignatureScheme::kEd25519:
      return "eddsa";
    default:
      return "rsa";
  }
}

// The series of a family by a small key, so that a label set is spelt out once and not for each
// event. Keys come from what we negotiate, so there are few.
template <class Key, class Metric>
class Series {
 public:
  template <class Make>
  Metric& Find(const Key& key, Make&& make) {
    {
      const std::shared_lock lock(mutex_);
      const auto found = by_key_.find(key);
      if (found != by_key_.end()) return *found->second;
    }
    Metric& metric = make();
    const std::unique_lock lock(mutex_);
    by_key_.emplace(key, &metric);
    return metric;
  }

 private:
  std::shared_mutex mutex_;
  absl::flat_hash_map<Key, Metric*> by_key_;
};

// The four negotiated numbers in one; 0 is none of them in use.
uint64_t Pack(const FinishedHandshake& handshake) {
  const auto number = [](const auto& value) { return value ? static_cast<uint64_t>(*value) : 0; };
  return number(handshake.version) << 48 | number(handshake.cipher_suite) << 32 |
         number(handshake.group) << 16 | number(handshake.signature_scheme);
}

// role, what was negotiated, failure and 1 (0: established), whether a session was resumed
using HandshakeKey = std::tuple<std::string_view, uint64_t, int, bool>;
// scheme, operation, ok
using OperationKey = std::tuple<int, int, bool>;

}  // namespace

struct Metrics::State {
  explicit State(MetricSources asked) : sources(std::move(asked)) {}

  MetricSources sources;
  prometheus::Registry registry;
  ProcessStats process;
  std::atomic<int64_t> live{0};

  prometheus::Family<prometheus::Counter>& handshakes =
      prometheus::BuildCounter()
          .Name("handfast_handshakes_total")
          .Help("Handshakes that have ended, by what was negotiated and how it ended.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& handshake_duration =
      prometheus::BuildHistogram()
          .Name("handfast_handshake_duration_seconds")
          .Help("From the start of a handshake to its end, the peer's round trips included.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& operation_duration =
      prometheus::BuildHistogram()
          .Name("handfast_private_key_operation_duration_seconds")
          .Help("Private-key operations, without waiting for a processor.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& rpcs =
      prometheus::BuildCounter()
          .Name("handfast_rpcs_total")
          .Help("RPCs that have ended, by method and gRPC code.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& refusals =
      prometheus::BuildCounter()
          .Name("handfast_admission_refusals_total")
          .Help("Work refused before it began, by the limit that refused it.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& queue_wait =
      prometheus::BuildHistogram()
          .Name("handfast_queue_wait_seconds")
          .Help("From a piece of work's arrival to its start, by lane.")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& queue_run =
      prometheus::BuildHistogram()
          .Name("handfast_queue_run_seconds")
          .Help("Running time of a piece of work, by lane.")
          .Register(registry);

  // By RecordDirection.
  struct Records {
    prometheus::Counter& records;
    prometheus::Counter& bytes;
  };
  prometheus::Family<prometheus::Counter>& record_counts =
      prometheus::BuildCounter()
          .Name("handfast_records_total")
          .Help("Records protected or opened for connections whose keys stay here.")
          .Register(registry);
  prometheus::Family<prometheus::Counter>& record_bytes =
      prometheus::BuildCounter()
          .Name("handfast_record_bytes_total")
          .Help("Application data in those records.")
          .Register(registry);
  const Records sealed = RecordsOf("sealed");
  const Records opened = RecordsOf("opened");

  Series<HandshakeKey, prometheus::Counter> handshake_series;
  Series<std::pair<std::string_view, bool>, prometheus::Histogram> duration_series;
  Series<OperationKey, prometheus::Histogram> operation_series;
  Series<std::string, prometheus::Histogram> wait_series;
  Series<std::string, prometheus::Histogram> run_series;

  // Families that are made at the scrape.
  std::vector<prometheus::MetricFamily> Asked() const;
  prometheus::Counter& HandshakeCounter(const FinishedHandshake& handshake);
  Records RecordsOf(const char* direction) {
    return {record_counts.Add({{"direction", direction}}),
            record_bytes.Add({{"direction", direction}})};
  }
};

prometheus::Counter& Metrics::State::HandshakeCounter(const FinishedHandshake& handshake) {
  const HandshakeKey key{handshake.role, Pack(handshake),
                         handshake.failure ? static_cast<int>(*handshake.failure) + 1 : 0,
                         handshake.resumed};
  return handshake_series.Find(key, [&]() -> prometheus::Counter& {
    const std::string_view reason =
        handshake.failure ? tls::Describe(*handshake.failure).label : kNone;
    return handshakes.Add({{"role", std::string(handshake.role)},
                           {"version", NameOr(handshake.version)},
                           {"cipher_suite", NameOr(handshake.cipher_suite)},
                           {"group", NameOr(handshake.group)},
                           {"signature_scheme", NameOr(handshake.signature_scheme)},
                           {"resumed", handshake.resumed ? "yes" : "no"},
                           {"result", handshake.failure ? "failure" : "success"},
                           {"reason", std::string(reason)}});
  });
}

std::vector<prometheus::MetricFamily> Metrics::State::Asked() const {
  std::vector<prometheus::MetricFamily> families = process.Collect();
  families.push_back(Gauge("handfast_live_handshakes", "Handshakes that have not ended.",
                           static_cast<double>(live.load(std::memory_order_relaxed))));
  if (sources.served_not_after) {
    const std::vector<int64_t> served = sources.served_not_after();
    families.push_back(Gauge("handfast_served_certificates", "Certificates in use.",
                             static_cast<double>(served.size())));
    if (!served.empty()) {
      families.push_back(
          Gauge("handfast_certificate_not_after_timestamp_seconds",
                "The earliest end of a certificate in use, seconds since the epoch.",
                static_cast<double>(*std::min_element(served.begin(), served.end()))));
    }
  }
  if (sources.ticket_keys_rotated) {
    families.push_back(Gauge("handfast_ticket_key_rotation_timestamp_seconds",
                             "When the key that seals session tickets began to, seconds since the "
                             "epoch; 0: there is none.",
                             static_cast<double>(sources.ticket_keys_rotated())));
  }
  if (sources.queue_length) {
    prometheus::MetricFamily family =
        EmptyFamily("handfast_queue_length", "Pieces of work that wait, by lane.",
                    prometheus::MetricType::Gauge);
    for (const std::string_view lane : kLanes) {
      prometheus::ClientMetric& sample = family.metric.emplace_back();
      sample.label.push_back({"lane", std::string(lane)});
      sample.gauge.value = sources.queue_length(lane);
    }
    families.push_back(std::move(family));
  }
  return families;
}

Metrics::Metrics(std::string_view version, MetricSources sources)
    : state_(std::make_unique<State>(std::move(sources))) {
  prometheus::BuildGauge()
      .Name("handfast_build_info")
      .Help("1, with the version of this build.")
      .Register(state_->registry)
      .Add({{"version", std::string(version)}})
      .Set(1);
}

Metrics::~Metrics() = default;

void Metrics::HandshakeStarted() { state_->live.fetch_add(1, std::memory_order_relaxed); }

void Metrics::HandshakeFinished(const FinishedHandshake& handshake) {
  state_->live.fetch_sub(1, std::memory_order_relaxed);
  state_->HandshakeCounter(handshake).Increment();
  const bool ok = !handshake.failure;
  state_->duration_series
      .Find({handshake.role, ok},
            [&]() -> prometheus::Histogram& {
              return state_->handshake_duration.Add(
                  {{"role", std::string(handshake.role)}, {"result", ok ? "success" : "failure"}},
                  kHandshakeBuckets);
            })
      .Observe(handshake.duration_s);
}

void Metrics::PrivateKeyUsed(const PrivateKeyOperation& operation) {
  const OperationKey key{static_cast<int>(operation.scheme), static_cast<int>(operation.operation),
                         operation.ok};
  state_->operation_series
      .Find(key,
            [&]() -> prometheus::Histogram& {
              return state_->operation_duration.Add(
                  {{"operation", "sign"},
                   {"key_type", std::string(KeyTypeOf(operation.scheme))},
                   {"result", operation.ok ? "success" : "failure"}},
                  kPrivateKeyBuckets);
            })
      .Observe(operation.duration_s);
}

void Metrics::RpcFinished(std::string_view method, std::string_view code) {
  const std::string_view known = method.empty() ? std::string_view("other") : method;
  state_->rpcs.Add({{"method", std::string(known)}, {"code", std::string(code)}}).Increment();
}

void Metrics::Refused(std::string_view reason) {
  state_->refusals.Add({{"reason", std::string(reason)}}).Increment();
}

void Metrics::RecordsDone(RecordDirection direction, uint64_t records, uint64_t bytes) {
  const auto& series = direction == RecordDirection::kSealed ? state_->sealed : state_->opened;
  series.records.Increment(static_cast<double>(records));
  series.bytes.Increment(static_cast<double>(bytes));
}

void Metrics::WorkDone(std::string_view lane, double waited_s, double ran_s) {
  const std::string name(lane);
  const auto of = [&](auto& series, auto& family) -> prometheus::Histogram& {
    return series.Find(name, [&]() -> prometheus::Histogram& {
      return family.Add({{"lane", name}}, kQueueBuckets);
    });
  };
  of(state_->wait_series, state_->queue_wait).Observe(waited_s);
  of(state_->run_series, state_->queue_run).Observe(ran_s);
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = state_->registry.Collect();
  for (prometheus::MetricFamily& family : state_->Asked()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace handfast::observe
