// Durable handshakes under every fault, from 1,000 seeds; and that each planted bug is found.

#include <cstdio>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace handfast::sim {
namespace {

constexpr uint64_t kSeeds = 1000;

TEST(Simulation, NothingIsViolated) {
  std::map<std::string, int> ends;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Result result = World(seed, Bug::kNone, /*print=*/false).Run();
    EXPECT_EQ(result.violation, "") << "bazel run //tests/sim:simulate -- --seed=" << seed;
    for (const auto& [how, count] : result.ends) ends[how] += count;
  }
  for (const auto& [how, count] : ends) std::printf("%8d %s\n", count, how.c_str());
  // Else there would be little to see.
  EXPECT_GT(ends["established"], static_cast<int>(kSeeds));
  EXPECT_GT(ends["failed: deadline_exceeded"], 0);
  EXPECT_GT(ends["lost with the store"], 0);
}

// They stay, whatever else comes to be drawn from other seeds.
TEST(Simulation, SeedsThatFoundABug) {
  // An alert at the deadline, from a stream whose handshake had gone on elsewhere: 14, 22 and 83
  // under the nonce of application data, 79 and 100 beside the bytes of another replica.
  // A lost swap with the same input, but for an unfinished record that was cut elsewhere: 30022.
  for (const uint64_t seed : {14, 22, 79, 83, 100, 30022}) {
    EXPECT_EQ(World(seed, Bug::kNone, /*print=*/false).Run().violation, "") << seed;
  }
}

TEST(Simulation, ASeedIsTheSameInEachRun) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Result once = World(seed, Bug::kNone, /*print=*/false).Run();
    const Result again = World(seed, Bug::kNone, /*print=*/false).Run();
    EXPECT_EQ(once.trace, again.trace) << seed;
    EXPECT_EQ(once.actions, again.actions) << seed;
    const Result other = World(seed + 1, Bug::kNone, /*print=*/false).Run();
    EXPECT_NE(once.trace, other.trace) << seed;
  }
}

struct Planted {
  const char* name;
  Bug bug;
};

class Finds : public testing::TestWithParam<Planted> {};

TEST_P(Finds, IsFound) {
  const Planted& planted = GetParam();
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Result result = World(seed, planted.bug, /*print=*/false).Run();
    if (result.violation.empty()) continue;
    std::printf("the simulation finds %s after %d seeds: %s\n", planted.name,
                static_cast<int>(seed), result.violation.c_str());
    RecordProperty("seeds", static_cast<int>(seed));
    return;
  }
  FAIL() << "not found in " << kSeeds << " seeds";
}

INSTANTIATE_TEST_SUITE_P(TheSimulation, Finds,
                         testing::Values(Planted{"SwapIgnoresGeneration",
                                                 Bug::kSwapIgnoresGeneration},
                                         Planted{"SwapsOnStaleReads", Bug::kSwapsOnStaleReads},
                                         Planted{"TellsBeforeSwap", Bug::kTellsBeforeSwap},
                                         Planted{"TellsTwice", Bug::kTellsTwice},
                                         Planted{"RecomputesReplies", Bug::kRecomputesReplies},
                                         Planted{"IgnoresDeadlines", Bug::kIgnoresDeadlines},
                                         Planted{"RestoresSnapshots", Bug::kRestoresSnapshots},
                                         Planted{"LosersWin", Bug::kLosersWin}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace handfast::sim
