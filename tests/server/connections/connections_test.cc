// The table of established connections: whose they are, and what gives way when it is full.

#include "server/connections/connections.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::connections {
namespace {

using handshakes::EstablishedConnection;
using handshakes::Handle;
using handshakes::Owner;

class StandingClock final : public handshakes::Clock {
 public:
  handshakes::MonotonicTime Now() const override { return now; }
  int64_t UnixSeconds() const override { return 0; }
  handshakes::MonotonicTime now{std::chrono::hours(1)};
};

// A connection that has shaken hands in process, and so holds keys.
tls::Connection Live() {
  static const tls::test::Leaf leaf = tls::test::TestCa::Create("CA").Issue();
  const tls::test::ServerKit kit = tls::test::ServerKit::For(leaf);
  tls::test::ServerDriver server(kit);
  tls::test::LibsslClient client({});
  tls::Bytes to_server = client.Receive({});
  while (!server.established()) to_server = client.Receive(server.Receive(to_server));
  return server.Take();
}

class ConnectionsTest : public testing::Test {
 protected:
  static EstablishedConnection Make(const std::string& tenant, uint64_t number, bool kept) {
    EstablishedConnection connection;
    connection.handle = {.high = 1, .low = number};
    connection.owner = std::make_shared<Owner>(Owner{tenant, "edge"});
    connection.established = std::make_shared<tls::Established>();
    connection.established_at = handshakes::MonotonicTime(std::chrono::hours(1));
    if (kept) connection.kept = Live();
    return connection;
  }
  bool Has(const std::string& tenant, uint64_t number) {
    return table_.Find({tenant, "edge"}, {.high = 1, .low = number}).has_value();
  }

  StandingClock clock_;
  Connections table_{clock_, {.released = 3, .kept = 4}};
};

TEST_F(ConnectionsTest, AreTheirOwnersAlone) {
  table_.Add(Make("acme", 1, false));
  const Handle handle{.high = 1, .low = 1};
  EXPECT_TRUE(table_.Find({"acme", "edge"}, handle));
  EXPECT_FALSE(table_.Find({"acme", "sibling"}, handle));
  EXPECT_FALSE(table_.Find({"other", "edge"}, handle));
  EXPECT_FALSE(table_.Terminate({"other", "edge"}, handle));
  EXPECT_TRUE(table_.Terminate({"acme", "edge"}, handle));
  EXPECT_FALSE(table_.Terminate({"acme", "edge"}, handle));
  EXPECT_EQ(table_.size(), 0u);
}

TEST_F(ConnectionsTest, AreDescribed) {
  table_.Add(Make("acme", 1, false));
  table_.Add(Make("acme", 2, true));
  clock_.now += std::chrono::milliseconds(250);
  const auto released = table_.Find({"acme", "edge"}, {.high = 1, .low = 1});
  ASSERT_TRUE(released);
  EXPECT_TRUE(released->keys_released);
  EXPECT_EQ(released->age.count(), 250);
  EXPECT_FALSE(table_.Find({"acme", "edge"}, {.high = 1, .low = 2})->keys_released);
}

TEST_F(ConnectionsTest, OfATenantGiveWayToItsOwn) {
  table_.Add(Make("quiet", 1, false));
  for (uint64_t i = 10; i < 20; ++i) table_.Add(Make("busy", i, false));
  EXPECT_TRUE(Has("quiet", 1));  // though it is the oldest
  EXPECT_FALSE(Has("busy", 17));
  EXPECT_TRUE(Has("busy", 18));
  EXPECT_TRUE(Has("busy", 19));
  EXPECT_EQ(table_.size(), 3u);
}

TEST_F(ConnectionsTest, TheOldestGivesWayToANewTenant) {
  for (uint64_t i = 10; i < 13; ++i) table_.Add(Make("busy", i, false));
  table_.Add(Make("new", 1, false));
  EXPECT_TRUE(Has("new", 1));
  EXPECT_FALSE(Has("busy", 10));
  EXPECT_TRUE(Has("busy", 11));
}

TEST_F(ConnectionsTest, ThatHoldTheirKeysNeverGiveWay) {
  table_.Add(Make("acme", 1, true));
  for (uint64_t i = 10; i < 30; ++i) table_.Add(Make("acme", i, false));
  EXPECT_TRUE(Has("acme", 1));
  EXPECT_EQ(table_.size(), 4u);
}

TEST_F(ConnectionsTest, ATenantMayFillHalf) {
  EXPECT_TRUE(table_.HasRoom("acme", false));
  table_.Add(Make("acme", 1, true));
  table_.Add(Make("acme", 2, true));
  EXPECT_FALSE(table_.HasRoom("acme", false));
  EXPECT_TRUE(table_.HasRoom("acme", true));  // released ones are another matter
  EXPECT_TRUE(table_.HasRoom("other", false));
  table_.Add(Make("other", 3, true));
  table_.Add(Make("other", 4, true));
  EXPECT_FALSE(table_.HasRoom("third", false));  // all is full
  EXPECT_TRUE(table_.Terminate({"acme", "edge"}, {.high = 1, .low = 1}));
  EXPECT_TRUE(table_.HasRoom("acme", false));
  EXPECT_TRUE(table_.HasRoom("third", false));
}

TEST_F(ConnectionsTest, ThatHoldTheirKeysEndByAgeAndOthersDoNot) {
  table_.Add(Make("acme", 1, true));
  table_.Add(Make("acme", 2, false));
  clock_.now += Limits().kept_for;
  table_.EndOld();
  EXPECT_TRUE(Has("acme", 1)) << "to the day";
  clock_.now += std::chrono::seconds(1);
  table_.EndOld();
  EXPECT_FALSE(Has("acme", 1));
  EXPECT_TRUE(Has("acme", 2)) << "a mere record";
  EXPECT_TRUE(table_.HasRoom("acme", false));
}

TEST_F(ConnectionsTest, ManyThreads) {
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const std::string tenant = t % 2 == 0 ? "even" : "odd";
      for (uint64_t i = 0; i < 2000; ++i) {
        const uint64_t number = t * 10'000 + i;
        table_.Add(Make(tenant, number, false));
        Has(tenant, number);
        table_.HasRoom(tenant, false);
        if (i % 3 == 0) table_.Terminate({tenant, "edge"}, {.high = 1, .low = number});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(table_.size(), 3u);
}

}  // namespace
}  // namespace handfast::connections
