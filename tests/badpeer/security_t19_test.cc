// T19, fragmentation: one byte a record and all in one are taken; a message of 16 MB is refused at
// its header; nothing may stand inside a message that is cut. The negative control is an endpoint
// that puts messages together whatever comes between. (What a peer may make us hold while a
// question is open: tests/tls/connection, T19_HeldInput.)
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using T19_Fragments = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T19_Fragments, testing::ValuesIn(kSides), SideName);

std::vector<Place> MessagePlaces(const std::vector<Flight>& flights) {
  std::vector<Place> places = PlacesOf(flights);
  std::erase_if(places, [&](Place at) {
    return flights[at.flight][at.record].type != ContentType::kHandshake;
  });
  return places;
}

// The control of all below: cutting alone harms nobody.
TEST_P(T19_Fragments, AreTaken) {
  const std::vector<Flight> flights = SoundFlights(side());
  Script bytes;
  Script packed;
  for (size_t flight = 0; flight < flights.size(); ++flight) {
    bytes.push_back(SplitAll(flight));
    packed.push_back(Pack(flight));
  }
  EXPECT_TRUE(Succeeded(Try(Meeting(side(), bytes))));
  EXPECT_TRUE(Succeeded(Try(Meeting(side(), packed))));
  for (const Place place : MessagePlaces(flights)) {
    for (size_t at : {1, 3, 4, 5}) {
      EXPECT_TRUE(Succeeded(Try(Meeting(side(), {Split(place, {at})}))));
    }
  }
}

TEST_P(T19_Fragments, NothingStandsInside) {
  const std::vector<Flight> flights = SoundFlights(side());
  const Outgoing kinds[] = {{ContentType::kAlert, {1, 90}},
                            {ContentType::kChangeCipherSpec, {1}},
                            {ContentType::kApplicationData, {'x'}},
                            {ContentType::kApplicationData, {}},
                            {ContentType::kHandshake, {}}};
  for (const Place place : MessagePlaces(flights)) {
    for (Outgoing between : kinds) {
      if (between.type != ContentType::kChangeCipherSpec) {
        between.epoch = flights[place.flight][place.record].epoch;
      }
      for (size_t at : {1, 4, 7}) {
        if (at >= flights[place.flight][place.record].content.size()) continue;
        const Place behind{place.flight, place.record + 1};
        const Meeting meeting(side(), {Split(place, {at}), InsertRecord(behind, between)});
        const Outcome outcome = Try(meeting);
        // RFC 5246 §6.2.1 lets alerts go in front of messages that are under way.
        const bool known12 = !side().tls13() && (place.flight > 0 || place.record > 0);
        if (between.type == ContentType::kAlert && known12) {
          EXPECT_TRUE(Succeeded(outcome)) << What(meeting.script);
          continue;
        }
        EXPECT_TRUE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
        const Outcome mutant = TryMutant(meeting);
        EXPECT_FALSE(RefusedWith(mutant, {Alert::kUnexpectedMessage}));
        EXPECT_TRUE(mutant.established) << What(meeting.script) << " " << mutant;
      }
    }
  }
}

// A length that the RFC allows and that nobody needs is refused before a byte of it is held.
TEST_P(T19_Fragments, SixteenMegabytesAreRefusedAtTheHeader) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : MessagePlaces(flights)) {
    const Outgoing& due = flights[place.flight][place.record];
    const auto with_length = [&](uint32_t length) {
      const Bytes header = test::WithLength({due.content[0], 0, 0, 0}, {1, 3}, length);
      return Try(Meeting(side(), {Replace(place, header)}));
    };
    for (const uint32_t length : {65536u - 3, 0x100000u, 0xffffffu}) {
      EXPECT_TRUE(Refused(with_length(length), Reason::kMessageTooLong, Alert::kIllegalParameter));
    }
    // The control: the most that is held is refused for what follows, or waited for.
    EXPECT_NE(with_length(65536 - 4).reason, Describe(Reason::kMessageTooLong).label);
  }
}

// RFC 8446 §5.1: "Handshake messages MUST NOT span key changes."
TEST_P(T19_Fragments, NoMessageSpansAKeyChange) {
  const std::vector<Flight> flights = SoundFlights(side());
  int refused = 0;
  for (const Place place : MessagePlaces(flights)) {
    const Flight& flight = flights[place.flight];
    const bool last_of_its_keys = place.record + 1 == flight.size() ||
                                  flight[place.record + 1].type != ContentType::kHandshake ||
                                  flight[place.record + 1].epoch != flight[place.record].epoch;
    const bool changes_keys = side().tls13() || !side().server || place.flight > 0;
    if (!last_of_its_keys || !changes_keys) continue;
    const Meeting meeting(side(), {Mutate(place, "AndMore", [](Outgoing& record) {
                            Append(record.content, Bytes{24, 0, 0, 1, 0});
                          })});
    EXPECT_TRUE(Refused(Try(meeting), Reason::kKeyChangeInsideMessage, Alert::kUnexpectedMessage))
        << What(meeting.script);
    ++refused;
    EXPECT_FALSE(RefusedWith(TryMutant(meeting, {.ignored = {Reason::kUnexpectedMessage}}),
                             {Alert::kUnexpectedMessage}));
  }
  EXPECT_EQ(refused, 2);
}

}  // namespace
}  // namespace handfast::tls::badpeer
