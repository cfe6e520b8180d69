// Kept sessions: each under its label, for its time, taken once, and never more than there are
// places for; on either store.
#include "server/sessions/session_table.h"

#include <thread>

#include <gtest/gtest.h>

#include "tests/server/store/backends.h"
#include "tls/crypto/random.h"

namespace handfast::sessions {
namespace {

using tls::Bytes;

class WallClock final : public handshakes::Clock {
 public:
  handshakes::MonotonicTime Now() const override { return std::chrono::steady_clock::now(); }
  int64_t UnixSeconds() const override { return unix_s; }
  std::atomic<int64_t> unix_s{1'800'000'000};
};

SessionTable::Label LabelOf(uint8_t place, uint8_t rest) {
  SessionTable::Label label{};
  label[1] = place;
  label[31] = rest;
  return label;
}

class SessionTableTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!GetParam()) {
      store_ = std::make_unique<store::MemoryStore>(
          clock_, store::MemoryStore::Limits{.entries = 1000, .bytes = size_t{16} << 20});
      return;
    }
    if (!store::test::RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    redis_ = std::make_unique<store::test::RedisServer>();
    store_ = std::make_unique<store::RedisStore>(store::test::OptionsOf(*redis_), "test",
                                                 *tls::AeadKey::From(Bytes(32, 9)), clock_,
                                                 tls::SystemRandomness());
  }
  tls::Session NewSession(const std::string& name, int64_t lifetime = 1000) const {
    tls::Session session;
    session.version = tls::ProtocolVersion::kTls12;
    session.secret = *tls::HashSecret::From(Bytes(48, 7));
    session.server_name = name;
    session.not_after_unix_s = clock_.UnixSeconds() + lifetime;
    return session;
  }
  std::string Find(const SessionTable::Label& label, const std::string& tenant = "acme") {
    const auto found = table().Find(tenant, label);
    return found.ok() ? found->server_name : "";
  }
  std::string Take(const SessionTable::Label& label, const std::string& tenant = "acme") {
    const auto taken = table().Take(tenant, label);
    return taken.ok() ? taken->server_name : "";
  }
  bool Keep(const SessionTable::Label& label, tls::Session session) {
    return table().Keep("acme", label, std::move(session)).ok();
  }
  // As another replica would have it.
  SessionTable table() { return SessionTable(clock_, *store_); }

  WallClock clock_;
  std::unique_ptr<store::test::RedisServer> redis_;
  std::unique_ptr<store::Store> store_;
};
INSTANTIATE_TEST_SUITE_P(, SessionTableTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Redis" : "Memory"; });

TEST_P(SessionTableTest, FindsWhatWasKeptUnderItsLabelAndTenantAlone) {
  const auto label = LabelOf(1, 1);
  ASSERT_TRUE(Keep(label, NewSession("a.test")));
  EXPECT_EQ(Find(label), "a.test");
  EXPECT_EQ(Find(label), "a.test") << "it stays";
  EXPECT_EQ(Find(LabelOf(1, 2)), "") << "the same place, and another label";
  EXPECT_EQ(Find(LabelOf(2, 1)), "");
  EXPECT_EQ(Find(label, "other"), "");
}

TEST_P(SessionTableTest, GivesEachOnce) {
  const auto label = LabelOf(1, 1);
  ASSERT_TRUE(Keep(label, NewSession("first")));
  ASSERT_TRUE(Keep(label, NewSession("second")));
  ASSERT_TRUE(Keep(LabelOf(1, 2), NewSession("another's")));
  EXPECT_EQ(Take(label), "second") << "the latest";
  EXPECT_EQ(Take(label), "first");
  EXPECT_EQ(Take(label), "");
  EXPECT_EQ(Take(LabelOf(1, 2)), "another's");
  ASSERT_TRUE(Keep(label, NewSession("third"))) << "and so on";
  EXPECT_EQ(Take(label), "third");
}

TEST_P(SessionTableTest, OfManyWhoTakeOneHasIt) {
  const auto label = LabelOf(1, 1);
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(Keep(label, NewSession("one")));
    std::atomic<int> got{0};
    std::vector<std::thread> takers;
    for (int i = 0; i < 4; ++i) takers.emplace_back([&] { got += Take(label) == "one"; });
    for (std::thread& taker : takers) taker.join();
    EXPECT_EQ(got, 1);
  }
}

TEST_P(SessionTableTest, EachHasItsTime) {
  const auto label = LabelOf(1, 1);
  ASSERT_TRUE(Keep(label, NewSession("short", 10)));
  clock_.unix_s += 9;
  EXPECT_EQ(Find(label), "short");
  clock_.unix_s += 1;
  EXPECT_EQ(Find(label), "");
}

// A place has another name each six days; what was kept before is found all the same.
TEST_P(SessionTableTest, IsFoundAcrossPeriods) {
  const auto label = LabelOf(1, 1);
  ASSERT_TRUE(Keep(label, NewSession("long", tls::kMaxSessionLifetimeS)));
  clock_.unix_s += tls::kMaxSessionLifetimeS - 24 * 3600;
  EXPECT_EQ(Find(label), "long");
  EXPECT_EQ(Take(label), "long");
  EXPECT_EQ(Take(label), "");
}

TEST_P(SessionTableTest, APlaceHasRoomForFew) {
  for (uint8_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(Keep(LabelOf(1, i), NewSession(std::to_string(i))));
  }
  int found = 0;
  for (uint8_t i = 0; i < 20; ++i) found += !Find(LabelOf(1, i)).empty();
  EXPECT_EQ(found, static_cast<int>(kSessionsInPlace));
  EXPECT_EQ(Find(LabelOf(1, 19)), "19") << "the latest stay";
  EXPECT_EQ(Find(LabelOf(1, 0)), "");
}

TEST_P(SessionTableTest, WhatIsTooLargeIsNotKept) {
  tls::Session large = NewSession("large");
  large.peer_chain = {Bytes(kMaxKeptSessionSize, 1)};
  EXPECT_FALSE(Keep(LabelOf(1, 1), std::move(large)));
  EXPECT_EQ(Find(LabelOf(1, 1)), "");
}

// Somebody wrote into Redis: what is not ours is not used, and the place is of use again.
TEST_P(SessionTableTest, WhatWasAlteredIsNoSession) {
  if (!GetParam()) GTEST_SKIP() << "nobody else writes to this process's memory";
  const auto label = LabelOf(1, 1);
  ASSERT_TRUE(Keep(label, NewSession("mine")));
  ASSERT_EQ(redis_->EntryNames().size(), 1u);
  const std::string name = redis_->EntryNames()[0];
  redis_->Do({"SETRANGE", name, "40", "spoilt"});
  EXPECT_EQ(Find(label), "");
  ASSERT_TRUE(Keep(label, NewSession("next")));
  EXPECT_EQ(Find(label), "next");
}

}  // namespace
}  // namespace handfast::sessions
