// T26, PSK binders: each is checked before its session is used, and stands at the end of the hello;
// a client takes back nothing but what it offered, and a hello that comes back to it is no answer.
#include "tests/badpeer/meeting.h"
#include "tests/badpeer/sessions.h"

namespace handfast::tls::badpeer {
namespace {

constexpr Place kHello{0, 0};

// The control of all below: the session is resumed.
TEST(T26_Psk, Control) {
  for (const Side& side : {kServer13, kClient13}) {
    const auto [outcome, resumed] = TryResumed(Resumed(side));
    EXPECT_TRUE(Succeeded(outcome)) << side.name << " " << outcome;
    EXPECT_TRUE(resumed) << side.name;
    EXPECT_FALSE(Refused(outcome, Reason::kBadBinder, Alert::kDecryptError));
  }
}

size_t HelloSize() { return Resumed(kServer13).MakePeer()->Begin().size() - kRecordHeaderSize; }

TEST(T26_Binder, EachBit) {
  const size_t first = 8 * (HelloSize() - kBinder);
  for (size_t bit = 0; bit < 8 * kBinder; ++bit) {
    const Meeting meeting = Resumed(kServer13, {FlipBit(kHello, first + bit)});
    ASSERT_TRUE(Refused(Try(meeting), Reason::kBadBinder, Alert::kDecryptError)) << bit;
  }
}

// One that cannot open the ticket looks at no binder, and a full handshake follows.
TEST(T26_Binder, EachBit_Control) {
  const size_t first = 8 * (HelloSize() - kBinder);
  for (size_t bit = 0; bit < 8 * kBinder; bit += 17) {
    Meeting meeting = Resumed(kServer13, {FlipBit(kHello, first + bit)});
    meeting.kit.ticket_keys = TicketKeysOf(kTicketKey + 1);
    const auto [outcome, resumed] = TryResumed(meeting);
    EXPECT_FALSE(Refused(outcome, Reason::kBadBinder, Alert::kDecryptError));
    EXPECT_TRUE(Succeeded(outcome)) << outcome;
    EXPECT_FALSE(resumed);
  }
}

// RFC 8446 §4.2.11.2: it is over all that stands before it.
TEST(T26_Binder, CoversTheHello) {
  static const Bytes random(32, 0x77);
  const auto other = [](ClientHello& m) { m.random = random; };
  const Edit edit = EditAs<ClientHello>(kHello, "Random", other);
  EXPECT_TRUE(Refused(Try(Resumed(kServer13, {edit})), Reason::kBadBinder, Alert::kDecryptError));
  const Edit more = InsertBeforePsk(kHello, static_cast<ExtensionType>(0x6a6a), {});
  EXPECT_TRUE(Refused(Try(Resumed(kServer13, {more})), Reason::kBadBinder, Alert::kDecryptError));
  // The control: made right again, the same edits harm nothing.
  for (const Edit& harmless : {edit, more}) {
    const auto [outcome, resumed] = TryResumed(Resumed(kServer13, {harmless, Rebind(kHello)}));
    EXPECT_TRUE(Succeeded(outcome)) << harmless.what << " " << outcome;
    EXPECT_TRUE(resumed);
  }
}

// RFC 8446 §4.2.11.
TEST(T26_Psk, StandsLast) {
  const Edit swap = EditAs<ClientHello>(kHello, "Swap", [](ClientHello& m) {
    std::swap(m.extensions.back(), m.extensions[m.extensions.size() - 2]);
  });
  EXPECT_TRUE(
      Refused(Try(Resumed(kServer13, {swap})), Reason::kPskNotLast, Alert::kIllegalParameter));
}

// A list that is cut: fewer binders than identities, a binder shorter than any hash, none at all.
TEST(T26_Binder, TruncatedLists) {
  const Session session = SessionOf(ProtocolVersion::kTls13);
  const Bytes long_enough(kBinder, 0);
  const auto with = [](const Bytes& body) {
    return Try(Resumed(kServer13,
                       {SetExtension<ClientHello>(kHello, ExtensionType::kPreSharedKey, body)}));
  };
  const Bytes two_identities =
      Serialize(OfferedPsks{{{session.ticket, 0}, {session.ticket, 0}}, {{long_enough}}});
  EXPECT_TRUE(Refused(with(two_identities), Reason::kBinderCount, Alert::kIllegalParameter));
  const Bytes sound = Serialize(OfferedPsks{{{session.ticket, 0}}, {{long_enough}}});
  const size_t binders = sound.size() - kBinder - 3;
  Bytes shorter = sound;
  shorter.pop_back();
  shorter = test::WithLength(test::WithLength(shorter, {binders, 2}, kBinder), {binders + 2, 1},
                             kBinder - 1);
  Bytes none(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(binders));
  Append(none, Bytes{0, 0});
  for (const Bytes& body : {shorter, none}) {
    EXPECT_TRUE(Refused(with(body), Reason::kDecodeError, Alert::kDecodeError)) << body.size();
  }
  // The control: whole, and wrong.
  EXPECT_TRUE(Refused(with(sound), Reason::kBadBinder, Alert::kDecryptError));
}

// ---- The client.

TEST(T26_Psk, AServerTakesOneThatWasOffered) {
  const auto with = [](int index) {
    const Bytes body = {0, static_cast<uint8_t>(index)};
    return Try(Resumed(kClient13,
                       {SetExtension<ServerHello>(kHello, ExtensionType::kPreSharedKey, body)}));
  };
  for (const int index : {1, 2, 255}) {
    EXPECT_TRUE(Refused(with(index), Reason::kBadSelectedIdentity, Alert::kIllegalParameter));
  }
  EXPECT_TRUE(Succeeded(with(0)));  // the control
  const Script unasked = {
      SetExtension<ServerHello>(kHello, ExtensionType::kPreSharedKey, Bytes{0, 0})};
  EXPECT_TRUE(Refused(Try(Meeting(kClient13, unasked)), Reason::kUnsolicitedExtension,
                      Alert::kUnsupportedExtension));
}

TEST(T26_Psk, AServersSuiteHasTheHashOfTheSession) {
  const auto other = [](ServerHello& m) { m.cipher_suite = CipherSuite::kTlsAes256GcmSha384; };
  EXPECT_TRUE(Refused(Try(Resumed(kClient13, {EditAs<ServerHello>(kHello, "Suite", other)})),
                      Reason::kBadSelectedIdentity, Alert::kIllegalParameter));
}

// Selfie: what one side said comes back to it. It plays one role, so it is in no order.
TEST(T26_Psk, ItsOwnHelloIsNoAnswer) {
  const Meeting meeting = Resumed(kClient13);
  Tested tested(meeting);
  tested.Receive(tested.Begin());
  EXPECT_FALSE(tested.established());
  EXPECT_EQ(tested.reason(), Describe(Reason::kUnexpectedMessage).label);
  EXPECT_EQ(tested.alert(), static_cast<uint8_t>(Alert::kUnexpectedMessage));
  // The control: the same bytes to a server.
  const Meeting sound = Resumed(kServer13);
  Tested server(sound);
  server.Receive(Tested(meeting).Begin());
  EXPECT_EQ(server.reason(), "");
}

}  // namespace
}  // namespace handfast::tls::badpeer
