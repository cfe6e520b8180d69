// What Relay refuses: each limit at its edge and beyond, and that no tag's error ends the stream.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "server/rpc/relay_stream.h"
#include "server/rpc/start_request.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::test::LibsslClient;

class RelayLimits : public testing::Test {
 protected:
  // The reply to `start` under a new tag.
  v1::RelayResponse Reply(const v1::Start& start) {
    EXPECT_TRUE(call_.Start(++tag_, start));
    return call_.Next().value_or(v1::RelayResponse());
  }
  google::rpc::Status ErrorOf(const v1::Start& start) { return Reply(start).error(); }
  std::string OnlyViolation(const v1::Start& start) {
    const google::rpc::Status error = ErrorOf(start);
    EXPECT_EQ(error.code(), grpc::StatusCode::INVALID_ARGUMENT);
    const auto violations = ViolationsOf(error);
    if (violations.field_violations_size() != 1) return "not one violation";
    return violations.field_violations(0).field();
  }
  bool Begins(const v1::Start& start) {
    return Reply(start).outcome_case() == v1::RelayResponse::OUTCOME_NOT_SET;
  }

  TestService service_;
  RelayCall call_{service_.Channel(As::kEdge)};
  uint64_t tag_ = 0;
};

TEST_F(RelayLimits, ARoleIsRequired) { EXPECT_EQ(OnlyViolation(v1::Start()), "start.role"); }

TEST_F(RelayLimits, SixteenProtocols) {
  v1::Start start = PlainStart();
  for (int i = 0; i < kMaxAlpnProtocols; ++i) start.add_alpn("p" + std::to_string(i));
  EXPECT_TRUE(Begins(start));
  start.add_alpn("more");
  EXPECT_EQ(OnlyViolation(start), "start.alpn");
}

TEST_F(RelayLimits, AProtocolOf255Bytes) {
  v1::Start start = PlainStart();
  start.add_alpn(std::string(kMaxAlpnProtocolBytes, 'p'));
  EXPECT_TRUE(Begins(start));
  start.set_alpn(0, std::string(kMaxAlpnProtocolBytes + 1, 'p'));
  EXPECT_EQ(OnlyViolation(start), "start.alpn[0]");
  start.set_alpn(0, "");
  EXPECT_EQ(OnlyViolation(start), "start.alpn[0]");
}

TEST_F(RelayLimits, APeerAddressOf64Bytes) {
  v1::Start start = PlainStart();
  start.set_peer_address(std::string(kMaxPeerAddressBytes, 'a'));
  EXPECT_TRUE(Begins(start));
  start.set_peer_address(std::string(kMaxPeerAddressBytes + 1, 'a'));
  EXPECT_EQ(OnlyViolation(start), "start.peer_address");
}

TEST_F(RelayLimits, FirstBytesOf64KiB) {
  v1::Start start = PlainStart();
  start.set_from_peer(std::string(kMaxFromPeerBytes, '\x16'));
  EXPECT_TRUE(Reply(start).has_failure());  // they were looked at
  start.set_from_peer(std::string(kMaxFromPeerBytes + 1, '\x16'));
  EXPECT_EQ(OnlyViolation(start), "start.from_peer");
}

TEST_F(RelayLimits, AllFaultsAreTold) {
  v1::Start start;
  start.set_credential("web");
  start.add_alpn("");
  const google::rpc::Status error = ErrorOf(start);
  EXPECT_EQ(ViolationsOf(error).field_violations_size(), 3);
  EXPECT_EQ(ReasonOf(error), "INVALID_FIELD");
}

TEST_F(RelayLimits, AnUnknownProfileIsNotFound) {
  v1::Start start = PlainStart();
  start.set_profile("ancient");
  EXPECT_EQ(ErrorOf(start).code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(RelayLimits, AnUnknownCredentialAndAForeignOneLookTheSame) {
  v1::Start start = PlainStart();
  start.set_credential("tenants/acme/credentials/web");
  EXPECT_TRUE(Begins(start));
  start.set_credential("tenants/acme/credentials/nothing");
  const google::rpc::Status unknown = ErrorOf(start);
  start.set_credential("tenants/other/credentials/web");
  const google::rpc::Status foreign = ErrorOf(start);
  EXPECT_EQ(unknown.code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(unknown.SerializeAsString(), foreign.SerializeAsString());
}

TEST_F(RelayLimits, TagZeroIsTheStreamsOwn) {
  call_.Start(0, PlainStart());
  const auto reply = call_.Next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error().code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(RelayLimits, ATagBeginsWithStart) {
  call_.FromPeer(5, {1, 2, 3});
  const auto reply = call_.Next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->tag(), 5u);
  EXPECT_EQ(reply->error().code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(RelayLimits, ARequestSaysSomething) {
  ASSERT_TRUE(Begins(PlainStart()));
  v1::RelayRequest nothing;
  nothing.set_tag(tag_);
  call_.Send(nothing);
  const auto reply = call_.Next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(service_.handshakes().live(), 0u);
}

TEST_F(RelayLimits, BytesOf64KiBAMessage) {
  ASSERT_TRUE(Begins(PlainStart()));
  call_.FromPeer(tag_, tls::Bytes(kMaxFromPeerBytes + 1, 0x16));
  const auto reply = call_.Next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error().code(), grpc::StatusCode::INVALID_ARGUMENT);
  // The peer is told, too.
  EXPECT_FALSE(reply->to_peer().empty());
}

TEST_F(RelayLimits, ATagIsNeverUsedAgain) {
  v1::Start garbage = PlainStart();
  garbage.set_from_peer("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(Reply(garbage).has_failure());
  call_.Start(tag_, PlainStart());
  const auto reply = call_.Next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error().code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(reply->error()), "TAG_REUSED");
}

TEST_F(RelayLimits, ASecondStartEndsALiveTag) {
  ASSERT_TRUE(Begins(PlainStart()));
  call_.Start(tag_, PlainStart());
  const auto reply = call_.Next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(ReasonOf(reply->error()), "TAG_REUSED");
  EXPECT_EQ(service_.handshakes().live(), 0u);
}

TEST_F(RelayLimits, LateBytesOfAnEndedTagAreDropped) {
  v1::Start garbage = PlainStart();
  garbage.set_from_peer("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(Reply(garbage).has_failure());
  call_.FromPeer(tag_, {1, 2, 3});
  // The next reply is another tag's: nothing was said to the late bytes.
  EXPECT_TRUE(Begins(PlainStart()));
}

TEST_F(RelayLimits, AThousandAndTwentyFourLiveTags) {
  for (size_t i = 0; i < kMaxLiveTags; ++i) ASSERT_TRUE(Begins(PlainStart()));
  const google::rpc::Status error = ErrorOf(PlainStart());
  EXPECT_EQ(error.code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(error), "STREAM_HANDSHAKES_LIMIT");
  EXPECT_GT(RetryDelayMs(error), 0);
  v1::RelayRequest abort;
  abort.set_tag(1);
  abort.mutable_abort();
  call_.Send(abort);
  ASSERT_TRUE(call_.Next()->has_failure());
  EXPECT_TRUE(Begins(PlainStart()));
}

TEST_F(RelayLimits, TagsGrowAndMayLeaveGaps) {
  for (uint64_t tag : {10u, 1'000'000u}) {
    call_.Start(tag, PlainStart());
    EXPECT_FALSE(call_.Next()->has_error());
  }
  // Never used, but not greater: it cannot be told from one that was.
  call_.Start(11, PlainStart());
  const auto reply = call_.Next();
  EXPECT_EQ(reply->tag(), 11u);
  EXPECT_EQ(ReasonOf(reply->error()), "TAG_REUSED");
  EXPECT_EQ(service_.handshakes().live(), 2u);
}

TEST(RelayLimit, OfTheTenantIsRefusedWithADelay) {
  TestService service({.max_live = 2});
  RelayCall call(service.Channel(As::kEdge));
  for (uint64_t tag : {1, 2}) {
    call.Start(tag, PlainStart());
    EXPECT_EQ(call.Next()->outcome_case(), v1::RelayResponse::OUTCOME_NOT_SET);
  }
  call.Start(3, PlainStart());
  const auto reply = call.Next();
  EXPECT_EQ(reply->error().code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_GT(RetryDelayMs(reply->error()), 0);
  EXPECT_EQ(service.metrics.refused, 1);
}

TEST(RelayLimit, OfKeptConnectionsIsTheTenantsOwn) {
  TestService service({.connections = {.released = 10, .kept = 2}});
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  ASSERT_TRUE(RunHandshake(call, 1, PlainStart(), peer).has_established());
  call.Start(2, PlainStart());
  EXPECT_EQ(ReasonOf(call.Next()->error()), "CONNECTIONS_LIMIT");
  // Half of the room is left for others.
  RelayCall foreign(service.Channel(As::kForeign));
  LibsslClient other({});
  EXPECT_TRUE(RunHandshake(foreign, 1, PlainStart(), other).has_established());
}

TEST(RelayLimit, OfAMessageEndsTheStream) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  call.Start(1, PlainStart());
  ASSERT_TRUE(call.Next());
  call.FromPeer(1, tls::Bytes(size_t{300} * 1024));
  while (call.Next()) {
  }
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  // Other streams live on.
  RelayCall another(service.Channel(As::kEdge));
  another.Start(1, PlainStart());
  EXPECT_TRUE(another.Next());
}

// ---- The client role.

TEST_F(RelayLimits, AClientNeedsADnsName) {
  EXPECT_TRUE(Begins(ClientStart("db.example.test")));
  const std::vector<std::string> names = {"",
                                          "*.example.test",
                                          "Db.example.test",
                                          "db.example.test.",
                                          ".example.test",
                                          "a..b",
                                          "192.0.2.1",
                                          "2001:db8::1",
                                          "db example",
                                          "-db.example.test",
                                          "a\x01",
                                          "db.ex\xc3\xa4",
                                          std::string(254, 'a'),
                                          std::string(64, 'a') + ".test"};
  for (const std::string& name : names) {
    const v1::RelayResponse reply = Reply(ClientStart(name));
    EXPECT_TRUE(reply.to_peer().empty());
    EXPECT_EQ(ReasonOf(reply.error()), "INVALID_FIELD") << name;
    EXPECT_EQ(OnlyViolation(ClientStart(name)), "start.server_name") << name;
  }
}

TEST_F(RelayLimits, ANameIsTheClientRoles) {
  v1::Start start = PlainStart();
  start.set_server_name("db.example.test");
  EXPECT_EQ(OnlyViolation(start), "start.server_name");
}

TEST_F(RelayLimits, NothingComesBeforeTheClientHello) {
  v1::Start start = ClientStart("db.example.test");
  start.set_from_peer("220 ready");
  EXPECT_EQ(OnlyViolation(start), "start.from_peer");
}

TEST_F(RelayLimits, AClientNeedsAProfileThatTrustsServers) {
  v1::Start start = ClientStart("db.example.test");
  for (const char* profile : {"", "intermediate", "mutual"}) {
    start.set_profile(profile);
    const v1::RelayResponse reply = Reply(start);
    EXPECT_EQ(reply.error().code(), grpc::StatusCode::FAILED_PRECONDITION) << profile;
    EXPECT_EQ(ReasonOf(reply.error()), "NO_SERVER_TRUST");
    EXPECT_NE(reply.error().message().find("server_trust_bundle"), std::string::npos);
    EXPECT_TRUE(reply.to_peer().empty());
  }
  start.set_profile("nowhere");
  EXPECT_EQ(ErrorOf(start).code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(service_.metrics.started, 0);
  start.set_profile("outbound");
  EXPECT_TRUE(Begins(start)) << "the control";
}

}  // namespace
}  // namespace handfast::rpc::test
