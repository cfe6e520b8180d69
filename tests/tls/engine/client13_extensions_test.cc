// Extensions that a server puts where they do not belong: each known one in EncryptedExtensions and
// in a CertificateRequest, given to the state that waits for them.
#include <algorithm>

#include <gtest/gtest.h>

#include "tls/engine/engine.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

using enum ExtensionType;

constexpr ExtensionType kKnown[] = {kServerName,
                                    kSupportedGroups,
                                    kEcPointFormats,
                                    kSignatureAlgorithms,
                                    kAlpn,
                                    kPadding,
                                    kEncryptThenMac,
                                    kExtendedMasterSecret,
                                    kRecordSizeLimit,
                                    kSessionTicket,
                                    kPreSharedKey,
                                    kEarlyData,
                                    kSupportedVersions,
                                    kCookie,
                                    kPskKeyExchangeModes,
                                    kCertificateAuthorities,
                                    kKeyShare,
                                    kRenegotiationInfo};

client13::Handshake Begun() {
  client13::Handshake handshake;
  handshake.negotiated = std::make_unique<Established>();
  handshake.negotiated->version = ProtocolVersion::kTls13;
  handshake.negotiated->cipher_suite = CipherSuite::kTlsAes128GcmSha256;
  return handshake;
}

// Nullopt where the message is taken.
template <class M>
std::optional<Reason> Judge(EngineState state, const M& message) {
  const Profile profile = ModernProfile();
  const Context context{profile, SystemRandomness()};
  Bytes bytes;
  EXPECT_TRUE(AppendMessage(bytes, message));
  const Transition transition = Step(std::move(state), bytes, context);
  const auto* failed = std::get_if<Failed>(&transition.next);
  return failed == nullptr ? std::nullopt : std::optional(failed->reason);
}

std::optional<Reason> InEncryptedExtensions(const Extensions& extensions) {
  return Judge(client13::WaitEncryptedExtensions{Begun(), {}}, EncryptedExtensions{extensions});
}

std::optional<Reason> InCertificateRequest(Extensions extensions) {
  const Bytes schemes = Serialize(SignatureSchemeList{{SignatureScheme::kEcdsaSecp256r1Sha256}});
  extensions.push_back({kSignatureAlgorithms, schemes});
  tls13::CertificateRequest request;
  request.extensions = std::move(extensions);
  return Judge(client13::WaitCertificateOrRequest{Begun()}, request);
}

// RFC 8446 §4.3.1: a forbidden one is illegal_parameter; §4.2: what nobody asked for is
// unsupported_extension.
TEST(EncryptedExtensionsRules, ForbiddenOnes) {
  const Bytes groups = Serialize(NamedGroupList{{NamedGroup::kX25519}});
  EXPECT_EQ(InEncryptedExtensions({{kSupportedGroups, groups}}), std::nullopt) << "the control";
  for (const ExtensionType type : kKnown) {
    if (type == kSupportedGroups || type == kRecordSizeLimit) continue;  // they belong here
    const bool unasked = type == kServerName || type == kAlpn || type == kEarlyData ||
                         type == kCertificateAuthorities;
    EXPECT_EQ(InEncryptedExtensions({{type, {}}}),
              unasked ? Reason::kUnsolicitedExtension : Reason::kMisplacedExtension)
        << Name(type);
  }
  EXPECT_EQ(InEncryptedExtensions({{ExtensionType{0x1a2a}, {}}}), Reason::kUnsolicitedExtension);
}

// RFC 8446 §4.3.2: unknown ones are ignored; §4.2: those of other messages are illegal_parameter.
TEST(CertificateRequestRules, ForbiddenOnes) {
  EXPECT_EQ(InCertificateRequest({{ExtensionType{0x1a2a}, {}}}), std::nullopt) << "the control";
  EXPECT_EQ(InCertificateRequest({{kStatusRequest, {}}}), std::nullopt) << "it may ask for one";
  for (const ExtensionType type : kKnown) {
    if (type == kSignatureAlgorithms || type == kCertificateAuthorities) continue;
    EXPECT_EQ(InCertificateRequest({{type, {}}}), Reason::kMisplacedExtension) << Name(type);
  }
}

TEST(CertificateRequestRules, EachTwice) {
  EXPECT_EQ(InCertificateRequest({{ExtensionType{0x1a2a}, {}}, {ExtensionType{0x1a2a}, {}}}),
            Reason::kDuplicateExtension);
  const Bytes groups = Serialize(NamedGroupList{{NamedGroup::kX25519}});
  EXPECT_EQ(InEncryptedExtensions({{kSupportedGroups, groups}, {kSupportedGroups, groups}}),
            Reason::kDuplicateExtension);
}

}  // namespace
}  // namespace handfast::tls::test
