// The drill: callers drive durable handshakes through three replicas while these are killed and
// stopped, and none may be lost. HANDFAST_DRILL_BLOWS makes it longer, HANDFAST_DRILL_SEED other;
// what befalls whom then still depends on how fast each process is.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/chaos/caller.h"
#include "tests/chaos/fleet.h"
#include "tests/chaos/peer.h"
#include "tests/chaos/storm.h"

namespace handfast::chaos {
namespace {

constexpr size_t kCallers = 4;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
}

// Of each kind of handshake: so many ended as they must.
enum Kind { kSteps, kAdvance, kRelay, kClientSteps, kClientRelay, kKinds };

struct Report {
  std::array<uint64_t, kKinds> whole{};
  Tally tally;
  std::vector<std::string> lost;

  uint64_t handshakes() const {
    uint64_t sum = lost.size();
    for (const uint64_t count : whole) sum += count;
    return sum;
  }
  void Add(const Report& other) {
    for (size_t i = 0; i < kKinds; ++i) whole[i] += other.whole[i];
    tally.Add(other.tally);
    lost.insert(lost.end(), other.lost.begin(), other.lost.end());
  }
};

// One handshake of any kind.
void RunAny(const Fleet& fleet, Caller& caller, Report& report) {
  const Kind kind = static_cast<Kind>(caller.random()() % kKinds);
  const int version = caller.random()() % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
  std::unique_ptr<Peer> peer;
  v1::Start start;
  if (kind == kClientSteps || kind == kClientRelay) {
    peer = std::make_unique<ServerPeer>(fleet.ca(), version);
    start = Releasing("durable-outbound", v1::ROLE_CLIENT);
  } else {
    peer = std::make_unique<ClientPeer>(fleet.ca(), version);
    start = Releasing(caller.random()() % 2 == 0 ? "durable" : "durable-mutual");
  }
  const bool relayed = kind == kRelay || kind == kClientRelay;
  const std::optional<std::string> lost =
      relayed ? caller.RunRelay(start, *peer) : caller.RunSteps(start, *peer, kind == kAdvance);
  if (lost) {
    report.lost.push_back("kind " + std::to_string(kind) + ", version " + std::to_string(version) +
                          ": " + *lost);
  } else {
    ++report.whole[kind];
  }
}

// Callers at work until the storm is over, and each handshake at its end.
Report RunThrough(const Fleet& fleet, Storm& storm, uint64_t seed) {
  std::array<Report, kCallers> reports;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kCallers; ++i) {
    threads.emplace_back([&, i] {
      Caller caller(fleet, seed * 100 + i, [&storm] { storm.Answered(); });
      do {
        RunAny(fleet, caller, reports[i]);
      } while (!storm.over());
      reports[i].tally = caller.tally();
    });
  }
  Report all;
  for (size_t i = 0; i < kCallers; ++i) {
    threads[i].join();
    all.Add(reports[i]);
  }
  return all;
}

void Print(const Report& report, const Storm& storm) {
  const auto& whole = report.whole;
  std::printf(
      "handshakes %ju (steps %ju, Advance %ju, Relay %ju, as client: steps %ju, Relay %ju)\n",
      report.handshakes(), whole[kSteps], whole[kAdvance], whole[kRelay], whole[kClientSteps],
      whole[kClientRelay]);
  std::printf("calls %ju, of which failed %ju; steps repeated %ju; Relays resumed %ju, anew %ju\n",
              report.tally.calls, report.tally.failures, report.tally.repeats, report.tally.resumed,
              report.tally.anew);
  std::printf("replicas killed %d, stopped %d; Redis killed %d; lost: %zu\n", storm.kills(),
              storm.stops(), storm.redis_kills(), report.lost.size());
}

// What a storm must leave: nothing lost, though calls did fail, and every kind was there.
void ExpectNoneLost(Fleet& fleet, const StormOptions& options) {
  std::printf("HANDFAST_DRILL_SEED=%ju HANDFAST_DRILL_BLOWS=%d\n", options.seed, options.blows);
  Storm storm(fleet, options);
  const Report report = RunThrough(fleet, storm, options.seed);
  Print(report, storm);
  EXPECT_EQ(storm.error(), "");
  for (size_t i = 0; i < std::min<size_t>(report.lost.size(), 10); ++i) {
    ADD_FAILURE() << report.lost[i];
  }
  EXPECT_TRUE(report.lost.empty());
  for (const uint64_t count : report.whole) EXPECT_GT(count, 0u);
  EXPECT_GT(report.tally.failures, 0u) << "the storm hit nobody";
  EXPECT_GT(report.tally.repeats, 0u);
  EXPECT_GT(report.tally.resumed, 0u);
  for (size_t i = 0; i < kReplicas; ++i) EXPECT_TRUE(fleet.replica(i).WaitForReadyz(true));
}

StormOptions Options(int blows, bool redis) {
  return {.seed = FromEnvironment("HANDFAST_DRILL_SEED", 20'261'128),
          .blows = static_cast<int>(
              FromEnvironment("HANDFAST_DRILL_BLOWS", static_cast<uint64_t>(blows))),
          .redis = redis};
}

class Drill : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
  }
};

TEST_F(Drill, KilledAndStoppedReplicasLoseNoHandshake) {
  Fleet fleet;
  ASSERT_TRUE(fleet.Start());
  ExpectNoneLost(fleet, Options(24, /*redis=*/false));
}

TEST_F(Drill, NorDoesARedisThatPersistsAndComesBack) {
  Fleet fleet({"--appendonly", "yes", "--appendfsync", "always"});
  ASSERT_TRUE(fleet.Start());
  ExpectNoneLost(fleet, Options(12, /*redis=*/true));
}

// A handshake by steps at one replica, which is killed once it has answered the first of them.
std::optional<std::string> RunThroughAKill(const std::string& profile) {
  Fleet fleet;
  if (!fleet.Start()) return "the fleet did not start";
  int answers = 0;
  Caller caller(fleet, 1, [&] {
    if (++answers == 2) fleet.Kill(1);
  });
  caller.Prefer(1);
  ClientPeer peer(fleet.ca(), TLS1_3_VERSION);
  std::optional<std::string> lost = caller.RunSteps(Releasing(profile), peer, /*advance=*/true);
  EXPECT_GT(answers, 2);
  return lost;
}

// The control: the same check, of a handshake that is not in the store, does find it lost.
TEST_F(Drill, WithoutDurabilityAKillLosesWhatIsLive) {
  EXPECT_EQ(RunThroughAKill("durable"), std::nullopt);
  const std::optional<std::string> lost = RunThroughAKill("fleeting");
  ASSERT_TRUE(lost.has_value());
  EXPECT_NE(lost->find("NOT_FOUND"), std::string::npos) << *lost;
}

}  // namespace
}  // namespace handfast::chaos
