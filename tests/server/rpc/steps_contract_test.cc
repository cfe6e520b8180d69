// What the contract promises of steps, status by status: of each RPC, and of each wrong one at each
// step of both versions in both roles.
#include <set>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "server/rpc/start_request.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/step_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using grpc::StatusCode;
using tls::Bytes;
using tls::ByteView;
using tls::test::LibsslClient;
using tls::test::LibsslServer;
using Names = std::vector<std::string>;

std::string Nobodys() { return "handshakes/" + std::string(32, '0'); }

v1::StepRequest Request(const std::string& handshake, uint32_t step,
                        const std::string& bytes = "") {
  v1::StepRequest request;
  request.set_handshake(handshake);
  request.set_step(step);
  request.set_from_peer(bytes);
  return request;
}

std::string OnlyViolation(const grpc::Status& status) {
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "INVALID_FIELD");
  const google::rpc::BadRequest violations = ViolationsOf(DetailsOf(status));
  return violations.field_violations_size() == 1 ? violations.field_violations(0).field()
                                                 : "not one violation";
}

// ---- Who may, and of what.

class StepStatuses : public testing::TestWithParam<std::string> {
 protected:
  grpc::Status Call(As as, const v1::StepRequest& request) {
    StepCaller caller(service_.Channel(as));
    v1::StepResponse response;
    return caller.Step(GetParam(), request, response);
  }
  grpc::Status Call(const v1::StepRequest& request) { return Call(As::kEdge, request); }
  std::string Begin() {
    StepCaller caller(service_.Channel(As::kEdge));
    v1::StartHandshakeResponse response;
    EXPECT_TRUE(caller.Start(PlainStart(), response).ok());
    return response.handshake();
  }
  bool Lives(const std::string& handshake) {
    StepCaller caller(service_.Channel(As::kEdge));
    v1::Handshake response;
    return caller.Get(handshake, response).ok() && response.step() == 0;
  }

  TestService service_;
};

TEST_P(StepStatuses, AreForCallers) {
  const std::string handshake = Begin();
  const grpc::Status stranger = Call(As::kStranger, Request(handshake, 1));
  EXPECT_EQ(stranger.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(ReasonOf(stranger), "UNKNOWN_PRINCIPAL");
  const grpc::Status another = Call(As::kOperator, Request(handshake, 1));
  EXPECT_EQ(another.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(another), "ROLE_REQUIRED");
  EXPECT_TRUE(Lives(handshake));
}

TEST_P(StepStatuses, AMalformedRequestIsInvalid) {
  const std::string handshake = Begin();
  for (const std::string& name :
       {std::string(), std::string("handshakes/"), std::string("handshakes/1"),
        handshake.substr(0, handshake.size() - 1), handshake + "0", handshake.substr(11),
        "connections/" + handshake.substr(11), "handshakes/" + std::string(32, 'A')}) {
    EXPECT_EQ(OnlyViolation(Call(Request(name, 1))), "handshake") << name;
  }
  EXPECT_EQ(OnlyViolation(Call(Request(handshake, 0))), "step");
  EXPECT_EQ(OnlyViolation(Call(Request(handshake, 1, std::string(kMaxFromPeerBytes + 1, 'x')))),
            "from_peer");
  EXPECT_TRUE(Lives(handshake));
}

TEST_P(StepStatuses, AnUnknownHandshakeIsNotFound) {
  const grpc::Status status = Call(Request(Nobodys(), 1));
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonOf(status), "NOT_FOUND");
}

TEST_P(StepStatuses, OneThatEndedLongerAgoIsNotFound) {
  const std::string handshake = Begin();
  ASSERT_TRUE(StepCaller(service_.Channel(As::kEdge)).Abort(handshake).ok());
  service_.clock.Advance(std::chrono::seconds(11));
  service_.handshakes().Reap();
  const grpc::Status status = Call(Request(handshake, 1));
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_details(), Call(Request(Nobodys(), 1)).error_details());
}

TEST_P(StepStatuses, OneThatEndedTellsSoOnceAndAgain) {
  const std::string handshake = Begin();
  StepCaller caller(service_.Channel(As::kEdge));
  ASSERT_TRUE(caller.Abort(handshake).ok());
  v1::StepResponse told;
  ASSERT_TRUE(caller.Step(GetParam(), Request(handshake, 1), told).ok());
  EXPECT_EQ(told.failure().reason(), "handshake_aborted");
  EXPECT_EQ(told.failure().origin(), v1::Failure::LOCAL);
  EXPECT_FALSE(told.to_peer().empty());
  EXPECT_EQ(told.next_size(), 0);
  v1::StepResponse again;
  ASSERT_TRUE(caller.Step(GetParam(), Request(handshake, 1), again).ok());
  EXPECT_EQ(again.SerializeAsString(), told.SerializeAsString());
  EXPECT_EQ(Call(Request(handshake, 2)).error_code(), StatusCode::NOT_FOUND);
  v1::Handshake described;
  EXPECT_EQ(caller.Get(handshake, described).error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(caller.Abort(handshake).error_code(), StatusCode::NOT_FOUND);
}

TEST_P(StepStatuses, AnotherNumberIsAConflict) {
  const std::string handshake = Begin();
  for (const uint32_t step : {2u, UINT32_MAX}) {
    const grpc::Status status = Call(Request(handshake, step));
    EXPECT_EQ(status.error_code(), StatusCode::ABORTED);
    EXPECT_EQ(ReasonOf(status), "STEP_CONFLICT");
  }
  EXPECT_TRUE(Lives(handshake));
}

TEST_P(StepStatuses, ARelayHandshakeGoesOnThereAlone) {
  RelayCall call(service_.Channel(As::kEdge));
  call.Start(1, PlainStart());
  const std::string handshake = call.Next()->handshake();
  const grpc::Status status = Call(Request(handshake, 1));
  EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(status), "NOT_BY_STEPS");
  EXPECT_TRUE(Lives(handshake));
}

INSTANTIATE_TEST_SUITE_P(Each, StepStatuses, testing::ValuesIn(StepRpcs()),
                         [](const auto& info) { return info.param; });

// ---- Each wrong RPC at each step.

// Walks `walk` to its end; before each step every RPC that is not due is called with what the right
// one then succeeds with, and GetHandshake tells what the last reply did.
Names RunWithAllWrongOnesFirst(Walk& walk, const std::function<Bytes(ByteView)>& peer,
                               Bytes from_peer) {
  Names made;
  while (!walk.ended() && made.size() < 40) {
    const v1::StepRequest request = walk.Request(std::exchange(from_peer, {}));
    v1::Handshake before;
    EXPECT_TRUE(walk.caller().Get(walk.handshake(), before).ok());
    EXPECT_EQ(before.step(), walk.steps());
    const std::string right = walk.NextRpc();
    int refused = 0;
    for (const std::string& rpc : StepRpcs()) {
      if (rpc == right || rpc == "Advance") continue;
      v1::StepResponse response;
      const grpc::Status status = walk.caller().Step(rpc, request, response);
      EXPECT_EQ(status.error_code(), StatusCode::FAILED_PRECONDITION) << rpc << " for " << right;
      EXPECT_EQ(ReasonOf(status), "STEP_OUT_OF_ORDER");
      ++refused;
    }
    EXPECT_EQ(refused, 12);
    v1::Handshake after;
    EXPECT_TRUE(walk.caller().Get(walk.handshake(), after).ok());
    EXPECT_EQ(after.SerializeAsString(), before.SerializeAsString()) << "nothing happened";
    if (made.size() > 0) {
      EXPECT_EQ(after.next_size(), walk.last().next_size());
      for (int i = 0; i < std::min(after.next_size(), walk.last().next_size()); ++i) {
        EXPECT_EQ(after.next(i).SerializeAsString(), walk.last().next(i).SerializeAsString());
      }
    }
    const grpc::Status status = walk.Step(right, request);
    EXPECT_TRUE(status.ok()) << right << ": " << status.error_message();
    if (!status.ok()) return made;
    EXPECT_FALSE(walk.last().need_more()) << right;
    made.push_back(right);
    if (!walk.last().to_peer().empty()) from_peer = peer(tls::AsBytes(walk.last().to_peer()));
  }
  return made;
}

TEST(StepOrder, EachWrongRpcIsRefusedWithRoleServer) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const char* profile : {"", "mutual"}) {
      TestService service;
      const auto identity = service.ca().Issue({.server = false, .client = true});
      LibsslClient peer({.version = version,
                         .groups = version == TLS1_3_VERSION ? "P-521:X25519" : "",
                         .certificate = &identity});
      v1::Start start = PlainStart();
      start.set_profile(profile);
      Walk walk(service.Channel(As::kEdge), start);
      const Names made = RunWithAllWrongOnesFirst(
          walk, [&](ByteView bytes) { return peer.Receive(bytes); }, peer.Receive({}));
      EXPECT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
      EXPECT_GE(made.size(), version == TLS1_3_VERSION ? 9u : 10u);
    }
  }
}

TEST(StepOrder, EachWrongRpcIsRefusedWithRoleClient) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool asks : {false, true}) {
      TestService service;
      // In TLS 1.2 it gives a ticket, which is a step there.
      const auto leaf = service.server_ca().Issue({.dns = {"example.test"}});
      SSL_CTX* context = tls::test::LibsslServerContext(leaf, 1);
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
      if (asks)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
      LibsslServer peer(context);
      Walk walk(service.Channel(As::kEdge), ClientStart("example.test"));
      const Names made =
          RunWithAllWrongOnesFirst(walk, [&](ByteView bytes) { return peer.Receive(bytes); }, {});
      EXPECT_TRUE(walk.last().has_established()) << walk.last().failure().reason();
      EXPECT_TRUE(peer.done());
      const std::set<std::string> all(made.begin(), made.end());
      EXPECT_EQ(all.contains("CertificateRequest"), asks);
      EXPECT_EQ(all.contains("NewSessionTicket"), version == TLS1_2_VERSION);
      SSL_CTX_free(context);
    }
  }
}

// Where two may come, the right one is known when the message is whole.
TEST(StepOrder, OfTwoThatMayComeTheOneThatCameIsTaken) {
  TestService service;
  const auto leaf = service.server_ca().Issue({.dns = {"example.test"}});
  SSL_CTX* context = tls::test::LibsslServerContext(leaf, 0);
  LibsslServer peer(context);
  Walk walk(service.Channel(As::kEdge), ClientStart("example.test"));
  ASSERT_TRUE(walk.Step("ClientHello").ok());
  const Bytes flight = peer.Receive(tls::AsBytes(walk.last().to_peer()));
  // ServerHello alone, and the rest but its last byte for now.
  const size_t hello = 5 + (size_t{flight[3]} << 8 | flight[4]);
  ASSERT_TRUE(walk.Step("ServerHello", Bytes(flight.begin(), flight.begin() + hello)).ok());
  size_t at = hello;
  while (walk.last().need_more() || walk.NextRpc() == "EncryptedExtensions") {
    ASSERT_TRUE(walk.Step("EncryptedExtensions", {flight[at++]}).ok());
  }
  ASSERT_EQ(walk.last().next_size(), 2);
  EXPECT_FALSE(walk.last().next(0).held() || walk.last().next(1).held());
  // Either is good while it may be either; when it is there, only its own.
  ASSERT_TRUE(walk.Step("CertificateRequest", {flight[at++]}).ok());
  EXPECT_TRUE(walk.last().need_more());
  const Bytes rest(flight.begin() + static_cast<std::ptrdiff_t>(at), flight.end());
  const v1::StepRequest request = walk.Request(rest);
  const grpc::Status refused = walk.Step("CertificateRequest", request);
  EXPECT_EQ(ReasonOf(refused), "STEP_OUT_OF_ORDER");
  EXPECT_NE(refused.error_message().find("certificate"), std::string::npos);
  ASSERT_TRUE(walk.Step("Certificate", request).ok());
  EXPECT_FALSE(walk.last().need_more());
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace handfast::rpc::test
