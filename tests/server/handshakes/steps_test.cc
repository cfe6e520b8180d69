// Handshakes by steps without gRPC: numbers and repeats, what is refused and consumes nothing, the
// lane that answers later, and a full one.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/server/handshakes/step_calls.h"

namespace handfast::handshakes::test {
namespace {

using tls::Bytes;
using tls::test::LibsslClient;

class StepsTest : public StepCalls {};

TEST_F(StepsTest, TheLastStepCanBeAskedForAgainAndNoOther) {
  auto handshake = Begin();
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  const StepCall first{
      .message = kClientHello, .number = 1, .from_peer = hello, .peer_closed = false};
  const Answered answer = Call(*handshake, first);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)->number, 1u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(*Call(*handshake, first), *answer) << "the very same";

  // Any other input, and any other number but the next one.
  Bytes other = hello;
  other.back() ^= 1;
  const Bytes longer(hello.size() + 1, 0);
  for (StepCall call :
       {StepCall{kClientHello, 1, other, false}, StepCall{kClientHello, 1, longer, false},
        StepCall{kClientHello, 1, {}, false}, StepCall{kClientHello, 1, hello, true},
        StepCall{kServerHello, 1, hello, false}, StepCall{std::nullopt, 1, hello, false},
        StepCall{kServerHello, 0, {}, false}, StepCall{kServerHello, 3, {}, false},
        StepCall{kServerHello, UINT32_MAX, {}, false}}) {
    const Answered refused = Call(*handshake, call);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kAborted);
    EXPECT_EQ(ReasonOf(refused), "STEP_CONFLICT");
  }
  EXPECT_EQ(handshake->Describe()->step, 1u);
  EXPECT_EQ(*Call(*handshake, first), *answer);
  ASSERT_TRUE(Call(*handshake, {kServerHello, 2, {}, false}).ok());
  EXPECT_EQ(ReasonOf(Call(*handshake, first)), "STEP_CONFLICT") << "it is the last no longer";
}

TEST_F(StepsTest, AFirstStepIsNumberOne) {
  auto handshake = Begin();
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  for (const uint32_t number : {0u, 2u, UINT32_MAX}) {
    EXPECT_EQ(ReasonOf(Call(*handshake, {kClientHello, number, hello, false})), "STEP_CONFLICT");
  }
  EXPECT_TRUE(Established(WalkOn(*handshake, peer, 1, hello)));
  EXPECT_EQ(backends_.metrics.signatures, 1);
  ExpectAllGivenBack();
}

TEST_F(StepsTest, FirstBytesWaitForTheirStep) {
  LibsslClient peer({});
  auto handshake = Begin(peer.Receive({}));
  const Status status = *handshake->Describe();
  EXPECT_EQ(status.state, "WaitClientHello");
  EXPECT_EQ(status.consumed, 0u);
  EXPECT_EQ(status.step, 0u);
  ASSERT_EQ(status.next.size(), 1u);
  EXPECT_TRUE(status.next[0].held);
  EXPECT_FALSE(status.next[0].ours);
  EXPECT_TRUE(Established(WalkOn(*handshake, peer, 1, {})));
}

TEST_F(StepsTest, AWrongMessageIsRefusedAndConsumesNothing) {
  auto handshake = Begin();
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  for (const tls::MessageName& wrong : {kServerHello, kFinished, tls::kChangeCipherSpecName}) {
    const Answered refused = Call(*handshake, {wrong, 1, hello, false});
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(refused), "STEP_OUT_OF_ORDER");
    EXPECT_NE(refused.status().message().find("client_hello"), std::string::npos);
  }
  EXPECT_EQ(handshake->Describe()->step, 0u);
  EXPECT_FALSE(handshake->Describe()->next[0].held) << "the bytes are still the caller's";
  EXPECT_TRUE(Established(WalkOn(*handshake, peer, 1, hello)));
}

TEST_F(StepsTest, ARelayHandshakeTakesNoSteps) {
  auto replies = std::make_shared<Replies>();
  auto handshake = *table_->Begin(backends_.NewStart(replies));
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  const Answered refused = Call(*handshake, {kClientHello, 1, hello, false});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), "NOT_BY_STEPS");
  EXPECT_TRUE(handshake->Describe()->next.empty());
  handshake->FromPeer(hello);
  handshake->FromPeer(peer.Receive(replies->Take()->to_peer));
  EXPECT_TRUE(std::holds_alternative<Done>(replies->Take()->outcome));
  // None lingers.
  EXPECT_FALSE(Known(handshake->handle()));
}

TEST_F(StepsTest, HeldBytesHaveALimit) {
  auto handshake = Begin();
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  ASSERT_TRUE(Call(*handshake, {kClientHello, 1, hello, false}).ok());
  // They wait while we have our say.
  const Bytes all(kMaxHeldForSteps, 0x2a);
  const Bytes more(kMaxHeldForSteps + 1, 0x2a);
  const Answered refused = Call(*handshake, {kServerHello, 2, more, false});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "HELD_BYTES_LIMIT");
  ASSERT_TRUE(Call(*handshake, {kServerHello, 2, all, false}).ok());
  const tls::MessageName extensions = Message(tls::HandshakeType::kEncryptedExtensions);
  const Bytes one = {0x2a};
  EXPECT_EQ(ReasonOf(Call(*handshake, {extensions, 3, one, false})), "HELD_BYTES_LIMIT");
  EXPECT_EQ(ReasonOf(Call(*handshake, {std::nullopt, 3, one, false})), "HELD_BYTES_LIMIT");
  ASSERT_TRUE(Call(*handshake, {extensions, 3, {}, false}).ok());
  Answered answer = Call(*handshake, {std::nullopt, 4, {}, false});
  // What is wrong with them shows when they are due.
  ASSERT_NE(FailureOf(answer), nullptr);
  ExpectAllGivenBack();
}

TEST_F(StepsTest, WhatEndsItCountsAsHeld) {
  auto handshake = Begin();
  LibsslClient peer({});
  ASSERT_TRUE(Call(*handshake, {kClientHello, 1, peer.Receive({}), false}).ok());
  const Bytes alert = {21, 3, 3, 0, 2, 2, 40};
  uint32_t number = 2;
  while (handshake->Describe()->next[0].ours) {
    const tls::MessageName due = handshake->Describe()->next[0].message;
    ASSERT_TRUE(Call(*handshake, {due, number, number == 2 ? alert : Bytes(), false}).ok());
    ++number;
  }
  ASSERT_EQ(handshake->Describe()->next.size(), 1u);
  EXPECT_TRUE(handshake->Describe()->next[0].held) << "or the caller would wait for the peer";
  const Answered last = Call(*handshake, {kFinished, number, {}, false});
  ASSERT_NE(FailureOf(last), nullptr);
  EXPECT_EQ(FailureOf(last)->failure.origin, tls::Origin::kPeerAlert);
}

// ---- The lane that answers later.

class SlowSteps : public StepCalls {
 protected:
  SlowSteps() : StepCalls(tls::KeyType::kRsa2048) {}
  LibsslClient peer_{{}};
};

TEST_F(SlowSteps, WhoAsksAgainMeanwhileGetsTheSameReply) {
  auto handshake = Begin();
  const Bytes hello = peer_.Receive({});
  const StepCall first{kClientHello, 1, hello, false};
  std::vector<std::shared_ptr<Slot>> slots;
  for (int i = 0; i < 3; ++i) slots.push_back(Ask(*handshake, first));
  for (const auto& slot : slots) EXPECT_EQ(slot->answers, 0);
  EXPECT_EQ(handshake->Describe()->state, "AwaitPrivateKey");
  const Bytes other(3, 0);
  EXPECT_EQ(ReasonOf(Call(*handshake, {kClientHello, 1, other, false})), "STEP_CONFLICT");
  EXPECT_EQ(ReasonOf(Call(*handshake, {kServerHello, 2, {}, false})), "STEP_CONFLICT");
  ASSERT_TRUE(backends_.work.RunOne());
  EXPECT_FALSE(backends_.work.RunOne()) << "it was signed once";
  for (const auto& slot : slots) {
    EXPECT_EQ(slot->answers, 1);
    ASSERT_TRUE(slot->answer.ok());
    EXPECT_EQ(*slot->answer, *slots[0]->answer);
  }
  EXPECT_TRUE(Established(WalkOn(*handshake, peer_, 2, {})));
  EXPECT_EQ(backends_.key.uses, 1);
}

TEST_F(SlowSteps, AFullOneLeavesTheStepToBeAskedForAgain) {
  auto handshake = Begin();
  const Bytes hello = peer_.Receive({});
  const StepCall first{kClientHello, 1, hello, false};
  backends_.work.full = true;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Call(*handshake, first).status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(table_->live(), 1u);
    EXPECT_EQ(ReasonOf(Call(*handshake, {kServerHello, 2, {}, false})), "STEP_CONFLICT");
    EXPECT_EQ(ReasonOf(Call(*handshake, {kClientHello, 1, {}, false})), "STEP_CONFLICT");
  }
  backends_.work.full = false;
  const auto one = Ask(*handshake, first);
  const auto two = Ask(*handshake, first);
  EXPECT_EQ(one->answers + two->answers, 0);
  ASSERT_TRUE(backends_.work.RunOne());
  EXPECT_FALSE(backends_.work.RunOne());
  ASSERT_TRUE(one->answer.ok() && two->answer.ok());
  EXPECT_EQ(*one->answer, *two->answer);
  EXPECT_TRUE(Established(WalkOn(*handshake, peer_, 2, {})));
  ExpectAllGivenBack();
}

TEST_F(SlowSteps, ADeadlineAnswersWhoWaitsAndALateSignatureNobody) {
  auto handshake = Begin();
  const Bytes hello = peer_.Receive({});
  const StepCall first{kClientHello, 1, hello, false};
  const auto waits = Ask(*handshake, first);
  const auto too = Ask(*handshake, first);
  ReapAfter(std::chrono::seconds(11));
  for (const auto& slot : {waits, too}) {
    EXPECT_EQ(slot->answers, 1);
    ASSERT_NE(FailureOf(slot->answer), nullptr);
    EXPECT_EQ(FailureOf(slot->answer)->failure.origin, tls::Origin::kDeadline);
    EXPECT_FALSE((*slot->answer)->reply.to_peer.empty());
  }
  ASSERT_TRUE(backends_.work.RunOne());
  EXPECT_EQ(waits->answers + too->answers, 2);
  EXPECT_EQ(*Call(*handshake, first), *waits->answer);
  EXPECT_EQ(ReasonOf(Call(*handshake, {kServerHello, 2, {}, false})), "NOT_FOUND");
  ExpectAllGivenBack();
}

TEST_F(SlowSteps, ADeadlineOfARefusedStepIsToldToTheSameCall) {
  auto handshake = Begin();
  const Bytes hello = peer_.Receive({});
  const StepCall first{kClientHello, 1, hello, false};
  backends_.work.full = true;
  EXPECT_FALSE(Call(*handshake, first).ok());
  ReapAfter(std::chrono::seconds(11));
  backends_.work.full = false;
  const Answered last = Call(*handshake, first);
  ASSERT_NE(FailureOf(last), nullptr);
  EXPECT_EQ(FailureOf(last)->failure.origin, tls::Origin::kDeadline);
  EXPECT_FALSE(backends_.work.RunOne()) << "nothing is signed any more";
  ExpectAllGivenBack();
}

// The service ends: whoever waits is told, once.
TEST_F(SlowSteps, AnAbandonedStepIsAnsweredThatTheServiceEnds) {
  auto handshake = Begin();
  const Bytes hello = peer_.Receive({});
  auto slot = Ask(*handshake, {kClientHello, 1, hello, false});
  backends_.work.DropAll();
  table_->AbandonAll();
  EXPECT_EQ(slot->answers, 1);
  EXPECT_EQ(ReasonOf(slot->answer), "SHUTTING_DOWN");
  table_.reset();
  EXPECT_EQ(slot->answers, 1);
  handshake.reset();
  EXPECT_EQ(slot.use_count(), 1) << "nobody else holds the call";
  EXPECT_EQ(backends_.admission.live, 0);
}

}  // namespace
}  // namespace handfast::handshakes::test
