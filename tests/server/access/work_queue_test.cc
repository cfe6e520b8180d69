// Fairness between tenants and lanes, bounds, and the end. Most of it runs the queue by hand on
// this thread, so that each order is exact.
#include "server/access/work_queue.h"

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/access/error_details_interface.h"

namespace handfast::access {
namespace {

using std::chrono::milliseconds;

constexpr WorkQueueOptions kByHand = {.threads = {0, 0}};

struct TestClock {
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  WorkQueue::Clock Function() {
    return [this] { return now; };
  }
};

// Submits work that writes down its tenant.
void Submit(WorkQueue& queue, std::string& order, char tenant, int count,
            Lane lane = Lane::kGeneral) {
  for (int i = 0; i < count; ++i) {
    ASSERT_TRUE(
        queue.Submit(std::string(1, tenant), lane, [&order, tenant] { order += tenant; }).ok());
  }
}

TEST(WorkQueue, ServesTenantsRoundRobin) {
  TestClock clock;
  WorkQueue queue(kByHand, clock.Function());
  std::string order;
  Submit(queue, order, 'a', 5);
  Submit(queue, order, 'b', 2);
  Submit(queue, order, 'c', 1);
  while (queue.RunOne(Lane::kGeneral)) {
  }
  EXPECT_EQ(order, "abcabaaa");
}

TEST(WorkQueue, AFloodingTenantDelaysAnotherByOnePieceAtMost) {
  TestClock clock;
  WorkQueue queue({.threads = {0, 0}, .max_waiting = 10'000, .max_waiting_per_tenant = 9'000},
                  clock.Function());
  std::string order;
  Submit(queue, order, 'f', 8'000);
  for (int i = 0; i < 100; ++i) {
    order.clear();
    Submit(queue, order, 'g', 1);
    queue.RunOne(Lane::kGeneral);
    queue.RunOne(Lane::kGeneral);
    EXPECT_NE(order.find('g'), std::string::npos) << i;
  }
}

TEST(WorkQueue, LanesDoNotSeeEachOther) {
  TestClock clock;
  WorkQueue queue({.threads = {0, 0}, .max_waiting = 3, .max_waiting_per_tenant = 3},
                  clock.Function());
  std::string order;
  Submit(queue, order, 'r', 3, Lane::kRsa);
  EXPECT_FALSE(queue.Submit("x", Lane::kRsa, [] {}).ok()) << "the RSA lane is full";
  Submit(queue, order, 'e', 3);
  EXPECT_EQ(queue.waiting(Lane::kRsa), 3U);
  EXPECT_EQ(queue.waiting(Lane::kGeneral), 3U);
  while (queue.RunOne(Lane::kGeneral)) {
  }
  EXPECT_EQ(order, "eee");
}

TEST(WorkQueue, LaneByScheme) {
  EXPECT_EQ(LaneFor(tls::SignatureScheme::kRsaPssRsaeSha256), Lane::kRsa);
  EXPECT_EQ(LaneFor(tls::SignatureScheme::kRsaPkcs1Sha512), Lane::kRsa);
  EXPECT_EQ(LaneFor(tls::SignatureScheme::kEcdsaSecp256r1Sha256), Lane::kGeneral);
  EXPECT_EQ(LaneFor(tls::SignatureScheme::kEd25519), Lane::kGeneral);
}

TEST(WorkQueue, RefusesBeyondTheTenantsLimit) {
  TestClock clock;
  WorkQueue queue({.threads = {0, 0}, .max_waiting = 10, .max_waiting_per_tenant = 2},
                  clock.Function());
  std::string order;
  Submit(queue, order, 'a', 2);
  const absl::Status status = queue.Submit("a", Lane::kGeneral, [] { FAIL(); });
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(ReasonOf(status), "TENANT_QUEUE_LIMIT");
  EXPECT_GE(RetryDelayMsOf(status).value_or(0), 10);
  Submit(queue, order, 'b', 2);
  ASSERT_TRUE(queue.RunOne(Lane::kGeneral));
  EXPECT_TRUE(queue.Submit("a", Lane::kGeneral, [] {}).ok()) << "room again";
}

TEST(WorkQueue, RefusesBeyondTheLanesLimit) {
  TestClock clock;
  std::vector<std::string> refused;
  WorkQueue queue({.threads = {0, 0}, .max_waiting = 3, .max_waiting_per_tenant = 3},
                  clock.Function(), nullptr,
                  [&](std::string_view reason) { refused.emplace_back(reason); });
  std::string order;
  Submit(queue, order, 'a', 2);
  Submit(queue, order, 'b', 1);
  EXPECT_TRUE(refused.empty());
  EXPECT_EQ(ReasonOf(queue.Submit("c", Lane::kGeneral, [] { FAIL(); })), "QUEUE_LIMIT");
  EXPECT_EQ(refused, std::vector<std::string>{"QUEUE_LIMIT"});
  EXPECT_EQ(queue.waiting(Lane::kGeneral), 3U);
}

TEST(WorkQueue, TheRetryDelayFollowsTheQueue) {
  TestClock clock;
  WorkQueue queue({.threads = {0, 0}, .max_waiting = 20, .max_waiting_per_tenant = 20},
                  clock.Function());
  const auto slow = [&clock] { clock.now += milliseconds(10); };
  ASSERT_TRUE(queue.Submit("a", Lane::kGeneral, slow).ok());
  ASSERT_TRUE(queue.RunOne(Lane::kGeneral));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(queue.Submit("a", Lane::kGeneral, slow).ok());
  EXPECT_EQ(RetryDelayMsOf(queue.Submit("a", Lane::kGeneral, slow)), 200);
}

TEST(WorkQueue, ObservesWaitingAndRunning) {
  TestClock clock;
  std::vector<WorkObservation> seen;
  WorkQueue queue(kByHand, clock.Function(),
                  [&](const WorkObservation& observation) { seen.push_back(observation); });
  ASSERT_TRUE(queue.Submit("a", Lane::kRsa, [&] { clock.now += milliseconds(3); }).ok());
  clock.now += milliseconds(40);
  ASSERT_TRUE(queue.RunOne(Lane::kRsa));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].lane, Lane::kRsa);
  EXPECT_NEAR(seen[0].waited_s, 0.040, 1e-9);
  EXPECT_NEAR(seen[0].ran_s, 0.003, 1e-9);
}

TEST(WorkQueue, ShutdownDestroysWhatWaitsAndRefusesMore) {
  TestClock clock;
  WorkQueue queue(kByHand, clock.Function());
  auto witness = std::make_shared<int>(0);
  ASSERT_TRUE(queue.Submit("a", Lane::kGeneral, [witness] { FAIL(); }).ok());
  EXPECT_EQ(witness.use_count(), 2);
  queue.Shutdown();
  EXPECT_EQ(witness.use_count(), 1);
  const absl::Status status = queue.Submit("a", Lane::kGeneral, [] { FAIL(); });
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(ReasonOf(status), "SHUTTING_DOWN");
  queue.Shutdown();  // again changes nothing
}

TEST(WorkQueue, WorkMaySubmitWork) {
  TestClock clock;
  WorkQueue queue(kByHand, clock.Function());
  bool second = false;
  ASSERT_TRUE(
      queue
          .Submit("a", Lane::kGeneral,
                  [&] { EXPECT_TRUE(queue.Submit("a", Lane::kRsa, [&] { second = true; }).ok()); })
          .ok());
  EXPECT_TRUE(queue.RunOne(Lane::kGeneral));
  EXPECT_TRUE(queue.RunOne(Lane::kRsa));
  EXPECT_TRUE(second);
}

TEST(WorkQueue, ABlockedRsaLaneLeavesTheGeneralOneRunning) {
  WorkQueue queue({.threads = {1, 1}}, [] { return std::chrono::steady_clock::now(); });
  std::latch rsa_may_end(1);
  std::latch general_done(10);
  ASSERT_TRUE(queue.Submit("r", Lane::kRsa, [&] { rsa_may_end.wait(); }).ok());
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(queue.Submit("e", Lane::kGeneral, [&] { general_done.count_down(); }).ok());
  }
  general_done.wait();  // would never return if RSA work held the only thread
  rsa_may_end.count_down();
}

TEST(WorkQueue, RunsEverythingOnceUnderThreads) {
  constexpr int kEach = 2000;
  constexpr int kAll = 3 * kEach;
  std::atomic<int> ran{0};
  std::latch done(kAll);
  WorkQueue queue(
      {.threads = {2, 1}, .max_waiting = kAll, .max_waiting_per_tenant = kEach},
      [] { return std::chrono::steady_clock::now(); }, [](const WorkObservation&) {});
  std::vector<std::thread> submitters;
  for (const char* tenant : {"a", "b", "c"}) {
    submitters.emplace_back([&, tenant] {
      for (int i = 0; i < kEach; ++i) {
        const Lane lane = i % 3 == 0 ? Lane::kRsa : Lane::kGeneral;
        EXPECT_TRUE(queue
                        .Submit(tenant, lane,
                                [&] {
                                  ++ran;
                                  done.count_down();
                                })
                        .ok());
      }
    });
  }
  for (std::thread& submitter : submitters) submitter.join();
  done.wait();
  EXPECT_EQ(ran.load(), kAll);
}

}  // namespace
}  // namespace handfast::access
