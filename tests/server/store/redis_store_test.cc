// The store in Redis, where all is well: how it connects, what it leaves there and for how long.
#include <algorithm>
#include <thread>
#include <vector>

#include "tests/server/store/backends.h"

namespace handfast::store::test {
namespace {

constexpr Key kKey{"canary-tenant", "canary-handle"};

class RedisStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    server_ = std::make_unique<RedisServer>();
  }
  std::unique_ptr<RedisStore> Open(RedisOptions options, std::string space = "test") {
    return std::make_unique<RedisStore>(std::move(options), std::move(space), KeyOf(7), clock_,
                                        tls::SystemRandomness());
  }
  static absl::Status Put(Store& store, const Key& key, std::string_view text) {
    return store.Put(key, tls::AsBytes(text), seconds(60));
  }

  ManualClock clock_;
  std::unique_ptr<RedisServer> server_;
};

TEST_F(RedisStoreTest, RedisSeesNeitherValueNorName) {
  const auto store = Open(OptionsOf(*server_));
  ASSERT_TRUE(Put(*store, kKey, "canary-value").ok());
  const auto everything = [&] {
    std::string all = server_->Do({"KEYS", "*"});
    for (const std::string& name : server_->EntryNames()) all += server_->Do({"GET", name});
    return all;
  };
  EXPECT_NE(everything().find("handfast/test/"), std::string::npos);
  EXPECT_EQ(everything().find("canary"), std::string::npos);
  // The control: what is put there in the clear is found.
  server_->Do({"SET", "handfast/test/clear", "canary"});
  EXPECT_NE(everything().find("canary"), std::string::npos);
}

TEST_F(RedisStoreTest, EachEntryExpiresInRedis) {
  const auto store = Open(OptionsOf(*server_));
  ASSERT_TRUE(store->Put(kKey, tls::AsBytes("a"), seconds(60)).ok());
  const std::vector<std::string> names = server_->EntryNames();
  ASSERT_EQ(names.size(), 1u);
  const auto left_ms = [&] { return std::stoll(server_->Do({"PTTL", names[0]})); };
  EXPECT_GT(left_ms(), 0);
  EXPECT_LE(left_ms(), 60'000);
  ASSERT_TRUE(store->CompareAndSwap(kKey, 1, tls::AsBytes("b"), seconds(3600)).ok());
  EXPECT_GT(left_ms(), 60'000) << "a swap starts the time anew";
  EXPECT_LE(left_ms(), 3'600'000);
  ASSERT_TRUE(store->CompareAndSwap(kKey, 2, tls::AsBytes("c"), seconds(60)).ok());
  EXPECT_LE(left_ms(), 60'000);
}

TEST_F(RedisStoreTest, GivesThePasswordAndNeverSaysIt) {
  server_->Do({"CONFIG", "SET", "requirepass", "canary-password"});
  RedisOptions options = OptionsOf(*server_);
  options.password = *tls::Secret<512>::From(tls::AsBytes("canary-password"));
  EXPECT_TRUE(Put(*Open(std::move(options)), kKey, "a").ok());

  options = OptionsOf(*server_);
  options.password = *tls::Secret<512>::From(tls::AsBytes("canary-wrong"));
  const auto wrong = Open(std::move(options));
  const absl::Status refused = wrong->Get(kKey).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_NE(refused.message().find("refused the password (WRONGPASS)"), std::string::npos);
  EXPECT_EQ(refused.ToString().find("canary"), std::string::npos) << refused;
  const absl::Status again = wrong->Get(kKey).status();
  EXPECT_TRUE(absl::IsUnavailable(again)) << again;
  EXPECT_NE(again.message().find("refused the password"), std::string::npos) << "and says why";

  const absl::Status without = Open(OptionsOf(*server_))->Get(kKey).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(without)) << without;
}

TEST_F(RedisStoreTest, ChoosesTheDatabase) {
  RedisOptions options = OptionsOf(*server_);
  options.database = 5;
  const auto fifth = Open(std::move(options));
  ASSERT_TRUE(Put(*fifth, kKey, "a").ok());
  EXPECT_TRUE(server_->EntryNames().empty());
  EXPECT_EQ(Show(Open(OptionsOf(*server_))->Get(kKey)), "NOT_FOUND");
  options = OptionsOf(*server_);
  options.database = 5000;
  EXPECT_FALSE(Open(std::move(options))->Get(kKey).ok());
}

TEST_F(RedisStoreTest, ConnectsByHostAndPort) {
  // The port is the kernel's choice of a moment ago; somebody else may have it by now.
  for (int tries = 0; tries < 5; ++tries) {
    const int port = handfast::test::FreePort();
    if (server_->Do({"CONFIG", "SET", "port", std::to_string(port)}) != "OK") continue;
    RedisOptions options = OptionsOf(*server_);
    options.unix_socket.clear();
    options.host = "127.0.0.1";
    options.port = port;
    EXPECT_TRUE(Put(*Open(std::move(options)), kKey, "a").ok());
    EXPECT_EQ(server_->EntryNames().size(), 1u);
    return;
  }
  FAIL() << "no free port";
}

TEST_F(RedisStoreTest, GoesOnWhenRedisForgetsTheScript) {
  const auto store = Open(OptionsOf(*server_));
  ASSERT_TRUE(Put(*store, kKey, "a").ok());
  ASSERT_EQ(server_->Do({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_EQ(Show(store->Get(kKey)), "a (1)");
  EXPECT_EQ(store->CompareAndSwap(kKey, 1, tls::AsBytes("b"), seconds(60)).value_or(0), 2u);
  EXPECT_EQ(store->connects(), 1u);
  // The control: without a fallback this is what it would have met.
  ASSERT_EQ(server_->Do({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_EQ(server_->Do({"EVALSHA", std::string(40, 'a'), "0"}).substr(0, 16), "(error) NOSCRIPT");
}

TEST_F(RedisStoreTest, AFullRedisRefusesAndKeepsWhatItHas) {
  const auto store = Open(OptionsOf(*server_));
  ASSERT_TRUE(Put(*store, kKey, "a").ok());
  server_->Do({"CONFIG", "SET", "maxmemory", "1"});
  const absl::Status full = Put(*store, {"shop", "2"}, "b");
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_TRUE(absl::IsResourceExhausted(
      store->CompareAndSwap(kKey, 1, tls::AsBytes("b"), seconds(60)).status()));
  server_->Do({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(Show(store->Get(kKey)), "a (1)");
  EXPECT_EQ(store->connects(), 1u) << "to be full is no outage";
}

TEST_F(RedisStoreTest, OpensNoMoreConnectionsThanItMay) {
  RedisOptions options = OptionsOf(*server_);
  options.connections = 2;
  const auto store = Open(std::move(options));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 50; ++i) {
        const std::string handle = std::to_string(thread) + "/" + std::to_string(i);
        EXPECT_TRUE(Put(*store, {"shop", handle}, handle).ok());
        EXPECT_EQ(Show(store->Pop({"shop", handle})), handle + " (1)");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(store->connects(), 1u);
  EXPECT_LE(store->connects(), 2u);
}

TEST_F(RedisStoreTest, SaysNothingOfWhatRedisAnswers) {
  const auto store = Open(OptionsOf(*server_));
  ASSERT_TRUE(Put(*store, kKey, "a").ok());
  const std::string name = server_->EntryNames().at(0);
  server_->Do({"DEL", name});
  server_->Do({"RPUSH", name, "canary"});
  const absl::Status status = store->Get(kKey).status();
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_NE(status.message().find("WRONGTYPE"), std::string::npos) << status;
  EXPECT_EQ(status.message().find(name), std::string::npos) << status;
}

}  // namespace
}  // namespace handfast::store::test
