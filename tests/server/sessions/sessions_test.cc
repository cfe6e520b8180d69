// Replicas that share a store agree on their ticket keys; one that cannot reach it goes on with
// what it knows. What a binding tells apart.
#include "server/sessions/sessions.h"

#include <deque>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "server/observe/log.h"
#include "server/store/memory_store.h"

namespace handfast::sessions {
namespace {

using tls::Bytes;

constexpr int64_t kHour = 3600;

class TurnedClock final : public handshakes::Clock {
 public:
  handshakes::MonotonicTime Now() const override {
    return handshakes::MonotonicTime(std::chrono::seconds(seconds_.load()));
  }
  int64_t UnixSeconds() const override { return 1'800'000'000 + seconds_.load(); }
  void Advance(int64_t seconds) { seconds_ += seconds; }

 private:
  std::atomic<int64_t> seconds_{1000};
};

class AwayStore final : public store::Store {
 public:
  explicit AwayStore(store::Store& store) : store_(store) {}
  absl::StatusOr<store::Value> Get(const store::Key& key) override {
    ++asked;
    if (!trouble.ok()) return trouble;
    return store_.Get(key);
  }
  absl::Status Put(const store::Key& key, tls::ByteView value, store::TimeToLive ttl) override {
    return trouble.ok() ? store_.Put(key, value, ttl) : trouble;
  }
  absl::StatusOr<uint64_t> CompareAndSwap(const store::Key& key, uint64_t generation,
                                          tls::ByteView value, store::TimeToLive ttl) override {
    if (!trouble.ok()) return trouble;
    return store_.CompareAndSwap(key, generation, value, ttl);
  }
  absl::StatusOr<store::Value> Pop(const store::Key& key) override {
    // It goes, and with it the damage.
    if (absl::IsDataLoss(trouble)) trouble = absl::OkStatus();
    return store_.Pop(key);
  }
  absl::Status trouble;
  int asked = 0;

 private:
  store::Store& store_;
};

class QueuedWork final : public access::WorkQueueInterface {
 public:
  absl::Status Submit(std::string_view, access::Lane, Work work) override {
    if (full) return absl::ResourceExhaustedError("full");
    queue.push_back(std::move(work));
    return absl::OkStatus();
  }
  void RunAll() {
    while (!queue.empty()) {
      Work work = std::move(queue.front());
      queue.pop_front();
      work();
    }
  }
  std::deque<Work> queue;
  bool full = false;
};

struct Replica {
  Replica(const handshakes::Clock& clock, store::Store& shared)
      : store(shared), sessions(clock, store, work, tls::SystemRandomness()) {}
  AwayStore store;
  QueuedWork work;
  Sessions sessions;
};

tls::Session NewSession(int64_t not_after = 2'000'000'000) {
  tls::Session session;
  session.version = tls::ProtocolVersion::kTls12;
  session.secret = *tls::HashSecret::From(Bytes(48, 7));
  session.not_after_unix_s = not_after;
  session.session_id = Bytes(32, 3);
  return session;
}

Bytes TicketOf(const Replica& replica) {
  const auto keys = replica.sessions.CurrentTicketKeys();
  return keys->SealerFor({})->Seal(NewSession())->bytes;
}
bool Opens(const Replica& replica, const Bytes& ticket) {
  const auto keys = replica.sessions.CurrentTicketKeys();
  return keys != nullptr && keys->Open(ticket, {}).has_value();
}

class SessionsTest : public testing::Test {
 protected:
  SessionsTest() { observe::SetLogLevel(observe::Level::kError); }
  TurnedClock clock_;
  store::MemoryStore store_{clock_, {.entries = 1000, .bytes = size_t{16} << 20}};
  Replica one_{clock_, store_};
  Replica two_{clock_, store_};
};

TEST_F(SessionsTest, ReplicasAgree) {
  EXPECT_EQ(one_.sessions.CurrentTicketKeys(), nullptr);
  one_.sessions.Refresh();
  two_.sessions.Refresh();
  EXPECT_TRUE(Opens(two_, TicketOf(one_)));
  EXPECT_TRUE(Opens(one_, TicketOf(two_)));
  EXPECT_EQ(one_.sessions.ticket_keys_rotated_unix_s(), clock_.UnixSeconds());
  // The control: one that has another store does not.
  store::MemoryStore elsewhere(clock_, {.entries = 10, .bytes = size_t{1} << 20});
  Replica stranger(clock_, elsewhere);
  stranger.sessions.Refresh();
  EXPECT_FALSE(Opens(stranger, TicketOf(one_)));
}

TEST_F(SessionsTest, ReplicasAgreeWhereTheyRaceThroughAWholeDay) {
  for (int step = 0; step < 24; ++step) {
    std::thread other([&] { two_.sessions.Refresh(); });
    one_.sessions.Refresh();
    other.join();
    EXPECT_TRUE(Opens(two_, TicketOf(one_))) << step;
    EXPECT_TRUE(Opens(one_, TicketOf(two_))) << step;
    clock_.Advance(kHour);
  }
}

TEST_F(SessionsTest, T21_RotatedTwiceAndThirteenHoursLater) {
  one_.sessions.Refresh();
  const Bytes ticket = TicketOf(one_);
  for (int64_t hour = 0; hour <= 15; ++hour, clock_.Advance(kHour)) {
    two_.sessions.Refresh();
    EXPECT_EQ(Opens(two_, ticket), hour < 15) << hour;
  }
}

TEST_F(SessionsTest, GoesOnWhileTheStoreIsAway) {
  one_.sessions.Refresh();
  two_.sessions.Refresh();
  two_.store.trouble = absl::UnavailableError("away");
  const Bytes ticket = TicketOf(one_);
  for (int64_t hour = 0; hour < 17; ++hour, clock_.Advance(kHour)) {
    one_.sessions.Refresh();
    two_.sessions.Refresh();
    ASSERT_NE(two_.sessions.CurrentTicketKeys(), nullptr) << hour;
    EXPECT_EQ(two_.sessions.CurrentTicketKeys()->seals(), hour < 4) << hour;
    if (hour < 4) {
      EXPECT_TRUE(Opens(one_, TicketOf(two_))) << hour;
    }
    EXPECT_EQ(Opens(two_, ticket), hour < 15) << hour;
  }
  two_.sessions.Refresh();
  EXPECT_EQ(two_.sessions.CurrentTicketKeys(), nullptr);
  two_.store.trouble = absl::OkStatus();
  two_.sessions.Refresh();
  EXPECT_TRUE(Opens(one_, TicketOf(two_))) << "and heals by itself";
}

TEST_F(SessionsTest, AStoreThatCameBackEmptyGetsTheKeysAgain) {
  one_.sessions.Refresh();
  const Bytes ticket = TicketOf(one_);
  (void)store_.Pop({.tenant = "handfast.sessions", .handle = "ticket-keys"});
  clock_.Advance(60);
  one_.sessions.Refresh();
  two_.sessions.Refresh();
  EXPECT_TRUE(Opens(two_, ticket));
}

TEST_F(SessionsTest, KeysThatWereAlteredAreReplacedByThoseThatAreKnown) {
  one_.sessions.Refresh();
  const Bytes ticket = TicketOf(one_);
  one_.store.trouble = absl::DataLossError("altered");
  one_.sessions.Refresh();
  two_.sessions.Refresh();
  EXPECT_TRUE(Opens(two_, ticket));
  EXPECT_TRUE(Opens(two_, TicketOf(one_)));
}

// Keys of a newer release are left alone.
TEST_F(SessionsTest, AFormThatIsUnknownIsNotTouched) {
  const store::Key key{.tenant = "handfast.sessions", .handle = "ticket-keys"};
  const Bytes unknown(10, 0xee);
  ASSERT_TRUE(store_.Put(key, unknown, std::chrono::hours(1)).ok());
  one_.sessions.Refresh();
  EXPECT_EQ(one_.sessions.CurrentTicketKeys(), nullptr);
  EXPECT_EQ(store_.Get(key)->bytes, unknown);
}

TEST_F(SessionsTest, RefreshesWhenItIsDueAndNotWhereItIsAsked) {
  one_.sessions.Tick();
  EXPECT_EQ(one_.store.asked, 0) << "not here";
  one_.sessions.Tick();
  EXPECT_EQ(one_.work.queue.size(), 1u) << "once";
  one_.work.RunAll();
  EXPECT_EQ(one_.store.asked, 1);
  one_.sessions.Tick();
  EXPECT_TRUE(one_.work.queue.empty());
  clock_.Advance(kRefreshEvery.count());
  one_.work.full = true;
  one_.sessions.Tick();
  one_.work.full = false;
  one_.sessions.Tick();
  EXPECT_EQ(one_.work.queue.size(), 1u) << "where there was no room, the next time";
  one_.work.RunAll();
  EXPECT_EQ(one_.store.asked, 2);
}

TEST_F(SessionsTest, KeepsAndFindsInThreadsThatMayWait) {
  const Bytes binding(32, 1);
  one_.sessions.KeepServerSession("acme", binding, NewSession());
  EXPECT_EQ(one_.store.asked, 0);
  one_.work.RunAll();
  std::shared_ptr<const tls::Session> found;
  ASSERT_TRUE(two_.sessions.FindServerSessionLater("acme", binding, Bytes(32, 3),
                                                   [&](auto session) { found = session; }));
  EXPECT_EQ(two_.store.asked, 0);
  two_.work.RunAll();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->session_id, Bytes(32, 3));
  EXPECT_EQ(two_.sessions.FindServerSession("acme", Bytes(32, 2), Bytes(32, 3)), nullptr);
  EXPECT_EQ(two_.sessions.FindServerSession("acme", binding, Bytes(32, 4)), nullptr);
  EXPECT_EQ(two_.sessions.FindServerSession("other", binding, Bytes(32, 3)), nullptr);
  two_.work.full = true;
  EXPECT_FALSE(
      two_.sessions.FindServerSessionLater("acme", binding, Bytes(32, 3), [](auto) { FAIL(); }));
}

TEST_F(SessionsTest, AClientsSessionIsTakenOnce) {
  const Bytes binding(32, 1);
  one_.sessions.KeepClientSession("acme", binding, NewSession());
  one_.work.RunAll();
  EXPECT_FALSE(two_.sessions.TakeClientSession("acme", Bytes(32, 2)));
  EXPECT_TRUE(two_.sessions.TakeClientSession("acme", binding));
  EXPECT_FALSE(one_.sessions.TakeClientSession("acme", binding));
  two_.store.trouble = absl::UnavailableError("away");
  EXPECT_FALSE(two_.sessions.TakeClientSession("acme", binding));
}

// ---- T21: what a session is bound to.

TEST(Binding, T21_DiffersWhereAnythingDoes) {
  const tls::Profile profile = tls::IntermediateProfile();
  const std::vector<std::string> alpn = {"h2", "http/1.1"};
  const Bytes trust(32, 1);
  const auto scope = [&] {
    return Scope{.as_client = false,
                 .tenant = "acme",
                 .profile = profile,
                 .trust = trust,
                 .alpn = alpn,
                 .credential = "tenants/acme/credentials/web"};
  };
  const Bytes sound = BindingOf(scope());
  EXPECT_EQ(sound.size(), 32u);
  EXPECT_EQ(BindingOf(scope()), sound) << "the control";
  const auto differs = [&](const Scope& other) { return BindingOf(other) != sound; };
  const auto with = [&](auto change) {
    Scope other = scope();
    change(other);
    return differs(other);
  };
  EXPECT_TRUE(with([](Scope& s) { s.as_client = true; }));
  EXPECT_TRUE(with([](Scope& s) { s.tenant = "other"; }));
  EXPECT_TRUE(with([](Scope& s) { s.trust = {}; }));
  EXPECT_TRUE(with([](Scope& s) { s.credential = ""; }));
  EXPECT_TRUE(with([](Scope& s) { s.server_name = "example.test"; }));
  EXPECT_TRUE(with([](Scope& s) { s.require_ocsp_staple = true; }));
  for (const std::vector<std::string>& others : {std::vector<std::string>{},
                                                 {"h2"},
                                                 {"http/1.1", "h2"},
                                                 {"h2http/1.1"},
                                                 {"h2", "http/1.1", ""}}) {
    EXPECT_TRUE(differs({.tenant = "acme",
                         .profile = profile,
                         .trust = trust,
                         .alpn = others,
                         .credential = "tenants/acme/credentials/web"}));
  }
  const auto under = [&](auto change) {
    tls::Profile other = profile;
    change(other);
    return differs({.tenant = "acme",
                    .profile = other,
                    .trust = trust,
                    .alpn = alpn,
                    .credential = "tenants/acme/credentials/web"});
  };
  EXPECT_FALSE(under([](auto&) {})) << "the control";
  EXPECT_TRUE(under([](auto& p) { p.name = "other"; }));
  EXPECT_TRUE(under([](auto& p) { p.versions.pop_back(); }));
  EXPECT_TRUE(under([](auto& p) { p.cipher_suites.pop_back(); }));
  EXPECT_TRUE(under([](auto& p) { p.groups.pop_back(); }));
  EXPECT_TRUE(under([](auto& p) { p.signature_schemes.pop_back(); }));
  EXPECT_TRUE(under([](auto& p) { p.client_auth = tls::ClientAuth::kOptional; }));
  EXPECT_TRUE(under([](auto& p) { p.client_auth = tls::ClientAuth::kRequired; }));
}

}  // namespace
}  // namespace handfast::sessions
