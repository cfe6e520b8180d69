// T4, renegotiation (RFC 5746): there is none. Until the handshake is done, a hello too many is
// unexpected (behind it: tests/client/core, RefusesRenegotiationOnceThenFatally, and tests/client/
// edge against libssl). The first hello says that it is the first, or is refused.
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

using T4_Renegotiation = EverySide;
INSTANTIATE_TEST_SUITE_P(All, T4_Renegotiation, testing::ValuesIn(kSides), SideName);

bool IsIgnored(const Side& side, Place place) {
  return !side.server && !side.tls13() && place.flight == 0 && place.record > 0;
}

// ClientHello to a server, HelloRequest to a client.
TEST_P(T4_Renegotiation, HasNoPlaceInAHandshake) {
  const Outgoing hello{ContentType::kHandshake, side().server
                                                    ? test::HelloFor(side().version).Message()
                                                    : Bytes{0, 0, 0, 0}};
  const std::vector<Flight> flights = SoundFlights(side());
  for (Place place : PlacesOf(flights)) {
    if (side().server && place.flight == 0) continue;  // there it is due
    Outgoing under_due_keys = hello;
    under_due_keys.epoch = flights[place.flight][place.record].epoch;
    const Meeting meeting(side(), {InsertRecord(place, under_due_keys)});
    // RFC 5246 §7.4.1.1: a client "that is currently negotiating a session" ignores it, as far as
    // the server's hello has shown that it is of TLS 1.2 and none but messages are due.
    if (IsIgnored(side(), place)) {
      EXPECT_TRUE(Succeeded(Try(meeting))) << What(meeting.script);
      continue;
    }
    EXPECT_TRUE(RefusedWith(Try(meeting), {Alert::kUnexpectedMessage})) << What(meeting.script);
    const Outcome mutant = TryMutant(meeting, {.ignored = {Reason::kUnexpectedMessage}});
    EXPECT_FALSE(RefusedWith(mutant, {Alert::kUnexpectedMessage}));
  }
}

// The hello as it leaves the TLS 1.2 client.
Outcome With(const std::function<void(test::HelloFields&)>& change, bool required = true) {
  Meeting meeting(kServer12);
  meeting.kit.profile.require_renegotiation_info = required;
  change(meeting.hello);
  return Try(meeting);
}

TEST(T4_RenegotiationInfo, IsAskedForByPolicy) {
  const auto without = [](test::HelloFields& hello) {
    hello.Remove(ExtensionType::kRenegotiationInfo);
  };
  EXPECT_TRUE(Refused(With(without), Reason::kRenegotiationInfoRequired, Alert::kHandshakeFailure));
  EXPECT_TRUE(Succeeded(With(without, /*required=*/false)));  // the control
  EXPECT_TRUE(Succeeded(With([&](test::HelloFields& hello) {
    without(hello);
    hello.cipher_suites.push_back(CipherSuite::kEmptyRenegotiationInfoScsv);
  })));
}

// RFC 5746 §3.6: "if the field is not of zero length the server MUST abort". Whatever the policy.
TEST(T4_RenegotiationInfo, IsEmptyOnAFirstHandshake) {
  for (const bool required : {true, false}) {
    for (const char* body : {"0100", "0c112233445566778899aabbcc"}) {
      const auto full = [&](test::HelloFields& hello) {
        hello.SetHex(ExtensionType::kRenegotiationInfo, body);
      };
      EXPECT_TRUE(
          Refused(With(full, required), Reason::kBadRenegotiationInfo, Alert::kHandshakeFailure));
    }
    EXPECT_TRUE(Succeeded(With([](test::HelloFields&) {}, required)));  // the control
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
