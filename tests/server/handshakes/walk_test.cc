// The walk by itself: what is told with which step, and what is kept for another.
#include "server/handshakes/walk.h"

#include <gtest/gtest.h>

#include "tests/server/handshakes/step_calls.h"

namespace handfast::handshakes::test {
namespace {

using tls::Bytes;
using tls::ContentType;
using tls::HandshakeType;
using tls::ProtocolVersion;
using tls::TracedMessage;

// A message of ours or the peer's, all body, as it passed in TLS 1.3 or 1.2.
TracedMessage Traced(bool from_peer, HandshakeType type, size_t sent_up_to = 0,
                     ProtocolVersion version = ProtocolVersion::kTls13) {
  return {from_peer,
          false,
          ContentType::kHandshake,
          version,
          Bytes{static_cast<uint8_t>(type), 0, 0, 0},
          sent_up_to};
}
TracedMessage TracedAlert(size_t sent_up_to) {
  return {false, false, ContentType::kAlert, ProtocolVersion::kTls13, Bytes{2, 40}, sent_up_to};
}

class WalkTest : public testing::Test {
 protected:
  const StepReply& Last() const { return **slot_->answer; }
  void Accept(std::optional<tls::MessageName> message, uint32_t number) {
    slot_ = std::make_shared<Slot>();
    walk_.Accept({message, number, {}, false}, Into(slot_));
  }
  void Finish() {
    walk_.Finish(nullptr);
    ASSERT_EQ(slot_->answers, 1);
    ASSERT_TRUE(slot_->answer.ok());
  }

  Walk walk_;
  std::shared_ptr<Slot> slot_;
};

TEST_F(WalkTest, OursAreHandedOutOneByOne) {
  Accept(Message(HandshakeType::kClientHello), 1);
  tls::Output output;
  output.to_peer = {1, 2, 2, 3, 3, 3};
  output.messages = {Traced(true, HandshakeType::kClientHello),
                     Traced(false, HandshakeType::kServerHello, 1),
                     Traced(false, HandshakeType::kEncryptedExtensions, 3),
                     Traced(false, HandshakeType::kFinished, 6)};
  walk_.Collect(output);
  EXPECT_TRUE(walk_.satisfied());
  EXPECT_FALSE(walk_.all_handed_out());
  Finish();
  EXPECT_TRUE(Last().reply.to_peer.empty());
  EXPECT_EQ(Last().reply.messages.size(), 1u);
  const std::vector<Bytes> expected = {{1}, {2, 2}, {3, 3, 3}};
  for (uint32_t number = 2; number <= 4; ++number) {
    Accept(std::nullopt, number);
    EXPECT_TRUE(walk_.HandOut());
    EXPECT_FALSE(walk_.satisfied()) << "Advance goes on";
    Finish();
    EXPECT_EQ(Last().reply.to_peer, expected[number - 2]);
    EXPECT_EQ(Last().reply.messages.size(), 1u);
    EXPECT_EQ(Last().number, number);
  }
  EXPECT_TRUE(walk_.all_handed_out());
  EXPECT_FALSE(walk_.HandOut());
}

// What is no step goes with what it stands beside.
TEST_F(WalkTest, WhatIsNoStepHasAPlaceOfItsOwn) {
  Accept(Message(HandshakeType::kFinished), 1);
  tls::Output output;
  output.to_peer = {9, 1, 8};
  output.messages = {Traced(false, HandshakeType::kNewSessionTicket, 1),
                     Traced(false, HandshakeType::kFinished, 2), TracedAlert(3)};
  walk_.Collect(output);
  Finish();
  EXPECT_EQ(Last().reply.to_peer, Bytes{9}) << "before ours: with the step under way";
  Accept(Message(HandshakeType::kFinished), 2);
  walk_.HandOut();
  Finish();
  EXPECT_EQ(Last().reply.to_peer, (Bytes{1, 8})) << "behind it: with it";
  EXPECT_EQ(Last().reply.messages.size(), 2u);
}

TEST_F(WalkTest, ATicketOfTls12IsAStep) {
  Accept(Message(HandshakeType::kFinished), 1);
  tls::Output output;
  output.to_peer = {9};
  output.messages = {Traced(false, HandshakeType::kNewSessionTicket, 1, ProtocolVersion::kTls12)};
  walk_.Collect(output);
  Finish();
  EXPECT_TRUE(Last().reply.to_peer.empty());
  EXPECT_TRUE(walk_.HandOut());
}

// Bytes that are in no message, as the alert behind a handshake that was done, are not lost.
TEST_F(WalkTest, NoByteForThePeerIsLost) {
  for (const bool with_a_piece : {false, true}) {
    Walk walk;
    auto slot = std::make_shared<Slot>();
    walk.Accept({std::nullopt, 1, {}, false}, Into(slot));
    tls::Output first;
    if (with_a_piece) {
      first.to_peer = {1};
      first.messages = {Traced(false, HandshakeType::kFinished, 1)};
    }
    walk.Collect(first);
    tls::Output second;
    second.to_peer = {7, 7};
    walk.Collect(second);
    walk.HandOutAll();
    walk.Finish(nullptr);
    EXPECT_EQ((*slot->answer)->reply.to_peer, with_a_piece ? (Bytes{1, 7, 7}) : (Bytes{7, 7}));
  }
}

TEST_F(WalkTest, AHelloRequestIsNoStep) {
  Accept(Message(HandshakeType::kServerHelloDone), 1);
  tls::Output output;
  output.messages = {Traced(true, HandshakeType::kHelloRequest, 0, ProtocolVersion::kTls12)};
  walk_.Collect(output);
  EXPECT_FALSE(walk_.satisfied());
  output.messages = {Traced(true, HandshakeType::kServerHelloDone, 0, ProtocolVersion::kTls12)};
  walk_.Collect(output);
  EXPECT_TRUE(walk_.satisfied());
}

TEST_F(WalkTest, ARefusedStepStaysUnderWay) {
  const StepCall call{Message(HandshakeType::kClientHello), 1, {}, false};
  auto refused = std::make_shared<Slot>();
  walk_.Accept(call, Into(refused));
  walk_.Refuse(absl::ResourceExhaustedError("full"));
  EXPECT_EQ(refused->answers, 1);
  EXPECT_EQ(refused->answer.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(walk_.under_way());
  slot_ = std::make_shared<Slot>();
  StepDone again = Into(slot_);
  EXPECT_TRUE(walk_.Repeats(call, again));
  EXPECT_EQ(slot_->answers, 0);
  Finish();
  EXPECT_EQ(refused->answers, 1) << "once";
  EXPECT_FALSE(walk_.under_way());
  walk_.Finish(nullptr);  // there is nothing to finish
  EXPECT_EQ(slot_->answers, 1);
}

TEST_F(WalkTest, BeforeTheFirstStepNothingIsARepeat) {
  slot_ = std::make_shared<Slot>();
  StepDone done = Into(slot_);
  EXPECT_FALSE(walk_.Repeats({std::nullopt, 0, {}, false}, done));
  EXPECT_FALSE(walk_.Repeats({std::nullopt, 1, {}, false}, done));
  EXPECT_EQ(slot_->answers, 0);
}

TEST_F(WalkTest, KnowsHowMuchItKeeps) {
  const size_t empty = walk_.KeptBytes();
  Accept(std::nullopt, 1);
  walk_.SetUnconsumed(Bytes(1000, 0));
  EXPECT_EQ(walk_.KeptBytes(), empty + 1000);
  Finish();
  EXPECT_GE(walk_.KeptBytes(), empty + 1000);
  Accept(std::nullopt, 2);
  EXPECT_EQ(walk_.KeptBytes(), empty) << "the last reply is another now";
}

}  // namespace
}  // namespace handfast::handshakes::test
