// Sessions of TLS 1.2 in both roles, by ticket (RFC 5077) and by id (RFC 5246 §7.3): with libssl
// and with each other.
#include <functional>

#include <gtest/gtest.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/plain_flight.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/crypto/cipher_suite.h"

namespace handfast::tls::test {
namespace {

const Leaf& ServerLeaf() {
  static const Leaf leaf = Ca().Issue({.dns = {"example.test"}});
  return leaf;
}

std::shared_ptr<const TicketKeys> KeysOf(uint8_t name) {
  std::vector<TicketKey> keys(1);
  keys[0].name.fill(name);
  keys[0].key = *AeadKey::From(Bytes(32, name));
  return std::make_shared<const TicketKeys>(std::move(keys));
}

ServerKit TicketingKit() {
  ServerKit kit = ServerKit::For(ServerLeaf());
  kit.ticket_keys = KeysOf(1);
  return kit;
}

ServerDriver Client(const ServerKit& kit, std::optional<Session> session,
                    std::string name = "example.test") {
  return session ? ServerDriver(kit, {.server_name = name}, *std::move(session))
                 : ServerDriver(kit, {.server_name = name});
}

// A client's handshake with a libssl server, and the session that it left.
struct WithLibssl {
  bool resumed = false;
  std::optional<HandshakeFailure> failure;
  std::optional<Session> session;
};

WithLibssl Connect(SSL_CTX* context, const ServerKit& kit, std::optional<Session> session,
                   bool amnesia = false) {
  ServerDriver client = Client(kit, std::move(session));
  client.amnesia = amnesia;
  LibsslServer server(context);
  Bytes to_server = client.Begin();
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  WithLibssl outcome;
  outcome.failure = client.failure();
  if (!client.established()) return outcome;
  EXPECT_TRUE(server.done());
  outcome.resumed = client.established()->resumed;
  EXPECT_EQ(SSL_session_reused(server.ssl()) == 1, outcome.resumed);
  EXPECT_EQ(client.established()->peer_chain, ServerLeaf().chain) << "also where it is resumed";
  outcome.session = TakeSession(client.connection());
  EXPECT_FALSE(TakeSession(client.connection())) << "once";
  // Else libssl forgets the session of a connection that was not closed.
  SSL_set_shutdown(server.ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  return outcome;
}

TEST(ClientSession12, ResumesWithLibssl) {
  for (const bool ticket : {false, true}) {
    const LibsslContext context(LibsslServerContext(ServerLeaf(), 2));
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_SERVER);
    static constexpr unsigned char kName[] = "test";
    SSL_CTX_set_session_id_context(context.get(), kName, sizeof(kName));
    SSL_CTX_clear_options(context.get(), SSL_OP_NO_TICKET);
    if (!ticket) SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
    for (const CipherSuite suite :
         {CipherSuite::kEcdheEcdsaAes128GcmSha256, CipherSuite::kEcdheEcdsaAes256GcmSha384,
          CipherSuite::kEcdheEcdsaChaCha20Poly1305Sha256}) {
      for (const bool amnesia : {false, true}) {
        ServerKit kit = Client12Kit();
        kit.profile.cipher_suites = {suite};
        WithLibssl full = Connect(context.get(), kit, std::nullopt, amnesia);
        ASSERT_TRUE(full.session);
        EXPECT_FALSE(full.resumed);
        EXPECT_EQ(full.session->ticket.empty(), !ticket);
        const WithLibssl resumed = Connect(context.get(), kit, std::move(full.session), amnesia);
        EXPECT_FALSE(resumed.failure);
        EXPECT_TRUE(resumed.resumed) << Name(suite) << ticket << amnesia;
        EXPECT_TRUE(resumed.session) << "it may be resumed again";
      }
    }
  }
}

// The session is TLS 1.2's; the offer holds both versions.
TEST(ClientSession12, ResumesWhereBothVersionsAreOffered) {
  const LibsslContext context(LibsslServerContext(ServerLeaf(), 2));
  SSL_CTX_clear_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  ServerKit kit = Client12Kit();
  kit.profile = IntermediateProfile();
  WithLibssl full = Connect(context.get(), kit, std::nullopt);
  ASSERT_TRUE(full.session);
  // A server that has TLS 1.3 by now takes that.
  const LibsslContext newer(LibsslServerContext(ServerLeaf(), 2));
  WithLibssl upgraded = Connect(newer.get(), kit, std::move(full.session));
  EXPECT_FALSE(upgraded.failure);
  EXPECT_FALSE(upgraded.resumed);
  full = Connect(context.get(), kit, std::nullopt);
  const WithLibssl resumed = Connect(context.get(), kit, std::move(full.session));
  EXPECT_FALSE(resumed.failure);
  EXPECT_TRUE(resumed.resumed);
}

// RFC 5077 §3.4: libssl knows by the echo of its session_id that the ticket was taken.
TEST(ServerSession12, LibsslResumesByTicketAndById) {
  for (const bool by_id : {false, true}) {
    for (const bool amnesia : {false, true}) {
      ServerKit kit = TicketingKit();
      kit.keeps_sessions = by_id;
      SSL_SESSION* session = nullptr;
      for (const bool second : {false, true}) {
        LibsslOptions options{.version = TLS1_2_VERSION, .server_name = "example.test"};
        options.session = session;
        if (by_id) options.ssl_options = SSL_OP_NO_TICKET;
        LibsslClient client(options);
        ServerDriver server(kit);
        server.amnesia = amnesia;
        Bytes to_server = client.Receive({});
        while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
        ASSERT_TRUE(server.established()) << by_id << second;
        EXPECT_TRUE(client.done());
        EXPECT_EQ(server.established()->resumed, second) << by_id << amnesia;
        EXPECT_EQ(SSL_session_reused(client.ssl()) == 1, second);
        if (second) continue;
        session = SSL_get1_session(client.ssl());
        if (std::optional<Session> kept = TakeSession(server.connection())) {
          EXPECT_TRUE(by_id);
          kit.kept = std::make_shared<const Session>(*std::move(kept));
        }
        EXPECT_EQ(kit.kept != nullptr, by_id);
      }
      SSL_SESSION_free(session);
    }
  }
}

// ---- Our client and our server.

struct Outcome {
  bool established = false;
  bool resumed = false;
  std::optional<HandshakeFailure> at_server;
  std::optional<HandshakeFailure> at_client;
  std::optional<Session> session;  // the client's
  std::optional<Session> kept;     // the server's
};

Outcome Meet(const ServerKit& client_kit, const ServerKit& server_kit,
             std::optional<Session> session, std::string name = "example.test",
             size_t piece = SIZE_MAX) {
  ServerDriver client = Client(client_kit, std::move(session), std::move(name));
  ServerDriver server(server_kit);
  client.amnesia = server.amnesia = true;
  Bytes to_server = client.Begin();
  while (!to_server.empty()) {
    to_server = OurTwo::Feed(client, OurTwo::Feed(server, to_server, piece), piece);
  }
  Outcome outcome;
  outcome.at_client = client.failure();
  outcome.at_server = server.failure();
  outcome.established = client.established() && server.established();
  if (!outcome.established) return outcome;
  EXPECT_EQ(client.established()->resumed, server.established()->resumed);
  EXPECT_EQ(client.established()->peer_chain, ServerLeaf().chain);
  outcome.resumed = client.established()->resumed;
  outcome.session = TakeSession(client.connection());
  outcome.kept = TakeSession(server.connection());
  return outcome;
}

TEST(Session12, ATicketIsResumedUnderEverySuite) {
  for (const CipherSuite suite : LegacyProfile().cipher_suites) {
    const SuiteInfo& info = *FindSuite(suite);
    if (info.version != ProtocolVersion::kTls12 ||
        info.authentication != SuiteAuthentication::kEcdsa) {
      continue;
    }
    ServerKit server_kit = TicketingKit();
    server_kit.profile = LegacyProfile();
    ServerKit client_kit = Client12Kit();
    client_kit.profile.cipher_suites = {suite};
    for (const size_t piece : {size_t{1}, SIZE_MAX}) {
      Outcome full = Meet(client_kit, server_kit, std::nullopt, "example.test", piece);
      ASSERT_TRUE(full.session) << Name(suite);
      EXPECT_FALSE(full.kept) << "it travels";
      const Outcome again =
          Meet(client_kit, server_kit, std::move(full.session), "example.test", piece);
      EXPECT_TRUE(again.established && again.resumed) << Name(suite);
    }
  }
}

TEST(Session12, OneThatIsKeptIsResumedByItsId) {
  ServerKit server_kit = ServerKit::For(ServerLeaf());
  server_kit.keeps_sessions = true;
  const ServerKit client_kit = Client12Kit();
  Outcome full = Meet(client_kit, server_kit, std::nullopt);
  ASSERT_TRUE(full.session && full.kept);
  EXPECT_EQ(full.session->session_id, full.kept->session_id);
  server_kit.kept = std::make_shared<const Session>(*std::move(full.kept));
  EXPECT_TRUE(Meet(client_kit, server_kit, std::move(full.session)).resumed);
  // Forgotten.
  full = Meet(client_kit, server_kit, std::nullopt);
  server_kit.kept = nullptr;
  const Outcome again = Meet(client_kit, server_kit, std::move(full.session));
  EXPECT_TRUE(again.established);
  EXPECT_FALSE(again.resumed);
}

struct Unfit {
  const char* what;
  std::function<void(ServerKit&, ServerKit&)> change;  // the server, the client
};

// T21: each of these makes a full handshake of it.
TEST(Session12, T21_ATicketThatDoesNotFitIsAFullHandshake) {
  const std::vector<Unfit> rows = {
      {"another key", [](ServerKit& s, ServerKit&) { s.ticket_keys = KeysOf(2); }},
      {"another binding", [](ServerKit& s, ServerKit&) { s.session_binding = {1}; }},
      {"no tickets any more", [](ServerKit& s, ServerKit&) { s.ticket_keys = nullptr; }},
      {"too old", [](ServerKit& s, ServerKit&) { s.now_unix_s += s.profile.session_lifetime_s; }},
      {"from the future", [](ServerKit& s, ServerKit&) { s.now_unix_s -= 61; }},
      {"the suite is gone",
       [](ServerKit& s, ServerKit&) {
         std::erase(s.profile.cipher_suites, CipherSuite::kEcdheEcdsaAes128GcmSha256);
       }},
      {"the caller does not want it", [](ServerKit& s, ServerKit&) { s.resume = false; }},
      {"the client is to be authenticated",
       [](ServerKit& s, ServerKit&) {
         s.profile.client_auth = ClientAuth::kOptional;
         s.profile.session_lifetime_s = 0;
       }},
  };
  for (const Unfit& row : rows) {
    ServerKit server_kit = TicketingKit();
    ServerKit client_kit = Client12Kit();
    Outcome full = Meet(client_kit, server_kit, std::nullopt);
    ASSERT_TRUE(full.session);
    row.change(server_kit, client_kit);
    const Outcome second = Meet(client_kit, server_kit, std::move(full.session));
    EXPECT_TRUE(second.established) << row.what;
    EXPECT_FALSE(second.resumed) << row.what;
  }
}

TEST(Session12, T21_EachFlippedBitOfATicketIsAFullHandshake) {
  const ServerKit server_kit = TicketingKit();
  const ServerKit client_kit = Client12Kit();
  Outcome sound = Meet(client_kit, server_kit, std::nullopt);
  ASSERT_TRUE(sound.session);
  const size_t size = sound.session->ticket.size();
  for (size_t i = 0; i < size; i += 7) {
    Outcome full = Meet(client_kit, server_kit, std::nullopt);
    full.session->ticket[i] ^= static_cast<uint8_t>(1 << (i % 8));
    const Outcome second = Meet(client_kit, server_kit, std::move(full.session));
    EXPECT_TRUE(second.established) << i;
    EXPECT_FALSE(second.resumed) << i;
  }
  EXPECT_TRUE(Meet(client_kit, server_kit, std::move(sound.session)).resumed) << "the control";
}

// A session is of its name alone: the client does not offer it for another.
TEST(Session12, T21_AnotherNameIsAFullHandshake) {
  const ServerKit server_kit = TicketingKit();
  const ServerKit client_kit = Client12Kit();
  Outcome full = Meet(client_kit, server_kit, std::nullopt);
  const Outcome second = Meet(client_kit, server_kit, std::move(full.session), "other.test");
  EXPECT_TRUE(second.established);
  EXPECT_FALSE(second.resumed);
}

TEST(Session12, AClientsChainStaysWithItsSession) {
  ServerKit server_kit = TicketingKit();
  server_kit.profile.client_auth = ClientAuth::kRequired;
  server_kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
  ServerKit client_kit = Client12Kit();
  const Leaf own = Ca().Issue({.server = false, .client = true});
  GiveIdentity(client_kit, own);
  Outcome full = Meet(client_kit, server_kit, std::nullopt);
  ASSERT_TRUE(full.session);
  ServerDriver client = Client(client_kit, std::move(full.session));
  ServerDriver server(server_kit);
  Bytes to_server = client.Begin();
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  ASSERT_TRUE(server.established());
  EXPECT_TRUE(server.established()->resumed);
  EXPECT_EQ(server.established()->peer_chain, own.chain);
}

// T21: nor does the session outlive that chain.
TEST(Session12, T21_ASessionEndsWithTheClientsCertificate) {
  ServerKit server_kit = TicketingKit();
  server_kit.profile.client_auth = ClientAuth::kRequired;
  server_kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
  ServerKit client_kit = Client12Kit();
  const Leaf own = Ca().Issue({.server = false, .client = true});
  server_kit.peer_not_after_unix_s = kNow + 100;
  GiveIdentity(client_kit, own);
  for (const int64_t after : {99, 101}) {
    server_kit.now_unix_s = kNow;
    Outcome full = Meet(client_kit, server_kit, std::nullopt);
    ASSERT_TRUE(full.session);
    // The client's own clock stands: the server is asked for the session.
    full.session->not_after_unix_s = INT64_MAX;
    server_kit.now_unix_s = kNow + after;
    const Outcome second = Meet(client_kit, server_kit, std::move(full.session));
    EXPECT_TRUE(second.established);
    EXPECT_EQ(second.resumed, after < 100);
  }
}

// ---- T5: the triple handshake. RFC 7627 §5.3.

void RemoveExtendedMasterSecret(Extensions& extensions) {
  std::erase_if(extensions,
                [](const Extension& e) { return e.type == ExtensionType::kExtendedMasterSecret; });
}

TEST(Session12, T5_AHelloWithoutTheExtensionEndsTheResumption) {
  ServerKit server_kit = TicketingKit();
  server_kit.profile = LegacyProfile();
  const ServerKit client_kit = Client12Kit();
  for (const bool without : {false, true}) {
    Outcome full = Meet(client_kit, server_kit, std::nullopt);
    ServerDriver client = Client(client_kit, std::move(full.session));
    ServerDriver server(server_kit);
    PlainFlight hello(client.Begin());
    hello.Edit<ClientHello>(0, [&](ClientHello& h) {
      if (without) RemoveExtendedMasterSecret(h.extensions);
    });
    server.Receive(hello.Records());
    EXPECT_EQ(server.failure().has_value(), without);
    if (!without) continue;
    EXPECT_EQ(server.failure()->reason, Reason::kExtendedMasterSecretRequired);
    EXPECT_EQ(server.failure()->alert, static_cast<uint8_t>(Alert::kHandshakeFailure));
  }
}

TEST(Session12, T5_AServerThatDropsTheExtensionIsRefused) {
  const ServerKit server_kit = TicketingKit();
  ServerKit client_kit = Client12Kit();
  client_kit.profile.require_extended_master_secret = false;
  for (const bool without : {false, true}) {
    Outcome full = Meet(client_kit, server_kit, std::nullopt);
    ServerDriver client = Client(client_kit, std::move(full.session));
    ServerDriver server(server_kit);
    const Bytes flight = server.Receive(client.Begin());
    // The ServerHello's record alone: behind it the flight is protected.
    const size_t size = kRecordHeaderSize + (size_t{flight[3]} << 8 | flight[4]);
    PlainFlight hello(ByteView(flight).first(size));
    hello.Edit<ServerHello>(0, [&](ServerHello& h) {
      if (without) RemoveExtendedMasterSecret(h.extensions);
    });
    client.Receive(hello.Records());
    EXPECT_EQ(client.failure().has_value(), without);
    if (!without) continue;
    EXPECT_EQ(client.failure()->reason, Reason::kExtendedMasterSecretRequired);
  }
}

// Without the extension no session is made at all.
TEST(Session12, T5_WithoutTheExtensionNothingIsKept) {
  ServerKit server_kit = TicketingKit();
  server_kit.profile = LegacyProfile();
  server_kit.keeps_sessions = true;
  LibsslOptions options{.version = TLS1_2_VERSION, .server_name = "example.test"};
  options.ssl_options = SSL_OP_NO_EXTENDED_MASTER_SECRET;
  LibsslClient client(options);
  ServerDriver server(server_kit);
  Bytes to_server = client.Receive({});
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  ASSERT_TRUE(server.established());
  EXPECT_FALSE(TakeSession(server.connection()));
  SSL_SESSION* session = SSL_get0_session(client.ssl());
  EXPECT_EQ(SSL_SESSION_has_ticket(session), 0);
  unsigned size = 0;
  SSL_SESSION_get_id(session, &size);
  EXPECT_EQ(size, 0u);
}

// RFC 5246 §7.2 and §7.2.2: "any connection terminated with a fatal alert MUST NOT be resumed": its
// session goes with it, on the side that says the alert and on the side that hears it.
TEST(Session12, AFatalAlertTakesTheSessionAlong) {
  for (const bool fatal : {false, true}) {
    ServerKit server_kit = ServerKit::For(ServerLeaf());
    server_kit.keeps_sessions = true;
    const ServerKit client_kit = Client12Kit();
    ServerDriver server(server_kit);
    ServerDriver client = Client(client_kit, std::nullopt);
    Bytes to_server = client.Begin();
    while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
    ASSERT_TRUE(client.established() && server.established());
    if (fatal) {
      server.Receive(client.Give(GiveUp{Reason::kHandshakeAborted}));
      ASSERT_TRUE(client.failure() && server.failure());
      EXPECT_EQ(server.failure()->reason, Reason::kPeerAlert);
    }
    EXPECT_EQ(TakeSession(client.connection()).has_value(), !fatal);
    EXPECT_EQ(TakeSession(server.connection()).has_value(), !fatal);
  }
}

}  // namespace
}  // namespace handfast::tls::test
