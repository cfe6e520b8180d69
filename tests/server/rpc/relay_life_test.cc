// How handshakes and streams end: abort, deadline, the peer's end, the stream's end, drain; and
// what happens to a caller that does not read.

#include <atomic>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "handfast/v1/handshake.grpc.pb.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::test::LibsslClient;

bool Becomes(const std::function<bool()>& condition,
             std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

v1::Start WithHello(LibsslClient& peer) {
  v1::Start start = PlainStart();
  const tls::Bytes hello = peer.Receive({});
  start.set_from_peer(hello.data(), hello.size());
  return start;
}

class Handles : public testing::Test {
 protected:
  // A live handshake of the edge; its resource name.
  std::string Begin() {
    call_.Start(++tag_, PlainStart());
    return call_.Next()->handshake();
  }
  grpc::Status Get(As caller, const std::string& name, v1::Handshake* response) {
    grpc::ClientContext context;
    v1::GetHandshakeRequest request;
    request.set_name(name);
    return v1::HandshakeService::NewStub(service_.Channel(caller))
        ->GetHandshake(&context, request, response);
  }
  grpc::Status Abort(As caller, const std::string& name) {
    grpc::ClientContext context;
    v1::AbortHandshakeRequest request;
    v1::AbortHandshakeResponse response;
    request.set_name(name);
    return v1::HandshakeService::NewStub(service_.Channel(caller))
        ->AbortHandshake(&context, request, &response);
  }

  TestService service_;
  RelayCall call_{service_.Channel(As::kEdge)};
  uint64_t tag_ = 0;
};

TEST_F(Handles, TellWhereAHandshakeStands) {
  const std::string name = Begin();
  service_.clock.Advance(std::chrono::seconds(4));
  v1::Handshake handshake;
  ASSERT_TRUE(Get(As::kEdge, name, &handshake).ok());
  EXPECT_EQ(handshake.name(), name);
  EXPECT_EQ(handshake.state(), "WaitClientHello");
  EXPECT_EQ(handshake.profile(), "intermediate");
  EXPECT_EQ(handshake.remaining_ms(), 6000u);
  EXPECT_EQ(handshake.consumed(), 0u);
}

TEST_F(Handles, OfOthersLookUnknown) {
  const std::string name = Begin();
  v1::Handshake ignored;
  const std::string nobodys = "handshakes/" + std::string(32, '0');
  const grpc::Status unknown = Get(As::kEdge, nobodys, &ignored);
  EXPECT_EQ(unknown.error_code(), grpc::StatusCode::NOT_FOUND);
  // Another tenant's, and a sibling's of the same tenant.
  for (As caller : {As::kForeign, As::kSibling}) {
    const grpc::Status foreign = Get(caller, name, &ignored);
    EXPECT_EQ(foreign.error_code(), unknown.error_code());
    EXPECT_EQ(foreign.error_message(), unknown.error_message());
    EXPECT_EQ(foreign.error_details(), unknown.error_details());
    EXPECT_EQ(Abort(caller, name).error_code(), grpc::StatusCode::NOT_FOUND);
  }
  EXPECT_TRUE(Get(As::kEdge, name, &ignored).ok());
}

TEST_F(Handles, HaveOneForm) {
  v1::Handshake ignored;
  const std::string hex(32, 'a');
  for (const std::string& name :
       {std::string(), hex, std::string("handshakes/"), "handshakes/" + hex + "a",
        "connections/" + hex, "handshakes/" + std::string(32, 'A'),
        "handshakes/" + std::string(32, 'g')}) {
    EXPECT_EQ(Get(As::kEdge, name, &ignored).error_code(), grpc::StatusCode::INVALID_ARGUMENT)
        << name;
  }
}

TEST_F(Handles, AbortEndsTheHandshakeAndTellsItsStream) {
  const std::string name = Begin();
  ASSERT_TRUE(Abort(As::kEdge, name).ok());
  const auto reply = call_.Next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->tag(), tag_);
  EXPECT_EQ(reply->error().code(), grpc::StatusCode::ABORTED);
  EXPECT_FALSE(reply->to_peer().empty());
  EXPECT_EQ(Abort(As::kEdge, name).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(service_.handshakes().live(), 0u);
}

TEST_F(Handles, AreGoneAfterTheEnd) {
  LibsslClient peer({});
  RelayCall call(service_.Channel(As::kEdge));
  const v1::RelayResponse last = RunHandshake(call, 1, PlainStart(), peer);
  v1::Handshake ignored;
  const std::string name = "handshakes/" + last.established().connection().substr(12);
  EXPECT_EQ(Get(As::kEdge, name, &ignored).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST(RelayLife, TheCallerGivesUp) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  call.Start(1, WithHello(peer));
  ASSERT_TRUE(call.Next());
  v1::RelayRequest abort;
  abort.set_tag(1);
  abort.mutable_abort();
  call.Send(abort);
  const auto reply = call.Next();
  ASSERT_TRUE(reply && reply->has_failure());
  EXPECT_EQ(reply->failure().reason(), "handshake_aborted");
  EXPECT_FALSE(reply->to_peer().empty());
}

TEST(RelayLife, ThePeerGoesAway) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  call.Start(1, WithHello(peer));
  ASSERT_TRUE(call.Next());
  v1::RelayRequest closed;
  closed.set_tag(1);
  closed.mutable_peer_closed();
  call.Send(closed);
  const auto reply = call.Next();
  ASSERT_TRUE(reply && reply->has_failure());
  EXPECT_EQ(reply->failure().origin(), v1::Failure::CLOSED);
  EXPECT_TRUE(reply->to_peer().empty());
}

TEST(RelayLife, ADeadlineEndsAHandshakeAndNotOneBefore) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  call.Start(1, PlainStart());
  ASSERT_TRUE(call.Next());
  v1::Start sooner = PlainStart();
  sooner.set_deadline_ms(1000);
  call.Start(2, sooner);
  ASSERT_TRUE(call.Next());
  v1::Start later = PlainStart();  // is cut to the profile's ten seconds
  later.set_deadline_ms(3'600'000);
  call.Start(3, later);
  ASSERT_TRUE(call.Next());

  service.clock.Advance(std::chrono::milliseconds(999));
  service.handshakes().Reap();
  EXPECT_EQ(service.handshakes().live(), 3u);
  service.clock.Advance(std::chrono::milliseconds(101));
  service.handshakes().Reap();
  const auto reply = call.Next();
  ASSERT_TRUE(reply && reply->has_failure());
  EXPECT_EQ(reply->tag(), 2u);
  EXPECT_EQ(reply->failure().origin(), v1::Failure::DEADLINE);
  EXPECT_EQ(reply->failure().reason(), "deadline_exceeded");
  service.clock.Advance(std::chrono::seconds(9));
  service.handshakes().Reap();
  EXPECT_EQ(service.handshakes().live(), 0u);
}

TEST(RelayLife, TheStreamsEndEndsItsHandshakes) {
  TestService service;
  {
    RelayCall call(service.Channel(As::kEdge));
    for (uint64_t tag = 1; tag <= 50; ++tag) {
      call.Start(tag, PlainStart());
      ASSERT_TRUE(call.Next());
    }
    EXPECT_EQ(service.handshakes().live(), 50u);
  }  // cancelled
  EXPECT_TRUE(Becomes([&] { return service.handshakes().live() == 0; }));
  EXPECT_TRUE(Becomes([&] { return service.server().streams() == 0; }));
  EXPECT_EQ(service.metrics.finished, 50);
}

TEST(RelayLife, AHalfClosedStreamFinishesWhatIsUnderWay) {
  TestService service({.key_type = tls::KeyType::kRsa2048});
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  call.Start(1, WithHello(peer));
  v1::RelayRequest closed;
  closed.set_tag(1);
  closed.mutable_peer_closed();
  call.Send(closed);
  call.HalfClose();
  bool failed = false;
  while (const auto reply = call.Next()) failed |= reply->has_failure();
  EXPECT_TRUE(failed);
  EXPECT_TRUE(call.Finish().ok());
}

// S19 has the load; this has the order.
TEST(RelayLife, ADrainLetsTheLiveFinishAndSendsTheNewElsewhere) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  call.Start(1, WithHello(peer));
  const auto flight = call.Next();
  ASSERT_TRUE(flight);
  RelayCall idle(service.Channel(As::kEdge));
  idle.Start(1, PlainStart());  // so that the service has surely seen the stream
  ASSERT_TRUE(idle.Next());
  v1::RelayRequest abort;
  abort.set_tag(1);
  abort.mutable_abort();
  idle.Send(abort);
  ASSERT_TRUE(idle.Next());

  std::thread drain([&] { service.server().Drain(std::chrono::seconds(30)); });
  ASSERT_TRUE(call.Next()->has_drain());
  ASSERT_TRUE(idle.Next()->has_drain());
  // Nothing was live there, so that stream ends at once.
  EXPECT_FALSE(idle.Next());
  const grpc::Status idle_status = idle.Finish();
  EXPECT_EQ(idle_status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(idle_status), "DRAINING");

  call.Start(2, PlainStart());
  const auto refused = call.Next();
  EXPECT_EQ(refused->error().code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(refused->error()), "DRAINING");
  call.FromPeer(1, peer.Receive(tls::AsBytes(flight->to_peer())));
  EXPECT_TRUE(call.Next()->has_established());
  EXPECT_FALSE(call.Next());
  EXPECT_EQ(call.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  drain.join();  // long before its thirty seconds, or the test times out
}

TEST(RelayLife, OldStreamsAreSentElsewhere) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  call.Start(1, PlainStart());
  ASSERT_TRUE(call.Next());
  service.clock.Advance(std::chrono::minutes(25));
  service.server().DrainOldStreams();
  service.clock.Advance(std::chrono::minutes(2));
  RelayCall young(service.Channel(As::kEdge));
  young.Start(1, PlainStart());
  ASSERT_TRUE(young.Next());
  service.server().DrainOldStreams();
  EXPECT_TRUE(call.Next()->has_drain());
  young.Start(2, PlainStart());
  EXPECT_FALSE(young.Next()->has_drain());
}

// A caller that sends and does not read: the service stops reading too, and goes on when it reads.
TEST(RelayLife, ReadingStopsWhileRepliesWait) {
  constexpr int kStarts = 20'000;
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  v1::Start garbage = PlainStart();
  garbage.set_from_peer("GET / HTTP/1.1\r\n\r\n");
  std::thread writer([&] {
    for (uint64_t tag = 1; tag <= kStarts; ++tag) {
      if (!call.Start(tag, garbage)) return;
    }
  });
  // It moves until the windows and the 256 KiB are full, then stands.
  int seen = -1;
  const auto stands = [&] {
    const int now = service.metrics.started;
    return std::exchange(seen, now) == now && now > 0;
  };
  for (int quiet = 0; quiet < 10; quiet = stands() ? quiet + 1 : 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  EXPECT_LT(seen, kStarts / 2);
  // On a busy machine more than 1,024 may be read before the first is worked on: those are refused.
  int refused = 0;
  for (int replies = 0; replies < kStarts; ++replies) {
    const auto reply = call.Next();
    ASSERT_TRUE(reply);
    if (reply->has_error()) ++refused;
  }
  EXPECT_EQ(service.metrics.started + refused, kStarts);
  writer.join();
}

}  // namespace
}  // namespace handfast::rpc::test
