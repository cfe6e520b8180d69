// What the kernel counts for this process, under the names that Prometheus's own clients use.
#ifndef HANDFAST_SERVER_OBSERVE_PROCESS_STATS_H_
#define HANDFAST_SERVER_OBSERVE_PROCESS_STATS_H_

#include <optional>
#include <string_view>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

namespace handfast::observe {

struct ProcessStat {
  double cpu_s = 0;  // user and system
  double start_after_boot_s = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

// From the text of /proc/self/stat; nullopt where it is none.
std::optional<ProcessStat> ParseProcessStat(std::string_view text, double ticks_per_s,
                                            double page_bytes);

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_start_time_seconds, process_open_fds, process_max_fds. What cannot be read is left out.
class ProcessStats final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_PROCESS_STATS_H_
