// Sessions of TLS 1.3: tickets that are issued, taken and refused, with libssl as the client. T20,
// T21 and T26 of the threats, each with its control.
#include <gtest/gtest.h>

#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/record/protection.h"

namespace handfast::tls::test {
namespace {

TicketKey KeyOf(uint8_t fill) {
  TicketKey key;
  key.name.fill(fill);
  key.key = *AeadKey::From(Bytes(32, fill));
  return key;
}

std::shared_ptr<const TicketKeys> KeysOf(std::initializer_list<uint8_t> fills) {
  std::vector<TicketKey> keys;
  for (const uint8_t fill : fills) keys.push_back(KeyOf(fill));
  return std::make_shared<const TicketKeys>(std::move(keys));
}

// A session as a client keeps it between connections.
struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using ClientSession = std::unique_ptr<SSL_SESSION, FreeSession>;

Bytes LastRecord(ByteView stream) {
  size_t at = 0;
  size_t next = 0;
  while (next < stream.size()) {
    at = next;
    next += 5 + (size_t{stream[at + 3]} << 8 | stream[at + 4]);
  }
  return Copy(stream.subspan(at));
}

// What became of a connection.
struct Outcome {
  bool resumed_at_client = false;
  std::shared_ptr<const Established> established;
  std::optional<HandshakeFailure> failure;
  std::vector<ClientSession> sessions;
  std::string plaintext;
  uint64_t write_sequence = 0;
};

class ResumptionTest : public testing::Test {
 protected:
  ResumptionTest() {
    kit_.ticket_keys = KeysOf({1});
    kit_.session_binding = Copy(AsBytes("acme"));
    options_.server_name = "example.test";
  }

  Outcome Connect(SSL_SESSION* session, ByteView early_data = {}, int early_copies = 1,
                  bool amnesia = false) {
    // libssl spends a session that is resumed.
    const ClientSession copy(session == nullptr ? nullptr : SSL_SESSION_dup(session));
    options_.session = copy.get();
    LibsslClient client(options_);
    options_.session = nullptr;
    ServerDriver server(kit_);
    server.amnesia = amnesia;
    Bytes to_server =
        early_data.empty() ? client.Receive({}) : client.StartWithEarlyData(early_data);
    if (!early_data.empty()) {
      const Bytes record = LastRecord(to_server);
      for (int i = 1; i < early_copies; ++i) Append(to_server, record);
    }
    Outcome outcome;
    Bytes to_client;
    while (!to_server.empty() && !server.failure()) {
      to_client = server.Receive(to_server);
      if (server.established()) break;
      to_server = client.Receive(to_client);
    }
    outcome.established = server.established();
    outcome.failure = server.failure();
    if (!server.established()) return outcome;
    // The tickets came behind the handshake; data must come behind them.
    Result<ReleasedKeys> keys = ReleaseKeys(server.Take());
    outcome.write_sequence = std::get<TrafficKeys13>(keys->write).sequence;
    RecordSealer sealer(*RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal));
    EXPECT_TRUE(
        sealer.Seal(ContentType::kApplicationData, AsBytes("hello"), 16384, to_client).ok());
    outcome.plaintext = std::string(AsText(client.Read(to_client)));
    outcome.resumed_at_client = client.resumed();
    for (SSL_SESSION* given : client.sessions()) {
      SSL_SESSION_up_ref(given);
      outcome.sessions.emplace_back(given);
    }
    return outcome;
  }

  ClientSession NewSession() {
    Outcome outcome = Connect(nullptr);
    EXPECT_EQ(outcome.sessions.size(), kit_.profile.session_tickets);
    if (outcome.sessions.empty()) return nullptr;
    return std::move(outcome.sessions.front());
  }
  // Whether the session is resumed; either way the handshake must end well.
  bool Resumes(SSL_SESSION* session) {
    const Outcome outcome = Connect(session);
    EXPECT_TRUE(outcome.established);
    if (!outcome.established) return false;
    EXPECT_EQ(outcome.plaintext, "hello");
    EXPECT_EQ(outcome.resumed_at_client, outcome.established->resumed);
    return outcome.established->resumed;
  }

  const TestCa ca_ = TestCa::Create("CA");
  const Leaf leaf_ = ca_.Issue({.dns = {"example.test"}});
  ServerKit kit_ = ServerKit::For(leaf_);
  LibsslOptions options_;
};

TEST_F(ResumptionTest, AFullHandshakeGivesTwoTicketsAndAResumedOneGivesOne) {
  const Outcome full = Connect(nullptr);
  ASSERT_TRUE(full.established);
  EXPECT_FALSE(full.established->resumed);
  EXPECT_EQ(full.sessions.size(), 2u);
  EXPECT_EQ(full.plaintext, "hello");
  EXPECT_EQ(full.write_sequence, 1u) << "both tickets travel in one record, which is counted";
  const Outcome resumed = Connect(full.sessions[1].get());
  ASSERT_TRUE(resumed.established);
  EXPECT_TRUE(resumed.established->resumed);
  EXPECT_TRUE(resumed.resumed_at_client);
  EXPECT_EQ(resumed.established->credential, "leaf");
  EXPECT_EQ(resumed.established->server_name, "example.test");
  EXPECT_EQ(resumed.sessions.size(), 1u);
  EXPECT_EQ(resumed.plaintext, "hello");
  EXPECT_TRUE(Resumes(resumed.sessions[0].get())) << "and so on";
}

TEST_F(ResumptionTest, EverySuiteWithAndWithoutRetryAndAmnesia) {
  for (const char* suite :
       {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    options_.cipher_suites = suite;
    for (const bool retry : {false, true}) {
      options_.groups = retry ? "P-521:P-256" : "X25519";
      for (const bool amnesia : {false, true}) {
        const Outcome full = Connect(nullptr, {}, 1, amnesia);
        ASSERT_EQ(full.sessions.size(), 2u) << suite;
        const Outcome resumed = Connect(full.sessions[0].get(), {}, 1, amnesia);
        ASSERT_TRUE(resumed.established) << suite << retry << amnesia;
        EXPECT_TRUE(resumed.established->resumed) << suite << retry << amnesia;
        EXPECT_EQ(resumed.plaintext, "hello");
        EXPECT_EQ(Name(resumed.established->cipher_suite), suite);
      }
    }
  }
}

// RFC 8446 §4.2.11: another suite of the same hash will do; one of another hash will not.
// RFC 8446 §4.6.1.
TEST_F(ResumptionTest, TheHashMustBeThatOfTheSession) {
  options_.cipher_suites = "TLS_AES_128_GCM_SHA256";
  const ClientSession session = NewSession();
  options_.cipher_suites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
  kit_.profile.cipher_suites = {CipherSuite::kTlsChaCha20Poly1305Sha256};
  EXPECT_TRUE(Resumes(session.get()));
  options_.cipher_suites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256";
  kit_.profile.cipher_suites = {CipherSuite::kTlsAes256GcmSha384};
  EXPECT_FALSE(Resumes(session.get()));
}

TEST_F(ResumptionTest, TheOwnerMayRefuse) {
  const ClientSession session = NewSession();
  kit_.resume = false;
  EXPECT_FALSE(Resumes(session.get()));
  kit_.resume = true;
  EXPECT_TRUE(Resumes(session.get()));
}

TEST_F(ResumptionTest, WithoutKeysOrTicketsThereAreNoSessions) {
  const ClientSession session = NewSession();
  kit_.profile.session_tickets = 0;
  EXPECT_FALSE(Resumes(session.get()));
  EXPECT_TRUE(Connect(nullptr).sessions.empty());
  kit_.profile.session_tickets = 2;
  kit_.ticket_keys = nullptr;
  EXPECT_FALSE(Resumes(session.get()));
  EXPECT_TRUE(Connect(nullptr).sessions.empty());
}

// Their time to seal is over, and their time to open is not.
TEST_F(ResumptionTest, KeysThatOnlyOpenIssueNothing) {
  const ClientSession session = NewSession();
  std::vector<TicketKey> keys;
  keys.push_back(KeyOf(1));
  kit_.ticket_keys = std::make_shared<const TicketKeys>(std::move(keys), /*seals=*/false);
  const Outcome resumed = Connect(session.get());
  ASSERT_TRUE(resumed.established);
  EXPECT_TRUE(resumed.established->resumed);
  EXPECT_TRUE(resumed.sessions.empty());
  EXPECT_TRUE(Connect(nullptr).sessions.empty());
  options_.version = TLS1_2_VERSION;
  LibsslClient client(options_);
  ServerDriver server(kit_);
  client.Receive(server.Receive(client.Receive(server.Receive(client.Receive({})))));
  EXPECT_TRUE(client.done());
  EXPECT_TRUE(client.sessions().empty() || !SSL_SESSION_has_ticket(client.sessions()[0]));
}

class ClientAuthResumptionTest : public ResumptionTest {
 protected:
  ClientAuthResumptionTest() {
    kit_.clients = std::make_shared<const TrustBundle>(ca_.Bundle());
    kit_.profile.client_auth = ClientAuth::kOptional;
  }
  const Leaf client_leaf_ = ca_.Issue({.common_name = "client", .server = false, .client = true});
};

TEST_F(ClientAuthResumptionTest, TheClientsChainIsThatOfTheFirstHandshake) {
  options_.certificate = &client_leaf_;
  const ClientSession session = NewSession();
  options_.certificate = nullptr;
  const Outcome resumed = Connect(session.get());
  ASSERT_TRUE(resumed.established);
  EXPECT_TRUE(resumed.established->resumed);
  EXPECT_EQ(resumed.established->peer_chain, client_leaf_.chain);
  kit_.profile.client_auth = ClientAuth::kRequired;
  EXPECT_TRUE(Resumes(session.get()));
  kit_.profile.client_auth = ClientAuth::kNone;
  EXPECT_FALSE(Resumes(session.get())) << "nobody asked for an identity now";
}

TEST_F(ClientAuthResumptionTest, AnAnonymousSessionDoesNotMeetADemand) {
  const ClientSession session = NewSession();
  EXPECT_TRUE(Resumes(session.get()));
  kit_.profile.client_auth = ClientAuth::kRequired;
  const Outcome outcome = Connect(session.get());
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->reason, Reason::kNoClientCertificate);
}

// ---- T21

TEST_F(ResumptionTest, T21_EveryFlippedByteOfATicketIsAFullHandshake) {
  // The engine sees tickets through this alone.
  Session session;
  session.version = ProtocolVersion::kTls13;
  session.secret = *HashSecret::From(Bytes(32, 7));
  session.server_name = "example.test";
  session.peer_chain = {Bytes(10, 1), Bytes(20, 2)};
  const auto keys = KeysOf({1, 2});
  const Bytes binding = Copy(AsBytes("acme"));
  const Result<SealedTicket> sealed = keys->SealerFor(binding)->Seal(std::move(session));
  ASSERT_TRUE(sealed.ok());
  const Bytes& ticket = sealed->bytes;
  const std::optional<Session> opened = keys->Open(ticket, binding);
  ASSERT_TRUE(opened) << "the control";
  EXPECT_EQ(opened->server_name, "example.test");
  EXPECT_EQ(opened->peer_chain.size(), 2u);
  for (size_t i = 0; i < ticket.size(); ++i) {
    for (const uint8_t bit : {0x01, 0x80}) {
      Bytes spoilt = ticket;
      spoilt[i] ^= bit;
      EXPECT_FALSE(keys->Open(spoilt, binding)) << i;
    }
    EXPECT_FALSE(keys->Open(ByteView(ticket).first(i), binding)) << i;
  }
  Bytes longer = ticket;
  longer.push_back(0);
  EXPECT_FALSE(keys->Open(longer, binding));
}

// What would be sealed under one nonce is one thing: nothing is told by sealing it twice.
TEST_F(ResumptionTest, ANonceIsNeverThatOfAnotherTicket) {
  const auto seal = [](ByteView binding, uint8_t secret, int64_t issued_unix_s, uint8_t key = 1) {
    Session session;
    session.secret = *HashSecret::From(Bytes(32, secret));
    session.issued_unix_s = issued_unix_s;
    return *KeysOf({key})->SealerFor(binding)->Seal(std::move(session));
  };
  const auto nonce = [](const SealedTicket& ticket) {
    return Copy(ByteView(ticket.bytes).subspan(kTicketKeyNameSize, kAeadNonceSize));
  };
  const SealedTicket first = seal(AsBytes("acme"), 7, 100);
  const SealedTicket again = seal(AsBytes("acme"), 7, 100);
  EXPECT_EQ(first.bytes, again.bytes);
  EXPECT_EQ(first.age_add, again.age_add);
  for (const SealedTicket& other :
       {seal(AsBytes("acme"), 8, 100), seal(AsBytes("acme"), 7, 101), seal(AsBytes("acm"), 7, 100),
        seal(AsBytes("acme"), 7, 100, 2)}) {
    EXPECT_NE(nonce(other), nonce(first));
    EXPECT_NE(other.age_add, first.age_add);
  }
}

TEST_F(ResumptionTest, T21_ATicketOfAnotherTenantIsAFullHandshake) {
  const ClientSession session = NewSession();
  kit_.session_binding = Copy(AsBytes("other"));
  EXPECT_FALSE(Resumes(session.get()));
  kit_.session_binding = Copy(AsBytes("acme"));
  EXPECT_TRUE(Resumes(session.get())) << "the control";
}

TEST_F(ResumptionTest, T21_KeysRotate) {
  const ClientSession session = NewSession();
  kit_.ticket_keys = KeysOf({2, 1});
  EXPECT_TRUE(Resumes(session.get())) << "no longer seals, still opens";
  kit_.ticket_keys = KeysOf({3, 2});
  EXPECT_FALSE(Resumes(session.get())) << "rotated twice";
}

TEST_F(ResumptionTest, T21_ASessionHasItsTime) {
  const ClientSession session = NewSession();
  const int64_t lifetime = kit_.profile.session_lifetime_s;
  for (const auto& [offset, resumes] : std::vector<std::pair<int64_t, bool>>{
           {0, true}, {lifetime - 1, true}, {lifetime, false}, {-60, true}, {-61, false}}) {
    kit_.now_unix_s = kNow + offset;
    EXPECT_EQ(Resumes(session.get()), resumes) << offset;
  }
}

TEST_F(ResumptionTest, T21_ASessionNeverOutlivesTheCertificate) {
  auto credential = std::make_shared<Credential>(*kit_.credential);
  credential->not_after_unix_s = kNow + 100;
  kit_.credential = credential;
  const ClientSession session = NewSession();
  EXPECT_EQ(SSL_SESSION_get_ticket_lifetime_hint(session.get()), 100u);
  kit_.now_unix_s = kNow + 99;
  EXPECT_TRUE(Resumes(session.get()));
  kit_.now_unix_s = kNow + 100;
  const Outcome outcome = Connect(session.get());
  EXPECT_FALSE(outcome.established->resumed);
  EXPECT_TRUE(outcome.sessions.empty()) << "nothing is left to resume for";
}

TEST_F(ResumptionTest, T21_AResumedSessionEndsWithTheFirst) {
  const ClientSession first = NewSession();
  kit_.now_unix_s = kNow + kit_.profile.session_lifetime_s - 10;
  const Outcome resumed = Connect(first.get());
  ASSERT_TRUE(resumed.established->resumed);
  ASSERT_EQ(resumed.sessions.size(), 1u);
  EXPECT_EQ(SSL_SESSION_get_ticket_lifetime_hint(resumed.sessions[0].get()), 10u);
  kit_.now_unix_s += 10;
  EXPECT_FALSE(Resumes(resumed.sessions[0].get()));
}

TEST_F(ResumptionTest, T21_ASessionIsOfOneName) {
  kit_.profile.refuse_unknown_names = false;
  const ClientSession session = NewSession();
  options_.server_name = "other.test";
  EXPECT_FALSE(Resumes(session.get()));
  options_.server_name.clear();
  EXPECT_FALSE(Resumes(session.get()));
  options_.server_name = "example.test";
  EXPECT_TRUE(Resumes(session.get())) << "the control";
}

TEST_F(ResumptionTest, T21_ATicketThatWouldBeTooLongIsNotIssued) {
  Session session;
  session.peer_chain = {Bytes(kMaxTicketSize, 1)};
  const Result<SealedTicket> ticket = KeysOf({1})->SealerFor({})->Seal(std::move(session));
  ASSERT_FALSE(ticket.ok());
  EXPECT_EQ(ticket.reason(), Reason::kMessageTooLong);
}

// ---- T26

// RFC 8446 §4.2.11.2.
TEST_F(ResumptionTest, T26_AWrongBinderIsDecryptError) {
  const ClientSession session = NewSession();
  options_.session = session.get();
  for (const bool spoil : {false, true}) {
    LibsslClient client(options_);
    Bytes hello = client.Receive({});
    if (spoil) hello.back() ^= 1;  // the binder is the last of it
    ServerDriver server(kit_);
    const Bytes reply = server.Receive(hello);
    EXPECT_EQ(server.failure().has_value(), spoil);
    if (!spoil) continue;
    EXPECT_EQ(server.failure()->reason, Reason::kBadBinder);
    EXPECT_EQ(server.failure()->alert, static_cast<uint8_t>(Alert::kDecryptError));
    EXPECT_EQ(ToHex(reply), "15030300020233");
  }
}

// The binder covers every byte before it.
TEST_F(ResumptionTest, T26_AnAlteredHelloIsDecryptError) {
  const ClientSession session = NewSession();
  options_.session = session.get();
  LibsslClient client(options_);
  Bytes hello = client.Receive({});
  hello[5 + 4 + 2] ^= 1;  // the first byte of the random
  ServerDriver server(kit_);
  server.Receive(hello);
  ASSERT_TRUE(server.failure());
  EXPECT_EQ(server.failure()->reason, Reason::kBadBinder);
}

// ---- T20

class EarlyDataTest : public ResumptionTest {
 protected:
  // As if our ticket allowed it.
  ClientSession AllowingSession() {
    ClientSession session = NewSession();
    SSL_SESSION_set_max_early_data(session.get(), 1 << 20);
    return session;
  }
};

// RFC 8446 §4.2.10: ignored, and the handshake goes on.
TEST_F(EarlyDataTest, T20_IsPassedOverWithAGoodTicket) {
  const ClientSession session = AllowingSession();
  for (const bool amnesia : {false, true}) {
    const Outcome outcome = Connect(session.get(), AsBytes("GET / early"), 1, amnesia);
    ASSERT_TRUE(outcome.established);
    EXPECT_TRUE(outcome.established->resumed);
    EXPECT_EQ(outcome.plaintext, "hello");
  }
}

TEST_F(EarlyDataTest, T20_IsPassedOverWithABadTicket) {
  const ClientSession session = AllowingSession();
  kit_.ticket_keys = KeysOf({9});
  const Outcome outcome = Connect(session.get(), AsBytes("GET / early"));
  ASSERT_TRUE(outcome.established);
  EXPECT_FALSE(outcome.established->resumed);
  EXPECT_EQ(outcome.plaintext, "hello");
}

TEST_F(EarlyDataTest, T20_IsPassedOverAfterARetry) {
  options_.groups = "P-521:P-256";
  const ClientSession session = AllowingSession();
  const Outcome outcome = Connect(session.get(), AsBytes("GET / early"));
  ASSERT_TRUE(outcome.established);
  EXPECT_TRUE(outcome.established->resumed);
  EXPECT_EQ(outcome.plaintext, "hello");
}

TEST_F(EarlyDataTest, T20_OverTheLimitIsRefused) {
  for (const char* groups : {"X25519", "P-521:P-256"}) {
    options_.groups = groups;
    const ClientSession session = AllowingSession();
    const Bytes early(16000, 'x');
    EXPECT_TRUE(Connect(session.get(), early, 3).established) << "the control";
    const Outcome outcome = Connect(session.get(), early, 5);
    ASSERT_TRUE(outcome.failure) << groups;
    EXPECT_EQ(outcome.failure->reason, Reason::kTooMuchEarlyData);
  }
}

// ---- T20: while a question is open, early data waits; what may be passed over may also be held.

// A record of early data as it looks before anybody has keys; `size` is that of the whole.
Bytes EarlyRecord(size_t size) {
  Bytes record(size, 0x55);
  const size_t body = size - kRecordHeaderSize;
  const uint8_t header[] = {23, 3, 3, static_cast<uint8_t>(body >> 8), static_cast<uint8_t>(body)};
  std::copy(std::begin(header), std::end(header), record.begin());
  return record;
}

Bytes EarlyRecords(size_t size) {
  Bytes records;
  for (size_t left = size; left > 0;) {
    // The last but one leaves room for a header.
    const size_t next = left > 16000 + kRecordHeaderSize ? 16000 : left;
    Append(records, EarlyRecord(next));
    left -= next;
  }
  return records;
}

constexpr size_t kAllowance = size_t{64} << 10;
constexpr size_t kHeld = size_t{40} << 10;

class HeldEarlyDataTest : public EarlyDataTest {
 protected:
  // The server has the ClientHello, and a question is open; the client's early data is not its own.
  void Ask(bool announce) {
    const ClientSession session = AllowingSession();
    options_.session = session.get();
    client_.emplace(options_);
    options_.session = nullptr;
    Bytes hello = announce ? client_->StartWithEarlyData(AsBytes("x")) : client_->Receive({});
    const size_t size = kRecordHeaderSize + (size_t{hello[3]} << 8 | hello[4]);
    hello.resize(size);
    server_.emplace(kit_);
    server_->Give(FromPeer{hello});
    ASSERT_TRUE(server_->connection().question());
  }
  void Answer() {
    while (server_->connection().question()) {
      Append(flight_, server_->Give(AnswerFrom(kit_, *server_->connection().question())));
    }
  }

  std::optional<LibsslClient> client_;
  std::optional<ServerDriver> server_;
  Bytes flight_;
};

TEST_F(HeldEarlyDataTest, T20_TheAllowanceIsHeldAndPassedOver) {
  for (const bool amnesia : {false, true}) {
    flight_.clear();
    Ask(/*announce=*/true);
    server_->amnesia = amnesia;
    server_->Give(FromPeer{EarlyRecords(kAllowance)});
    ASSERT_FALSE(server_->failure());
    Answer();
    server_->Receive(client_->Receive(flight_));
    EXPECT_TRUE(server_->established()) << amnesia;
  }
}

TEST_F(HeldEarlyDataTest, T20_OneByteOverTheAllowanceIsRefused) {
  Ask(/*announce=*/true);
  server_->Give(FromPeer{EarlyRecords(kAllowance + 1)});
  ASSERT_FALSE(server_->failure()) << "it is held";
  Answer();
  ASSERT_TRUE(server_->failure());
  EXPECT_EQ(server_->failure()->reason, Reason::kTooMuchEarlyData);
}

TEST_F(HeldEarlyDataTest, T19_WhatIsHeldIsBounded) {
  for (const bool announce : {true, false}) {
    const size_t limit = kHeld + (announce ? kAllowance : 0);
    for (const size_t over : {0, 1}) {
      Ask(announce);
      server_->Give(FromPeer{Bytes(limit + over, 0x17)});
      EXPECT_EQ(server_->failure().has_value(), over == 1) << announce;
    }
  }
}

// Records of no content cost nothing to send, and would otherwise go on for long.
TEST_F(HeldEarlyDataTest, T18_EmptyRecordsAreBounded) {
  for (const size_t empty : {32, 33}) {
    Ask(/*announce=*/true);
    flight_.clear();
    Bytes records;
    for (size_t i = 0; i < empty; ++i) Append(records, EarlyRecord(kRecordHeaderSize));
    Append(records, EarlyRecord(100));
    Append(records, EarlyRecord(kRecordHeaderSize));
    server_->Give(FromPeer{records});
    Answer();
    EXPECT_EQ(server_->failure().has_value(), empty == 33);
    if (server_->failure()) {
      EXPECT_EQ(server_->failure()->reason, Reason::kTooManyEmptyRecords);
    }
  }
}

// Without the extension there is no early data, and a record that does not open ends it all.
TEST_F(EarlyDataTest, T20_UnannouncedIsBadRecordMac) {
  LibsslClient client(options_);
  ServerDriver server(kit_);
  server.Receive(client.Receive({}));
  server.Receive(*FromHex("1703030014" + std::string(40, '0')));
  ASSERT_TRUE(server.failure());
  EXPECT_EQ(server.failure()->reason, Reason::kBadRecordMac);
}

}  // namespace
}  // namespace handfast::tls::test
