// T13, SMACK and SKIP: each message in each state has one outcome. Every type at every place, in
// the clear and protected; each message dropped, doubled or swapped; nobody is connected who did
// not prove itself. The negative control is an endpoint that passes over what is unexpected.
#include <set>

#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using T13_States = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T13_States, testing::ValuesIn(kSides), SideName);

// All that IANA has assigned, hello_verify_request and the like included, and some that it has not.
std::vector<int> Types() {
  std::vector<int> types;
  for (int type = 0; type < 32; ++type) types.push_back(type);
  for (int type : {67, 203, 254, 255}) types.push_back(type);
  return types;
}

bool IsHandshake(const Outgoing& record) { return record.type == ContentType::kHandshake; }

// Well formed where the type has a form.
Bytes AnyMessage(const Side& side, int type, const std::vector<Flight>& flights) {
  for (const Flight& flight : flights) {
    for (const Outgoing& record : flight) {
      if (IsMessage(record, static_cast<HandshakeType>(type))) return record.content;
    }
  }
  const auto number = static_cast<uint8_t>(type);
  switch (static_cast<HandshakeType>(type)) {
    case HandshakeType::kClientHello:
      return test::HelloFor(side.version).Message();
    case HandshakeType::kEncryptedExtensions:
      return {number, 0, 0, 2, 0, 0};
    case HandshakeType::kKeyUpdate:
      return {number, 0, 0, 1, 0};
    default:
      return {number, 0, 0, 0};
  }
}

// Keys that the sender has by the end of this flight.
size_t EpochsIn(const Flight& flight) {
  size_t epochs = 1;
  for (const Outgoing& record : flight) epochs = std::max(epochs, record.epoch + 1);
  return epochs;
}

bool IsClient12(const Side& side) { return !side.server && !side.tls13(); }

// What a TLS 1.2 client takes out of turn: HelloRequest, which it ignores (RFC 5246 §7.4.1.1); and
// ServerHelloDone in place of the optional CertificateRequest, so that the two disagree later, and
// whoever misses something first says so.
bool IsTolerated(const Side& side, Place place, const Outgoing& due, int type) {
  if (!IsClient12(side) || place.flight > 0) return false;
  const auto handshake_type = static_cast<HandshakeType>(type);
  if (handshake_type == HandshakeType::kHelloRequest) return place.record > 0;
  return handshake_type == HandshakeType::kServerHelloDone &&
         IsMessage(due, HandshakeType::kCertificateRequest);
}

TEST_P(T13_States, EveryTypeAtEveryPlaceUnderEachProtection) {
  const std::vector<Flight> flights = SoundFlights(side());
  int refused = 0;
  for (const Place place : PlacesOf(flights)) {
    const Flight& flight = flights[place.flight];
    const Outgoing& due = DueAt(side(), flight, place.record);
    for (const int type : Types()) {
      for (size_t epoch = 0; epoch < EpochsIn(flight); ++epoch) {
        const bool as_due = epoch == due.epoch;
        if (as_due && IsMessage(due, static_cast<HandshakeType>(type))) continue;
        const Outgoing extra{ContentType::kHandshake, AnyMessage(side(), type, flights), epoch};
        const Meeting meeting(side(), {InsertRecord(place, extra)});
        if (IsTolerated(side(), place, due, type)) {
          ASSERT_FALSE(RefusedWith(Try(meeting), {Alert::kUnexpectedMessage}));
          continue;
        }
        // TLS 1.2 behind ChangeCipherSpec: what is no ciphertext is one that does not verify.
        const bool no_ciphertext = !side().tls13() && due.epoch == 1 && epoch == 0;
        ASSERT_TRUE(RefusedWith(Try(meeting),
                                {no_ciphertext ? Alert::kBadRecordMac : Alert::kUnexpectedMessage}))
            << What(meeting.script);
        ++refused;
      }
    }
  }
  RecordProperty("refused", refused);
  EXPECT_GT(refused, 180);
}

// The control: who passes over unexpected messages is led to the end by all of these.
TEST_P(T13_States, EveryTypeAtEveryPlace_Control) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Outgoing& due = DueAt(side(), flights[place.flight], place.record);
    for (const int type : Types()) {
      const bool legal = IsMessage(due, static_cast<HandshakeType>(type));
      // TLS 1.2 changes keys at its ChangeCipherSpec: nothing can come between.
      if (legal || !IsHandshake(due)) continue;
      const Outgoing extra{ContentType::kHandshake, AnyMessage(side(), type, flights), due.epoch};
      const Meeting meeting(side(), {InsertRecord(place, extra)});
      const Outcome outcome = TryMutant(meeting, {.ignored = {Reason::kUnexpectedMessage}});
      ASSERT_FALSE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
      // A CertificateRequest is optional: who comes before it is in order, but for the transcript.
      if (IsMessage(due, HandshakeType::kCertificateRequest)) continue;
      ASSERT_TRUE(outcome.established) << What(meeting.script) << " " << outcome;
    }
  }
}

// ---- Dropped, doubled, swapped.

bool IsLast(const std::vector<Flight>& flights, Place place) {
  return place.flight + 1 == flights.size() && place.record + 1 == flights.back().size();
}

TEST_P(T13_States, EachMessageDropped) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Meeting meeting(side(), {Drop(place)});
    const Outgoing& dropped = flights[place.flight][place.record];
    const Outcome outcome = Try(meeting);
    if (side().tls13() && !IsHandshake(dropped)) {
      EXPECT_TRUE(Succeeded(outcome)) << What(meeting.script);
    } else if (place.record + 1 == flights[place.flight].size()) {
      EXPECT_TRUE(Waits(outcome)) << What(meeting.script);
    } else if (IsMessage(dropped, HandshakeType::kCertificateRequest) && IsClient12(side())) {
      // The order allows it, and what the client then sends the server does not.
      EXPECT_TRUE(Waits(outcome)) << What(meeting.script);
    } else if (IsMessage(dropped, HandshakeType::kCertificateRequest)) {
      // The order allows it; the transcript does not.
      EXPECT_TRUE(Refused(outcome, Reason::kBadSignature, Alert::kDecryptError));
    } else {
      EXPECT_TRUE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
    }
  }
}

TEST_P(T13_States, EachMessageDoubled) {
  const std::vector<Flight> flights = SoundFlights(side());
  for (const Place place : PlacesOf(flights)) {
    const Meeting meeting(side(), {Duplicate(place)});
    const Outgoing& doubled = flights[place.flight][place.record];
    const Outcome outcome = Try(meeting);
    const bool means_nothing = side().tls13() && !IsHandshake(doubled);  // see T12
    // What stands behind the last message is not read: it is the connection's.
    if (means_nothing || IsLast(flights, place)) {
      EXPECT_TRUE(outcome.established) << What(meeting.script) << " " << outcome;
    } else {
      EXPECT_TRUE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
    }
  }
}

TEST_P(T13_States, EachPairSwapped) {
  const std::vector<Flight> flights = SoundFlights(side());
  int refused = 0;
  for (const Place place : PlacesOf(flights)) {
    const Flight& flight = flights[place.flight];
    if (place.record + 1 == flight.size()) continue;
    const Meeting meeting(side(), {Swap(place)});
    const Outcome outcome = Try(meeting);
    const bool both = IsHandshake(flight[place.record]) && IsHandshake(flight[place.record + 1]);
    if (side().tls13() && !both) {
      EXPECT_TRUE(Succeeded(outcome)) << What(meeting.script);
      continue;
    }
    // The server, which misses the certificate, is not there any more to hear of it.
    if (IsClient12(side()) && IsMessage(flight[place.record], HandshakeType::kCertificateRequest)) {
      EXPECT_EQ(outcome.reason, Describe(Reason::kUnexpectedMessage).label);
      EXPECT_FALSE(outcome.established || outcome.peer_established);
      continue;
    }
    EXPECT_TRUE(RefusedWith(outcome, {Alert::kUnexpectedMessage})) << What(meeting.script);
    ++refused;
  }
  EXPECT_GE(refused, 2);
}

// The control of the three above: the unedited flight meets none of their checks.
TEST_P(T13_States, EachMessage_Control) {
  const Outcome sound = Try(Meeting(side()));
  EXPECT_TRUE(Succeeded(sound));
  EXPECT_FALSE(RefusedWith(sound, {Alert::kUnexpectedMessage}));
  EXPECT_FALSE(Waits(sound));
  // One that passes over a repeated message does not notice it.
  const Meeting meeting(side(),
                        {Duplicate(Find(SoundFlights(side()), HandshakeType::kCertificate))});
  const Outcome lenient = TryMutant(meeting, {.ignored = {Reason::kUnexpectedMessage}});
  EXPECT_FALSE(RefusedWith(lenient, {Alert::kUnexpectedMessage}));
  EXPECT_TRUE(lenient.established) << lenient;
}

// ---- Who did not prove itself is not connected: every subset of the messages that do it.

TEST_P(T13_States, WithoutProofNobodyIsConnected) {
  const std::vector<Flight> flights = SoundFlights(side());
  std::vector<Place> proof;
  for (HandshakeType type : {HandshakeType::kFinished, HandshakeType::kCertificateVerify,
                             HandshakeType::kCertificate, HandshakeType::kServerKeyExchange}) {
    for (const Place place : PlacesOf(flights)) {
      if (IsMessage(flights[place.flight][place.record], type)) proof.push_back(place);
    }
  }
  ASSERT_EQ(proof.size(), 3u);
  for (unsigned subset = 1; subset < 8; ++subset) {
    Script script;
    // From the back, so that the places in front stay what they are.
    for (size_t i = 0; i < proof.size(); ++i) {
      if ((subset >> i & 1) != 0) script.push_back(Drop(proof[i]));
    }
    const Outcome outcome = Try(Meeting(side(), script));
    EXPECT_FALSE(outcome.established) << What(script);
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
