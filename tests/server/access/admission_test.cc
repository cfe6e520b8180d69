// Limits at the limit and one beyond, tokens by an injected clock, and rights given back.
#include "server/access/admission.h"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/access/error_details_interface.h"

namespace handfast::access {
namespace {

using std::chrono::milliseconds;

struct TestClock {
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  MonotonicClock Function() {
    return [this] { return now; };
  }
};

TEST(Admission, AdmitsToTheTenantsLimitAndNotOneMore) {
  TestClock clock;
  Admission admission({.max_live = 100, .max_live_per_tenant = 3}, clock.Function());
  std::vector<Admitted> held;
  for (int i = 0; i < 3; ++i) {
    auto admitted = admission.Admit("shop");
    ASSERT_TRUE(admitted.ok());
    held.push_back(*std::move(admitted));
  }
  const absl::Status status = admission.Admit("shop").status();
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(ReasonOf(status), "TENANT_HANDSHAKES_LIMIT");
  EXPECT_GT(RetryDelayMsOf(status).value_or(0), 0);
  EXPECT_TRUE(admission.Admit("bank").ok()) << "another tenant is not touched";
  held.pop_back();
  EXPECT_TRUE(admission.Admit("shop").ok());
}

TEST(Admission, AdmitsToTheServicesLimitAndNotOneMore) {
  TestClock clock;
  Admission admission({.max_live = 2, .max_live_per_tenant = 2}, clock.Function());
  auto first = admission.Admit("a");
  auto second = admission.Admit("b");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(ReasonOf(admission.Admit("c").status()), "HANDSHAKES_LIMIT");
  EXPECT_EQ(admission.live(), 2);
}

TEST(Admission, GivesBackOnceHoweverItIsMoved) {
  TestClock clock;
  Admission admission({}, clock.Function());
  {
    Admitted outer;
    {
      auto admitted = admission.Admit("shop");
      ASSERT_TRUE(admitted.ok());
      Admitted moved = *std::move(admitted);
      outer = std::move(moved);
    }
    EXPECT_EQ(admission.live("shop"), 1);
    outer = *admission.Admit("shop");
    EXPECT_EQ(admission.live("shop"), 1);
  }
  EXPECT_EQ(admission.live("shop"), 0);
  EXPECT_EQ(admission.live(), 0);
}

TEST(Admission, ARefusalTakesNothing) {
  TestClock clock;
  Admission admission({.max_live = 10, .max_live_per_tenant = 1}, clock.Function());
  auto held = admission.Admit("shop");
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(admission.Admit("shop").ok());
  EXPECT_EQ(admission.live(), 1);
}

TEST(Admission, TokensFillWithTime) {
  TestClock clock;
  Admission admission({.rate_per_tenant = 10, .burst_per_tenant = 2}, clock.Function());
  EXPECT_TRUE(admission.Admit("shop").ok());
  EXPECT_TRUE(admission.Admit("shop").ok());
  const absl::Status status = admission.Admit("shop").status();
  EXPECT_EQ(ReasonOf(status), "TENANT_RATE_LIMIT");
  EXPECT_EQ(RetryDelayMsOf(status), 100);

  clock.now += milliseconds(90);
  EXPECT_NEAR(RetryDelayMsOf(admission.Admit("shop").status()).value_or(0), 10, 1);
  clock.now += milliseconds(11);
  EXPECT_TRUE(admission.Admit("shop").ok());
  EXPECT_FALSE(admission.Admit("shop").ok());
  EXPECT_TRUE(admission.Admit("bank").ok()) << "each tenant has tokens of its own";

  clock.now += std::chrono::hours(1);
  EXPECT_TRUE(admission.Admit("shop").ok());
  EXPECT_TRUE(admission.Admit("shop").ok());
  EXPECT_FALSE(admission.Admit("shop").ok()) << "a burst, however long the rest before it";
}

TEST(Admission, TellsEachRefusal) {
  TestClock clock;
  std::vector<std::string> reasons;
  Admission admission({.max_live = 1, .max_live_per_tenant = 1}, clock.Function(),
                      [&](std::string_view reason) { reasons.emplace_back(reason); });
  auto held = admission.Admit("a");
  EXPECT_FALSE(admission.Admit("a").ok());
  EXPECT_FALSE(admission.Admit("b").ok());
  EXPECT_EQ(reasons, (std::vector<std::string>{"HANDSHAKES_LIMIT", "HANDSHAKES_LIMIT"}));
}

TEST(Admission, CountsRightUnderThreads) {
  Admission admission({.max_live = 8, .max_live_per_tenant = 4},
                      [] { return std::chrono::steady_clock::time_point(); });
  std::atomic<int> worst{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, tenant = std::string(t % 2 == 0 ? "a" : "b")] {
      for (int i = 0; i < 2000; ++i) {
        auto admitted = admission.Admit(tenant);
        int seen = worst.load();
        const int live = admission.live(tenant);
        while (live > seen && !worst.compare_exchange_weak(seen, live)) {
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(worst.load(), 4);
  EXPECT_EQ(admission.live(), 0);
}

}  // namespace
}  // namespace handfast::access
