// T23, truncation: the stream cut at every byte of a handshake is an error that says so, without an
// alert and without a connection; so is close_notify at every place. (The stream of application
// data: tests/client/core, EveryCutBeforeCloseNotifyIsAnError.)
#include "tests/badpeer/asking.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using T23_Truncation = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T23_Truncation, testing::ValuesIn(kSides), SideName);

// True where an end of the stream is reported as too early a one, and nothing is said to it.
bool IsReported(const Output& output) {
  return output.failure && output.failure->reason == Reason::kPeerClosed &&
         output.failure->origin == Origin::kClosed && !output.failure->alert &&
         output.to_peer.empty() && !output.established;
}

TEST_P(T23_Truncation, AtEachByte) {
  const Meeting meeting(side());
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Asking tested(meeting);
  Bytes to_peer = tested.Begin();
  Bytes to_tested = peer->Begin();
  int cuts = 0;
  while (!to_tested.empty() || !to_peer.empty()) {
    for (const uint8_t byte : std::exchange(to_tested, {})) {
      ASSERT_FALSE(tested.established()) << cuts;
      ASSERT_TRUE(IsReported(tested.IfItEnded())) << cuts;
      Append(to_peer, tested.Receive({&byte, 1}));
      ++cuts;
    }
    to_tested = peer->Receive(std::exchange(to_peer, {}));
  }
  EXPECT_GT(cuts, 600);
  // Behind the handshake an end without close_notify is one, too.
  EXPECT_TRUE(tested.established());
  EXPECT_TRUE(IsReported(tested.IfItEnded()));
  // The control: the same check of a stream that goes on.
  EXPECT_FALSE(IsReported(tested.IfItWentOn()));
}

// RFC 8446 §6.1: close_notify before Finished ends the handshake, and is no success. It is answered
// with the same, and no other alert.
TEST_P(T23_Truncation, CloseNotifyAtEachPlace) {
  for (const Place place : PlacesOf(SoundFlights(side()))) {
    const Outgoing due = SoundFlights(side())[place.flight][place.record];
    const Outgoing close{ContentType::kAlert, {1, 0}, due.epoch};
    const Meeting meeting(side(), {InsertRecord(place, close)});
    const Outcome outcome = Try(meeting);
    EXPECT_EQ(outcome.reason, Describe(Reason::kPeerClosed).label) << What(meeting.script);
    EXPECT_EQ(outcome.alert.value_or(0), 0) << What(meeting.script);
    EXPECT_EQ(outcome.alert_at_peer.value_or(0), 0) << What(meeting.script);
    EXPECT_FALSE(outcome.established);
  }
}

// Cookie cutter: a record whose length says more than what comes before the end.
TEST_P(T23_Truncation, ARecordThatPromisesMore) {
  for (const Place place : PlacesOf(SoundFlights(side()))) {
    const Meeting meeting(side(), {OnWire(place, [](Bytes& record) {
                            record[3] = 0x3f;  // 16 KiB, all of what follows and more
                            record[4] = 0xff;
                          })});
    const std::unique_ptr<Peer> peer = meeting.MakePeer();
    Asking tested(meeting);
    EXPECT_TRUE(Waits(Meet(tested, *peer))) << What(meeting.script);
    EXPECT_TRUE(IsReported(tested.IfItEnded())) << What(meeting.script);
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
