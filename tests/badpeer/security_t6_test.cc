// T6, downgrade: the server marks that it was driven down, refuses a fall-back that was needless,
// and a client whose hello was robbed of its version on the way goes nowhere.
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

constexpr Place kHello{0, 0};
constexpr char kSentinel12[] = "444f574e47524401";

// The last eight bytes of a TLS 1.2 ServerHello's random.
std::string Tail(const Meeting& meeting) {
  Tested tested(meeting);
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  const Bytes flight = tested.Receive(peer->Begin());
  constexpr size_t kRandom = kRecordHeaderSize + kHandshakeHeaderSize + 2;
  if (flight.size() < kRandom + kRandomSize || flight[0] != 22) return "no ServerHello";
  return ToHex(ByteView(flight).subspan(kRandom + kRandomSize - 8, 8));
}

TEST(T6_Sentinel, IsThereWhereTls13WasPossible) {
  EXPECT_EQ(Tail(Meeting(kServer12)), kSentinel12);
  // The controls: not in TLS 1.3, and not where TLS 1.2 is the most that we do.
  EXPECT_NE(Tail(Meeting(kServer13)), kSentinel12);
  Meeting at_most12(kServer12);
  at_most12.kit.profile.versions = {ProtocolVersion::kTls12};
  EXPECT_NE(Tail(at_most12), kSentinel12);
}

TEST(T6_Fallback, ANeedlessOneIsRefused) {
  Meeting meeting(kServer12);
  meeting.hello.cipher_suites.push_back(CipherSuite::kFallbackScsv);
  EXPECT_TRUE(Refused(Try(meeting), Reason::kInappropriateFallback, Alert::kInappropriateFallback));
  // The control: where there is nothing higher it is none.
  meeting.kit.profile.versions = {ProtocolVersion::kTls12};
  EXPECT_TRUE(Succeeded(Try(meeting)));
}

// An attacker between a sound client and a sound server takes supported_versions away. The server
// cannot know; whatever it says, the client has no TLS 1.2 to fall back to.
TEST(T6_ManInTheMiddle, WithoutSupportedVersionsTheClientGoesNowhere) {
  const auto meet = [](bool robbed) {
    Meeting meeting(kServer13);
    if (robbed) {
      meeting.script = {RemoveExtension<ClientHello>(kHello, ExtensionType::kSupportedVersions)};
    }
    return Try(meeting);
  };
  const Outcome outcome = meet(true);
  EXPECT_FALSE(outcome.peer_established || outcome.established);
  EXPECT_TRUE(RefusedWith(outcome, {Alert::kHandshakeFailure, Alert::kProtocolVersion}));
  EXPECT_TRUE(Succeeded(meet(false)));  // the control
}

// The ServerHello that follows, as TLS 1.2 would have it, with and without the sentinel. (A client
// that does speak TLS 1.2 must look for the sentinel: RFC 8446 §4.1.3.)
TEST(T6_ManInTheMiddle, AServerHelloOfTls12IsRefused) {
  static const Bytes sentinel = [] {
    Bytes random(24, 0x5e);
    Append(random, FromHex(kSentinel12).value());
    return random;
  }();
  const Edit remove = RemoveExtension<ServerHello>(kHello, ExtensionType::kSupportedVersions);
  const Edit mark =
      EditAs<ServerHello>(kHello, "Sentinel", [](ServerHello& m) { m.random = sentinel; });
  for (const Script& script : {Script{remove}, Script{mark, remove}}) {
    EXPECT_TRUE(RefusedWith(Try(Meeting(kClient13, script)), {Alert::kProtocolVersion}))
        << What(script);
  }
  for (const uint16_t version : {0x0300, 0x0301, 0x0302, 0x0303, 0x0305, 0x7f1c}) {
    const Bytes body = {static_cast<uint8_t>(version >> 8), static_cast<uint8_t>(version)};
    const Script script = {
        SetExtension<ServerHello>(kHello, ExtensionType::kSupportedVersions, body)};
    EXPECT_TRUE(Refused(Try(Meeting(kClient13, script)), Reason::kVersionNotOffered,
                        Alert::kIllegalParameter))
        << version;
  }
  EXPECT_TRUE(Succeeded(Try(Meeting(kClient13))));  // the control
}

// RFC 8446 §4.1.3: a client that could do better looks for it, whoever took the version away.
TEST(T6_ManInTheMiddle, AClientOfBothVersionsSeesTheSentinel) {
  const auto meet = [](bool offers13, const char* tail) {
    Meeting meeting(kClient12);
    if (offers13) meeting.kit.profile.versions = IntermediateProfile().versions;
    const auto random = std::make_shared<Bytes>(24, 0x5e);
    Append(*random, FromHex(tail).value());
    meeting.script = {EditAs<ServerHello>(
        kHello, "Tail", [random](ServerHello& m) { m.random = ByteView(*random); })};
    return Try(meeting);
  };
  for (const char* tail : {kSentinel12, "444f574e47524400"}) {
    EXPECT_TRUE(Refused(meet(true, tail), Reason::kDowngraded, Alert::kIllegalParameter)) << tail;
    // The control: of TLS 1.2 alone nothing is missed; that the random is another one is.
    EXPECT_TRUE(Refused(meet(false, tail), Reason::kBadSignature, Alert::kDecryptError)) << tail;
  }
  EXPECT_TRUE(Refused(meet(true, "444f574e47524402"), Reason::kBadSignature, Alert::kDecryptError));
}

}  // namespace
}  // namespace handfast::tls::badpeer
