// One seed with its trace, or many with their speed:
//   simulate --seed=N
//   simulate --seeds=N [--first=N]
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tests/sim/world.h"

namespace handfast::sim {
namespace {

std::optional<uint64_t> ValueOf(std::string_view argument, std::string_view option) {
  if (!argument.starts_with(option)) return std::nullopt;
  argument.remove_prefix(option.size());
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(argument.begin(), argument.end(), value);
  if (error != std::errc() || end != argument.end()) return std::nullopt;
  return value;
}

int One(uint64_t seed) {
  const Result result = World(seed, Bug::kNone, /*print=*/true).Run();
  std::printf("seed %llu: trace %016llx, %s\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(result.trace),
              result.violation.empty() ? "no violation" : result.violation.c_str());
  return result.violation.empty() ? 0 : 1;
}

int Many(uint64_t first, uint64_t seeds) {
  const auto began = std::chrono::steady_clock::now();
  std::map<std::string, int> ends;
  int violations = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const Result result = World(seed, Bug::kNone, /*print=*/false).Run();
    for (const auto& [how, count] : result.ends) ends[how] += count;
    if (result.violation.empty()) continue;
    ++violations;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), result.violation.c_str());
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  for (const auto& [how, count] : ends) std::printf("%8d %s\n", count, how.c_str());
  std::printf("%llu seeds, %d violations, %.0f seeds/s\n", static_cast<unsigned long long>(seeds),
              violations, static_cast<double>(seeds) / took.count());
  return violations == 0 ? 0 : 1;
}

int Main(int argc, char** argv) {
  uint64_t first = 1;
  std::optional<uint64_t> seed;
  std::optional<uint64_t> seeds;
  for (int i = 1; i < argc; ++i) {
    if (const auto value = ValueOf(argv[i], "--seed=")) {
      seed = value;
    } else if (const auto value = ValueOf(argv[i], "--seeds=")) {
      seeds = value;
    } else if (const auto value = ValueOf(argv[i], "--first=")) {
      first = *value;
    } else {
      std::fprintf(stderr, "simulate --seed=N | --seeds=N [--first=N]\n");
      return 2;
    }
  }
  return seed ? One(*seed) : Many(first, seeds.value_or(1000));
}

}  // namespace
}  // namespace handfast::sim

int main(int argc, char** argv) { return handfast::sim::Main(argc, argv); }
