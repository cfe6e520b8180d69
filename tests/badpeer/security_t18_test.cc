// T18, floods and overflows: records at the limit and one byte beyond, padding and nothing else,
// empty records, warnings. The negative control is an endpoint that counts nothing. (Sequence
// numbers at their end and the AEADs' limits: tests/tls/record. KeyUpdates, which are unexpected
// before Finished (T13), and empty records behind it: tests/client/core.)
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using T18_Floods = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T18_Floods, testing::ValuesIn(kSides), SideName);

constexpr size_t kLimit = 1 << 14;

// The records that are protected.
std::vector<Place> ProtectedPlaces(const std::vector<Flight>& flights) {
  std::vector<Place> places = PlacesOf(flights);
  std::erase_if(places, [&](Place at) { return flights[at.flight][at.record].epoch == 0; });
  return places;
}

// RFC 8446 §5.4: "The presence of padding does not change the overall record size limitations".
TEST_P(T18_Floods, PaddingToTheLimitAndBeyond) {
  if (!side().tls13()) GTEST_SKIP() << "TLS 1.2's AEAD records have no padding";
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : ProtectedPlaces(flights)) {
    const size_t room = kLimit - flights[place.flight][place.record].content.size();
    EXPECT_TRUE(Succeeded(Try(Meeting(side(), {Pad(place, room)}))));  // the control
    EXPECT_TRUE(Refused(Try(Meeting(side(), {Pad(place, room + 1)})), Reason::kRecordOverflow,
                        Alert::kRecordOverflow));
    // 2^14 + 256 is the last length that a header may say; see below.
    EXPECT_TRUE(Refused(Try(Meeting(side(), {Pad(place, room + 239)})), Reason::kRecordOverflow,
                        Alert::kRecordOverflow));
  }
}

TEST_P(T18_Floods, NothingButPadding) {
  if (!side().tls13()) GTEST_SKIP() << "TLS 1.2's AEAD records have no padding";
  for (const Place place : ProtectedPlaces(SoundFlights(side()))) {
    for (size_t zeros : {size_t{1}, size_t{2}, kLimit}) {
      const Outgoing record{ContentType{}, {}, 1, zeros};
      EXPECT_TRUE(Refused(Try(Meeting(side(), {InsertRecord(place, record)})),
                          Reason::kBadInnerPlaintext, Alert::kUnexpectedMessage));
    }
  }
}

// RFC 8446 §5.2, and RFC 5246 §6.2.3 of whose 2^14 + 2048 no AEAD suite needs more.
TEST_P(T18_Floods, HeadersAtTheLimitAndBeyond) {
  for (const Place place : PlacesOf(SoundFlights(side()))) {
    const auto with_length = [&](uint16_t length) {
      return Try(Meeting(side(), {OnWire(place, [length](Bytes& record) {
                           record = test::WithLength(std::move(record), {3, 2}, length);
                         })}));
    };
    EXPECT_TRUE(Waits(with_length(kLimit + 256)));  // the control
    EXPECT_TRUE(
        Refused(with_length(kLimit + 257), Reason::kRecordOverflow, Alert::kRecordOverflow));
    EXPECT_TRUE(Refused(with_length(0xffff), Reason::kRecordOverflow, Alert::kRecordOverflow));
  }
}

// A handshake message of just over 2^14 bytes in one record, under the keys that are due.
TEST_P(T18_Floods, PlaintextAtTheLimitAndBeyond) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Outgoing& due = flights[place.flight][place.record];
    if (due.type != ContentType::kHandshake) continue;
    const auto with_size = [&](size_t size) {
      Bytes message = {due.content[0], 0, 0xff, 0};  // and more to come
      message.resize(size);
      return Try(
          Meeting(side(), {Drop(place), InsertRecord(place, {due.type, message, due.epoch})}));
    };
    const Outcome beyond = with_size(kLimit + 1);
    EXPECT_TRUE(Refused(beyond, Reason::kRecordOverflow, Alert::kRecordOverflow)) << beyond;
    const Outcome at_it = with_size(kLimit);  // the control
    EXPECT_NE(at_it.reason, Describe(Reason::kRecordOverflow).label);
  }
}

// RFC 8446 §5.1: of handshake and alert types none may be empty; of application data none is due.
TEST_P(T18_Floods, EmptyRecords) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Outgoing& due = flights[place.flight][place.record];
    if (due.type != ContentType::kHandshake) continue;
    for (size_t times : {1, 33}) {
      const auto with = [&](ContentType type) {
        return Meeting(side(), {InsertRecord(place, {type, {}, due.epoch}, times)});
      };
      EXPECT_TRUE(Refused(Try(with(ContentType::kHandshake)), Reason::kEmptyHandshakeRecord,
                          Alert::kUnexpectedMessage));
      EXPECT_TRUE(Refused(Try(with(ContentType::kAlert)), Reason::kUnexpectedMessage,
                          Alert::kUnexpectedMessage));
      EXPECT_TRUE(
          RefusedWith(Try(with(ContentType::kApplicationData)), {Alert::kUnexpectedMessage}));
      // The control.
      for (const ContentType type :
           {ContentType::kHandshake, ContentType::kAlert, ContentType::kApplicationData}) {
        EXPECT_TRUE(TryMutant(with(type)).established);
      }
    }
  }
}

// user_canceled is a warning in both versions (RFC 8446 §6.1).
TEST_P(T18_Floods, FourWarningsAndNoMore) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Outgoing& due = flights[place.flight][place.record];
    const Outgoing warning{ContentType::kAlert, {1, 90}, due.epoch};
    if (due.type != ContentType::kHandshake) continue;
    EXPECT_TRUE(Succeeded(Try(Meeting(side(), {InsertRecord(place, warning, 4)}))));
    for (size_t times : {5, 100}) {
      const Outcome outcome = Try(Meeting(side(), {InsertRecord(place, warning, times)}));
      EXPECT_TRUE(Refused(outcome, Reason::kTooManyWarnings, Alert::kUnexpectedMessage))
          << place.flight << "." << place.record << " " << outcome;
    }
  }
  // They are counted over all flights.
  if (flights.size() > 1) {
    const Outgoing early{ContentType::kAlert, {1, 90}, 0};
    const Outgoing late{ContentType::kAlert, {1, 90}, flights[1].front().epoch};
    const Meeting meeting(side(), {InsertRecord({0, 0}, early, 3), InsertRecord({1, 0}, late, 2)});
    EXPECT_TRUE(RefusedWith(Try(meeting), {Alert::kUnexpectedMessage}));
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
