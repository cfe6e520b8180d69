// A Redis that dies, hangs, or was never there: calls are answered at once, and all is well again
// by itself when it is back. Nothing waits for time to pass: the breaker's clock is the test's.
#include <csignal>

#include "tests/server/store/backends.h"

namespace handfast::store::test {
namespace {

constexpr Key kKey{"shop", "handle"};
constexpr milliseconds kProbeInterval{250};

class RedisOutage : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    server_ = std::make_unique<RedisServer>();
    Open(OptionsOf(*server_));
  }
  void Open(RedisOptions options) {
    options.probe_interval = kProbeInterval;
    store_ = std::make_unique<RedisStore>(std::move(options), "test", KeyOf(7), clock_,
                                          tls::SystemRandomness());
  }
  absl::Status Put(const Key& key, std::string_view text) {
    return store_->Put(key, tls::AsBytes(text), seconds(60));
  }
  void ExpectUnavailable() {
    const absl::Status statuses[] = {
        store_->Get(kKey).status(), store_->Pop(kKey).status(), Put(kKey, "a"),
        store_->CompareAndSwap(kKey, 1, tls::AsBytes("b"), seconds(60)).status()};
    for (const absl::Status& status : statuses) EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  }

  ManualClock clock_;
  std::unique_ptr<RedisServer> server_;
  std::unique_ptr<RedisStore> store_;
};

TEST_F(RedisOutage, AKilledRedisIsUnavailableAtOnceAndHeals) {
  ASSERT_TRUE(Put(kKey, "a").ok());
  ASSERT_EQ(store_->connects(), 1u);
  server_->Kill();
  const absl::Status first = store_->Get(kKey).status();
  EXPECT_TRUE(absl::IsUnavailable(first)) << first;
  EXPECT_NE(first.message().find("Redis at unix:" + server_->socket()), std::string::npos)
      << "says where: " << first;
  EXPECT_NE(first.message().find("see whether it runs there"), std::string::npos) << first;
  EXPECT_EQ(store_->connects(), 2u);
  ExpectUnavailable();
  EXPECT_EQ(store_->connects(), 2u) << "nobody asks while the breaker is open";
  server_->Start();
  ExpectUnavailable();
  EXPECT_EQ(store_->connects(), 2u) << "not even when it is back, before its time";
  clock_.Advance(kProbeInterval);
  EXPECT_TRUE(Put({"shop", "new"}, "b").ok());
  EXPECT_EQ(Show(store_->Get({"shop", "new"})), "b (1)");
  EXPECT_EQ(Show(store_->Get(kKey)), "NOT_FOUND") << "it was not persistent";
}

TEST_F(RedisOutage, EachProbeThatFailsBuysAnotherInterval) {
  server_->Kill();
  ExpectUnavailable();
  EXPECT_EQ(store_->connects(), 1u);
  for (uint64_t probe = 2; probe < 6; ++probe) {
    clock_.Advance(kProbeInterval - std::chrono::nanoseconds(1));
    ExpectUnavailable();
    EXPECT_EQ(store_->connects(), probe - 1);
    clock_.Advance(std::chrono::nanoseconds(1));
    ExpectUnavailable();
    EXPECT_EQ(store_->connects(), probe) << "of four calls one was the probe";
  }
}

TEST_F(RedisOutage, ARestartBetweenTwoCallsIsNoOutage) {
  ASSERT_TRUE(Put(kKey, "a").ok());
  server_->Do({"SAVE"});
  server_->Kill();
  server_->Start();
  EXPECT_EQ(Show(store_->Get(kKey)), "a (1)");
  EXPECT_EQ(store_->connects(), 2u);
}

TEST_F(RedisOutage, AHungRedisCostsOneTimeout) {
  RedisOptions options = OptionsOf(*server_);
  options.connect_timeout = options.command_timeout = milliseconds(100);
  Open(std::move(options));
  absl::Status put = Put(kKey, "a");
  // So short a time may pass on a machine that is busy elsewhere; then it is asked again.
  for (int tries = 0; absl::IsUnavailable(put) && tries < 50; ++tries) {
    clock_.Advance(kProbeInterval);
    put = Put(kKey, "a");
  }
  ASSERT_TRUE(put.ok() || absl::IsAlreadyExists(put)) << put;
  server_->Signal(SIGSTOP);
  const absl::Status hung = store_->Get(kKey).status();
  EXPECT_TRUE(absl::IsUnavailable(hung)) << hung;
  const uint64_t connects = store_->connects();
  // Were one of these to ask Redis, it would connect: a stopped one's socket still takes that.
  ExpectUnavailable();
  EXPECT_EQ(store_->connects(), connects);
  server_->Signal(SIGCONT);
  absl::StatusOr<Value> got = absl::UnavailableError("");
  for (int tries = 0; absl::IsUnavailable(got.status()) && tries < 50; ++tries) {
    clock_.Advance(kProbeInterval);
    got = store_->Get(kKey);
  }
  EXPECT_EQ(Show(got), "a (1)");
}

TEST_F(RedisOutage, OneThatWasNeverThereIsFoundWhenItComes) {
  server_->Kill();
  Open(OptionsOf(*server_));
  ExpectUnavailable();
  server_->Start();
  clock_.Advance(kProbeInterval);
  EXPECT_TRUE(Put(kKey, "a").ok());
}

TEST(CircuitBreaker, LetsOneThroughAnInterval) {
  using Answer = CircuitBreaker::Answer;
  CircuitBreaker breaker(kProbeInterval);
  handshakes::MonotonicTime now{};
  EXPECT_EQ(breaker.Ask(now), Answer::kGo);
  breaker.Failed(now);
  EXPECT_EQ(breaker.Ask(now), Answer::kNo);
  now += kProbeInterval - milliseconds(1);
  EXPECT_EQ(breaker.Ask(now), Answer::kNo);
  now += milliseconds(1);
  EXPECT_EQ(breaker.Ask(now), Answer::kProbe);
  EXPECT_EQ(breaker.Ask(now), Answer::kNo) << "one probe";
  now += kProbeInterval;
  EXPECT_EQ(breaker.Ask(now), Answer::kProbe) << "the first may never have come back";
  breaker.Succeeded();
  EXPECT_EQ(breaker.Ask(now), Answer::kGo);
  EXPECT_EQ(breaker.Ask(now), Answer::kGo);
}

}  // namespace
}  // namespace handfast::store::test
