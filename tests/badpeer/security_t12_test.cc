// T12, early ChangeCipherSpec (CVE-2014-0224) and its injection: at each position of both versions,
// in every number, with other contents, protected. The negative control is an endpoint that takes
// any of them at any time.
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using T12_ChangeCipherSpec = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T12_ChangeCipherSpec, testing::ValuesIn(kSides), SideName);

Outgoing ChangeCipherSpec(const Bytes& content = {1}, size_t epoch = 0) {
  return {ContentType::kChangeCipherSpec, content, epoch};
}

bool IsChangeCipherSpec(const Outgoing& record) {
  return record.type == ContentType::kChangeCipherSpec;
}

// RFC 8446 §5: before the first ClientHello it is an unexpected record type.
bool IsBeforeTheHello(const Side& side, Place place) { return side.server && place.flight == 0; }

TEST_P(T12_ChangeCipherSpec, AtEachPosition) {
  int refused = 0;
  for (const Place place : PlacesOf(SoundFlights(side()))) {
    for (size_t times : {1, 2, 3}) {
      const Meeting meeting(side(), {InsertRecord(place, ChangeCipherSpec(), times)});
      const Outcome outcome = Try(meeting);
      // The sound flight has one. A second is still one for each ClientHello that there could be.
      if (side().tls13() && times == 1 && !IsBeforeTheHello(side(), place)) {
        EXPECT_TRUE(Succeeded(outcome)) << What(meeting.script);
        continue;
      }
      EXPECT_TRUE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
      ++refused;
    }
  }
  EXPECT_GE(refused, side().tls13() ? 11 : 18);
}

// Without one, and with none but one too early: keys before there is a secret.
TEST_P(T12_ChangeCipherSpec, MovedToEachPosition) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Flight& flight = flights[place.flight];
    if (!IsChangeCipherSpec(flight[place.record])) continue;
    for (size_t to = 0; to < flight.size(); ++to) {
      if (to == place.record) continue;
      const Meeting meeting(side(),
                            {Drop(place), InsertRecord({place.flight, to}, ChangeCipherSpec())});
      const Outcome outcome = Try(meeting);
      if (side().tls13()) {
        EXPECT_TRUE(Succeeded(outcome)) << What(meeting.script);
      } else {
        EXPECT_TRUE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
      }
    }
  }
}

TEST_P(T12_ChangeCipherSpec, OtherContentsAtEachPosition) {
  for (const Place place : PlacesOf(SoundFlights(side()))) {
    for (const Bytes& content : {Bytes{}, Bytes{0}, Bytes{2}, Bytes{0xff}, Bytes{1, 1}}) {
      const Meeting meeting(side(), {InsertRecord(place, ChangeCipherSpec(content))});
      EXPECT_TRUE(RefusedWith(Try(meeting), {Alert::kUnexpectedMessage})) << What(meeting.script);
    }
  }
}

// RFC 8446 §5: "a protected change_cipher_spec record". In TLS 1.2 what is not one byte is none.
TEST_P(T12_ChangeCipherSpec, ProtectedAtEachPosition) {
  const std::vector<Flight> flights = SoundFlights(side());
  int refused = 0;
  for (const Place place : PlacesOf(flights)) {
    if (flights[place.flight].back().epoch == 0) continue;
    const Meeting meeting(side(), {InsertRecord(place, ChangeCipherSpec({1}, 1))});
    EXPECT_TRUE(RefusedWith(Try(meeting), {Alert::kUnexpectedMessage})) << What(meeting.script);
    ++refused;
  }
  EXPECT_GE(refused, side().server || side().tls13() ? 4 : 2);
}

// The end of a handshake: behind Finished nothing is read, so that a late one is the record layer's
// to refuse (tests/client/core, RefusesChangeCipherSpecAndStrangeAlerts).
TEST_P(T12_ChangeCipherSpec, BehindFinishedIsLeftToTheRecordLayer) {
  const std::vector<Flight> flights = SoundFlights(side());
  const Place end{flights.size() - 1, flights.back().size()};
  const Meeting meeting(side(), {InsertRecord(end, ChangeCipherSpec())});
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Tested tested(meeting);
  EXPECT_TRUE(Meet(tested, *peer).established);
  EXPECT_EQ(tested.driver().received() - tested.driver().connection().consumed(), 6u);
}

TEST_P(T12_ChangeCipherSpec, Control) {
  // In its place, or nowhere, all is well, and the check above says so.
  const Outcome sound = Try(Meeting(side()));
  EXPECT_TRUE(Succeeded(sound));
  EXPECT_FALSE(RefusedWith(sound, {Alert::kUnexpectedMessage}));
  for (const Place place : PlacesOf(SoundFlights(side()))) {
    const Meeting meeting(side(), {InsertRecord(place, ChangeCipherSpec({7}), 3)});
    const Outcome outcome = TryMutant(meeting);
    EXPECT_FALSE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
    // It even believes those, which is what the CVE was.
    EXPECT_TRUE(outcome.established) << What(meeting.script) << " " << outcome;
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
