// T15, games with key shares and HelloRetryRequest. As a server: the second ClientHello may differ
// from the first in nothing but what it was asked for. As a client: one retry, for what was offered
// and not sent, with the suite that then holds. The control of each is the same handshake unspoilt.
#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {
namespace {

constexpr Place kFirstHello{0, 0};
// Behind a ChangeCipherSpec.
constexpr Place kSecondHello{1, 1};
constexpr Place kRetry{0, 0};
constexpr Place kServerHello{1, 0};

Bytes Share(NamedGroup group) { return test::KeyShareBody({group}); }

// A server that asks for P-256, or a client that is asked for it.
Meeting Retried(const Side& side, Script script = {}) {
  Meeting meeting(side, std::move(script));
  (side.server ? meeting.kit : meeting.peer_kit).profile.groups = {NamedGroup::kSecp256r1};
  return meeting;
}

TEST(T15_Server, TheControlSucceeds) {
  const Meeting meeting = Retried(kServer13);
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Tested tested(meeting);
  ASSERT_TRUE(Succeeded(Meet(tested, *peer)));
  ASSERT_EQ(peer->sound().size(), 3u);
  EXPECT_TRUE(IsMessage(peer->sound()[1][1], HandshakeType::kClientHello));
}

TEST(T15_Server, EachBitOfTheSecondHello) {
  const Meeting sound = Retried(kServer13);
  const std::unique_ptr<Peer> peer = sound.MakePeer();
  Tested tested(sound);
  Meet(tested, *peer);
  const size_t bytes = peer->sound()[1][1].content.size();
  int refused = 0;
  for (size_t byte = 1; byte < bytes; ++byte) {
    const Meeting meeting = Retried(kServer13, {FlipBit(kSecondHello, 8 * byte)});
    const Outcome outcome = Try(meeting);
    ASSERT_FALSE(outcome.established) << byte;
    refused += outcome.alert == 47 ? 1 : 0;
  }
  // All but the layout and the point itself.
  EXPECT_GT(refused, 150);
}

TEST(T15_Server, TheSecondHelloIsTheFirst) {
  static const Bytes random(32, 0x11);
  const auto edits = {
      EditAs<ClientHello>(kSecondHello, "Random", [](ClientHello& m) { m.random = random; }),
      EditAs<ClientHello>(kSecondHello, "Session",
                          [](ClientHello& m) { m.legacy_session_id = ByteView(random).first(8); }),
      EditAs<ClientHello>(kSecondHello, "FewerSuites",
                          [](ClientHello& m) { m.cipher_suites.pop_back(); }),
      EditAs<ClientHello>(
          kSecondHello, "MoreSuites",
          [](ClientHello& m) { m.cipher_suites.push_back(static_cast<CipherSuite>(0xc02b)); }),
      EditAs<ClientHello>(
          kSecondHello, "SuitesSwapped",
          [](ClientHello& m) { std::swap(m.cipher_suites[0], m.cipher_suites[1]); }),
      RemoveExtension<ClientHello>(kSecondHello, ExtensionType::kServerName),
      RemoveExtension<ClientHello>(kSecondHello, ExtensionType::kSignatureAlgorithms),
      SetExtension<ClientHello>(kSecondHello, ExtensionType::kSupportedGroups,
                                Bytes{0, 2, 0, 0x17}),
      SetExtension<ClientHello>(kSecondHello, ExtensionType::kAlpn, Bytes{0, 3, 2, 'h', '2'}),
      SetExtension<ClientHello>(kSecondHello, ExtensionType::kEarlyData, Bytes{}),
  };
  for (const Edit& edit : edits) {
    EXPECT_TRUE(Refused(Try(Retried(kServer13, {edit})), Reason::kChangedClientHello,
                        Alert::kIllegalParameter))
        << edit.what;
  }
}

TEST(T15_Server, TheShareIsTheOneThatWasAskedFor) {
  const auto with = [](const Bytes& body) {
    return Try(Retried(kServer13,
                       {SetExtension<ClientHello>(kSecondHello, ExtensionType::kKeyShare, body)}));
  };
  for (const Bytes& body : {Bytes{0, 0}, Share(NamedGroup::kX25519),
                            test::KeyShareBody({NamedGroup::kX25519, NamedGroup::kSecp256r1}),
                            test::KeyShareBody({NamedGroup::kSecp256r1, NamedGroup::kSecp256r1})}) {
    EXPECT_TRUE(RefusedWith(with(body), {Alert::kIllegalParameter})) << ToHex(body);
  }
}

TEST(T15_Server, SharesOfTheFirstHello) {
  const auto with = [](const Bytes& body) {
    return Try(Meeting(kServer13,
                       {SetExtension<ClientHello>(kFirstHello, ExtensionType::kKeyShare, body)}));
  };
  EXPECT_TRUE(Refused(with(test::KeyShareBody({NamedGroup::kX25519, NamedGroup::kX25519})),
                      Reason::kDuplicateKeyShare, Alert::kIllegalParameter));
  EXPECT_TRUE(Refused(with(Share(NamedGroup::kSecp384r1)), Reason::kKeyShareNotOffered,
                      Alert::kIllegalParameter));
}

// A third hello, and a first one again.
TEST(T15_Server, NoSecondRetry) {
  EXPECT_TRUE(
      RefusedWith(Try(Retried(kServer13, {Duplicate(kSecondHello)})), {Alert::kUnexpectedMessage}));
}

// ---- The client.

TEST(T15_Client, TheControlSucceeds) { EXPECT_TRUE(Succeeded(Try(Retried(kClient13)))); }

TEST(T15_Client, NoSecondRetry) {
  EXPECT_TRUE(Refused(Try(Retried(kClient13, {Duplicate(kRetry)})), Reason::kUnexpectedMessage,
                      Alert::kUnexpectedMessage));
}

TEST(T15_Client, ARetryAsksForWhatWasOfferedAndNotSent) {
  for (uint16_t group : {0x001d, 0x0018, 0x001e, 0x0100, 0x0000, 0x0a0a}) {
    const Bytes body = {static_cast<uint8_t>(group >> 8), static_cast<uint8_t>(group)};
    const Script script = {SetExtension<ServerHello>(kRetry, ExtensionType::kKeyShare, body)};
    EXPECT_TRUE(Refused(Try(Retried(kClient13, script)), Reason::kRetryWithoutChange,
                        Alert::kIllegalParameter))
        << group;
  }
  EXPECT_TRUE(Refused(
      Try(Retried(kClient13, {RemoveExtension<ServerHello>(kRetry, ExtensionType::kKeyShare)})),
      Reason::kRetryWithoutChange, Alert::kIllegalParameter));
}

TEST(T15_Client, AfterItTheSuiteHolds) {
  const auto other = [](ServerHello& m) { m.cipher_suite = CipherSuite::kTlsAes256GcmSha384; };
  EXPECT_TRUE(Refused(Try(Retried(kClient13, {EditAs<ServerHello>(kServerHello, "Suite", other)})),
                      Reason::kSuiteNotOffered, Alert::kIllegalParameter));
}

TEST(T15_Client, TheShareIsOfTheGroup) {
  for (const Side& side : {kClient13}) {
    for (const NamedGroup group : {NamedGroup::kX25519, NamedGroup::kSecp384r1}) {
      const KeyPair pair = *KeyPair::FromPrivate(group, test::ClientScalar(group));
      const Bytes body = Serialize(KeyShareServerHello{{group, pair.public_key()}});
      const Script script = {
          SetExtension<ServerHello>(kServerHello, ExtensionType::kKeyShare, body)};
      EXPECT_TRUE(Refused(Try(Retried(side, script)), Reason::kKeyShareNotOffered,
                          Alert::kIllegalParameter))
          << Name(group);
    }
  }
}

// A retry that loses its cookie's echo shows in the transcript.
TEST(T15_Client, AnAlteredRetryIsNoticed) {
  const Script script = {
      SetExtension<ServerHello>(kRetry, ExtensionType::kCookie, Bytes{0, 2, 0xc0, 0xc1})};
  EXPECT_FALSE(Try(Retried(kClient13, script)).established);
}

}  // namespace
}  // namespace handfast::tls::badpeer
