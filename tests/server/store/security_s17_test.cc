// S17, store compromise and stale store: the store's half. Whoever can write to Redis but has not
// the key changes, moves and restores what is there; and Redis itself goes back in time. What
// cannot be noticed has its tests too, so that nobody believes more than is true.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <vector>

#include "tests/server/store/backends.h"

namespace handfast::store::test {
namespace {

constexpr Key kKey{"shop", "handle"};

class SecurityS17 : public testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    server_ = std::make_unique<RedisServer>();
    store_ = Open();
  }
  // Another process of the same service, which has seen nothing yet.
  std::unique_ptr<RedisStore> Open(uint8_t key = 7, std::string space = "test") {
    return std::make_unique<RedisStore>(OptionsOf(*server_), std::move(space), KeyOf(key), clock_,
                                        tls::SystemRandomness());
  }
  absl::Status Put(const Key& key, std::string_view text) {
    return store_->Put(key, tls::AsBytes(text), seconds(60));
  }
  absl::Status Swap(const Key& key, uint64_t generation, std::string_view text) {
    return store_->CompareAndSwap(key, generation, tls::AsBytes(text), seconds(60)).status();
  }
  // The name in Redis of what `put` put there.
  std::string NameOfNew(const std::function<absl::Status()>& put) {
    const std::vector<std::string> before = server_->EntryNames();
    EXPECT_TRUE(put().ok());
    for (const std::string& name : server_->EntryNames()) {
      if (std::find(before.begin(), before.end(), name) == before.end()) return name;
    }
    ADD_FAILURE() << "nothing new";
    return "";
  }
  std::string Raw(const std::string& name) { return server_->Do({"GET", name}); }
  void SetRaw(const std::string& name, const std::string& bytes) {
    ASSERT_EQ(server_->Do({"SET", name, bytes, "PX", "60000"}), "OK");
  }
  std::string Incarnation() { return server_->Do({"GET", "handfast/test/incarnation"}); }
  void CrashAndRestart() {
    server_->Kill();
    server_->Start();
  }

  ManualClock clock_;
  std::unique_ptr<RedisServer> server_;
  std::unique_ptr<RedisStore> store_;
};

// Neither handed out, nor called absent.
void ExpectRefused(const absl::StatusOr<Value>& value, const std::string& what) {
  EXPECT_TRUE(absl::IsDataLoss(value.status()) || absl::IsFailedPrecondition(value.status()))
      << what << ": " << Show(value);
}

TEST_F(SecurityS17, EveryFlippedByteIsRefused) {
  const std::string name = NameOfNew([&] { return Put(kKey, "a secret"); });
  const std::string good = Raw(name);
  ASSERT_EQ(good.size(), 8 + kEnvelopeOverhead);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x01);
    SetRaw(name, bad);
    ExpectRefused(store_->Get(kKey), "byte " + std::to_string(i));
    ExpectRefused(store_->Pop(kKey), "byte " + std::to_string(i));
    EXPECT_EQ(Raw(name), "(nil)") << "popped, and nobody has it";
  }
  SetRaw(name, good);
  EXPECT_EQ(Show(Open()->Get(kKey)), "a secret (1)") << "the control: unflipped it is accepted";
}

TEST_F(SecurityS17, EveryTruncationIsRefused) {
  const std::string name = NameOfNew([&] { return Put(kKey, "a secret"); });
  const std::string good = Raw(name);
  for (size_t size = 0; size < good.size(); ++size) {
    SetRaw(name, good.substr(0, size));
    ExpectRefused(store_->Get(kKey), "size " + std::to_string(size));
  }
  SetRaw(name, good + "x");
  ExpectRefused(store_->Get(kKey), "one more byte");
  SetRaw(name, std::string(1 << 20, 'x'));
  ExpectRefused(store_->Get(kKey), "larger than any");
  SetRaw(name, good);
  EXPECT_EQ(Show(store_->Get(kKey)), "a secret (1)");
}

TEST_F(SecurityS17, AValueIsGoodUnderItsOwnKeyAlone) {
  const std::string mine = NameOfNew([&] { return Put(kKey, "mine"); });
  const std::string foreign = NameOfNew([&] { return Put({"bank", "handle"}, "bank's"); });
  const std::string other = NameOfNew([&] { return Put({"shop", "other"}, "other"); });
  const std::string good = Raw(mine);
  for (const std::string& from : {foreign, other}) {
    SetRaw(mine, Raw(from));
    ExpectRefused(store_->Get(kKey), "a value of another key");
  }
  SetRaw(mine, good);
  EXPECT_EQ(Show(store_->Get(kKey)), "mine (1)");
  // Sealed with another store key, whose holder shares all else.
  ExpectRefused(Open(8)->Get(kKey), "another store key");
  EXPECT_EQ(Show(Open(7)->Get(kKey)), "mine (1)");
}

TEST_F(SecurityS17, AValueOfAnotherSpaceIsRefused) {
  const std::string mine = NameOfNew([&] { return Put(kKey, "mine"); });
  // One incarnation for both, so that the space alone tells them apart.
  server_->Do({"SET", "handfast/sessions/incarnation", Incarnation()});
  ASSERT_TRUE(Open(7, "sessions")->Put(kKey, tls::AsBytes("theirs"), seconds(60)).ok());
  const std::string theirs = server_->EntryNames("sessions").at(0);
  SetRaw(mine, Raw(theirs));
  ExpectRefused(store_->Get(kKey), "another space");
}

TEST_F(SecurityS17, AnOlderValueUnderTheNewGenerationIsRefused) {
  const std::string name = NameOfNew([&] { return Put(kKey, "old"); });
  const std::string old = Raw(name);
  ASSERT_TRUE(Swap(kKey, 1, "new").ok());
  // The new header before the old seal: what the comparison in Redis sees is the newest.
  SetRaw(name, Raw(name).substr(0, 9) + old.substr(9));
  ExpectRefused(Open()->Get(kKey), "by one that has seen nothing");
}

TEST_F(SecurityS17, AnOlderGenerationPutBackIsRefused) {
  const std::string name = NameOfNew([&] { return Put(kKey, "old"); });
  const std::string old = Raw(name);
  ASSERT_TRUE(Swap(kKey, 1, "new").ok());
  const std::string current = Raw(name);
  SetRaw(name, old);
  ExpectRefused(store_->Get(kKey), "by who made the newer one");
  EXPECT_TRUE(absl::IsAborted(Swap(kKey, 1, "again"))) << "nor can it be built upon";
  EXPECT_EQ(Raw(name), old);
  SetRaw(name, current);
  EXPECT_EQ(Show(store_->Get(kKey)), "new (2)") << "the control";
  // Who has never seen the newer one cannot tell; its caller sees the generation.
  SetRaw(name, old);
  EXPECT_EQ(Show(Open()->Get(kKey)), "old (1)");
}

TEST_F(SecurityS17, APoppedValuePutBackIsRefused) {
  const std::string name = NameOfNew([&] { return Put(kKey, "once"); });
  const std::string popped = Raw(name);
  ASSERT_EQ(Show(store_->Pop(kKey)), "once (1)");
  SetRaw(name, popped);
  ExpectRefused(store_->Get(kKey), "popped before");
  EXPECT_TRUE(absl::IsNotFound(Swap(kKey, 1, "again")));
  ExpectRefused(store_->Pop(kKey), "popped before");
}

TEST_F(SecurityS17, AnOlderSnapshotLosesAllThatIsLive) {
  ASSERT_TRUE(Put(kKey, "before").ok());
  ASSERT_EQ(server_->Do({"SAVE"}), "OK");
  const std::string incarnation = Incarnation();
  ASSERT_TRUE(Swap(kKey, 1, "after").ok());
  CrashAndRestart();
  ASSERT_EQ(Incarnation(), incarnation) << "the snapshot is there";
  ASSERT_EQ(server_->EntryNames().size(), 1u);
  EXPECT_EQ(Show(store_->Get(kKey)), "NOT_FOUND");
  EXPECT_NE(Incarnation(), incarnation) << "it goes on as another";
  EXPECT_EQ(Show(Open()->Get(kKey)), "NOT_FOUND") << "for those that have noticed nothing as well";
  EXPECT_TRUE(absl::IsNotFound(Swap(kKey, 1, "again")));
  EXPECT_TRUE(Put({"shop", "new"}, "b").ok());
  EXPECT_EQ(Show(store_->Get({"shop", "new"})), "b (1)");
}

TEST_F(SecurityS17, AWriteIsNeverDoneOnAnOlderSnapshot) {
  ASSERT_TRUE(Put(kKey, "before").ok());
  ASSERT_EQ(server_->Do({"SAVE"}), "OK");
  ASSERT_EQ(Show(store_->Pop(kKey)), "before (1)");
  CrashAndRestart();
  EXPECT_EQ(Show(store_->Pop(kKey)), "NOT_FOUND") << "no value is handed out twice";
  EXPECT_EQ(Show(Open()->Pop(kKey)), "NOT_FOUND");
}

// The control: one that lost nothing is no roll-back.
TEST_F(SecurityS17, ASnapshotOfTheLastStateLosesNothing) {
  ASSERT_TRUE(Put(kKey, "a").ok());
  ASSERT_TRUE(Swap(kKey, 1, "b").ok());
  ASSERT_EQ(server_->Do({"SAVE"}), "OK");
  const std::string incarnation = Incarnation();
  CrashAndRestart();
  EXPECT_EQ(Show(store_->Get(kKey)), "b (2)");
  EXPECT_EQ(Incarnation(), incarnation);
}

TEST_F(SecurityS17, WhoseOwnWriteIsLostNoticesHoweverMuchOthersWrote) {
  ASSERT_TRUE(Put(kKey, "before").ok());
  ASSERT_EQ(server_->Do({"SAVE"}), "OK");
  ASSERT_TRUE(Put({"shop", "2"}, "after").ok());
  CrashAndRestart();
  const auto fresh = Open();
  for (const char* handle : {"3", "4", "5"}) {
    ASSERT_TRUE(fresh->Put({"shop", handle}, tls::AsBytes("c"), seconds(60)).ok());
  }
  EXPECT_EQ(Show(fresh->Get(kKey)), "before (1)");
  EXPECT_EQ(Show(store_->Get(kKey)), "NOT_FOUND");
  EXPECT_EQ(Show(fresh->Get(kKey)), "NOT_FOUND") << "then for all";
}

// What cannot be noticed: all whose writes were lost are gone, and the others saw nothing newer, or
// the store was written to until it was as far as they remember.
TEST_F(SecurityS17, WhoLostNothingCannotMissIt) {
  const auto reader = Open();
  ASSERT_TRUE(Put(kKey, "before").ok());
  ASSERT_EQ(server_->Do({"SAVE"}), "OK");
  ASSERT_TRUE(Put({"shop", "2"}, "after").ok());
  ASSERT_EQ(Show(reader->Get({"shop", "2"})), "after (1)");
  CrashAndRestart();
  const auto fresh = Open();
  EXPECT_EQ(Show(fresh->Get(kKey)), "before (1)");
  ASSERT_TRUE(fresh->Put({"shop", "3"}, tls::AsBytes("c"), seconds(60)).ok());
  EXPECT_EQ(Show(reader->Get({"shop", "2"})), "NOT_FOUND");
  EXPECT_EQ(Show(reader->Get(kKey)), "before (1)");
}

TEST_F(SecurityS17, AReplacedStoreLosesAllThatIsLive) {
  ASSERT_TRUE(Put(kKey, "a").ok());
  const std::string incarnation = Incarnation();
  ASSERT_EQ(server_->Do({"FLUSHALL"}), "OK");
  EXPECT_EQ(Show(store_->Get(kKey)), "NOT_FOUND");
  EXPECT_NE(Incarnation(), incarnation);
  EXPECT_TRUE(Put(kKey, "b").ok());
  EXPECT_EQ(Show(store_->Get(kKey)), "b (1)");
}

TEST_F(SecurityS17, AValueOfAnotherIncarnationIsRefused) {
  const std::string old = Raw(NameOfNew([&] { return Put(kKey, "old"); }));
  ASSERT_EQ(server_->Do({"FLUSHALL"}), "OK");
  const std::string name = NameOfNew([&] { return Put(kKey, "new"); });
  const std::string good = Raw(name);
  SetRaw(name, old);
  ExpectRefused(store_->Get(kKey), "the same key's value, of before");
  SetRaw(name, good);
  EXPECT_EQ(Show(store_->Get(kKey)), "new (1)");
}

// A was replaced by B, and is put back: whatever ran on B must not run on A again.
TEST_F(SecurityS17, AStoreThatWasLeftIsNotEnteredAgain) {
  ASSERT_TRUE(Put(kKey, "on A").ok());
  ASSERT_EQ(server_->Do({"SAVE"}), "OK");
  const std::string a = Incarnation();
  ASSERT_EQ(server_->Do({"FLUSHALL"}), "OK");
  ASSERT_TRUE(Put({"shop", "2"}, "on B").ok());
  std::filesystem::copy_file(server_->File("dump.rdb"), server_->File("a.rdb"));
  ASSERT_EQ(server_->Do({"SAVE"}), "OK");
  server_->Kill();
  std::filesystem::copy_file(server_->File("a.rdb"), server_->File("dump.rdb"),
                             std::filesystem::copy_options::overwrite_existing);
  server_->Start();
  ASSERT_EQ(Incarnation(), a);
  EXPECT_EQ(Show(store_->Get(kKey)), "NOT_FOUND");
  EXPECT_NE(Incarnation(), a);
  EXPECT_EQ(Show(Open()->Get(kKey)), "NOT_FOUND");
}

TEST_F(SecurityS17, BookkeepingThatIsTamperedWithLosesEntriesAndNoMore) {
  const std::string keys[] = {"handfast/test/incarnation", "handfast/test/epoch"};
  for (const std::string& key : keys) {
    const Key entry{"shop", key};
    ASSERT_TRUE(Put(entry, "a").ok());
    server_->Do({"DEL", key});
    EXPECT_EQ(Show(store_->Get(entry)), "NOT_FOUND") << key;
    EXPECT_TRUE(Put(entry, "b").ok()) << key;
    EXPECT_EQ(Show(store_->Get(entry)), "b (1)") << key;
  }
  server_->Do({"SET", "handfast/test/epoch", "many"});
  EXPECT_FALSE(store_->Get(kKey).ok());
  server_->Do({"SET", "handfast/test/incarnation", ""});
  EXPECT_FALSE(store_->Get(kKey).ok());
}

}  // namespace
}  // namespace handfast::store::test
