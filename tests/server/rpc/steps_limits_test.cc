// Steps at their limits and one beyond; what a peer may send, and what a caller may ask for.
#include <functional>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "handfast/v1/keys.grpc.pb.h"
#include "server/rpc/start_request.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/step_call.h"
#include "tests/server/rpc/test_service.h"
#include "tests/tls/crypto/test_revocation.h"

namespace handfast::rpc::test {
namespace {

using grpc::StatusCode;
using tls::Bytes;
using tls::test::LibsslClient;
using Names = std::vector<std::string>;

Bytes ToBytes(const std::string& text) { return tls::Copy(tls::AsBytes(text)); }

// To its end, from the peer's first bytes on.
Names RunWith(Walk& walk, LibsslClient& peer) {
  EXPECT_TRUE(walk.started().ok()) << walk.started().error_message();
  return walk.Run([&](tls::ByteView bytes) { return peer.Receive(bytes); }, peer.Receive({}));
}

class StepLimits : public testing::Test {
 protected:
  grpc::Status Start(const v1::Start& start, As as = As::kEdge) {
    return Walk(service_.Channel(as), start).started();
  }
  std::string OnlyViolation(const v1::Start& start) {
    const grpc::Status status = Start(start);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    const auto violations = ViolationsOf(DetailsOf(status));
    return violations.field_violations_size() == 1 ? violations.field_violations(0).field()
                                                   : "not one violation";
  }

  TestService service_;
};

// ---- StartHandshake.

TEST_F(StepLimits, AStartIsCheckedAsRelaysIs) {
  const std::vector<std::pair<std::string, std::function<void(v1::Start&)>>> faults = {
      {"start.role", [](v1::Start& s) { s.clear_role(); }},
      {"start.role", [](v1::Start& s) { s.set_role(static_cast<v1::Role>(7)); }},
      {"start.profile", [](v1::Start& s) { s.set_profile(std::string(kMaxNameBytes + 1, 'p')); }},
      {"start.credential", [](v1::Start& s) { s.set_credential("web"); }},
      {"start.alpn[0]", [](v1::Start& s) { s.add_alpn(""); }},
      {"start.key_release",
       [](v1::Start& s) { s.set_key_release(static_cast<v1::KeyRelease>(7)); }},
      {"start.peer_address",
       [](v1::Start& s) { s.set_peer_address(std::string(kMaxPeerAddressBytes + 1, 'a')); }},
      {"start.from_peer",
       [](v1::Start& s) { s.set_from_peer(std::string(kMaxFromPeerBytes + 1, 'x')); }},
      {"start.server_name", [](v1::Start& s) { s.set_server_name("example.test"); }},
      {"start.server_name", [](v1::Start& s) { s = ClientStart("10.0.0.1"); }},
      {"start.from_peer",
       [](v1::Start& s) {
         s = ClientStart("example.test");
         s.set_from_peer("x");
       }},
      {"start.explain",
       [](v1::Start& s) {
         s = ClientStart("example.test");
         s.set_explain(true);
       }},
  };
  for (const auto& [field, spoil] : faults) {
    v1::Start start = PlainStart();
    spoil(start);
    EXPECT_EQ(OnlyViolation(start), field);
  }
  v1::Start both;
  both.add_alpn("");
  EXPECT_EQ(ViolationsOf(DetailsOf(Start(both))).field_violations_size(), 2);
  EXPECT_EQ(service_.metrics.started, 0);
  // At the limits.
  v1::Start start = PlainStart();
  start.set_from_peer(std::string(kMaxFromPeerBytes, 'x'));
  start.set_peer_address(std::string(kMaxPeerAddressBytes, 'a'));
  EXPECT_TRUE(Start(start).ok());
}

TEST_F(StepLimits, AStartsRefusalsHaveTheirReasons) {
  const auto expect = [&](const v1::Start& start, As as, StatusCode code, const char* reason) {
    const grpc::Status status = Start(start, as);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_EQ(ReasonOf(status), reason);
  };
  v1::Start start = PlainStart();
  expect(start, As::kStranger, StatusCode::UNAUTHENTICATED, "UNKNOWN_PRINCIPAL");
  expect(start, As::kOperator, StatusCode::PERMISSION_DENIED, "ROLE_REQUIRED");
  start.set_profile("ancient");
  expect(start, As::kEdge, StatusCode::NOT_FOUND, "NOT_FOUND");
  start = PlainStart();
  for (const char* credential :
       {"tenants/acme/credentials/nothing", "tenants/other/credentials/web"}) {
    start.set_credential(credential);
    expect(start, As::kEdge, StatusCode::NOT_FOUND, "NOT_FOUND");
  }
  start = PlainStart();
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  expect(start, As::kSibling, StatusCode::PERMISSION_DENIED, "KEY_RELEASE_DENIED");
  start.set_profile("sealed");
  expect(start, As::kEdge, StatusCode::PERMISSION_DENIED, "KEY_RELEASE_DENIED");
  start = ClientStart("example.test");
  start.set_profile("intermediate");
  expect(start, As::kEdge, StatusCode::FAILED_PRECONDITION, "NO_SERVER_TRUST");
  EXPECT_EQ(service_.metrics.started, 0);
}

TEST(StepLimitsOfTheService, SayWhenToComeAgain) {
  TestService full({.max_live = 1});
  Walk first(full.Channel(As::kEdge), PlainStart());
  ASSERT_TRUE(first.started().ok());
  const grpc::Status status = Walk(full.Channel(As::kEdge), PlainStart()).started();
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "HANDSHAKES_LIMIT");
  EXPECT_GT(RetryDelayMs(DetailsOf(status)), 0);
  // What ended gives its place back at once, though its last reply can still be had.
  ASSERT_TRUE(first.caller().Abort(first.handshake()).ok());
  EXPECT_TRUE(Walk(full.Channel(As::kEdge), PlainStart()).started().ok());
  EXPECT_TRUE(first.Step("ClientHello").ok());

  TestService kept({.connections = {.released = 0, .kept = 0}});
  const grpc::Status refused = Walk(kept.Channel(As::kEdge), PlainStart()).started();
  EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(refused), "CONNECTIONS_LIMIT");
  EXPECT_GT(RetryDelayMs(DetailsOf(refused)), 0);
}

TEST(StepLimitsOfTheService, AFullQueueLeavesTheHandshakeAlive) {
  access::WorkQueueOptions work;
  work.max_waiting = 0;
  TestService service({.key_type = tls::KeyType::kRsa2048, .work = work});
  LibsslClient peer({});
  Walk walk(service.Channel(As::kEdge), PlainStart());
  const v1::StepRequest request = walk.Request(peer.Receive({}));
  for (int i = 0; i < 3; ++i) {
    const grpc::Status status = walk.Step("ClientHello", request);
    EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonOf(status), "QUEUE_LIMIT");
    EXPECT_GT(RetryDelayMs(DetailsOf(status)), 0);
  }
  v1::Handshake described;
  ASSERT_TRUE(walk.caller().Get(walk.handshake(), described).ok());
  EXPECT_EQ(described.state(), "AwaitPrivateKey");
  EXPECT_TRUE(walk.caller().Abort(walk.handshake()).ok());
}

// ---- Bytes.

TEST_F(StepLimits, HeldBytesOf128KiB) {
  LibsslClient peer({});
  Walk walk(service_.Channel(As::kEdge), PlainStart());
  ASSERT_TRUE(walk.Step("ClientHello", peer.Receive({})).ok());
  const Bytes most(kMaxFromPeerBytes, 'x');
  ASSERT_TRUE(walk.Step("ServerHello", most).ok());
  ASSERT_TRUE(walk.Step("EncryptedExtensions", most).ok());
  const grpc::Status status = walk.Step("Certificate", Bytes{'x'});
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "HELD_BYTES_LIMIT");
  EXPECT_EQ(RetryDelayMs(DetailsOf(status)), 0) << "to wait does not help";
  EXPECT_TRUE(walk.Step("Certificate").ok());
}

TEST_F(StepLimits, WhatGrpcItselfRefusesHasNoReason) {
  Walk walk(service_.Channel(As::kEdge), PlainStart());
  const grpc::Status status = walk.Step("ClientHello", Bytes(size_t{257} << 10, 'x'));
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "");
}

TEST_F(StepLimits, NeedMoreAtEveryByteOfAClientHello) {
  LibsslClient peer({.trusted_pem = service_.ca().pem()});
  Walk walk(service_.Channel(As::kEdge), PlainStart());
  const Bytes hello = peer.Receive({});
  for (size_t i = 0; i + 1 < hello.size(); ++i) {
    ASSERT_TRUE(walk.Step("ClientHello", Bytes{hello[i]}).ok()) << i;
    ASSERT_TRUE(walk.last().need_more()) << i;
    ASSERT_EQ(walk.last().messages_size() + static_cast<int>(walk.last().to_peer().size()), 0);
    ASSERT_EQ(walk.last().next_size(), 1);
    ASSERT_EQ(walk.last().next(0).step(), v1::STEP_CLIENT_HELLO);
    ASSERT_FALSE(walk.last().next(0).held());
  }
  ASSERT_TRUE(walk.Step("ClientHello", Bytes{hello.back()}).ok());
  EXPECT_FALSE(walk.last().need_more());
  EXPECT_TRUE(walk.last().messages(0).has_client_hello());
  EXPECT_EQ(walk.steps(), hello.size());
  walk.Run([&](tls::ByteView bytes) { return peer.Receive(bytes); });
  EXPECT_TRUE(walk.last().has_established());
}

TEST_F(StepLimits, UnknownFieldsAreIgnored) {
  LibsslClient peer({});
  Walk walk(service_.Channel(As::kEdge), PlainStart());
  v1::StepRequest request = walk.Request(peer.Receive({}));
  request.GetReflection()->MutableUnknownFields(&request)->AddVarint(1000, 7);
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(1001, "new");
  ASSERT_TRUE(walk.Step("ClientHello", request).ok());
  const std::string reply = walk.last().SerializeAsString();
  // It is the same call without them.
  request.DiscardUnknownFields();
  ASSERT_TRUE(walk.Step("ClientHello", request).ok());
  EXPECT_EQ(walk.last().SerializeAsString(), reply);
}

// ---- A peer that breaks the protocol is no error.

struct Broken {
  std::string bytes;
  v1::Failure::Origin origin;
  int alert;  // 0: none
  bool to_peer;
};

TEST_F(StepLimits, AFailureIsAReplyWithItsAlertAndCanBeHadAgain) {
  for (const Broken& broken : {
           Broken{"GET / HTTP/1.1\r\n\r\n", v1::Failure::CLOSED, 0, false},
           Broken{std::string("\x15\x03\x03\0\x02\x02\x28", 7), v1::Failure::PEER_ALERT, 40, false},
           // A Finished that comes first of all.
           Broken{std::string("\x16\x03\x03\0\x04\x14\0\0\0", 9), v1::Failure::LOCAL, 10, true},
           // A ClientHello without a body.
           Broken{std::string("\x16\x03\x03\0\x04\x01\0\0\0", 9), v1::Failure::LOCAL, 50, true},
       }) {
    for (const char* rpc : {"ClientHello", "Advance"}) {
      Walk walk(service_.Channel(As::kEdge), PlainStart());
      const v1::StepRequest request = walk.Request(ToBytes(broken.bytes));
      ASSERT_TRUE(walk.Step(rpc, request).ok());
      ASSERT_TRUE(walk.last().has_failure()) << broken.bytes;
      const v1::StepResponse told = walk.last();
      EXPECT_EQ(told.failure().origin(), broken.origin);
      EXPECT_EQ(told.failure().has_alert(), broken.alert != 0);
      EXPECT_EQ(static_cast<int>(told.failure().alert()), broken.alert);
      EXPECT_EQ(!told.to_peer().empty(), broken.to_peer);
      if (broken.to_peer) {
        EXPECT_EQ(told.to_peer(),
                  std::string("\x15\x03\x03\0\x02\x02", 6) + static_cast<char>(broken.alert));
      }
      EXPECT_EQ(told.next_size(), 0);
      EXPECT_FALSE(told.need_more());
      ASSERT_TRUE(walk.Step(rpc, request).ok());
      EXPECT_EQ(walk.last().SerializeAsString(), told.SerializeAsString());
      EXPECT_EQ(walk.Step(rpc).error_code(), StatusCode::NOT_FOUND);
      v1::Handshake described;
      EXPECT_EQ(walk.caller().Get(walk.handshake(), described).error_code(), StatusCode::NOT_FOUND);
      EXPECT_EQ(walk.caller().Abort(walk.handshake()).error_code(), StatusCode::NOT_FOUND);
      EXPECT_EQ(service_.handshakes().live(), 0u);
    }
  }
}

TEST_F(StepLimits, ThePeersEndOfStreamIsAFailure) {
  Walk walk(service_.Channel(As::kEdge), PlainStart());
  v1::StepRequest request = walk.Request();
  request.set_peer_closed(true);
  ASSERT_TRUE(walk.Step("ClientHello", request).ok());
  EXPECT_EQ(walk.last().failure().origin(), v1::Failure::CLOSED);
}

TEST_F(StepLimits, ADeadlineIsToldByTheNextStep) {
  v1::Start start = PlainStart();
  start.set_profile("short");
  LibsslClient peer({});
  Walk walk(service_.Channel(As::kEdge), start);
  ASSERT_TRUE(walk.Step("ClientHello", peer.Receive({})).ok());
  service_.clock.Advance(std::chrono::milliseconds(200));
  service_.handshakes().Reap();
  v1::Handshake described;
  EXPECT_EQ(walk.caller().Get(walk.handshake(), described).error_code(), StatusCode::NOT_FOUND);
  ASSERT_TRUE(walk.Step("ServerHello").ok());
  EXPECT_EQ(walk.last().failure().origin(), v1::Failure::DEADLINE);
  EXPECT_FALSE(walk.last().to_peer().empty());
}

// ---- What a caller may ask for.

TEST_F(StepLimits, Explanations) {
  v1::Start start = PlainStart();
  start.set_explain(true);
  LibsslClient peer({.trusted_pem = service_.ca().pem()});
  Walk walk(service_.Channel(As::kEdge), start);
  RunWith(walk, peer);
  ASSERT_TRUE(walk.last().has_established());
  ASSERT_GT(walk.last().established().explanations_size(), 3);
  EXPECT_EQ(walk.last().established().explanations(0).what(), "version");
  EXPECT_EQ(walk.last().established().keys_case(), v1::Established::KEYS_NOT_SET)
      << "nobody asked for them";
}

TEST_F(StepLimits, AStapleOfTls12IsAStep) {
  const tls::test::TestCa issuing = service_.ca().Intermediate("issuing");
  const tls::test::Leaf leaf = issuing.Issue({.dns = {"stapled.test"}});
  const Bytes ocsp = tls::test::MakeOcsp(issuing, leaf.chain[0]);
  const auto keys = v1::KeyService::NewStub(service_.Channel(As::kEdge));
  v1::ImportKeyRequest import;
  import.set_parent("tenants/acme");
  import.set_key_id("stapled");
  import.set_private_key_pem(leaf.key_pem);
  import.set_certificate_chain_pem(leaf.chain_pem);
  v1::ImportKeyResponse imported;
  grpc::ClientContext first;
  ASSERT_TRUE(keys->ImportKey(&first, import, &imported).ok());
  v1::SetOcspResponseRequest staple;
  staple.set_name("tenants/acme/credentials/stapled");
  staple.set_ocsp_response(ocsp.data(), ocsp.size());
  v1::Credential credential;
  grpc::ClientContext second;
  ASSERT_TRUE(keys->SetOcspResponse(&second, staple, &credential).ok());

  for (const bool asked : {true, false}) {
    LibsslClient peer(
        {.version = TLS1_2_VERSION, .server_name = "stapled.test", .status_request = asked});
    Walk walk(service_.Channel(As::kEdge), PlainStart());
    const Names names = RunWith(walk, peer);
    Names expected = {"ClientHello", "ServerHello", "Certificate"};
    expected.emplace_back(asked ? "CertificateStatus" : "ServerKeyExchange");
    ASSERT_GE(names.size(), 4u);
    EXPECT_EQ(Names(names.begin(), names.begin() + 4), expected);
    EXPECT_TRUE(walk.last().has_established());
    EXPECT_EQ(peer.ocsp_response(), asked ? ocsp : Bytes());
  }
}

}  // namespace
}  // namespace handfast::rpc::test
