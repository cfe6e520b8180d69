// Records of connections whose keys stay in the service, under lost and late calls, crashes of the
// owner and clocks that jump, from 1,000 seeds; and that each planted bug is found. (S5: no key and
// nonce with two plaintexts.)

#include <cstdio>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/sim/records_world.h"

namespace handfast::sim {
namespace {

constexpr uint64_t kSeeds = 1000;

TEST(RecordsSimulation, NothingIsViolated) {
  std::map<std::string, int> ends;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto result = RecordsWorld(seed, RecordBug::kNone, /*print=*/false).Run();
    if (!result.violation.empty()) {
      RecordsWorld(seed, RecordBug::kNone, /*print=*/true).Run();
      FAIL() << "seed " << seed << ": " << result.violation;
    }
    for (const auto& [how, count] : result.ends) ends[how] += count;
  }
  for (const auto& [how, count] : ends) std::printf("%8d %s\n", count, how.c_str());
  // Else there would be little to see.
  EXPECT_GT(ends["done"], static_cast<int>(kSeeds));
  EXPECT_GT(ends["lost with its owner"], 0);
  EXPECT_GT(ends["lost a reply for too long"], 0);
}

struct Planted {
  const char* name;
  RecordBug bug;
  const char* found_as;
};

class RecordsSimulationFinds : public testing::TestWithParam<Planted> {};

TEST_P(RecordsSimulationFinds, IsFound) {
  const Planted& planted = GetParam();
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const auto result = RecordsWorld(seed, planted.bug, /*print=*/false).Run();
    if (result.violation.empty()) continue;
    std::printf("the simulation finds %s after %d seeds: %s\n", planted.name,
                static_cast<int>(seed), result.violation.c_str());
    EXPECT_NE(result.violation.find(planted.found_as), std::string::npos) << result.violation;
    return;
  }
  FAIL() << "not found in " << kSeeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(
    Planted, RecordsSimulationFinds,
    testing::Values(Planted{"TakesOver", RecordBug::kTakesOver, "a nonce protects two records"},
                    Planted{"RetriesAnew", RecordBug::kRetriesAnew, "a retry got other bytes"},
                    Planted{"ForgetsTheInput", RecordBug::kForgetsTheInput,
                            "a nonce protects two records"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace handfast::sim
