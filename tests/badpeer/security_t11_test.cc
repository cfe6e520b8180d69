// T11, Heartbleed and its kin: each length field of each message in a full valid flight set to one
// less, one more, nothing and as much as it holds; the same for the header of each record. Under
// the address sanitizer nothing is read beyond. The negative control is the same edit with the
// length that is right.
#include "tests/badpeer/length_fields.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using test::LengthField;

using T11_Lengths = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T11_Lengths, testing::ValuesIn(kSides), SideName);

uint64_t Most(const LengthField& field) { return (uint64_t{1} << (8 * field.width)) - 1; }

// Of one field, without the value that it has.
std::vector<uint64_t> WrongValues(const LengthField& field, uint64_t right) {
  std::vector<uint64_t> values;
  for (const uint64_t value : {right - 1, right + 1, uint64_t{0}, Most(field)}) {
    if ((value & Most(field)) != right) values.push_back(value & Most(field));
  }
  return values;
}

// Each length of each message, through `check`; how many values there were.
template <class Check>
int ForEachMutant(const Side& side, Check check) {
  const std::vector<Flight> flights = SoundFlights(side);
  int mutants = 0;
  for (const Place place : PlacesOf(flights)) {
    const Outgoing& record = flights[place.flight][place.record];
    if (record.type != ContentType::kHandshake) continue;
    for (const LengthField& field : LengthFieldsIn(record.content, side.version)) {
      for (const uint64_t value : WrongValues(field, test::LengthAt(record.content, field))) {
        check(Meeting(side, {SetLength(place, field, value)}), field);
        ++mutants;
      }
    }
  }
  return mutants;
}

TEST_P(T11_Lengths, EachOfEachMessage) {
  int decode_errors = 0;
  const int mutants = ForEachMutant(side(), [&](const Meeting& meeting, const LengthField& field) {
    const Outcome outcome = Try(meeting);
    decode_errors += Refused(outcome, Reason::kDecodeError, Alert::kDecodeError) ? 1 : 0;
    // A message that says it is longer takes what follows for its own, or waits for it.
    const bool header = field.offset == kHeaderLength.offset;
    if (header && Waits(outcome)) return;
    std::vector<Alert> alerts = {Alert::kDecodeError, Alert::kIllegalParameter};
    if (header) alerts.push_back(Alert::kUnexpectedMessage);
    EXPECT_TRUE(RefusedWith(outcome, alerts)) << What(meeting.script);
  });
  RecordProperty("mutants", mutants);
  // A TLS 1.2 server's flight has the fewest lengths.
  EXPECT_GT(mutants, side().server || side().tls13() ? 90 : 60);
  // RFC 8446 §6: what cannot be parsed is a decode_error; the rest is what parses all the same.
  EXPECT_GT(10 * decode_errors, 8 * mutants);
}

TEST_P(T11_Lengths, Control) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Outgoing& record = flights[place.flight][place.record];
    if (record.type != ContentType::kHandshake) continue;
    for (const LengthField& field : LengthFieldsIn(record.content, side().version)) {
      const uint64_t right = test::LengthAt(record.content, field);
      const Meeting meeting(side(), {SetLength(place, field, right)});
      const Outcome outcome = Try(meeting);
      EXPECT_TRUE(Succeeded(outcome)) << What(meeting.script);
      EXPECT_FALSE(RefusedWith(outcome, {Alert::kDecodeError, Alert::kIllegalParameter}));
    }
  }
}

// The record's own length. What is left over or taken too much is no record, or does not verify;
// which alert that is depends on the bytes.
TEST_P(T11_Lengths, OfEachRecord) {
  const std::vector<Flight> flights = SoundFlights(side());
  int refused = 0;
  for (const Place place : PlacesOf(flights)) {
    for (const int change : {-1, 1, 0, 0xffff}) {
      const Meeting meeting(side(), {OnWire(place, [change](Bytes& record) {
                              const uint64_t right = test::LengthAt(record, {3, 2});
                              const bool relative = change == -1 || change == 1;
                              record =
                                  test::WithLength(record, {3, 2},
                                                   relative ? right + static_cast<uint64_t>(change)
                                                            : static_cast<uint64_t>(change));
                            })});
      const Outcome outcome = Try(meeting);
      const bool last =
          place.flight + 1 == flights.size() && place.record + 1 == flights[place.flight].size();
      if (change == 0xffff) {
        EXPECT_TRUE(Refused(outcome, Reason::kRecordOverflow, Alert::kRecordOverflow));
      } else if (change != 1 || (!last && flights[place.flight].size() > 1)) {
        EXPECT_FALSE(outcome.established) << What(meeting.script) << change;
        EXPECT_TRUE(RefusedWith(outcome, {Alert::kDecodeError, Alert::kUnexpectedMessage,
                                          Alert::kBadRecordMac, Alert::kProtocolVersion,
                                          Alert::kRecordOverflow}) ||
                    Waits(outcome))
            << What(meeting.script) << change << outcome;
      } else {
        EXPECT_TRUE(Waits(outcome)) << What(meeting.script) << change;
      }
      refused += outcome.reason.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 12);
}

}  // namespace
}  // namespace handfast::tls::badpeer
