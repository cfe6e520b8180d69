// Sessions through Relay: what is resumed, at which replica, and what never is. Rows T5, T20, T21
// and T26 of the threats, as far as they are the service's, each with its control.

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/step_call.h"
#include "tests/server/rpc/test_service.h"
#include "tests/server/store/backends.h"

namespace handfast::rpc::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using tls::AsBytes;
using tls::AsText;
using tls::Bytes;
using tls::test::LibsslClient;
using tls::test::LibsslOptions;

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using ClientSession = std::unique_ptr<SSL_SESSION, FreeSession>;

struct Outcome {
  v1::RelayResponse last;
  bool peer_done = false;
  bool peer_resumed = false;
  std::vector<ClientSession> sessions;

  bool established() const { return last.has_established(); }
  bool resumed() const { return last.established().resumed(); }
  std::string words() const { return last.failure().reason() + last.error().message(); }
};

// How a client connects, and where.
struct Way {
  int version = TLS1_3_VERSION;
  As as = As::kEdge;
  std::string profile = "intermediate";
  std::string server_name = "example.test";
  std::vector<std::string> alpn = {};
  std::string credential = {};
  const tls::test::Leaf* certificate = nullptr;
  std::string groups = {};
  uint64_t ssl_options = 0;
  // Spoils what the client says first.
  std::function<void(Bytes& hello)> edit = nullptr;
};

Outcome Connect(TestService& service, const Way& way, SSL_SESSION* session = nullptr) {
  // libssl spends a session that is resumed.
  const ClientSession copy(session == nullptr ? nullptr : SSL_SESSION_dup(session));
  LibsslOptions options{.version = way.version};
  options.server_name = way.server_name;
  options.trusted_pem = service.ca().pem();
  options.certificate = way.certificate;
  options.alpn = way.alpn;
  options.groups = way.groups;
  options.session = copy.get();
  options.ssl_options = way.ssl_options;
  LibsslClient peer(options);
  RelayCall call(service.Channel(way.as));
  v1::Start start = PlainStart();
  start.set_profile(way.profile);
  start.set_credential(way.credential);
  for (const std::string& name : way.alpn) start.add_alpn(name);
  Bytes hello = peer.Receive({});
  if (way.edit) way.edit(hello);
  start.set_from_peer(hello.data(), hello.size());
  call.Start(1, start);
  Outcome outcome;
  for (bool over = false; !over;) {
    const std::optional<v1::RelayResponse> response = call.Next();
    if (!response) return outcome;
    const Bytes more = peer.Receive(AsBytes(response->to_peer()));
    over = response->outcome_case() != v1::RelayResponse::OUTCOME_NOT_SET;
    outcome.last = *response;
    if (!over && !more.empty()) call.FromPeer(1, more);
  }
  if (outcome.established()) peer.Read({});  // the tickets come behind it
  outcome.peer_done = peer.done();
  outcome.peer_resumed = peer.resumed();
  for (SSL_SESSION* given : peer.sessions()) {
    SSL_SESSION_up_ref(given);
    outcome.sessions.emplace_back(given);
  }
  return outcome;
}

// A full handshake's session.
ClientSession NewSession(TestService& service, const Way& way = {}) {
  Outcome full = Connect(service, way);
  EXPECT_TRUE(full.established() && full.peer_done) << full.words();
  EXPECT_FALSE(full.resumed());
  EXPECT_FALSE(full.sessions.empty());
  return full.sessions.empty() ? nullptr : std::move(full.sessions.front());
}

// Both sides say so; where they do not, the handshake must have gone well in full.
bool Resumes(TestService& service, const Way& way, const ClientSession& session) {
  const Outcome outcome = Connect(service, way, session.get());
  EXPECT_TRUE(outcome.established() && outcome.peer_done) << outcome.words();
  EXPECT_EQ(outcome.peer_resumed, outcome.resumed());
  EXPECT_EQ(service.metrics.last().resumed, outcome.resumed());
  return outcome.resumed();
}

// A session that goes by its id is kept behind the reply: some tries may come before it.
Outcome Soon(TestService& service, const Way& way, const ClientSession& session) {
  Outcome outcome;
  for (int tries = 0; tries < 200 && !outcome.resumed(); ++tries) {
    outcome = Connect(service, way, session.get());
    EXPECT_TRUE(outcome.established() && outcome.peer_done) << outcome.words();
  }
  return outcome;
}

constexpr int kVersions[] = {TLS1_3_VERSION, TLS1_2_VERSION};

class Resumption : public testing::Test {
 protected:
  Resumption() {
    one_ = std::make_unique<TestService>(
        TestOptions{.store = &store_, .session_store = &store_, .sessions = true});
    two_ = std::make_unique<TestService>(TestOptions{
        .store = &store_, .session_store = &store_, .sessions = true, .replica_of = one_.get()});
  }
  void SetWall(seconds offset) {
    for (TestService* service : {one_.get(), two_.get()}) {
      service->clock.SetWall(offset);
      service->sessions().Refresh();
    }
  }

  ManualClock clock_;
  store::MemoryStore store_{clock_, {.entries = 10'000, .bytes = size_t{64} << 20}};
  std::unique_ptr<TestService> one_;
  std::unique_ptr<TestService> two_;
};

TEST_F(Resumption, IsWithoutASignature) {
  for (const int version : kVersions) {
    const Way way{.version = version};
    const ClientSession session = NewSession(*one_, way);
    const int signatures = one_->metrics.signatures;
    const Outcome resumed = Connect(*one_, way, session.get());
    ASSERT_TRUE(resumed.established()) << resumed.words();
    EXPECT_TRUE(resumed.resumed());
    EXPECT_TRUE(resumed.peer_resumed);
    EXPECT_EQ(resumed.last.established().credential(), "tenants/acme/credentials/web");
    EXPECT_EQ(resumed.last.established().signature_scheme(), "");
    EXPECT_EQ(one_->metrics.signatures, signatures);
    EXPECT_FALSE(resumed.sessions.empty() && version == TLS1_3_VERSION) << "and gives a new ticket";
  }
}

TEST_F(Resumption, WorksAtAnyReplica) {
  for (const int version : kVersions) {
    for (const char* profile : {"intermediate", "durable"}) {
      const Way way{.version = version, .profile = profile};
      const ClientSession session = NewSession(*one_, way);
      EXPECT_TRUE(Resumes(*two_, way, session)) << version << profile;
      EXPECT_TRUE(Resumes(*one_, way, session)) << version << profile;
    }
  }
  // The control: a replica that shares no keys.
  TestService stranger(TestOptions{.sessions = true, .replica_of = one_.get()});
  const ClientSession session = NewSession(*one_);
  EXPECT_FALSE(Resumes(stranger, {}, session));
}

// By steps, the ticket of TLS 1.2 is one; a resumed handshake has fewer.
TEST_F(Resumption, GoesByStepsAsWell) {
  for (const int version : kVersions) {
    for (const char* profile : {"intermediate", "durable"}) {
      const Way way{.version = version, .profile = profile};
      const ClientSession session = NewSession(*one_, way);
      LibsslOptions options{.version = version};
      options.server_name = way.server_name;
      options.session = session.get();
      LibsslClient peer(options);
      v1::Start start = PlainStart();
      start.set_profile(profile);
      Walk walk(two_->Channel(As::kEdge), start);
      const Bytes hello = peer.Receive({});
      const auto made = walk.Run([&](tls::ByteView bytes) { return peer.Receive(bytes); }, hello);
      ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
      EXPECT_TRUE(walk.last().established().resumed()) << version << profile;
      EXPECT_EQ(std::count(made.begin(), made.end(), "Certificate"), 0);
      EXPECT_TRUE(peer.resumed());
    }
  }
}

TEST_F(Resumption, GoesThroughARetry) {
  for (const char* profile : {"intermediate", "durable"}) {
    const Way way{.profile = profile, .groups = "P-521:P-256"};
    const ClientSession session = NewSession(*one_, way);
    EXPECT_TRUE(Resumes(*two_, way, session)) << profile;
  }
}

TEST_F(Resumption, CanBeSwitchedOff) {
  const ClientSession session = NewSession(*one_);
  TestService off(TestOptions{.session_store = &store_, .replica_of = one_.get()});
  EXPECT_FALSE(Resumes(off, {}, session));
  EXPECT_TRUE(Connect(off, {}).sessions.empty());
}

TEST_F(Resumption, OfAClientWithACertificateKeepsItsName) {
  const auto identity = one_->ca().Issue({.common_name = "c", .server = false, .client = true});
  for (const int version : kVersions) {
    const Way way{.version = version, .profile = "mutual", .certificate = &identity};
    const ClientSession session = NewSession(*one_, way);
    const Outcome resumed = Connect(*two_, way, session.get());
    ASSERT_TRUE(resumed.established()) << resumed.words();
    EXPECT_TRUE(resumed.resumed());
    EXPECT_EQ(resumed.last.established().peer().subject(), "CN=c");
    EXPECT_EQ(resumed.last.established().peer().verified_by(), "clients");
    EXPECT_EQ(resumed.last.established().peer().chain(0), AsText(identity.chain[0]));
  }
}

// ---- T21

TEST_F(Resumption, T21_EveryFlippedByteOfATicketIsAFullHandshake) {
  const ClientSession session = NewSession(*one_);
  const unsigned char* ticket = nullptr;
  size_t size = 0;
  SSL_SESSION_get0_ticket(session.get(), &ticket, &size);
  ASSERT_GT(size, 60u);
  const Bytes sealed(ticket, ticket + size);
  const auto spoil = [&](size_t at) {
    return [&sealed, at](Bytes& hello) {
      const auto found = std::search(hello.begin(), hello.end(), sealed.begin(), sealed.end());
      ASSERT_NE(found, hello.end());
      found[static_cast<std::ptrdiff_t>(at)] ^= 0x20;
    };
  };
  for (size_t at = 0; at < size; ++at) {
    // Without the session the binder is not looked at. The client finds its transcript altered.
    const Outcome outcome = Connect(*two_, {.edit = spoil(at)}, session.get());
    EXPECT_FALSE(outcome.resumed()) << at;
    EXPECT_FALSE(outcome.peer_resumed) << at;
    EXPECT_NE(outcome.words(), "bad_binder") << at << ": it was opened";
  }
  EXPECT_TRUE(Resumes(*two_, {}, session)) << "the control";
}

TEST_F(Resumption, T21_AnotherContextIsAFullHandshake) {
  const auto identity = one_->ca().Issue({.server = false, .client = true});
  for (const int version : kVersions) {
    const Way way{.version = version, .alpn = {"h2", "http/1.1"}};
    const ClientSession session = NewSession(*one_, way);
    const auto with = [&](auto change) {
      Way other = way;
      change(other);
      return Resumes(*one_, other, session);
    };
    EXPECT_FALSE(with([](Way& w) { w.as = As::kForeign; })) << "another tenant";
    EXPECT_TRUE(with([](Way& w) { w.as = As::kSibling; })) << "another principal of the tenant";
    EXPECT_FALSE(with([](Way& w) { w.profile = "sealed"; })) << "another profile, else the same";
    EXPECT_FALSE(with([&](Way& w) {
      w.profile = "mutual";
      w.certificate = &identity;
    }));
    EXPECT_FALSE(with([](Way& w) { w.alpn = {"h2"}; })) << "another ALPN policy";
    EXPECT_FALSE(with([](Way& w) { w.credential = "tenants/acme/credentials/web"; }));
    EXPECT_TRUE(with([](Way&) {})) << "the control";
  }
}

TEST_F(Resumption, T21_KeysRotateTwice) {
  for (const int version : kVersions) {
    SetWall(seconds(0));
    const Way way{.version = version};
    const ClientSession session = NewSession(*one_, way);
    for (int hour = 0; hour <= 13; ++hour) {
      SetWall(hours(hour));
      EXPECT_EQ(Resumes(*two_, way, session), hour < 13) << hour;
    }
  }
}

TEST_F(Resumption, T21_ClockBackAndForth) {
  SetWall(hours(24));
  const ClientSession session = NewSession(*one_);
  SetWall(hours(24) - seconds(60));
  EXPECT_TRUE(Resumes(*two_, {}, session)) << "another replica may be behind a little";
  SetWall(hours(22));
  EXPECT_FALSE(Resumes(*two_, {}, session)) << "made in the future";
  SetWall(hours(25));
  EXPECT_TRUE(Resumes(*two_, {}, session));
  SetWall(hours(48));
  EXPECT_FALSE(Resumes(*two_, {}, session)) << "too old";
}

TEST_F(Resumption, T21_AClientsChainEndsTheSession) {
  const auto identity = one_->ca().Issue(
      {.not_after_unix_s = tls::test::kNow + 3600, .server = false, .client = true});
  for (const int version : kVersions) {
    SetWall(seconds(0));
    const Way way{.version = version, .profile = "mutual", .certificate = &identity};
    const ClientSession session = NewSession(*one_, way);
    SetWall(seconds(3599));
    EXPECT_TRUE(Resumes(*two_, way, session));
    SetWall(seconds(3600));
    const Outcome late = Connect(*two_, way, session.get());
    EXPECT_FALSE(late.established());
    EXPECT_EQ(late.words(), "certificate_expired") << "it is asked for, and judged, again";
  }
}

// At the other replica it is not active, as one that was retired would not be here.
TEST_F(Resumption, T21_WithoutItsCredentialNothingIsResumed) {
  const auto leaf = one_->ca().Issue({.dns = {"example.test"}});
  ASSERT_TRUE(one_->custody()
                  .ImportKey({.tenant = "acme",
                              .key_id = "next",
                              .private_key_pem = leaf.key_pem,
                              .certificate_chain_pem = leaf.chain_pem,
                              .default_credential = false,
                              .request_id = ""})
                  .ok());
  for (const int version : kVersions) {
    for (const uint64_t ssl_options : {uint64_t{0}, uint64_t{SSL_OP_NO_TICKET}}) {
      if (version == TLS1_3_VERSION && ssl_options != 0) continue;
      const Way way{.version = version, .ssl_options = ssl_options};
      const ClientSession session = NewSession(*one_, way);
      const Outcome here = Soon(*one_, way, session);
      ASSERT_TRUE(here.resumed()) << "the control";
      EXPECT_EQ(here.last.established().credential(), "tenants/acme/credentials/next");
      const Outcome there = Connect(*two_, way, session.get());
      EXPECT_TRUE(there.established()) << there.words();
      EXPECT_FALSE(there.resumed());
      EXPECT_EQ(there.last.established().credential(), "tenants/acme/credentials/web");
    }
  }
}

// ---- T26

TEST_F(Resumption, T26_AnAlteredBinderIsRefused) {
  const ClientSession session = NewSession(*one_);
  for (const bool spoil : {true, false}) {
    const Outcome outcome =
        Connect(*two_, {.edit = [&](Bytes& hello) { hello.back() ^= spoil; }}, session.get());
    EXPECT_EQ(outcome.established(), !spoil);
    EXPECT_EQ(outcome.resumed(), !spoil);
    if (!spoil) continue;
    EXPECT_EQ(outcome.last.failure().reason(), "bad_binder");
    EXPECT_EQ(outcome.last.failure().alert_name(), "decrypt_error");
  }
}

// ---- T5

TEST_F(Resumption, T5_WithoutTheExtendedMasterSecretNothingIsResumed) {
  // A profile that lets clients do without.
  const auto identity = one_->ca().Issue({.server = false, .client = true});
  const Way way{.version = TLS1_2_VERSION, .profile = "legacy", .certificate = &identity};
  const ClientSession session = NewSession(*one_, way);
  Way without = way;
  without.ssl_options = SSL_OP_NO_EXTENDED_MASTER_SECRET;
  const Outcome full = Connect(*one_, without);
  EXPECT_TRUE(full.established()) << full.words();
  EXPECT_TRUE(full.sessions.empty() || !SSL_SESSION_has_ticket(full.sessions[0].get()))
      << "what has no extended master secret leaves nothing to resume";
  const Outcome outcome = Connect(*one_, without, session.get());
  EXPECT_FALSE(outcome.established());
  EXPECT_EQ(outcome.words(), "extended_master_secret_required");
  EXPECT_TRUE(Resumes(*one_, way, session)) << "the control";
}

// ---- T20

TEST_F(Resumption, T20_EarlyDataBesideAGoodTicketIsPassedOver) {
  const ClientSession session = NewSession(*one_);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(session.get()), 0u) << "never offered";
  // As if it were.
  SSL_SESSION_set_max_early_data(session.get(), 1 << 14);
  for (TestService* service : {one_.get(), two_.get()}) {
    LibsslOptions options;
    const ClientSession copy(SSL_SESSION_dup(session.get()));
    options.session = copy.get();
    options.server_name = "example.test";
    LibsslClient peer(options);
    const Bytes early = peer.StartWithEarlyData(AsBytes("GET /early"));
    RelayCall call(service->Channel(As::kEdge));
    v1::Start start = PlainStart();
    start.set_profile("intermediate");
    start.set_from_peer(early.data(), early.size());
    call.Start(1, start);
    const auto flight = call.Next();
    ASSERT_TRUE(flight && !flight->to_peer().empty());
    call.FromPeer(1, peer.Receive(AsBytes(flight->to_peer())));
    const auto last = call.Next();
    ASSERT_TRUE(last && last->has_established()) << last->failure().reason();
    EXPECT_TRUE(last->established().resumed());
    EXPECT_EQ(SSL_get_early_data_status(peer.ssl()), SSL_EARLY_DATA_REJECTED);
  }
}

// ---- TLS 1.2 by session id: the client takes no tickets.

class ResumptionById : public Resumption {
 protected:
  const Way way_{.version = TLS1_2_VERSION, .ssl_options = SSL_OP_NO_TICKET};
};

TEST_F(ResumptionById, WorksAtAnyReplica) {
  for (const char* profile : {"intermediate", "durable"}) {
    Way way = way_;
    way.profile = profile;
    const ClientSession session = NewSession(*one_, way);
    EXPECT_FALSE(SSL_SESSION_has_ticket(session.get()));
    EXPECT_TRUE(Soon(*one_, way, session).resumed()) << profile;
    EXPECT_TRUE(Resumes(*two_, way, session)) << profile;
    EXPECT_TRUE(Resumes(*two_, way, session)) << "as often as it is asked for";
  }
}

TEST_F(ResumptionById, T21_IsBoundLikeATicket) {
  const ClientSession session = NewSession(*one_, way_);
  ASSERT_TRUE(Soon(*one_, way_, session).resumed());
  const auto with = [&](auto change) {
    Way other = way_;
    change(other);
    return Resumes(*one_, other, session);
  };
  EXPECT_FALSE(with([](Way& w) { w.as = As::kForeign; }));
  EXPECT_FALSE(with([](Way& w) { w.profile = "sealed"; }));
  EXPECT_FALSE(with([](Way& w) { w.alpn = {"h2"}; }));
  EXPECT_TRUE(with([](Way&) {})) << "the control";
  SetWall(hours(13));
  EXPECT_FALSE(Resumes(*one_, way_, session)) << "its time is over";
}

// ---- With a real Redis between the replicas, and without it.

class ResumptionOnRedis : public testing::Test {
 protected:
  void SetUp() override {
    if (!store::test::RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    redis_ = std::make_unique<store::test::RedisServer>();
    for (auto& store : stores_) {
      store = std::make_unique<store::RedisStore>(store::test::OptionsOf(*redis_), "test",
                                                  *tls::AeadKey::From(Bytes(32, 9)), clock_,
                                                  tls::SystemRandomness());
    }
    one_ = std::make_unique<TestService>(
        TestOptions{.session_store = stores_[0].get(), .sessions = true});
    two_ = std::make_unique<TestService>(
        TestOptions{.session_store = stores_[1].get(), .sessions = true, .replica_of = one_.get()});
  }

  handshakes::SystemClock clock_;
  std::unique_ptr<store::test::RedisServer> redis_;
  std::unique_ptr<store::Store> stores_[2];
  std::unique_ptr<TestService> one_;
  std::unique_ptr<TestService> two_;
};

TEST_F(ResumptionOnRedis, WorksAtAnyReplicaAndWithoutRedisByTicket) {
  const Way by_id{.version = TLS1_2_VERSION, .ssl_options = SSL_OP_NO_TICKET};
  const ClientSession ticket = NewSession(*one_);
  const ClientSession id = NewSession(*one_, by_id);
  EXPECT_TRUE(Resumes(*two_, {}, ticket));
  EXPECT_TRUE(Soon(*two_, by_id, id).resumed());
  redis_->Kill();
  for (TestService* service : {one_.get(), two_.get()}) {
    service->sessions().Refresh();
    EXPECT_TRUE(Resumes(*service, {}, ticket));
    EXPECT_FALSE(Resumes(*service, by_id, id)) << "a full handshake, and no error";
    EXPECT_FALSE(NewSession(*service) == nullptr) << "new tickets, too";
  }
}

}  // namespace
}  // namespace handfast::rpc::test
