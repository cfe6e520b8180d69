// Relay as the contract has it: handshakes that succeed, and what their replies say.

#include <map>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::test::LibsslClient;

v1::Start Releasing() {
  v1::Start start = PlainStart();
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  return start;
}

TEST(Relay, PerformsAHandshakeOfTls13) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({.server_name = "example.test", .trusted_pem = service.ca().pem()});
  v1::Start start = Releasing();
  start.set_peer_address("192.0.2.7:52100");
  const v1::RelayResponse last = RunHandshake(call, 1, start, peer);
  ASSERT_TRUE(last.has_established()) << last.failure().reason();
  EXPECT_TRUE(peer.done());
  const v1::Established& established = last.established();
  EXPECT_EQ(established.version(), v1::PROTOCOL_VERSION_TLS13);
  EXPECT_EQ(established.cipher_suite_id(), 0x1301u);
  EXPECT_EQ(established.cipher_suite(), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(established.group(), "x25519");
  EXPECT_EQ(established.signature_scheme(), "ecdsa_secp256r1_sha256");
  EXPECT_EQ(established.server_name(), "example.test");
  EXPECT_EQ(established.credential(), "tenants/acme/credentials/web");
  EXPECT_EQ(established.max_fragment(), 16384u);
  EXPECT_FALSE(established.has_peer());
  EXPECT_EQ(service.handshakes().live(), 0u);
  EXPECT_EQ(service.metrics.finished, 1);
}

TEST(Relay, PerformsAHandshakeOfTls12) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({.version = TLS1_2_VERSION, .trusted_pem = service.ca().pem()});
  const v1::RelayResponse last = RunHandshake(call, 1, Releasing(), peer);
  ASSERT_TRUE(last.has_established()) << last.failure().reason();
  EXPECT_TRUE(peer.done());
  EXPECT_EQ(last.established().version(), v1::PROTOCOL_VERSION_TLS12);
  ASSERT_TRUE(last.established().has_traffic_keys());
  // Finished was record 0 in each direction.
  EXPECT_EQ(last.established().traffic_keys().write().rec_seq(), 1u);
  EXPECT_EQ(last.established().traffic_keys().read().rec_seq(), 1u);
}

TEST(Relay, NamesTheHandshakeInTheFirstReplyOnly) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  const tls::Bytes hello = peer.Receive({});
  v1::Start start = PlainStart();
  start.set_from_peer(hello.data(), hello.size());
  call.Start(7, start);
  const auto first = call.Next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->tag(), 7u);
  EXPECT_EQ(first->handshake().size(), std::string("handshakes/").size() + 32);
  EXPECT_EQ(first->consumed(), hello.size());
  EXPECT_FALSE(first->to_peer().empty());
  call.FromPeer(7, peer.Receive(tls::AsBytes(first->to_peer())));
  const auto last = call.Next();
  ASSERT_TRUE(last && last->has_established());
  EXPECT_TRUE(last->handshake().empty());
  // The connection keeps the handshake's number.
  EXPECT_EQ(last->established().connection().substr(12), first->handshake().substr(11));
}

TEST(Relay, AnswersAStartWithoutBytesAtOnce) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  call.Start(1, PlainStart());
  const auto reply = call.Next();
  ASSERT_TRUE(reply);
  EXPECT_FALSE(reply->handshake().empty());
  EXPECT_TRUE(reply->to_peer().empty());
  EXPECT_EQ(reply->outcome_case(), v1::RelayResponse::OUTCOME_NOT_SET);
}

TEST(Relay, LeavesTheFirstApplicationRecordsWithTheCaller) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  const tls::Bytes hello = peer.Receive({});
  v1::Start start = PlainStart();
  start.set_from_peer(hello.data(), hello.size());
  call.Start(1, start);
  const auto flight = call.Next();
  ASSERT_TRUE(flight);
  tls::Bytes bytes = peer.Receive(tls::AsBytes(flight->to_peer()));
  const size_t finished = bytes.size();
  const tls::Bytes data = peer.Write(tls::AsBytes("GET / HTTP/1.0\r\n\r\n"));
  tls::Append(bytes, data);
  call.FromPeer(1, bytes);
  const auto last = call.Next();
  ASSERT_TRUE(last && last->has_established());
  EXPECT_EQ(last->consumed(), hello.size() + finished);
}

TEST(Relay, AssemblesBytesHoweverTheyAreCut) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  const tls::Bytes hello = peer.Receive({});
  call.Start(1, PlainStart());
  for (uint8_t byte : hello) call.FromPeer(1, {byte});
  ASSERT_TRUE(call.Next());  // the handle
  const auto flight = call.Next();
  ASSERT_TRUE(flight);
  EXPECT_EQ(flight->consumed(), hello.size());
  for (uint8_t byte : peer.Receive(tls::AsBytes(flight->to_peer()))) call.FromPeer(1, {byte});
  const auto last = call.Next();
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->has_established());
}

TEST(Relay, SignsWithRsaInALaneOfItsOwn) {
  TestService service({.key_type = tls::KeyType::kRsa2048});
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({.trusted_pem = service.ca().pem()});
  const v1::RelayResponse last = RunHandshake(call, 1, Releasing(), peer);
  ASSERT_TRUE(last.has_established()) << last.failure().reason();
  EXPECT_EQ(last.established().signature_scheme(), "rsa_pss_rsae_sha256");
  EXPECT_EQ(service.metrics.signatures, 1);
}

TEST(Relay, NegotiatesAProtocol) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({.alpn = {"http/1.1", "h2"}});
  v1::Start start = PlainStart();
  start.add_alpn("h2");
  start.add_alpn("http/1.1");
  EXPECT_EQ(RunHandshake(call, 1, start, peer).established().alpn(), "h2");
}

TEST(Relay, SaysWhoThePeerIs) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  tls::test::LeafOptions options;
  options.client = true;
  options.uris = {"spiffe://example.test/device"};
  options.common_name = "device";
  const tls::test::Leaf leaf = service.ca().Issue(options);
  LibsslClient peer({.certificate = &leaf});
  v1::Start start = PlainStart();
  start.set_profile("mutual");
  const v1::RelayResponse last = RunHandshake(call, 1, start, peer);
  ASSERT_TRUE(last.has_established()) << last.failure().detail();
  ASSERT_TRUE(last.established().has_peer());
  const v1::Peer& shown = last.established().peer();
  ASSERT_EQ(shown.uris_size(), 1);
  EXPECT_EQ(shown.uris(0), "spiffe://example.test/device");
  EXPECT_EQ(shown.subject(), "CN=device");
  EXPECT_EQ(shown.verified_by(), "clients");
  EXPECT_EQ(tls::Copy(tls::AsBytes(shown.chain(0))), leaf.chain.front());
}

TEST(Relay, SendsTheAlertOfAFailedHandshake) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  const tls::test::TestCa elsewhere = tls::test::TestCa::Create("Elsewhere");
  tls::test::LeafOptions options;
  options.client = true;
  const tls::test::Leaf leaf = elsewhere.Issue(options);
  LibsslClient peer({.certificate = &leaf});
  v1::Start start = PlainStart();
  start.set_profile("mutual");
  const v1::RelayResponse last = RunHandshake(call, 1, start, peer);
  ASSERT_TRUE(last.has_failure());
  EXPECT_EQ(last.failure().origin(), v1::Failure::LOCAL);
  EXPECT_EQ(last.failure().alert(), 48u);
  EXPECT_EQ(last.failure().alert_name(), "unknown_ca");
  EXPECT_EQ(last.failure().reason(), "unknown_ca");
  EXPECT_FALSE(last.failure().detail().empty());
  EXPECT_FALSE(last.to_peer().empty());
}

TEST(Relay, ShowsEachMessageWhereTraced) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({.server_name = "example.test", .alpn = {"h2"}});
  const tls::Bytes hello = peer.Receive({});
  v1::Start start = PlainStart();
  start.set_trace(true);
  start.add_alpn("h2");
  start.set_from_peer(hello.data(), hello.size());
  call.Start(1, start);
  const auto flight = call.Next();
  ASSERT_TRUE(flight);
  std::vector<v1::HandshakeMessage::MessageCase> kinds;
  for (const auto& message : flight->messages()) kinds.push_back(message.message_case());
  using M = v1::HandshakeMessage;
  EXPECT_EQ(kinds,
            (std::vector<M::MessageCase>{M::kClientHello, M::kServerHello, M::kChangeCipherSpec,
                                         M::kEncryptedExtensions, M::kCertificate,
                                         M::kCertificateVerify, M::kFinished}));
  const v1::ClientHello& client_hello = flight->messages(0).client_hello();
  EXPECT_EQ(client_hello.version(), "TLSv1.3");
  EXPECT_EQ(client_hello.server_name(), "example.test");
  EXPECT_EQ(client_hello.random().size(), 32u);
  ASSERT_EQ(client_hello.alpn_size(), 1);
  EXPECT_EQ(client_hello.alpn(0), "h2");
  EXPECT_EQ(flight->messages(0).sender(), M::PEER);
  EXPECT_FALSE(flight->messages(1).encrypted());
  EXPECT_TRUE(flight->messages(4).encrypted());
  ASSERT_EQ(flight->messages(4).certificate().entries_size(), 1);
  EXPECT_EQ(flight->messages(4).certificate().entries(0).names(0), "example.test");
  EXPECT_EQ(flight->messages(5).certificate_verify().signature_scheme(), "ecdsa_secp256r1_sha256");
}

TEST(Relay, ExplainsWhereAsked) {
  for (const bool asked : {false, true}) {
    TestService service;
    RelayCall call(service.Channel(As::kEdge));
    LibsslClient peer({.groups = "P-256:X25519", .server_name = "example.test"});
    v1::Start start = PlainStart();
    start.set_explain(asked);
    const v1::RelayResponse last = RunHandshake(call, 1, start, peer);
    ASSERT_TRUE(last.has_established());
    EXPECT_EQ(last.messages_size(), 0) << "they were not asked for";
    std::map<std::string, v1::Explanation> explained;
    for (const auto& e : last.established().explanations()) explained[e.what()] = e;
    EXPECT_EQ(explained.size(), asked ? 5u : 0u);
    if (!asked) continue;
    EXPECT_EQ(explained["cipher_suite"].value(), last.established().cipher_suite());
    EXPECT_EQ(explained["group"].value(), "secp256r1");
    EXPECT_NE(explained["group"].why().find("x25519 (without a key share)"), std::string::npos)
        << explained["group"].why();
  }
}

TEST(Relay, InterleavesAThousandHandshakesOnOneStream) {
  constexpr uint64_t kHandshakes = 1000;
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  std::map<uint64_t, std::unique_ptr<LibsslClient>> peers;
  for (uint64_t tag = 1; tag <= kHandshakes; ++tag) {
    const int version = tag % 3 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
    auto peer = std::make_unique<LibsslClient>(
        tls::test::LibsslOptions{.version = version, .trusted_pem = service.ca().pem()});
    const tls::Bytes hello = peer->Receive({});
    v1::Start start = Releasing();
    start.set_from_peer(hello.data(), hello.size());
    ASSERT_TRUE(call.Start(tag, start));
    peers[tag] = std::move(peer);
  }
  size_t done = 0;
  while (done < kHandshakes) {
    const auto reply = call.Next();
    ASSERT_TRUE(reply);
    LibsslClient& peer = *peers.at(reply->tag());
    const tls::Bytes more = peer.Receive(tls::AsBytes(reply->to_peer()));
    if (reply->has_established()) {
      EXPECT_TRUE(peer.done());
      ++done;
    } else {
      ASSERT_EQ(reply->outcome_case(), v1::RelayResponse::OUTCOME_NOT_SET);
      ASSERT_TRUE(call.FromPeer(reply->tag(), more));
    }
  }
  EXPECT_EQ(service.handshakes().live(), 0u);
  call.HalfClose();
  EXPECT_TRUE(call.Finish().ok());
}

}  // namespace
}  // namespace handfast::rpc::test
