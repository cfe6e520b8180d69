// Handshakes message by message, as the contract has them: every step of both versions in both
// roles, each asked for twice.

#include <optional>
#include <thread>
#include <utility>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/step_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::Bytes;
using tls::ByteView;
using tls::test::LibsslClient;
using tls::test::LibsslServer;
using Names = std::vector<std::string>;

v1::Start Releasing(const std::string& profile = "") {
  v1::Start start = PlainStart();
  start.set_profile(profile);
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  return start;
}

Names RunWith(Walk& walk, LibsslClient& peer) {
  EXPECT_TRUE(walk.started().ok()) << walk.started().error_message();
  return walk.Run([&](ByteView bytes) { return peer.Receive(bytes); }, peer.Receive({}));
}

TEST(Steps, WalkATls13Server) {
  TestService service;
  LibsslClient peer({.server_name = "example.test", .trusted_pem = service.ca().pem()});
  Walk walk(service.Channel(As::kEdge), Releasing());
  EXPECT_EQ(RunWith(walk, peer),
            (Names{"ClientHello", "ServerHello", "EncryptedExtensions", "Certificate",
                   "CertificateVerify", "Finished", "Finished"}));
  EXPECT_TRUE(peer.done()) << peer.error();
  ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
  EXPECT_EQ(walk.last().established().version(), v1::PROTOCOL_VERSION_TLS13);
  EXPECT_EQ(walk.last().established().traffic_secrets().write_secret().size(), 32u);
  EXPECT_TRUE(walk.last().next().empty());
  EXPECT_EQ(service.handshakes().live(), 0u);
  EXPECT_EQ(service.metrics.signatures, 1) << "a repeated step signs nothing";
}

TEST(Steps, WalkATls12Server) {
  TestService service;
  LibsslClient peer({.version = TLS1_2_VERSION, .trusted_pem = service.ca().pem()});
  Walk walk(service.Channel(As::kEdge), Releasing());
  EXPECT_EQ(
      RunWith(walk, peer),
      (Names{"ClientHello", "ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone",
             "ClientKeyExchange", "ChangeCipherSpec", "Finished", "ChangeCipherSpec", "Finished"}));
  EXPECT_TRUE(peer.done()) << peer.error();
  ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
  EXPECT_EQ(walk.last().established().traffic_keys().write().rec_seq(), 1u);
}

TEST(Steps, WalkAServerThatAsksForACertificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestService service;
    const auto identity = service.ca().Issue({.server = false, .client = true});
    LibsslClient peer({.version = version, .certificate = &identity});
    Walk walk(service.Channel(As::kEdge), Releasing("mutual"));
    const Names names = RunWith(walk, peer);
    const Names expected =
        version == TLS1_3_VERSION
            ? Names{"ClientHello",
                    "ServerHello",
                    "EncryptedExtensions",
                    "CertificateRequest",
                    "Certificate",
                    "CertificateVerify",
                    "Finished",
                    "Certificate",
                    "CertificateVerify",
                    "Finished"}
            : Names{"ClientHello",       "ServerHello",        "Certificate",
                    "ServerKeyExchange", "CertificateRequest", "ServerHelloDone",
                    "Certificate",       "ClientKeyExchange",  "CertificateVerify",
                    "ChangeCipherSpec",  "Finished",           "ChangeCipherSpec",
                    "Finished"};
    EXPECT_EQ(names, expected);
    ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
    EXPECT_EQ(walk.last().established().peer().chain_size(), 1);
  }
}

TEST(Steps, WalkARetry) {
  TestService service;
  LibsslClient peer({.groups = "P-521:X25519"});
  Walk walk(service.Channel(As::kEdge), Releasing());
  const Names names = RunWith(walk, peer);
  ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
  EXPECT_EQ(Names(names.begin(), names.begin() + 4),
            (Names{"ClientHello", "ServerHello", "ClientHello", "ServerHello"}));
}

struct Outbound {
  explicit Outbound(int version, size_t tickets = 0)
      : leaf(service.server_ca().Issue({.dns = {"example.test"}})) {
    context = tls::test::LibsslServerContext(leaf, tickets);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    server = std::make_unique<LibsslServer>(context);
  }
  ~Outbound() {
    server.reset();
    SSL_CTX_free(context);
  }
  TestService service;
  tls::test::Leaf leaf;
  SSL_CTX* context = nullptr;
  std::unique_ptr<LibsslServer> server;
};

TEST(Steps, WalkATls13Client) {
  Outbound to(TLS1_3_VERSION);
  Walk walk(to.service.Channel(As::kEdge), ClientStart("example.test"));
  ASSERT_TRUE(walk.started().ok()) << walk.started().error_message();
  EXPECT_TRUE(walk.NextIsOurs());
  EXPECT_EQ(walk.Run([&](ByteView bytes) { return to.server->Receive(bytes); }),
            (Names{"ClientHello", "ServerHello", "EncryptedExtensions", "Certificate",
                   "CertificateVerify", "Finished", "Finished"}));
  EXPECT_TRUE(to.server->done());
  ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
}

TEST(Steps, WalkATls12Client) {
  Outbound to(TLS1_2_VERSION);
  Walk walk(to.service.Channel(As::kEdge), ClientStart("example.test"));
  ASSERT_TRUE(walk.started().ok()) << walk.started().error_message();
  EXPECT_EQ(
      walk.Run([&](ByteView bytes) { return to.server->Receive(bytes); }),
      (Names{"ClientHello", "ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone",
             "ClientKeyExchange", "ChangeCipherSpec", "Finished", "ChangeCipherSpec", "Finished"}));
  EXPECT_TRUE(to.server->done());
  ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
}

TEST(Steps, ShowATicketOfTls12) {
  Outbound to(TLS1_2_VERSION, /*tickets=*/2);
  Walk walk(to.service.Channel(As::kEdge), ClientStart("example.test"));
  std::optional<v1::NewSessionTicket> ticket;
  Bytes from_peer;
  while (!walk.ended() && !ticket) {
    ASSERT_TRUE(walk.Step(walk.NextRpc(), std::exchange(from_peer, {})).ok());
    for (const v1::HandshakeMessage& message : walk.last().messages()) {
      if (message.has_new_session_ticket()) ticket = message.new_session_ticket();
    }
    if (!walk.last().to_peer().empty()) {
      from_peer = to.server->Receive(tls::AsBytes(walk.last().to_peer()));
    }
  }
  ASSERT_TRUE(ticket);
  EXPECT_GT(ticket->lifetime_s(), 0u);
  EXPECT_GT(ticket->ticket_length(), 64u);
}

TEST(Steps, SignWithRsaInALaneOfItsOwn) {
  TestService service({.key_type = tls::KeyType::kRsa2048});
  LibsslClient peer({.trusted_pem = service.ca().pem()});
  Walk walk(service.Channel(As::kEdge), Releasing());
  RunWith(walk, peer);
  ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
  EXPECT_EQ(service.metrics.signatures, 1);
}

std::vector<int> RecordTypes(const std::string& records) {
  std::vector<int> types;
  for (ByteView rest = tls::AsBytes(records); rest.size() >= 5;) {
    types.push_back(rest[0]);
    rest = rest.subspan(size_t{5} + (size_t{rest[3]} << 8 | rest[4]));
  }
  return types;
}

TEST(Steps, AdvanceMakesAllThatCanBeMade) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TestService service;
    LibsslClient peer({.version = version, .trusted_pem = service.ca().pem()});
    Walk walk(service.Channel(As::kEdge), Releasing());
    ASSERT_TRUE(walk.Step("Advance", peer.Receive({})).ok());
    EXPECT_TRUE(walk.last().need_more());
    EXPECT_GE(walk.last().messages_size(), 5);
    // One record of each kind for all of them: the ServerHello is in the clear in TLS 1.3.
    EXPECT_EQ(RecordTypes(walk.last().to_peer()),
              version == TLS1_3_VERSION ? std::vector<int>({22, 20, 23}) : std::vector<int>({22}));
    Bytes rest = peer.Receive(tls::AsBytes(walk.last().to_peer()));
    // What follows the handshake comes back.
    if (version == TLS1_3_VERSION) tls::Append(rest, peer.Write(tls::AsBytes("early bird")));
    ASSERT_TRUE(walk.Step("Advance", rest).ok());
    ASSERT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
    EXPECT_FALSE(walk.last().need_more());
    EXPECT_EQ(walk.last().unconsumed().empty(), version == TLS1_2_VERSION);
    peer.Receive(tls::AsBytes(walk.last().to_peer()));
    EXPECT_TRUE(peer.done()) << peer.error();
  }
}

// A service that is told to stop takes no new handshake, and the one that is live goes on to its
// end.
TEST(Steps, OutliveADrainThatBeganMeanwhile) {
  TestService service;
  LibsslClient peer({.trusted_pem = service.ca().pem()});
  const auto channel = service.Channel(As::kEdge);
  Walk walk(channel, Releasing());
  ASSERT_TRUE(walk.Step("Advance", peer.Receive({})).ok());
  std::thread drain([&] { service.server().Drain(std::chrono::seconds(60)); });
  grpc::Status refused;
  do {
    refused = Walk(channel, Releasing()).started();
  } while (refused.ok());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refused), "DRAINING");
  // Those that came in before the drain did would hold it up for their deadline.
  service.clock.Advance(std::chrono::seconds(5));
  ASSERT_TRUE(walk.Step("Advance", peer.Receive(tls::AsBytes(walk.last().to_peer()))).ok());
  EXPECT_TRUE(walk.last().has_established());
  service.clock.Advance(std::chrono::seconds(30));
  service.handshakes().Reap();
  drain.join();
}

}  // namespace
}  // namespace handfast::rpc::test
