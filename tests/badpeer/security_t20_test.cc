// T20, 0-RTT: it is never offered. What is sent all the same is passed over up to a limit, with a
// ticket that is good or bad and with none, and no byte of it reaches the caller; a server that
// takes what a client never offered is refused.
#include "tests/badpeer/meeting.h"
#include "tests/badpeer/sessions.h"

namespace handfast::tls::badpeer {
namespace {

constexpr Place kHello{0, 0};
constexpr Place kBehindHello{0, 1};
constexpr size_t kRecord = 16'000;

// As it looks to whoever has no keys for it.
Edit EarlyData(size_t records) {
  return InsertRecord(kBehindHello, {ContentType::kApplicationData, Bytes(kRecord, 0x0e), 0},
                      records);
}
Edit Announce() { return SetExtension<ClientHello>(kHello, ExtensionType::kEarlyData, Bytes{}); }
// The same beside a session.
Script AnnounceWithSession() {
  return {InsertBeforePsk(kHello, ExtensionType::kEarlyData, {}), Rebind(kHello)};
}
Script With(Script script, const Edit& edit) {
  script.push_back(edit);
  return script;
}

// Passed over, the handshake at its end, and nothing delivered.
testing::AssertionResult IsPassedOver(const Meeting& meeting, bool resumed) {
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Tested tested(meeting);
  const Outcome outcome = Meet(tested, *peer);
  if (!Succeeded(outcome)) return testing::AssertionFailure() << outcome;
  if (tested.driver().established()->resumed != resumed) {
    return testing::AssertionFailure() << (resumed ? "not resumed" : "resumed");
  }
  if (!tested.driver().application_data().empty()) {
    return testing::AssertionFailure() << "it was delivered";
  }
  return testing::AssertionSuccess();
}

TEST(T20_EarlyData, IsPassedOverWithoutASession) {
  for (const size_t records : {0, 1, 4}) {
    EXPECT_TRUE(
        IsPassedOver(Meeting(kServer13, {Announce(), EarlyData(records)}), /*resumed=*/false))
        << records;
  }
}

TEST(T20_EarlyData, IsPassedOverWithAGoodTicket) {
  for (const size_t records : {0, 1, 4}) {
    EXPECT_TRUE(IsPassedOver(Resumed(kServer13, With(AnnounceWithSession(), EarlyData(records))),
                             /*resumed=*/true))
        << records;
  }
}

TEST(T20_EarlyData, IsPassedOverWithABadTicket) {
  Meeting meeting = Resumed(kServer13, With(AnnounceWithSession(), EarlyData(4)));
  meeting.kit.ticket_keys = TicketKeysOf(kTicketKey + 1);
  EXPECT_TRUE(IsPassedOver(meeting, /*resumed=*/false));
}

// RFC 8446 §4.2.10: the second hello must not say it again.
TEST(T20_EarlyData, IsPassedOverBeforeARetry) {
  constexpr Place kSecondHello{1, 1};
  const auto meeting = [kSecondHello](bool again) {
    Script script = {Announce(), EarlyData(4)};
    if (!again) {
      script.push_back(RemoveExtension<ClientHello>(kSecondHello, ExtensionType::kEarlyData));
    }
    Meeting retried(kServer13, script);
    retried.kit.profile.groups = {NamedGroup::kSecp256r1};
    return retried;
  };
  EXPECT_TRUE(IsPassedOver(meeting(false), /*resumed=*/false));
  EXPECT_TRUE(Refused(Try(meeting(true)), Reason::kChangedClientHello, Alert::kIllegalParameter));
}

TEST(T20_EarlyData, IsLimited) {
  for (const size_t records : {5, 6}) {
    EXPECT_TRUE(Refused(Try(Meeting(kServer13, {Announce(), EarlyData(records)})),
                        Reason::kTooMuchEarlyData, Alert::kUnexpectedMessage));
    EXPECT_TRUE(Refused(Try(Resumed(kServer13, With(AnnounceWithSession(), EarlyData(records)))),
                        Reason::kTooMuchEarlyData, Alert::kUnexpectedMessage));
  }
}

// The control: where nobody announced it, it is not passed over.
TEST(T20_EarlyData, Control) {
  const Meeting unannounced(kServer13, {EarlyData(1)});
  EXPECT_FALSE(IsPassedOver(unannounced, false));
  EXPECT_TRUE(RefusedWith(Try(unannounced), {Alert::kBadRecordMac}));
  const Meeting with_session = Resumed(kServer13, {EarlyData(1)});
  EXPECT_FALSE(IsPassedOver(with_session, true));
  // Nor in TLS 1.2, which has none.
  Meeting old(kServer12, {EarlyData(1)});
  old.hello.SetHex(ExtensionType::kEarlyData, "");
  EXPECT_TRUE(RefusedWith(Try(old), {Alert::kUnexpectedMessage}));
}

// ---- The client: it never offers it.

TEST(T20_EarlyData, IsOfferedByNoClient) {
  for (const bool resumed : {false, true}) {
    const Meeting meeting = resumed ? Resumed(kClient13) : Meeting(kClient13);
    const Bytes hello = Tested(meeting).Begin();
    const auto parsed =
        Parse<ClientHello>(ByteView(hello).subspan(kRecordHeaderSize + kHandshakeHeaderSize));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(tls::Find(parsed->extensions, ExtensionType::kEarlyData), nullptr);
    // The control: the same look finds what is there.
    EXPECT_NE(tls::Find(parsed->extensions, ExtensionType::kKeyShare), nullptr);
  }
}

TEST(T20_EarlyData, AServerThatTakesItIsRefused) {
  for (const bool resumed : {false, true}) {
    const Meeting sound = resumed ? Resumed(kClient13) : Meeting(kClient13);
    const std::unique_ptr<Peer> peer = sound.MakePeer();
    Tested tested(sound);
    ASSERT_TRUE(Succeeded(Meet(tested, *peer)));
    Meeting meeting = sound;
    meeting.script = {SetExtension<EncryptedExtensions>(
        Find(peer->sound(), HandshakeType::kEncryptedExtensions), ExtensionType::kEarlyData, {})};
    EXPECT_TRUE(Refused(Try(meeting), Reason::kUnsolicitedExtension, Alert::kUnsupportedExtension));
  }
}

}  // namespace
}  // namespace handfast::tls::badpeer
