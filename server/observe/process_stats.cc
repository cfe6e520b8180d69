#include "server/observe/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "server/observe/single_sample.h"

namespace handfast::observe {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Seconds since the epoch; nullopt where /proc/stat does not say.
std::optional<double> BootTime() {
  std::ifstream in("/proc/stat");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return std::nullopt;
}

std::optional<double> OpenFiles() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return std::nullopt;
  // The iterator itself is one of them.
  return static_cast<double>(std::distance(begin(files), end(files)) - 1);
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(std::string_view text, double ticks_per_s,
                                            double page_bytes) {
  // proc(5): the second field, the program's name, stands in parentheses and may hold any.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::istringstream rest{std::string(text.substr(name_end + 1))};
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr size_t kFirst = 3;  // fields[0] is proc(5)'s third
  const auto field = [&fields](size_t number) {
    return std::strtod(fields[number - kFirst].c_str(), nullptr);
  };
  if (fields.size() + kFirst <= 24) return std::nullopt;
  return ProcessStat{.cpu_s = (field(14) + field(15)) / ticks_per_s,
                     .start_after_boot_s = field(22) / ticks_per_s,
                     .virtual_bytes = field(23),
                     .resident_bytes = field(24) * page_bytes};
}

std::vector<prometheus::MetricFamily> ProcessStats::Collect() const {
  std::vector<prometheus::MetricFamily> families;
  const auto stat =
      ParseProcessStat(ReadFile("/proc/self/stat"), static_cast<double>(sysconf(_SC_CLK_TCK)),
                       static_cast<double>(sysconf(_SC_PAGESIZE)));
  if (stat) {
    families.push_back(Counter("process_cpu_seconds_total", "User and system time.", stat->cpu_s));
    families.push_back(
        Gauge("process_resident_memory_bytes", "Memory in RAM.", stat->resident_bytes));
    families.push_back(
        Gauge("process_virtual_memory_bytes", "Address space in use.", stat->virtual_bytes));
    if (const std::optional<double> boot = BootTime()) {
      families.push_back(Gauge("process_start_time_seconds", "Start, since the epoch.",
                               *boot + stat->start_after_boot_s));
    }
  }
  if (const std::optional<double> open = OpenFiles()) {
    families.push_back(Gauge("process_open_fds", "Open file descriptors.", *open));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.push_back(Gauge("process_max_fds", "Limit on open file descriptors.",
                             static_cast<double>(limit.rlim_cur)));
  }
  return families;
}

}  // namespace handfast::observe
