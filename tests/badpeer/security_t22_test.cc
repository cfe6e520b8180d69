// T22, forged Finished and transcripts: each bit of Finished, other lengths, each bit of what it
// covers, data before it. Nothing is released before. The negative controls are an endpoint that
// takes any Finished, and one that does not mind data.
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using T22_Finished = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T22_Finished, testing::ValuesIn(kSides), SideName);

constexpr size_t kHeaderBits = 8 * kHandshakeHeaderSize;

TEST_P(T22_Finished, EachBitFlipped) {
  const std::vector<Flight> flights = SoundFlights(side());
  const Place finished = Find(flights, HandshakeType::kFinished);
  const size_t bits = 8 * flights[finished.flight][finished.record].content.size() - kHeaderBits;
  EXPECT_EQ(bits, side().tls13() ? 256u : 96u);
  for (size_t bit = 0; bit < bits; ++bit) {
    const Meeting meeting(side(), {FlipBit(finished, kHeaderBits + bit)});
    ASSERT_TRUE(Refused(Try(meeting), Reason::kFinishedMismatch, Alert::kDecryptError)) << bit;
  }
}

TEST_P(T22_Finished, EachBitFlipped_Control) {
  const Place finished = Find(SoundFlights(side()), HandshakeType::kFinished);
  for (size_t bit = 0; bit < 96; bit += 13) {
    const Meeting meeting(side(), {FlipBit(finished, kHeaderBits + bit)});
    const Outcome outcome = TryMutant(meeting, {.any_finished = true});
    EXPECT_FALSE(Refused(outcome, Reason::kFinishedMismatch, Alert::kDecryptError));
    ASSERT_TRUE(outcome.established) << bit << " " << outcome;
  }
}

// RFC 8446 §4.4.4 and RFC 5246 §7.4.9 fix the length.
TEST_P(T22_Finished, OfEveryOtherLength) {
  const Place finished = Find(SoundFlights(side()), HandshakeType::kFinished);
  for (size_t size = 0; size <= 64; ++size) {
    if (size == (side().tls13() ? 32u : 12u)) continue;
    const Meeting meeting(side(), {Mutate(finished, "Size", [size](Outgoing& record) {
                            record.content.resize(kHandshakeHeaderSize + size);
                            FixHeader(record.content);
                          })});
    EXPECT_TRUE(Refused(Try(meeting), Reason::kDecodeError, Alert::kDecodeError)) << size;
  }
}

// A Finished of the same keys, but over something else: that of the other side, or of zeros.
TEST_P(T22_Finished, OfZeros) {
  const Place finished = Find(SoundFlights(side()), HandshakeType::kFinished);
  const Meeting meeting(side(), {Mutate(finished, "Zeros", [](Outgoing& record) {
                          std::fill(record.content.begin() + kHandshakeHeaderSize,
                                    record.content.end(), uint8_t{0});
                        })});
  EXPECT_TRUE(Refused(Try(meeting), Reason::kFinishedMismatch, Alert::kDecryptError));
}

// What Finished covers: one bit of each byte that the peer said before, and nobody is connected. A
// bit of a ClientHello is left out where the peer itself would go along (see engine_peer.h).
TEST_P(T22_Finished, CoversEachByteBeforeIt) {
  const std::vector<Flight> flights = SoundFlights(side());
  int flipped = 0;
  for (const Place place : PlacesOf(flights)) {
    const Outgoing& record = flights[place.flight][place.record];
    const bool handshake = record.type == ContentType::kHandshake;
    if (!handshake || IsMessage(record, HandshakeType::kClientHello)) continue;
    for (size_t byte = 0; byte < record.content.size(); ++byte) {
      const Meeting meeting(side(), {FlipBit(place, 8 * byte)});
      const Outcome outcome = Try(meeting);
      ASSERT_FALSE(outcome.established) << What(meeting.script);
      ++flipped;
    }
  }
  EXPECT_GT(flipped, 400);
}

TEST_P(T22_Finished, DataBeforeItAtEachPosition) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    for (size_t epoch = 0; epoch <= flights[place.flight].back().epoch; ++epoch) {
      const Outgoing data{ContentType::kApplicationData, {'h', 'i'}, epoch};
      const Meeting meeting(side(), {InsertRecord(place, data)});
      const Outcome outcome = Try(meeting);
      // TLS 1.3 in the clear where ciphertext is due, and 1.2 behind its ChangeCipherSpec: it is no
      // ciphertext that verifies.
      const bool due_protected = DueAt(side(), flights[place.flight], place.record).epoch > 0;
      const Alert alert =
          due_protected && epoch == 0 ? Alert::kBadRecordMac : Alert::kUnexpectedMessage;
      EXPECT_TRUE(RefusedWith(outcome, {alert})) << What(meeting.script);
    }
  }
}

TEST_P(T22_Finished, DataBeforeIt_Control) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Outgoing& due = flights[place.flight][place.record];
    const Outgoing data{ContentType::kApplicationData, {'h', 'i'}, due.epoch};
    // A ChangeCipherSpec stands where keys change: under which ones is a matter of the above.
    if (due.type != ContentType::kHandshake) continue;
    const Meeting meeting(side(), {InsertRecord(place, data)});
    const Outcome outcome = TryMutant(meeting);
    EXPECT_FALSE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
    EXPECT_TRUE(outcome.established) << What(meeting.script) << " " << outcome;
  }
}

// No keys leave before it: at each byte of the peer's the release is refused, until the last.
TEST_P(T22_Finished, NoKeysBeforeIt) {
  const Meeting meeting(side());
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Tested tested(meeting);
  Bytes to_peer = tested.Begin();
  Bytes to_tested = peer->Begin();
  int refused = 0;
  while (!to_tested.empty() || !to_peer.empty()) {
    for (const uint8_t byte : std::exchange(to_tested, {})) {
      ASSERT_FALSE(tested.established());
      EXPECT_FALSE(ReleaseKeys(tested.driver().connection()).ok());
      Append(to_peer, tested.Receive({&byte, 1}));
      ++refused;
    }
    to_tested = peer->Receive(std::exchange(to_peer, {}));
  }
  EXPECT_GT(refused, 600);
  // The control.
  ASSERT_TRUE(tested.established());
  EXPECT_TRUE(ReleaseKeys(tested.driver().connection()).ok());
}

}  // namespace
}  // namespace handfast::tls::badpeer
