// How handshakes by steps end: deadline, abort, the peer's end of stream, drain; and for how long
// their last reply can be had.
#include <thread>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/server/handshakes/step_calls.h"

namespace handfast::handshakes::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using tls::Bytes;
using tls::test::LibsslClient;

class StepsEnd : public StepCalls {
 protected:
  // After the ClientHello; ours are due.
  std::shared_ptr<Handshake> AfterHello(LibsslClient& peer) {
    auto handshake = Begin();
    EXPECT_TRUE(Call(*handshake, {kClientHello, 1, peer.Receive({}), false}).ok());
    return handshake;
  }
  // TLS 1.2 after the client's Finished: done, but for what is still to be handed out.
  std::shared_ptr<Handshake> AllButOurFinished(LibsslClient& peer, uint32_t& number) {
    auto handshake = AfterHello(peer);
    number = 2;
    Bytes from_peer;
    while (handshake->Describe()->state != "Connected") {
      const NextStep next = handshake->Describe()->next[0];
      const Bytes bytes = std::exchange(from_peer, {});
      const Answered answer = Call(*handshake, {next.message, number++, bytes, false});
      if (!answer.ok()) break;
      const Bytes more = peer.Receive((*answer)->reply.to_peer);
      tls::Append(from_peer, more);
    }
    EXPECT_TRUE(handshake->Describe()->next[0].ours);
    return handshake;
  }
  void ExpectToldOnce(Handshake& handshake, uint32_t number, tls::Origin origin,
                      const tls::MessageName& named) {
    const StepCall call{named, number, {}, false};
    const Answered told = Call(handshake, call);
    ASSERT_NE(FailureOf(told), nullptr);
    EXPECT_EQ(FailureOf(told)->failure.origin, origin);
    EXPECT_TRUE(FailureOf(told)->failure.alert);
    EXPECT_EQ(RecordTypes((*told)->reply.to_peer).empty(), false);
    EXPECT_TRUE((*told)->next.empty());
    EXPECT_EQ((*told)->number, number);
    EXPECT_EQ(*Call(handshake, call), *told);
    EXPECT_EQ(ReasonOf(Call(handshake, {named, number + 1, {}, false})), "NOT_FOUND");
    EXPECT_EQ(ReasonOf(Call(handshake, {named, number, {}, true})), "STEP_CONFLICT");
  }
};

TEST_F(StepsEnd, ADeadlineBetweenStepsIsToldByTheNext) {
  LibsslClient peer({});
  auto handshake = AfterHello(peer);
  ReapAfter(seconds(9));
  EXPECT_TRUE(handshake->Describe());
  ReapAfter(seconds(1) + kReapInterval);
  EXPECT_FALSE(handshake->Describe());
  ExpectAllGivenBack();
  // Whatever it is named for.
  ExpectToldOnce(*handshake, 2, tls::Origin::kDeadline, kFinished);
}

TEST_F(StepsEnd, ADeadlineBeforeTheFirstStepIsToldByIt) {
  auto handshake = Begin();
  ReapAfter(seconds(11));
  ExpectToldOnce(*handshake, 1, tls::Origin::kDeadline, kClientHello);
}

TEST_F(StepsEnd, AnAbortIsToldByTheNext) {
  LibsslClient peer({});
  auto handshake = AfterHello(peer);
  EXPECT_TRUE(handshake->Stop(absl::AbortedError("AbortHandshake was called")));
  EXPECT_FALSE(handshake->Stop(absl::AbortedError("again")));
  ExpectAllGivenBack();
  ExpectToldOnce(*handshake, 2, tls::Origin::kLocal, kServerHello);
}

// What was sealed goes before the alert, or the peer could not read it.
TEST_F(StepsEnd, TheAlertComesBehindWhatWasNotHandedOutYet) {
  LibsslClient peer({});
  auto handshake = AfterHello(peer);
  handshake->GiveUp(tls::Reason::kHandshakeAborted);
  const Answered told = Call(*handshake, {kServerHello, 2, {}, false});
  ASSERT_NE(FailureOf(told), nullptr);
  peer.Receive((*told)->reply.to_peer);
  EXPECT_TRUE(peer.done()) << "it has our whole flight";
  char byte = 0;
  EXPECT_LE(SSL_read(peer.ssl(), &byte, 1), 0);
  EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), SSL_R_TLSV1_ALERT_INTERNAL_ERROR);
}

TEST_F(StepsEnd, TheAlertOfAHandshakeThatWasAllButDone) {
  LibsslClient peer({.version = TLS1_2_VERSION});
  uint32_t number = 0;
  auto handshake = AllButOurFinished(peer, number);
  ReapAfter(seconds(11));
  ExpectAllGivenBack();
  EXPECT_TRUE(backends_.connections.all.empty());
  const Answered told = Call(*handshake, {std::nullopt, number, {}, false});
  ASSERT_NE(FailureOf(told), nullptr);
  EXPECT_EQ(FailureOf(told)->failure.origin, tls::Origin::kDeadline);
  EXPECT_TRUE(FailureOf(told)->failure.alert);
  EXPECT_EQ(RecordTypes((*told)->reply.to_peer), (std::vector{20, 22, 21}));
}

// ---- The last reply.

TEST_F(StepsEnd, TheLastReplyIsKeptForTenSecondsAndItsKeysNoLonger) {
  Start start = ByStepsStart();
  start.release_keys = start.owner_may_release = true;
  LibsslClient peer({});
  auto handshake = Begin(std::move(start));
  const Handle handle = handshake->handle();
  Answered last = WalkOn(*handshake, peer, 1, peer.Receive({}));
  ASSERT_TRUE(Established(last));
  ASSERT_TRUE(std::get<Done>((*last)->reply.outcome).keys);
  ExpectAllGivenBack();
  const std::weak_ptr<const StepReply> reply = *last;
  const std::weak_ptr<Handshake> gone = handshake;
  last = absl::UnknownError("let go");
  handshake.reset();

  ReapAfter(kLastReplyKept);
  ASSERT_TRUE(Known(handle));
  EXPECT_FALSE(gone.expired());
  EXPECT_EQ(table_->Find({"acme", "sibling"}, handle), nullptr);
  ReapAfter(kReapInterval * 2);
  EXPECT_FALSE(Known(handle));
  EXPECT_TRUE(reply.expired());
  EXPECT_TRUE(gone.expired());
  EXPECT_EQ(table_->live(), 0u);
}

TEST_F(StepsEnd, SoManyLastRepliesAreKept) {
  std::vector<Handle> handles;
  const auto end_one = [&] {
    auto handshake = Begin();
    handles.push_back(handshake->handle());
    handshake->Stop(absl::AbortedError("test"));
  };
  for (size_t i = 0; i < kMaxLingering; ++i) end_one();
  EXPECT_TRUE(Known(handles.front()) && Known(handles.back()));
  end_one();
  EXPECT_FALSE(Known(handles.back()));
  EXPECT_TRUE(Known(handles.front()));
  // There is room again when they are gone.
  ReapAfter(kLastReplyKept + kReapInterval * 2);
  EXPECT_FALSE(Known(handles.front()));
  end_one();
  EXPECT_TRUE(Known(handles.back()));
}

// A peer that sends much behind its Finished decides how large they are.
TEST_F(StepsEnd, SoManyBytesOfLastRepliesAreKept) {
  const Bytes behind(100'000, 0x17);
  std::vector<Handle> handles;
  const auto end_one = [&] {
    LibsslClient peer({});
    auto handshake = Begin();
    handles.push_back(handshake->handle());
    const Answered first = Call(*handshake, {std::nullopt, 1, peer.Receive({}), false});
    Bytes rest = peer.Receive((*first)->reply.to_peer);
    tls::Append(rest, behind);
    const Answered last = Call(*handshake, {std::nullopt, 2, rest, false});
    ASSERT_TRUE(Established(last));
    EXPECT_EQ((*last)->unconsumed, behind);
  };
  constexpr size_t kNone = kMaxLingeringBytes / 100'000 + 1;
  for (size_t i = 0; i < kNone; ++i) end_one();
  EXPECT_TRUE(Known(handles.front()) && Known(handles[kNone - 50]));
  EXPECT_FALSE(Known(handles.back()));
  ReapAfter(kLastReplyKept + kReapInterval * 2);
  end_one();
  EXPECT_TRUE(Known(handles.back())) << "the account is square";
  ExpectAllGivenBack();
}

// ---- The peer's end of stream.

TEST_F(StepsEnd, ThePeerClosedBeforeAllOfItsMessageCame) {
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  for (const size_t came : {size_t{0}, size_t{1}, hello.size() - 1}) {
    for (const bool advance : {false, true}) {
      auto handshake = Begin();
      const Bytes bytes(hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(came));
      const auto named = advance ? std::nullopt : std::optional(kClientHello);
      const Answered last = Call(*handshake, {named, 1, bytes, true});
      ASSERT_NE(FailureOf(last), nullptr);
      EXPECT_EQ(FailureOf(last)->failure.origin, tls::Origin::kClosed);
      EXPECT_FALSE((*last)->need_more);
      ExpectAllGivenBack();
    }
  }
}

TEST_F(StepsEnd, ThePeerClosedBehindAMessageThatIsTaken) {
  LibsslClient peer({});
  auto handshake = Begin();
  const Bytes hello = peer.Receive({});
  // Taken; ours are handed out; then the next of the peer's never comes.
  Answered answer = Call(*handshake, {kClientHello, 1, hello, true});
  ASSERT_TRUE(answer.ok());
  uint32_t number = 2;
  for (; !(*answer)->reply.ended() && number < 20; ++number) {
    ASSERT_FALSE((*answer)->next.empty());
    answer = Call(*handshake, {(*answer)->next[0].message, number, {}, false});
    ASSERT_TRUE(answer.ok());
    EXPECT_FALSE((*answer)->need_more);
  }
  EXPECT_EQ(number, 8u) << "five of ours, and the Finished that was not there";
  EXPECT_EQ(FailureOf(answer)->failure.origin, tls::Origin::kClosed);
}

TEST_F(StepsEnd, ThePeerClosedBehindItsLastMessage) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    LibsslClient peer({.version = version});
    auto handshake = Begin();
    const Answered first = Call(*handshake, {std::nullopt, 1, peer.Receive({}), false});
    const Bytes rest = peer.Receive((*first)->reply.to_peer);
    EXPECT_TRUE(Established(Call(*handshake, {std::nullopt, 2, rest, true})))
        << "what is ours can be sent all the same";
  }
}

TEST_F(StepsEnd, ThePeerClosedWithAStepOfOurs) {
  LibsslClient peer({.version = TLS1_2_VERSION});
  uint32_t number = 0;
  auto handshake = AllButOurFinished(peer, number);
  ASSERT_TRUE(Call(*handshake, {tls::kChangeCipherSpecName, number, {}, true}).ok());
  EXPECT_TRUE(Established(Call(*handshake, {kFinished, number + 1, {}, false})));
}

// ---- The service goes away.

TEST_F(StepsEnd, ADrainWaitsForThoseThatLive) {
  LibsslClient peer({});
  auto handshake = AfterHello(peer);
  // It is over its time at once, and lets none begin from then on.
  table_->DrainSteps(milliseconds(0));
  const auto refused = table_->Begin(ByStepsStart());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(access::ReasonOf(refused.status()), "DRAINING");
  EXPECT_EQ(backends_.admission.live, 1);
  EXPECT_EQ(backends_.metrics.started, 1);
  // Relay's are told by their streams.
  auto relayed = *table_->Begin(backends_.NewStart(std::make_shared<Replies>()));
  std::thread drain([&] { table_->DrainSteps(seconds(600)); });
  EXPECT_TRUE(Established(WalkOn(*handshake, peer, 2, {})));
  drain.join();
  EXPECT_EQ(table_->live(), 1u);
  relayed->Abandon();
  ExpectAllGivenBack();
}

TEST_F(StepsEnd, ARefusedPeerIsAFailureWithItsAlert) {
  backends_.profile->tls.client_auth = tls::ClientAuth::kRequired;
  backends_.profile->trust_bundle = "clients";
  const tls::test::Leaf leaf = tls::test::TestCa::Create("CA").Issue({.client = true});
  LibsslClient peer({.certificate = &leaf});
  auto handshake = Begin();
  const Answered last = WalkOn(*handshake, peer, 1, peer.Receive({}));
  ASSERT_NE(FailureOf(last), nullptr);
  EXPECT_EQ(FailureOf(last)->failure.reason, tls::Reason::kUnknownCa);
  EXPECT_EQ(FailureOf(last)->detail, "nobody is trusted");
  EXPECT_FALSE((*last)->reply.to_peer.empty());
  ExpectAllGivenBack();
}

}  // namespace
}  // namespace handfast::handshakes::test
