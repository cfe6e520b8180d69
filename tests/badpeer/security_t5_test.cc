// T5, triple handshake (RFC 7627): without the extended master secret nothing is resumed, and a
// profile demands it. The control of each is the same with the extension, or the profile that lets
// it go. (That no session is kept without: tests/tls/connection, client12_session_test.)
#include "tests/badpeer/meeting.h"
#include "tests/badpeer/sessions.h"

namespace handfast::tls::badpeer {
namespace {

constexpr Place kHello{0, 0};
constexpr ExtensionType kExtension = ExtensionType::kExtendedMasterSecret;

testing::AssertionResult IsMissed(const Outcome& outcome) {
  return Refused(outcome, Reason::kExtendedMasterSecretRequired, Alert::kHandshakeFailure);
}

// Both sides would do without.
Meeting Lenient(Meeting meeting) {
  meeting.kit.profile.require_extended_master_secret = false;
  meeting.peer_kit.profile.require_extended_master_secret = false;
  return meeting;
}

TEST(T5_Resumption, Control) {
  for (const Side& side : {kServer12, kClient12}) {
    const auto [outcome, resumed] = TryResumed(Resumed(side));
    EXPECT_TRUE(Succeeded(outcome)) << side.name << " " << outcome;
    EXPECT_TRUE(resumed) << side.name;
    EXPECT_FALSE(IsMissed(outcome));
  }
}

// RFC 7627 §5.3: "the server MUST abort the abbreviated handshake", whatever the policy.
TEST(T5_Resumption, AHelloWithoutItIsRefused) {
  const Script script = {RemoveExtension<ClientHello>(kHello, kExtension)};
  EXPECT_TRUE(IsMissed(Try(Resumed(kServer12, script))));
  Meeting lenient = Lenient(Resumed(kServer12, script));
  EXPECT_TRUE(IsMissed(Try(lenient)));
  // The control: a session that is none of ours, and so a full handshake.
  lenient.kit.ticket_keys = TicketKeysOf(kTicketKey + 1);
  const auto [outcome, resumed] = TryResumed(lenient);
  EXPECT_TRUE(Succeeded(outcome)) << outcome;
  EXPECT_FALSE(resumed);
}

// RFC 7627 §5.3: "the client MUST abort the handshake".
TEST(T5_Resumption, AServerThatDropsItIsRefused) {
  const Script script = {RemoveExtension<ServerHello>(kHello, kExtension)};
  EXPECT_TRUE(IsMissed(Try(Resumed(kClient12, script))));
  EXPECT_TRUE(IsMissed(Try(Lenient(Resumed(kClient12, script)))));
}

// RFC 7627 §5.2: by policy, in a full handshake.
TEST(T5_Policy, DemandsItOfClients) {
  Meeting meeting(kServer12);
  meeting.hello.Remove(kExtension);
  EXPECT_TRUE(IsMissed(Try(meeting)));
  EXPECT_TRUE(Succeeded(Try(Lenient(meeting))));  // the control
}

TEST(T5_Policy, DemandsItOfServers) {
  const Meeting meeting(kClient12, {RemoveExtension<ServerHello>(kHello, kExtension)});
  EXPECT_TRUE(IsMissed(Try(meeting)));
  // The control: who does not demand it goes on, and finds other keys at the end than the server.
  const Outcome outcome = Try(Lenient(meeting));
  EXPECT_FALSE(IsMissed(outcome));
  EXPECT_FALSE(outcome.established || outcome.peer_established) << outcome;
}

}  // namespace
}  // namespace handfast::tls::badpeer
