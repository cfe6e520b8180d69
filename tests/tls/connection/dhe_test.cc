// DHE_RSA in TLS 1.2 and the finite field groups in TLS 1.3: who gets which group, what a client
// may not send, and T8, that no share is ever used twice.
#include <set>

#include <gtest/gtest.h>

#include "tests/tls/connection/wrong_peer.h"
#include "tls/crypto/cipher_suite.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;
using enum NamedGroup;

constexpr CipherSuite kDhe = CipherSuite::kDheRsaAes128GcmSha256;
constexpr CipherSuite kEcdhe = CipherSuite::kEcdheRsaAes128GcmSha256;

const Leaf& RsaLeaf() {
  static const TestCa root = TestCa::Create("root");
  static const Leaf leaf = root.Issue({.type = KeyType::kRsa2048, .dns = {"example.test"}});
  return leaf;
}

ServerKit Kit(std::vector<CipherSuite> suites, std::vector<NamedGroup> groups) {
  ServerKit kit = ServerKit::For(RsaLeaf());
  kit.profile.cipher_suites = std::move(suites);
  kit.profile.groups = std::move(groups);
  return kit;
}

ClientScript Script(std::vector<CipherSuite> suites, std::vector<NamedGroup> groups) {
  ClientScript script = Sound(kTls12);
  script.hello.cipher_suites = std::move(suites);
  script.hello.Set(ExtensionType::kSupportedGroups, Serialize(NamedGroupList{std::move(groups)}));
  return script;
}

TEST(Dhe, EveryGroup) {
  for (NamedGroup group : {kFfdhe2048, kFfdhe3072, kFfdhe4096}) {
    const Outcome outcome = Shake(Kit({kDhe}, {group}), Script({kDhe}, {kX25519, group}));
    EXPECT_TRUE(Succeeded(outcome)) << Name(group);
    EXPECT_EQ(outcome.group, group);
  }
}

// Our order decides, among those that the client names.
TEST(Dhe, TheProfilesOrderDecides) {
  const Outcome outcome = Shake(Kit({kDhe}, {kX25519, kFfdhe4096, kFfdhe3072, kFfdhe2048}),
                                Script({kDhe}, {kFfdhe2048, kFfdhe3072}));
  EXPECT_TRUE(Succeeded(outcome));
  EXPECT_EQ(outcome.group, kFfdhe3072);
}

// RFC 7919 §4, and what it leaves to us: a client that names none may get ffdhe2048.
TEST(Dhe, AClientThatNamesNoGroup) {
  for (bool extension : {true, false}) {
    ClientScript script = Script({kDhe}, {kX25519});
    if (!extension) script.hello.Remove(ExtensionType::kSupportedGroups);
    const Outcome outcome = Shake(Kit({kDhe}, {kX25519, kFfdhe3072, kFfdhe2048}), script);
    EXPECT_TRUE(Succeeded(outcome));
    EXPECT_EQ(outcome.group, kFfdhe2048);
    EXPECT_TRUE(Refused(Shake(Kit({kDhe}, {kX25519, kFfdhe3072}), script), Reason::kNoCommonGroup,
                        Alert::kHandshakeFailure));
  }
}

// RFC 7919 §4: "none of the client-proposed FFDHE groups are known and acceptable to the server".
TEST(Dhe, NoCommonGroup) {
  for (NamedGroup theirs : {kFfdhe8192, kFfdhe3072, static_cast<NamedGroup>(0x01fc)}) {
    const ServerKit kit = Kit({kDhe, kEcdhe}, {kX25519, kFfdhe2048});
    EXPECT_TRUE(Refused(Shake(kit, Script({kDhe}, {kX25519, theirs})), Reason::kNoCommonFfdheGroup,
                        Alert::kInsufficientSecurity));
    // "In this case, the server SHOULD select an acceptable non-FFDHE cipher suite".
    const Outcome outcome = Shake(kit, Script({kDhe, kEcdhe}, {kX25519, theirs}));
    EXPECT_TRUE(Succeeded(outcome));
    EXPECT_EQ(outcome.cipher_suite, kEcdhe);
    EXPECT_EQ(outcome.group, kX25519);
  }
}

// A common finite field group is no curve, and the other way round.
TEST(Dhe, KindsOfGroupsAreKeptApart) {
  const ServerKit kit = Kit({kEcdhe, kDhe}, {kFfdhe2048});
  const Outcome outcome = Shake(kit, Script({kEcdhe, kDhe}, {kX25519, kFfdhe2048}));
  EXPECT_TRUE(Succeeded(outcome));
  EXPECT_EQ(outcome.cipher_suite, kDhe);
  EXPECT_TRUE(Refused(Shake(kit, Script({kEcdhe}, {kX25519, kFfdhe2048})), Reason::kNoCommonGroup,
                      Alert::kHandshakeFailure));
}

// ---- ClientKeyExchange. RFC 5246 §7.4.7.2, RFC 7919 §4.

Outcome WithBody(const Bytes& body) {
  ClientScript script = Script({kDhe}, {kFfdhe2048});
  script.edit_flight = [&](Flight& flight) {
    Bytes message;
    ASSERT_TRUE(AppendMessage(message, tls12::ClientKeyExchange{body}));
    flight[IndexOf(flight, HandshakeType::kClientKeyExchange)].content = message;
  };
  return Shake(Kit({kDhe}, {kFfdhe2048}), std::move(script));
}

Bytes DhPublic(const Bytes& value) { return Serialize(tls12::ClientDhPublic{value}); }

TEST(Dhe, T14_PublicValuesOutOfRange) {
  const Bytes p = Copy(ParametersOf(kFfdhe2048).p);
  Bytes below = p;
  below.back() -= 1;
  Bytes longer = p;
  longer.insert(longer.begin(), 0);
  for (const Bytes& value :
       {Bytes{0}, Bytes{1}, Bytes(256, 0), below, p, Bytes(256, 0xff), longer, Bytes(300, 7)}) {
    EXPECT_TRUE(
        Refused(WithBody(DhPublic(value)), Reason::kBadDhPublicValue, Alert::kHandshakeFailure))
        << ToHex(value);
  }
}

TEST(Dhe, BodiesOfAnotherForm) {
  Bytes longer = DhPublic(Bytes(256, 7));
  longer.push_back(0);
  Bytes shorter = DhPublic(Bytes(256, 7));
  shorter.pop_back();
  for (const Bytes& body : {Bytes(), Bytes{0}, Bytes{0, 0}, Bytes{2, 0}, longer, shorter}) {
    EXPECT_TRUE(Refused(WithBody(body), Reason::kDecodeError, Alert::kDecodeError)) << ToHex(body);
  }
}

// dh_Yc without its leading zeros is the same number: the secret is another than the client's, but
// the exchange goes on to Finished.
TEST(Dhe, AShortPublicValueIsLegal) {
  EXPECT_TRUE(Refused(WithBody(DhPublic(Bytes{2})), Reason::kBadRecordMac, Alert::kBadRecordMac));
}

// ---- T8: Raccoon.

TEST(T8_Raccoon, NoShareIsUsedTwice) {
  constexpr int kHandshakes = 10000;
  const ServerKit kit = Kit({kDhe}, {kFfdhe2048});
  std::set<Bytes> shares;
  const Bytes hello =
      PlainRecord(ContentType::kHandshake, Script({kDhe}, {kFfdhe2048}).hello.Message());
  for (int i = 0; i < kHandshakes; ++i) {
    const Context context{kit.profile, SystemRandomness()};
    Stepped stepped = Step(Connection::Server({}), FromPeer{hello}, context);
    ASSERT_TRUE(stepped.output.question.has_value());
    stepped =
        Step(std::move(stepped.connection), AnswerFrom(kit, *stepped.output.question), context);
    const auto& use = std::get<UsePrivateKey>(*stepped.output.question);
    const auto params =
        Parse<tls12::ServerDhParams>(std::get<Tls12ServerKeyExchange>(use.intent).params);
    ASSERT_TRUE(params.has_value());
    EXPECT_EQ(params->dh_ys.size(), 256u);
    EXPECT_TRUE(shares.insert(Copy(params->dh_ys)).second);
  }
}

// RFC 5246 §8.1.2.
TEST(T8_Raccoon, ZIsStripped) {
  for (size_t zeros : {0, 1, 2, 255}) {
    Bytes z(256, 9);
    std::fill_n(z.begin(), zeros, 0);
    const SharedSecret premaster = WithoutLeadingZeros(*SharedSecret::From(z));
    EXPECT_EQ(premaster.size(), 256 - zeros);
  }
}

// ---- TLS 1.3: RFC 8446 §4.2.8.1.

TEST(Ffdhe13, EveryGroup) {
  for (NamedGroup group : {kFfdhe2048, kFfdhe3072, kFfdhe4096}) {
    for (bool retry : {false, true}) {
      ServerKit kit = FixedKit();
      kit.profile.groups = {group};
      ClientScript script{.version = kTls13, .hello = HelloFor(kTls13, group)};
      script.hello.Set(ExtensionType::kSupportedGroups, Serialize(NamedGroupList{{group}}));
      if (retry) script.hello.SetHex(ExtensionType::kKeyShare, "0000");
      const Outcome outcome = Shake(kit, std::move(script));
      EXPECT_TRUE(Succeeded(outcome)) << Name(group);
      EXPECT_EQ(outcome.group, group);
    }
  }
}

TEST(Ffdhe13, T14_SharesOutOfRange) {
  const Bytes p = Copy(ParametersOf(kFfdhe2048).p);
  Bytes below = p;
  below.back() -= 1;
  Bytes one(256, 0);
  one.back() = 1;
  Bytes longer = p;
  longer.insert(longer.begin(), 0);
  // Of another length than the prime's, too.
  for (const Bytes& value :
       {Bytes(256, 0), one, below, p, Bytes(256, 0xff), longer, Bytes{2}, Bytes(255, 2)}) {
    ServerKit kit = FixedKit();
    kit.profile.groups = {kFfdhe2048};
    ClientScript script = Sound(kTls13);
    script.hello.Set(ExtensionType::kSupportedGroups, Serialize(NamedGroupList{{kFfdhe2048}}));
    script.hello.Set(ExtensionType::kKeyShare,
                     Serialize(KeyShareClientHello{{{kFfdhe2048, value}}}));
    EXPECT_TRUE(
        Refused(Shake(kit, std::move(script)), Reason::kBadKeyShare, Alert::kIllegalParameter))
        << value.size();
  }
}

}  // namespace
}  // namespace handfast::tls::test
