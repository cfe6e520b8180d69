// Metric families that are made at the scrape: of one kind, with a sample or a few.
#ifndef HANDFAST_SERVER_OBSERVE_SINGLE_SAMPLE_H_
#define HANDFAST_SERVER_OBSERVE_SINGLE_SAMPLE_H_

#include <string>

#include <prometheus/metric_family.h>

namespace handfast::observe {

inline prometheus::MetricFamily EmptyFamily(std::string name, std::string help,
                                            prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

inline prometheus::MetricFamily Gauge(std::string name, std::string help, double value) {
  auto family = EmptyFamily(std::move(name), std::move(help), prometheus::MetricType::Gauge);
  family.metric.emplace_back().gauge.value = value;
  return family;
}

inline prometheus::MetricFamily Counter(std::string name, std::string help, double value) {
  auto family = EmptyFamily(std::move(name), std::move(help), prometheus::MetricType::Counter);
  family.metric.emplace_back().counter.value = value;
  return family;
}

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_SINGLE_SAMPLE_H_
