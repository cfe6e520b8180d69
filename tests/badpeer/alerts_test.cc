// Each alert for each of its causes, as RFC 8446 §6.2 and RFC 5246 §7.2 have it; and that no alert
// of tls/base is forgotten: it is tested, or stands in the list of those that are never sent.
#include <cstdio>
#include <map>
#include <set>

#include "tests/badpeer/alert_causes.h"

namespace handfast::tls::badpeer {
namespace {

std::vector<Cause> AllCauses() {
  std::vector<Cause> causes = CausesInMessages();
  for (Cause& cause : CausesInAnswers()) causes.push_back(std::move(cause));
  return causes;
}

TEST(Alerts, EachCause) {
  for (const Cause& cause : AllCauses()) {
    EXPECT_TRUE(Refused(cause.run(), cause.reason, cause.alert)) << testing::PrintToString(cause);
  }
}

// The control: the same check says no to a handshake with nothing wrong, and to an alert that is
// another than the row's.
TEST(Alerts, Control) {
  for (const Cause& cause : AllCauses()) {
    EXPECT_FALSE(Refused(Try(Meeting(cause.side)), cause.reason, cause.alert));
    const Alert other =
        cause.alert == Alert::kInternalError ? Alert::kDecodeError : Alert::kInternalError;
    EXPECT_FALSE(Refused(cause.run(), cause.reason, other)) << testing::PrintToString(cause);
  }
}

// RFC 8446 §6.2: fatal, all of them.
TEST(Alerts, AreFatal) {
  Meeting meeting(kServer12);
  meeting.hello.legacy_version = 0x0302;
  Tested tested(meeting);
  const Bytes record = tested.Receive(meeting.MakePeer()->Begin());
  EXPECT_EQ(ToHex(record), "15030300020246");
}

// What is missing from `tested` and `listed`, and what is in both.
std::set<std::string> Misplaced(const std::set<uint8_t>& tested, const std::set<uint8_t>& listed) {
  std::set<std::string> misplaced;
  for (int number = 0; number < 256; ++number) {
    const auto alert = static_cast<uint8_t>(number);
    const std::string name(AlertName(alert));
    const bool exists = name != "unknown";
    if (exists != (tested.contains(alert) != listed.contains(alert))) {
      misplaced.insert(exists ? name : std::to_string(number));
    }
  }
  return misplaced;
}

TEST(Alerts, NoneIsForgotten) {
  std::map<uint8_t, int> rows;
  std::set<uint8_t> tested;
  std::set<uint8_t> listed;
  for (const Cause& cause : AllCauses()) {
    tested.insert(static_cast<uint8_t>(cause.alert));
    ++rows[static_cast<uint8_t>(cause.alert)];
  }
  for (const auto& [alert, count] : rows) {
    std::printf("%3d %-32s %d causes\n", alert, std::string(AlertName(alert)).c_str(), count);
  }
  for (const NeverSent& never : AlertsNeverSent()) {
    const auto alert = static_cast<uint8_t>(never.alert);
    listed.insert(alert);
    std::printf("%3d %-32s not sent: %s\n", alert, std::string(AlertName(alert)).c_str(),
                never.why);
  }
  EXPECT_EQ(Misplaced(tested, listed), std::set<std::string>{});
  // The control: one that is taken away is missed.
  tested.erase(static_cast<uint8_t>(Alert::kDecryptError));
  EXPECT_EQ(Misplaced(tested, listed), std::set<std::string>{"decrypt_error"});
}

// What is listed has no reason in the table, but for renegotiation, which the record layer refuses.
TEST(Alerts, WhatIsNeverSentHasNoReason) {
  for (const NeverSent& never : AlertsNeverSent()) {
    for (int i = 0; i < kReasonCount; ++i) {
      const ReasonInfo& info = Describe(static_cast<Reason>(i));
      if (info.reason == Reason::kRenegotiationRefused) continue;
      EXPECT_NE(info.alert13, never.alert) << info.label;
      EXPECT_NE(info.alert12, never.alert) << info.label;
    }
  }
}

// RFC 8446 §6: reserved, and never to be sent again: decryption_failed, decompression_failure,
// no_certificate, export_restriction, certificate_unobtainable, bad_certificate_hash_value.
TEST(Alerts, TheReservedOnesDoNotExist) {
  for (const uint8_t alert : {21, 30, 41, 60, 111, 114}) EXPECT_EQ(AlertName(alert), "unknown");
}

// RFC 8446 §6.2, RFC 5246 §7.2.2: a fatal alert of the peer's ends it, of whatever kind, and
// nothing is said to it.
using T_Received = EverySide;
INSTANTIATE_TEST_SUITE_P(Alerts, T_Received, testing::ValuesIn(kSides), SideName);

TEST_P(T_Received, EndsItWithoutAnAnswer) {
  const std::vector<Flight> flights = SoundFlights(side());
  const Place place = Find(flights, HandshakeType::kFinished);
  for (int number = 1; number < 256; ++number) {
    if (number == static_cast<int>(Alert::kUserCanceled) && side().tls13()) continue;  // see T18
    const Outgoing alert{ContentType::kAlert, {2, static_cast<uint8_t>(number)}, 1};
    const Outcome outcome = Try(Meeting(side(), {InsertRecord(place, alert)}));
    EXPECT_EQ(outcome.reason, Describe(Reason::kPeerAlert).label) << number;
    EXPECT_FALSE(outcome.alert || outcome.alert_at_peer) << number;
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
