// Key exchange that is wrong: points off the curve, of small order or of another form; shares that
// were not offered; and what a second ClientHello may not do.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/tls/connection/wrong_peer.h"
#include "tls/engine/explain.h"
#include "tls/record/record_layer.h"
#include "tls/wire/client_hello_extensions.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

struct BadPoint {
  const char* what;
  NamedGroup group;
  std::string hex;
};

std::string Zeros(size_t bytes) { return std::string(2 * bytes, '0'); }

std::string GoodPoint(NamedGroup group) {
  return ToHex(KeyPair::FromPrivate(group, ClientScalar(group))->public_key());
}

std::string Altered(std::string hex, size_t digit, char to) {
  hex[digit] = hex[digit] == to ? (to == '0' ? '1' : '0') : to;
  return hex;
}

// RFC 8446 §4.2.8.2 and §7.4.2, RFC 8422 §5.11, RFC 7748 §6.1.
std::vector<BadPoint> BadPoints() {
  const std::string p256 = GoodPoint(NamedGroup::kSecp256r1);
  const std::string x = p256.substr(2, 64);
  return {
      {"X25519, all zero", NamedGroup::kX25519, Zeros(32)},
      {"X25519, one", NamedGroup::kX25519, "01" + Zeros(31)},
      {"X25519, of order 8", NamedGroup::kX25519,
       "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"},
      {"X25519, p - 1", NamedGroup::kX25519,
       "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"X25519, 31 bytes", NamedGroup::kX25519, Zeros(30) + "09"},
      {"X25519, 33 bytes", NamedGroup::kX25519, "09" + Zeros(32)},
      {"P-256, off the curve", NamedGroup::kSecp256r1, Altered(p256, 129, '3')},
      {"P-256, zero", NamedGroup::kSecp256r1, "04" + Zeros(64)},
      {"P-256, infinity", NamedGroup::kSecp256r1, "00"},
      {"P-256, compressed", NamedGroup::kSecp256r1, "02" + x},
      {"P-256, hybrid", NamedGroup::kSecp256r1, "06" + p256.substr(2)},
      {"P-256, too short", NamedGroup::kSecp256r1, p256.substr(0, 128)},
      {"P-256, too long", NamedGroup::kSecp256r1, p256 + "00"},
      {"P-256, a coordinate above p", NamedGroup::kSecp256r1,
       "04" + std::string(64, 'f') + p256.substr(66)},
      {"P-384's point as P-256", NamedGroup::kSecp256r1, GoodPoint(NamedGroup::kSecp384r1)},
  };
}

Bytes ShareBody(NamedGroup group, const std::string& hex) {
  const Bytes point = FromHex(hex).value();
  return Serialize(KeyShareClientHello{{{group, point}}});
}

TEST(T14_BadPoint, InAKeyShare) {
  for (const BadPoint& bad : BadPoints()) {
    ClientScript script = Sound(kTls13);
    script.hello.Set(ExtensionType::kKeyShare, ShareBody(bad.group, bad.hex));
    EXPECT_TRUE(Refused(Shake(FixedKit(), std::move(script)), Reason::kBadKeyShare,
                        Alert::kIllegalParameter))
        << bad.what;
  }
}
TEST(T14_BadPoint, InAClientKeyExchange) {
  for (const BadPoint& bad : BadPoints()) {
    ServerKit kit = FixedKit();
    kit.profile.groups = {bad.group};
    ClientScript script = Sound(kTls12);
    script.edit_flight = [&](Flight& flight) {
      const Bytes point = FromHex(bad.hex).value();
      Bytes message;
      const Bytes body = Serialize(tls12::ClientEcdhPublic{point});
      ASSERT_TRUE(AppendMessage(message, tls12::ClientKeyExchange{body}));
      flight[IndexOf(flight, HandshakeType::kClientKeyExchange)].content = message;
    };
    EXPECT_TRUE(
        Refused(Shake(kit, std::move(script)), Reason::kBadKeyShare, Alert::kIllegalParameter))
        << bad.what;
  }
}
// The negative control: good points of every group.
// RFC 8446 §2: the client, which has one share, would take no answer of another group.
TEST(T14_BadPoint, GoodOnesSucceed) {
  for (NamedGroup group : {NamedGroup::kX25519, NamedGroup::kSecp256r1, NamedGroup::kSecp384r1}) {
    ClientScript script = Sound(kTls13);
    script.hello.Set(ExtensionType::kKeyShare, ShareBody(group, GoodPoint(group)));
    EXPECT_TRUE(Succeeded(Shake(FixedKit(), std::move(script)))) << Name(group);
    ServerKit kit = FixedKit();
    kit.profile.groups = {group};
    EXPECT_TRUE(Succeeded(Shake(kit, Sound(kTls12)))) << Name(group);
  }
}

// ---- Hybrids where there is no ML-KEM. Where there is, hybrid_test.cc.

class WithoutMlKem : public testing::Test {
 protected:
  void SetUp() override {
    if (Implemented(NamedGroup::kX25519MlKem768)) GTEST_SKIP() << "this libcrypto has ML-KEM";
  }
  // Brings a hybrid's share, and says that it knows x25519, too.
  static ClientScript Bringing(NamedGroup hybrid, const std::string& groups,
                               bool x25519_share = false) {
    const Bytes opaque(hybrid == NamedGroup::kX25519MlKem768 ? 1216 : 1249, 0x11);
    const Bytes point = FromHex(GoodPoint(NamedGroup::kX25519)).value();
    KeyShareClientHello shares{{{hybrid, opaque}}};
    if (x25519_share) shares.client_shares.push_back({NamedGroup::kX25519, point});
    ClientScript script = Sound(kTls13);
    script.hello.SetHex(ExtensionType::kSupportedGroups, groups);
    script.hello.Set(ExtensionType::kKeyShare, Serialize(shares));
    return script;
  }
};

TEST_F(WithoutMlKem, AHybridsShareIsPassedOver) {
  for (const auto& [hybrid, number] : {std::pair{NamedGroup::kX25519MlKem768, "11ec"},
                                       std::pair{NamedGroup::kSecP256r1MlKem768, "11eb"}}) {
    const std::string groups = "0004" + std::string(number) + "001d";
    const Outcome at_once = Shake(FixedKit(), Bringing(hybrid, groups, /*x25519_share=*/true));
    EXPECT_TRUE(Succeeded(at_once));
    EXPECT_EQ(at_once.group, NamedGroup::kX25519);
    // The scripted client answers a HelloRetryRequest with a share of the group that it names.
    const Outcome asked = Shake(FixedKit(), Bringing(hybrid, groups));
    EXPECT_TRUE(Succeeded(asked));
    EXPECT_EQ(asked.group, NamedGroup::kX25519);
    EXPECT_TRUE(Refused(Shake(FixedKit(), Bringing(hybrid, "0002" + std::string(number))),
                        Reason::kNoCommonGroup, Alert::kHandshakeFailure));
  }
}

// RFC 8446 §9.3: a client offers nothing that it could not do.
TEST_F(WithoutMlKem, OurClientOffersNone) {
  ServerKit kit = FixedKit();
  kit.as_client = true;
  ASSERT_TRUE(std::any_of(kit.profile.groups.begin(), kit.profile.groups.end(), IsHybrid));
  ServerDriver client(kit);
  const Bytes flight = client.Begin();
  const auto hello =
      Parse<ClientHello>(ByteView(flight).subspan(kRecordHeaderSize + kHandshakeHeaderSize));
  const ClientHelloExtensions extensions = *ReadExtensions(*hello);
  for (NamedGroup group : extensions.supported_groups->groups) EXPECT_FALSE(IsHybrid(group));
  ASSERT_EQ(extensions.key_share->client_shares.size(), 1u);
  EXPECT_EQ(extensions.key_share->client_shares[0].group, NamedGroup::kX25519);
}

TEST_F(WithoutMlKem, IsExplained) {
  HelloFields hello = HelloFor(kTls13);
  hello.SetHex(ExtensionType::kSupportedGroups, "000411ec001d");
  Established established;
  established.version = kTls13;
  established.cipher_suite = CipherSuite::kTlsAes128GcmSha256;
  established.group = NamedGroup::kX25519;
  std::string why;
  for (const Explanation& e : Explain(ModernProfile(), {}, hello.Message(), established)) {
    if (e.what == "group") why = e.why;
  }
  EXPECT_EQ(why,
            "the first of the profile's that the client offers; before it X25519MLKEM768 (not in "
            "the running libcrypto), SecP256r1MLKEM768 (not offered)");
}

// ---- T15: RFC 8446 §4.2.8.

TEST(T15_KeyShare, GroupThatWasNotOffered) {
  ClientScript script = Sound(kTls13);
  script.hello.SetHex(ExtensionType::kSupportedGroups, "00020017");
  EXPECT_TRUE(Refused(Shake(FixedKit(), std::move(script)), Reason::kKeyShareNotOffered,
                      Alert::kIllegalParameter));
}
TEST(T15_KeyShare, TwoOfOneGroup) {
  ClientScript script = Sound(kTls13);
  script.hello.Set(ExtensionType::kKeyShare,
                   KeyShareBody({NamedGroup::kX25519, NamedGroup::kX25519}));
  EXPECT_TRUE(Refused(Shake(FixedKit(), std::move(script)), Reason::kDuplicateKeyShare,
                      Alert::kIllegalParameter));
}

// ---- T15: the second ClientHello. RFC 8446 §4.1.2 and §4.1.4.

Outcome Retry(const std::function<void(HelloFields&)>& spoil) {
  ClientScript script = Sound(kTls13);
  script.hello.SetHex(ExtensionType::kKeyShare, "0000");
  script.edit_second_hello = spoil;
  return Shake(FixedKit(), std::move(script));
}

struct SecondHello {
  const char* what;
  std::function<void(HelloFields&)> spoil;
  Reason reason;
};

TEST(T15_SecondHello, MustBeTheSame) {
  const SecondHello kCases[] = {
      {"another random", [](HelloFields& h) { h.random[0] ^= 1; }, Reason::kChangedClientHello},
      {"another session id", [](HelloFields& h) { h.session_id[0] ^= 1; },
       Reason::kChangedClientHello},
      {"no session id", [](HelloFields& h) { h.session_id.clear(); }, Reason::kChangedClientHello},
      {"fewer suites", [](HelloFields& h) { h.cipher_suites.pop_back(); },
       Reason::kChangedClientHello},
      {"other suites", [](HelloFields& h) { std::swap(h.cipher_suites[0], h.cipher_suites[1]); },
       Reason::kChangedClientHello},
      {"another version", [](HelloFields& h) { h.legacy_version = 0x0304; },
       Reason::kChangedClientHello},
      {"compression",
       [](HelloFields& h) {
         h.compression_methods = {0, 1};
       },
       Reason::kChangedClientHello},
      {"no name", [](HelloFields& h) { h.Remove(ExtensionType::kServerName); },
       Reason::kChangedClientHello},
      {"another ALPN", [](HelloFields& h) { h.SetHex(ExtensionType::kAlpn, "0003026831"); },
       Reason::kChangedClientHello},
      {"other groups",
       [](HelloFields& h) { h.SetHex(ExtensionType::kSupportedGroups, "0002001d"); },
       Reason::kChangedClientHello},
      {"other versions",
       [](HelloFields& h) { h.SetHex(ExtensionType::kSupportedVersions, "0403040303"); },
       Reason::kChangedClientHello},
      {"an extension more",
       [](HelloFields& h) {
         h.extensions.push_back({static_cast<ExtensionType>(0x1a1a), {}});
       },
       Reason::kChangedClientHello},
      {"no key_share", [](HelloFields& h) { h.Remove(ExtensionType::kKeyShare); },
       Reason::kNoKeyShareAfterRetry},
      // A second HelloRetryRequest would be needed.
      {"an empty key_share", [](HelloFields& h) { h.SetHex(ExtensionType::kKeyShare, "0000"); },
       Reason::kNoKeyShareAfterRetry},
      {"a share of another group",
       [](HelloFields& h) {
         h.Set(ExtensionType::kKeyShare, KeyShareBody({NamedGroup::kSecp256r1}));
       },
       Reason::kNoKeyShareAfterRetry},
      {"two shares",
       [](HelloFields& h) {
         h.Set(ExtensionType::kKeyShare,
               KeyShareBody({NamedGroup::kX25519, NamedGroup::kSecp256r1}));
       },
       Reason::kNoKeyShareAfterRetry},
      {"a bad share",
       [](HelloFields& h) {
         h.Set(ExtensionType::kKeyShare, ShareBody(NamedGroup::kX25519, Zeros(32)));
       },
       Reason::kBadKeyShare},
      {"an extension twice", [](HelloFields& h) { h.extensions.push_back(h.extensions[0]); },
       Reason::kDuplicateExtension},
  };
  for (const SecondHello& c : kCases) {
    EXPECT_TRUE(Refused(Retry(c.spoil), c.reason, Alert::kIllegalParameter)) << c.what;
  }
}
// RFC 8446 §4.1.2 names no order: wolfSSL's second hello has another.
TEST(T15_SecondHello, MayOrderItsExtensionsAnew) {
  EXPECT_TRUE(Succeeded(
      Retry([](HelloFields& h) { std::reverse(h.extensions.begin(), h.extensions.end()); })));
}
// RFC 8446 §4.1.2: what may change.
TEST(T15_SecondHello, MayAddPadding) {
  EXPECT_TRUE(Succeeded(Retry([](HelloFields&) {})));
  EXPECT_TRUE(Succeeded(Retry([](HelloFields& h) { h.Set(ExtensionType::kPadding, Bytes(100)); })));
}

}  // namespace
}  // namespace handfast::tls::test
