// The client's sessions of TLS 1.3, and the exporters of both roles: with libssl's server and with
// our own.
#include <gtest/gtest.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/record/protection.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

const Leaf& ServerLeaf() {
  static const Leaf leaf = Ca().Issue({.dns = {"example.test"}});
  return leaf;
}

ServerKit TicketingKit() {
  ServerKit kit = ServerKit::For(ServerLeaf(), ModernProfile());
  std::vector<TicketKey> keys(1);
  keys[0].key = *AeadKey::From(Bytes(32, 1));
  kit.ticket_keys = std::make_shared<const TicketKeys>(std::move(keys));
  return kit;
}

// The handshake messages in the records behind a handshake.
std::vector<Bytes> MessagesBehind(Connection& client, ByteView records) {
  Result<ReleasedKeys> keys = ReleaseKeys(client);
  RecordOpener opener(*RecordKeys::Create(std::move(keys->read), AeadDirection::kOpen));
  std::vector<Bytes> messages;
  Bytes stream = Copy(records);
  for (std::span<uint8_t> rest(stream); !rest.empty();) {
    const size_t size = kRecordHeaderSize + (size_t{rest[3]} << 8 | rest[4]);
    const Result<OpenedRecord> opened = opener.Open(rest.first(size));
    EXPECT_TRUE(opened.ok());
    for (ByteView body = opened->fragment; !body.empty();) {
      const size_t length = kHandshakeHeaderSize + (size_t{body[2]} << 8 | body[3]);
      messages.push_back(Copy(body.first(length)));
      body = body.subspan(length);
    }
    rest = rest.subspan(size);
  }
  return messages;
}

std::vector<Session> SessionsOf(ServerDriver& client, int64_t now) {
  std::vector<Session> sessions;
  for (const Bytes& message : client.new_session_tickets()) {
    Result<Session> session = ReadNewSessionTicket(client.connection(), message, now);
    EXPECT_TRUE(session.ok());
    sessions.push_back(*std::move(session));
  }
  return sessions;
}

// One connection to a libssl server; the sessions that it left, and whether one was resumed.
struct WithLibssl {
  bool resumed = false;
  std::optional<HandshakeFailure> failure;
  std::vector<Session> sessions;
};

WithLibssl Connect(SSL_CTX* context, const ServerKit& kit, std::optional<Session> session,
                   bool amnesia = false) {
  ServerDriver client =
      session ? ServerDriver(kit, {.server_name = "example.test"}, *std::move(session))
              : ServerDriver(kit, {.server_name = "example.test"});
  client.amnesia = amnesia;
  LibsslServer server(context);
  Bytes to_server = client.Begin();
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  WithLibssl outcome;
  outcome.failure = client.failure();
  if (!client.established()) return outcome;
  outcome.resumed = client.established()->resumed;
  EXPECT_EQ(SSL_session_reused(server.ssl()) == 1, outcome.resumed);
  EXPECT_EQ(client.established()->peer_chain, ServerLeaf().chain) << "also where it is resumed";
  outcome.sessions = SessionsOf(client, kNow);
  return outcome;
}

TEST(ClientSession, ResumesWithLibssl) {
  const LibsslContext context(LibsslServerContext(ServerLeaf(), 2));
  for (const CipherSuite suite : ModernProfile().cipher_suites) {
    for (const bool retry : {false, true}) {
      for (const bool amnesia : {false, true}) {
        ServerKit kit = ClientKit();
        kit.profile.cipher_suites = {suite};
        SSL_CTX_set1_groups_list(context.get(), retry ? "P-256" : "X25519");
        WithLibssl full = Connect(context.get(), kit, std::nullopt, amnesia);
        ASSERT_EQ(full.sessions.size(), 2u);
        EXPECT_FALSE(full.resumed);
        const WithLibssl resumed =
            Connect(context.get(), kit, std::move(full.sessions[1]), amnesia);
        EXPECT_FALSE(resumed.failure);
        EXPECT_TRUE(resumed.resumed) << Name(suite) << retry << amnesia;
        EXPECT_EQ(resumed.sessions.size(), 1u);
      }
    }
  }
}

// The keys were given away: their holder finds the tickets, and brings them here.
TEST(ClientSession, TicketsAreReadAfterTheKeysAreGone) {
  const ServerKit server_kit = TicketingKit();
  const ServerKit kit = ClientKit();
  ServerDriver server(server_kit);
  ServerDriver client(kit, {.server_name = "example.test"});
  const Bytes finished = client.Receive(server.Receive(client.Begin()));
  ASSERT_TRUE(client.established());
  const std::vector<Bytes> messages = MessagesBehind(client.connection(), server.Receive(finished));
  ASSERT_EQ(messages.size(), 2u);
  Result<Session> session = ReadNewSessionTicket(client.connection(), messages[1], kNow);
  ASSERT_TRUE(session.ok());
  ServerDriver again(server_kit);
  ServerDriver resumed(kit, {.server_name = "example.test"}, *std::move(session));
  resumed.Receive(again.Receive(resumed.Begin()));
  ASSERT_TRUE(resumed.established());
  EXPECT_TRUE(resumed.established()->resumed);
}

TEST(ClientSession, OneThatTheServerForgotIsAFullHandshake) {
  const LibsslContext one(LibsslServerContext(ServerLeaf(), 2));
  const LibsslContext another(LibsslServerContext(ServerLeaf(), 2));
  const ServerKit kit = ClientKit();
  WithLibssl full = Connect(one.get(), kit, std::nullopt);
  ASSERT_FALSE(full.sessions.empty());
  const WithLibssl second = Connect(another.get(), kit, std::move(full.sessions[0]));
  EXPECT_FALSE(second.failure);
  EXPECT_FALSE(second.resumed);
}

// RFC 8446 §4.2.11.1 and §4.6.1: no longer than ticket_lifetime.
TEST(ClientSession, IsOfferedInItsTimeAlone) {
  const LibsslContext context(LibsslServerContext(ServerLeaf(), 2));
  ServerKit kit = ClientKit();
  for (const bool late : {false, true}) {
    kit.now_unix_s = kNow;
    WithLibssl full = Connect(context.get(), kit, std::nullopt);
    Session session = std::move(full.sessions[0]);
    const int64_t lifetime = session.not_after_unix_s - kNow;
    EXPECT_EQ(lifetime, 7200) << "libssl's";
    kit.now_unix_s = kNow + lifetime - (late ? 0 : 1);
    ServerDriver client(kit, {.server_name = "example.test"}, std::move(session));
    const Bytes hello = client.Begin();
    const auto parsed = Parse<ClientHello>(ByteView(hello).subspan(5 + kHandshakeHeaderSize));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(Find(parsed->extensions, ExtensionType::kPreSharedKey) != nullptr, !late);
    EXPECT_TRUE(late || parsed->extensions.back().type == ExtensionType::kPreSharedKey);
  }
}

// RFC 8446 §4.6.1: whoever holds one server's ticket keys must not pass for another server.
TEST(ClientSession, T21_IsOfferedToItsOwnNameAlone) {
  const LibsslContext context(LibsslServerContext(ServerLeaf(), 2));
  const ServerKit kit = ClientKit();
  for (const std::string name : {"example.test", "other.test", ""}) {
    WithLibssl full = Connect(context.get(), kit, std::nullopt);
    ASSERT_FALSE(full.sessions.empty());
    ServerDriver client(kit, {.server_name = name}, std::move(full.sessions[0]));
    const Bytes hello = client.Begin();
    const auto parsed = Parse<ClientHello>(ByteView(hello).subspan(5 + kHandshakeHeaderSize));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(Find(parsed->extensions, ExtensionType::kPreSharedKey) != nullptr,
              name == "example.test")
        << name;
  }
}

TEST(ClientSession, ResumesWithOurOwnServerAndBothExportTheSame) {
  const ServerKit server_kit = TicketingKit();
  const ServerKit kit = ClientKit();
  std::optional<Session> session;
  Bytes first_export;
  for (const bool resumed : {false, true}) {
    ServerDriver server(server_kit);
    ServerDriver client =
        resumed ? ServerDriver(kit, {.server_name = "example.test"}, *std::move(session))
                : ServerDriver(kit, {.server_name = "example.test"});
    Bytes to_server = client.Begin();
    while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
    ASSERT_TRUE(client.established() && server.established());
    EXPECT_EQ(client.established()->resumed, resumed);
    EXPECT_EQ(server.established()->resumed, resumed);
    Bytes mine(32), theirs(32), other(32);
    const Bytes context = {1, 2, 3};
    ASSERT_TRUE(Export(client.connection(), "EXPORTER-test", context, mine).ok());
    ASSERT_TRUE(Export(server.connection(), "EXPORTER-test", context, theirs).ok());
    EXPECT_EQ(mine, theirs);
    ASSERT_TRUE(Export(client.connection(), "EXPORTER-test", {}, other).ok());
    EXPECT_NE(mine, other) << "another context";
    ASSERT_TRUE(Export(client.connection(), "EXPORTER-text", context, other).ok());
    EXPECT_NE(mine, other) << "another label";
    EXPECT_NE(mine, first_export) << "another connection";
    first_export = mine;
    // Both outlive the release of the keys, and a save.
    Result<Bytes> saved = Save(server.Take());
    Result<Connection> restored = Load(*saved);
    ASSERT_TRUE(restored.ok());
    ASSERT_TRUE(ReleaseKeys(*restored).ok());
    EXPECT_FALSE(ReleaseKeys(*restored).ok()) << "once";
    ASSERT_TRUE(Export(*restored, "EXPORTER-test", context, other).ok());
    EXPECT_EQ(mine, other);
    std::vector<Session> sessions = SessionsOf(client, kNow);
    ASSERT_FALSE(sessions.empty());
    // RFC 8446 §4.6.1: a fresh ticket_age_add for each ticket; the name is the one asked for now.
    if (sessions.size() > 1) {
      EXPECT_NE(sessions[0].ticket_age_add, sessions[1].ticket_age_add);
    }
    EXPECT_EQ(server.established()->server_name, "example.test");
    session = std::move(sessions[0]);
  }
}

// RFC 8446 §7.5, RFC 5869 §2.3: not more than 255 hashes.
TEST(ClientSession, ExportersAreLibssls) {
  const LibsslContext context(LibsslServerContext(ServerLeaf(), 0));
  const ServerKit kit = ClientKit();
  ServerDriver client(kit);
  LibsslServer server(context.get());
  Bytes to_server = client.Begin();
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  ASSERT_TRUE(client.established());
  for (const size_t size : {size_t{1}, size_t{32}, size_t{100}}) {
    Bytes mine(size), theirs(size);
    const Bytes about = {9, 8, 7};
    ASSERT_TRUE(Export(client.connection(), "EXPORTER-x", about, mine).ok());
    ASSERT_EQ(SSL_export_keying_material(server.ssl(), theirs.data(), size, "EXPORTER-x", 10,
                                         about.data(), about.size(), 1),
              1);
    EXPECT_EQ(mine, theirs);
  }
  Bytes too_much(8161);
  EXPECT_FALSE(Export(client.connection(), "EXPORTER-x", {}, too_much).ok());
  Bytes some(8);
  EXPECT_FALSE(Export(client.connection(), std::string(250, 'x'), {}, some).ok());
  EXPECT_FALSE(Export(Connection::Client({}), "EXPORTER-x", {}, some).ok());
}

// RFC 8446 §4.2.11: what the server selects must have been offered.
TEST(ClientSession, AnIdentityThatWasNotOfferedIsIllegalParameter) {
  const ServerKit kit = ClientKit();
  for (const bool offered : {false, true}) {
    Session session;
    session.version = ProtocolVersion::kTls13;
    session.cipher_suite = CipherSuite::kTlsAes128GcmSha256;
    session.secret = *HashSecret::From(Bytes(32, 1));
    session.not_after_unix_s = kNow + 10;
    session.ticket = {1, 2, 3};
    ServerDriver client = offered ? ServerDriver(kit, {}, std::move(session)) : ServerDriver(kit);
    const Bytes hello = client.Begin();
    const auto parsed = Parse<ClientHello>(ByteView(hello).subspan(5 + kHandshakeHeaderSize));
    ServerHello answer;
    const Bytes random(32, 7);
    answer.random = random;
    answer.legacy_session_id_echo = parsed->legacy_session_id;
    answer.cipher_suite = CipherSuite::kTlsAes128GcmSha256;
    Bytes point(32);
    point[0] = 9;
    const Bytes share = Serialize(KeyShareServerHello{{NamedGroup::kX25519, point}});
    const Bytes version = Serialize(SupportedVersionsServerHello{ProtocolVersion::kTls13});
    const Bytes identity = Serialize(PreSharedKeyServerHello{1});
    answer.extensions = {{ExtensionType::kSupportedVersions, version},
                         {ExtensionType::kKeyShare, share},
                         {ExtensionType::kPreSharedKey, identity}};
    Bytes record = {22, 3, 3, 0, 0};
    ASSERT_TRUE(AppendMessage(record, answer));
    record[4] = static_cast<uint8_t>(record.size() - 5);
    client.Receive(record);
    ASSERT_TRUE(client.failure());
    EXPECT_EQ(client.failure()->reason,
              offered ? Reason::kBadSelectedIdentity : Reason::kUnsolicitedExtension);
  }
}

TEST(ClientSession, WhatIsNoTicketIsRefused) {
  const ServerKit server_kit = TicketingKit();
  const ServerKit kit = ClientKit();
  ServerDriver server(server_kit);
  ServerDriver client(kit);
  Bytes to_server = client.Begin();
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  ASSERT_TRUE(client.established());
  const auto reason = [&](const Connection& connection, std::string_view hex) {
    const Result<Session> session = ReadNewSessionTicket(connection, *FromHex(hex), kNow);
    return session.ok() ? std::nullopt : std::optional(session.reason());
  };
  const std::string ticket =
      "0400000e"
      "00000e10"
      "01020304"
      "00"
      "0001aa"
      "0000";
  EXPECT_EQ(reason(client.connection(), ticket), std::nullopt) << "the control";
  // RFC 8446 §4.6.1: an unknown extension is ignored, and seven days are the most.
  const Result<Session> kept = ReadNewSessionTicket(client.connection(),
                                                    *FromHex("04000012"
                                                             "ffffffff"
                                                             "01020304"
                                                             "00"
                                                             "0001aa"
                                                             "00041a2a0000"),
                                                    kNow);
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->not_after_unix_s, kNow + 604800);
  EXPECT_EQ(reason(client.connection(), ticket.substr(0, 20)), Reason::kDecodeError);
  EXPECT_EQ(reason(client.connection(), "1400000e" + ticket.substr(8)), Reason::kUnexpectedMessage);
  EXPECT_EQ(reason(client.connection(), ""), Reason::kUnexpectedMessage);
  EXPECT_EQ(reason(server.connection(), ticket), Reason::kUnexpectedMessage) << "servers get none";
  EXPECT_EQ(reason(Connection::Client({}), ticket), Reason::kUnexpectedMessage);
}

}  // namespace
}  // namespace handfast::tls::test
