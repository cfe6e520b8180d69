// ClientHellos that are wrong in one way, each with the alert that the RFC asks for. The negative
// control of each is the same hello unspoilt: Sound() succeeds.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/tls/connection/wrong_peer.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

Outcome ShakeHello(ProtocolVersion version, const std::function<void(HelloFields&)>& spoil,
                   const ServerKit& kit = FixedKit(), ConnectionOptions options = {}) {
  ClientScript script = Sound(version);
  spoil(script.hello);
  return Shake(kit, std::move(script), std::move(options));
}

void Unspoilt(HelloFields&) {}

TEST(Control, SoundHellosSucceed) {
  EXPECT_TRUE(Succeeded(ShakeHello(kTls13, Unspoilt)));
  EXPECT_TRUE(Succeeded(ShakeHello(kTls12, Unspoilt)));
}

// ---- T3: CRIME. RFC 8446 §4.1.2, RFC 5246 §7.4.1.2.

TEST(T3_Compression, DeflateAlone) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const auto outcome =
        ShakeHello(version, [](HelloFields& hello) { hello.compression_methods = {1}; });
    EXPECT_TRUE(Refused(outcome, Reason::kBadCompression, Alert::kIllegalParameter));
  }
}
TEST(T3_Compression, NullAndDeflate) {
  const auto both = [](HelloFields& hello) { hello.compression_methods = {1, 0}; };
  EXPECT_TRUE(Succeeded(ShakeHello(kTls12, both)));
  // RFC 8446 §4.1.2: exactly one byte, zero.
  EXPECT_TRUE(Refused(ShakeHello(kTls13, both), Reason::kBadCompression, Alert::kIllegalParameter));
}

// ---- T4: RFC 5746 §3.6.

TEST(T4_RenegotiationInfo, MissingIsRefusedByDefault) {
  const auto without = [](HelloFields& hello) { hello.Remove(ExtensionType::kRenegotiationInfo); };
  EXPECT_TRUE(Refused(ShakeHello(kTls12, without), Reason::kRenegotiationInfoRequired,
                      Alert::kHandshakeFailure));
  ServerKit lenient = FixedKit();
  lenient.profile.require_renegotiation_info = false;
  EXPECT_TRUE(Succeeded(ShakeHello(kTls12, without, lenient)));
}
TEST(T4_RenegotiationInfo, TheSignallingSuiteWillDo) {
  EXPECT_TRUE(Succeeded(ShakeHello(kTls12, [](HelloFields& hello) {
    hello.Remove(ExtensionType::kRenegotiationInfo);
    hello.cipher_suites.push_back(CipherSuite::kEmptyRenegotiationInfoScsv);
  })));
}
TEST(T4_RenegotiationInfo, NotEmptyOnAFirstHandshake) {
  const auto outcome = ShakeHello(kTls12, [](HelloFields& hello) {
    hello.SetHex(ExtensionType::kRenegotiationInfo, "0c112233445566778899aabbcc");
  });
  EXPECT_TRUE(Refused(outcome, Reason::kBadRenegotiationInfo, Alert::kHandshakeFailure));
}

// ---- T5: RFC 7627 §5.2.

TEST(T5_ExtendedMasterSecret, MissingIsRefusedByDefault) {
  const auto without = [](HelloFields& hello) {
    hello.Remove(ExtensionType::kExtendedMasterSecret);
  };
  EXPECT_TRUE(Refused(ShakeHello(kTls12, without), Reason::kExtendedMasterSecretRequired,
                      Alert::kHandshakeFailure));
  ServerKit lenient = FixedKit();
  lenient.profile.require_extended_master_secret = false;
  EXPECT_TRUE(Succeeded(ShakeHello(kTls12, without, lenient)));
}

// ---- T6: downgrade. RFC 8446 §4.1.3, RFC 7507 §3.

constexpr char kSentinel12[] = "444f574e47524401";

std::string RandomTail(const Outcome& outcome) {
  return ToHex(ByteView(outcome.server_random).last(8));
}

TEST(T6_Downgrade, SentinelWhereTls13WasPossible) {
  const Outcome downgraded = ShakeHello(kTls12, Unspoilt);
  ASSERT_TRUE(Succeeded(downgraded));
  EXPECT_EQ(RandomTail(downgraded), kSentinel12);
}
TEST(T6_Downgrade, NoSentinelElse) {
  EXPECT_NE(RandomTail(ShakeHello(kTls13, Unspoilt)), kSentinel12);
  ServerKit only12 = FixedKit();
  only12.profile.versions = {kTls12};
  const Outcome outcome = ShakeHello(kTls12, Unspoilt, only12);
  ASSERT_TRUE(Succeeded(outcome));
  EXPECT_NE(RandomTail(outcome), kSentinel12);
}
TEST(T6_FallbackScsv, InappropriateFallback) {
  const auto fallback = [](HelloFields& hello) {
    hello.cipher_suites.push_back(CipherSuite::kFallbackScsv);
  };
  EXPECT_TRUE(Refused(ShakeHello(kTls12, fallback), Reason::kInappropriateFallback,
                      Alert::kInappropriateFallback));
  // The highest version is no fall-back.
  EXPECT_TRUE(Succeeded(ShakeHello(kTls13, fallback)));
  ServerKit only12 = FixedKit();
  only12.profile.versions = {kTls12};
  EXPECT_TRUE(Succeeded(ShakeHello(kTls12, fallback, only12)));
}

// ---- T10: old versions. RFC 8996 §4 and §5, RFC 8446 §4.2.1 and §D.5.

TEST(T10_Versions, OldOnesAreRefused) {
  for (uint16_t version : {0x0002, 0x0200, 0x0300, 0x0301, 0x0302}) {
    const auto outcome =
        ShakeHello(kTls12, [&](HelloFields& hello) { hello.legacy_version = version; });
    EXPECT_TRUE(Refused(outcome, Reason::kUnsupportedVersion, Alert::kProtocolVersion)) << version;
  }
}
TEST(T10_Versions, OldOnesInTheExtension) {
  const auto outcome = ShakeHello(kTls13, [](HelloFields& hello) {
    hello.SetHex(ExtensionType::kSupportedVersions, "06030003010302");
  });
  EXPECT_TRUE(Refused(outcome, Reason::kUnsupportedVersion, Alert::kProtocolVersion));
}
// RFC 8446 §4.2.1: legacy_version is not looked at where the extension is.
// RFC 8446 §D.2.
TEST(T10_Versions, TheExtensionDecides) {
  for (uint16_t version : {0x0301, 0x0302, 0x0304, 0x7f7f}) {
    EXPECT_TRUE(
        Succeeded(ShakeHello(kTls13, [&](HelloFields& hello) { hello.legacy_version = version; })));
  }
}
// RFC 8446 §D.5: "Any endpoint receiving a Hello message with ClientHello.legacy_version [...] set
// to 0x0300 MUST abort the handshake with a "protocol_version" alert."
TEST(T10_Versions, Ssl3IsRefusedEvenWithTheExtension) {
  const auto outcome =
      ShakeHello(kTls13, [](HelloFields& hello) { hello.legacy_version = 0x0300; });
  EXPECT_TRUE(Refused(outcome, Reason::kUnsupportedVersion, Alert::kProtocolVersion));
}
// RFC 8446 §4.2.1: without it TLS 1.2 at most, "even if ClientHello.legacy_version is 0x0304 or
// later".
// RFC 8446 §D.2, RFC 5246 §E.1.
TEST(T10_Versions, WithoutTheExtensionTls12AtMost) {
  EXPECT_TRUE(
      Succeeded(ShakeHello(kTls12, [](HelloFields& hello) { hello.legacy_version = 0x0304; })));
  ServerKit modern = FixedKit();
  modern.profile = ModernProfile();
  EXPECT_TRUE(Refused(ShakeHello(kTls12, Unspoilt, modern), Reason::kUnsupportedVersion,
                      Alert::kProtocolVersion));
}

// ---- T9: RFC 8446 §4.2.3, RFC 5246 §7.4.1.4.1.

TEST(T9_WeakHashes, NothingButSha1OrMd5) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    for (const char* schemes : {"00020201", "00020203", "0006020102030101"}) {
      const auto outcome = ShakeHello(version, [&](HelloFields& hello) {
        hello.SetHex(ExtensionType::kSignatureAlgorithms, schemes);
      });
      EXPECT_TRUE(Refused(outcome, Reason::kNoCommonSignatureScheme, Alert::kHandshakeFailure));
    }
  }
}
// RFC 8446 §4.2.3: PKCS#1 is for certificates only, in TLS 1.3.
TEST(T9_WeakHashes, Pkcs1AloneIsNotEnoughForTls13) {
  const auto outcome = ShakeHello(kTls13, [](HelloFields& hello) {
    hello.SetHex(ExtensionType::kSignatureAlgorithms, "0006040105010601");
  });
  EXPECT_TRUE(Refused(outcome, Reason::kNoCommonSignatureScheme, Alert::kHandshakeFailure));
}
TEST(T9_WeakHashes, WithoutTheExtensionTls12MeansSha1) {
  const auto outcome = ShakeHello(
      kTls12, [](HelloFields& hello) { hello.Remove(ExtensionType::kSignatureAlgorithms); });
  EXPECT_TRUE(Refused(outcome, Reason::kNoCommonSignatureScheme, Alert::kHandshakeFailure));
}

// ---- RFC 8446 §9.2: missing_extension.

TEST(MissingExtension, OfTls13) {
  for (ExtensionType type : {ExtensionType::kSignatureAlgorithms, ExtensionType::kSupportedGroups,
                             ExtensionType::kKeyShare}) {
    const auto outcome = ShakeHello(kTls13, [&](HelloFields& hello) { hello.Remove(type); });
    EXPECT_TRUE(Refused(outcome, Reason::kMissingExtension, Alert::kMissingExtension))
        << Name(type);
  }
}

// RFC 8446 §4.2.9: a session is offered with the ways to use it, or not at all.
TEST(MissingExtension, PskKeyExchangeModes) {
  const auto offer = [](HelloFields& hello) {
    hello.SetHex(ExtensionType::kPreSharedKey,
                 "0007000178000000000021"
                 "20" +
                     std::string(64, '0'));
  };
  EXPECT_TRUE(
      Refused(ShakeHello(kTls13, offer), Reason::kMissingExtension, Alert::kMissingExtension));
  const auto with_modes = [&](HelloFields& hello) {
    hello.SetHex(ExtensionType::kPskKeyExchangeModes, "0101");
    offer(hello);
  };
  EXPECT_FALSE(ShakeHello(kTls13, with_modes).failure.has_value());
  // RFC 8446 §9.2 asks for no signature_algorithms beside a session; §4.2.3 does where it is none
  // of ours.
  const auto without_schemes = [&](HelloFields& hello) {
    hello.Remove(ExtensionType::kSignatureAlgorithms);
    with_modes(hello);
  };
  EXPECT_TRUE(Refused(ShakeHello(kTls13, without_schemes), Reason::kMissingExtension,
                      Alert::kMissingExtension));
}

// ---- Nothing in common. RFC 8446 §4.1.1.

TEST(NothingInCommon, CipherSuites) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const auto outcome = ShakeHello(version, [](HelloFields& hello) {
      hello.cipher_suites = {static_cast<CipherSuite>(0x0a0a), static_cast<CipherSuite>(0xc013)};
    });
    EXPECT_TRUE(Refused(outcome, Reason::kNoCommonCipherSuite, Alert::kHandshakeFailure));
  }
}
TEST(NothingInCommon, SuitesOfTheOtherVersion) {
  const auto outcome = ShakeHello(kTls13, [](HelloFields& hello) {
    hello.cipher_suites = {CipherSuite::kEcdheEcdsaAes128GcmSha256};
  });
  EXPECT_TRUE(Refused(outcome, Reason::kNoCommonCipherSuite, Alert::kHandshakeFailure));
}
TEST(NothingInCommon, Groups) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const auto outcome = ShakeHello(version, [&](HelloFields& hello) {
      hello.SetHex(ExtensionType::kSupportedGroups, "0002001e");
      if (version == kTls13) hello.SetHex(ExtensionType::kKeyShare, "0000");
    });
    EXPECT_TRUE(Refused(outcome, Reason::kNoCommonGroup, Alert::kHandshakeFailure));
  }
}

// ---- T24: ALPACA. RFC 7301 §3.2, RFC 6066 §3.

TEST(T24_Alpn, NoneInCommon) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    EXPECT_TRUE(Refused(ShakeHello(version, Unspoilt, FixedKit(), {.alpn = {"imap"}}),
                        Reason::kNoCommonProtocol, Alert::kNoApplicationProtocol));
    EXPECT_TRUE(Succeeded(ShakeHello(version, Unspoilt, FixedKit(), {.alpn = {"imap", "h2"}})));
    // A client that offers none takes none.
    EXPECT_TRUE(Succeeded(ShakeHello(version,
                                     [](HelloFields& hello) { hello.Remove(ExtensionType::kAlpn); },
                                     FixedKit(), {.alpn = {"imap"}})));
  }
}
TEST(T24_ServerName, UnknownByPolicy) {
  const ServerKit kit = FixedKit();
  for (ProtocolVersion version : {kTls13, kTls12}) {
    FixedRandomness randomness;
    ServerDriver server(kit, {}, randomness);
    ScriptedClient client(Sound(version));
    server.Give(FromPeer{client.Start()});
    const uint64_t id = QuestionId(*server.connection().question());
    client.Receive(server.Give(Chosen{id, nullptr, Reason::kUnrecognizedName}));
    EXPECT_EQ(client.alert(), static_cast<uint8_t>(Alert::kUnrecognizedName));
  }
}
TEST(T24_ServerName, NoHostName) {
  const auto outcome = ShakeHello(kTls13, [](HelloFields& hello) {
    hello.SetHex(ExtensionType::kServerName, "0006000003612f62");
  });
  EXPECT_TRUE(Refused(outcome, Reason::kBadServerName, Alert::kIllegalParameter));
}

// ---- RFC 8449 §4.

TEST(RecordSizeLimitBounds, BelowSixtyFour) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const auto with = [&](const char* limit) {
      return ShakeHello(version, [&](HelloFields& hello) {
        hello.SetHex(ExtensionType::kRecordSizeLimit, limit);
      });
    };
    EXPECT_TRUE(Refused(with("003f"), Reason::kBadRecordSizeLimit, Alert::kIllegalParameter));
    EXPECT_TRUE(Refused(with("0000"), Reason::kBadRecordSizeLimit, Alert::kIllegalParameter));
    EXPECT_TRUE(Succeeded(with("0040")));
    EXPECT_TRUE(Succeeded(with("ffff")));
  }
}

// ---- RFC 8422 §5.1.2.

TEST(EcPointFormats, WithoutUncompressed) {
  const auto outcome = ShakeHello(
      kTls12, [](HelloFields& hello) { hello.SetHex(ExtensionType::kEcPointFormats, "020102"); });
  EXPECT_TRUE(Refused(outcome, Reason::kBadKeyShare, Alert::kIllegalParameter));
}

// ---- T27: RFC 8446 §4.2, RFC 8701.

TEST(T27_Extensions, EachOneTwice) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const HelloFields sound = HelloFor(version);
    for (const auto& extension : sound.extensions) {
      const auto outcome =
          ShakeHello(version, [&](HelloFields& hello) { hello.extensions.push_back(extension); });
      EXPECT_TRUE(Refused(outcome, Reason::kDuplicateExtension, Alert::kIllegalParameter))
          << Name(extension.first);
    }
  }
}
TEST(T27_Extensions, SixtyFourAndOneMore) {
  for (ProtocolVersion version : {kTls13, kTls12}) {
    const auto with = [&](size_t count) {
      return ShakeHello(version, [&](HelloFields& hello) {
        for (uint16_t type = 0x4000; hello.extensions.size() < count; ++type) {
          hello.extensions.emplace_back(static_cast<ExtensionType>(type), Bytes{});
        }
      });
    };
    EXPECT_TRUE(Succeeded(with(64)));
    EXPECT_TRUE(Refused(with(65), Reason::kDecodeError, Alert::kDecodeError));
    EXPECT_TRUE(Refused(with(4000), Reason::kDecodeError, Alert::kDecodeError));
  }
}
// RFC 8701 §3.1: in every place where a value may be unknown.
TEST(T27_Grease, IsTolerated) {
  EXPECT_TRUE(Succeeded(ShakeHello(kTls13, [](HelloFields& hello) {
    hello.cipher_suites.insert(hello.cipher_suites.begin(), static_cast<CipherSuite>(0x0a0a));
    hello.extensions.insert(hello.extensions.begin(), {static_cast<ExtensionType>(0x1a1a), {}});
    hello.extensions.push_back({static_cast<ExtensionType>(0xfafa), {0}});
    hello.SetHex(ExtensionType::kSupportedVersions, "042a2a0304");
    hello.SetHex(ExtensionType::kSupportedGroups, "00043a3a001d");
    hello.SetHex(ExtensionType::kSignatureAlgorithms, "00044a4a0807");
    hello.SetHex(ExtensionType::kAlpn, "0006025a5a026832");
    Bytes& shares = *hello.Find(ExtensionType::kKeyShare);
    const Bytes grease = FromHex("3a3a000100").value();
    shares.insert(shares.begin() + 2, grease.begin(), grease.end());
    shares[1] = static_cast<uint8_t>(shares[1] + grease.size());
  })));
}
TEST(T26_PreSharedKey, NotLast) {
  const auto outcome = ShakeHello(kTls13, [](HelloFields& hello) {
    const Bytes psk = *FromHex(
        "0007000178000000000021"
        "20" +
        std::string(64, '0'));
    hello.extensions.insert(hello.extensions.begin(), {ExtensionType::kPreSharedKey, psk});
  });
  EXPECT_TRUE(Refused(outcome, Reason::kPskNotLast, Alert::kIllegalParameter));
}

}  // namespace
}  // namespace handfast::tls::test
