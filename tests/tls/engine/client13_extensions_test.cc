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

// RFC 8446 §4.2.3: what it says of certificates alone.
TEST(CertificateRequestRules, SignatureAlgorithmsCert) {
  const Bytes schemes = Serialize(SignatureSchemeList{{SignatureScheme::kRsaPkcs1Sha256}});
  EXPECT_EQ(InCertificateRequest({{kSignatureAlgorithmsCert, schemes}}), std::nullopt);
  EXPECT_EQ(InCertificateRequest({{kSignatureAlgorithmsCert, {}}}), Reason::kDecodeError);
  const Bytes odd = {0, 3, 4, 1, 4};
  EXPECT_EQ(InCertificateRequest({{kSignatureAlgorithmsCert, odd}}), Reason::kDecodeError);
}

// No certificate parses here, which is found last: kBadCertificate says that the extensions were
// taken.
std::optional<Reason> InCertificate(std::vector<Extensions> entries) {
  const Bytes no_certificate = {0x30, 0x00};
  tls13::Certificate message;
  for (Extensions& extensions : entries) {
    message.certificate_list.push_back({no_certificate, std::move(extensions)});
  }
  return Judge(client13::WaitCertificateOrRequest{Begun()}, message);
}

// RFC 8446 §4.4.2 and §4.4.2.1: nothing but what the ClientHello asked for, and of its form.
TEST(CertificateRules, StatusRequest) {
  const Bytes response = {0x30, 0x03, 0x0a, 0x01, 0x06};
  const Bytes good = Serialize(CertificateStatus{.ocsp_response = response});
  const Extension staple{kStatusRequest, good};
  EXPECT_EQ(InCertificate({{}}), Reason::kBadCertificate) << "the control";
  EXPECT_EQ(InCertificate({{staple}}), Reason::kBadCertificate) << "it is taken";
  EXPECT_EQ(InCertificate({{staple}, {staple}}), Reason::kBadCertificate) << "of any entry";
  EXPECT_EQ(InCertificate({{staple, staple}}), Reason::kDuplicateExtension);
  Bytes other = good;
  other[0] = 2;  // status_type ocsp_multi
  for (size_t size = 0; size < good.size(); ++size) {
    const Extension cut{kStatusRequest, ByteView(good).first(size)};
    EXPECT_EQ(InCertificate({{cut}}), Reason::kDecodeError) << size;
    EXPECT_EQ(InCertificate({{staple}, {cut}}), Reason::kDecodeError) << size;
  }
  EXPECT_EQ(InCertificate({{{kStatusRequest, other}}}), Reason::kDecodeError);
  for (const ExtensionType type : kKnown) {
    EXPECT_EQ(InCertificate({{{type, {}}}}), Reason::kUnsolicitedExtension) << Name(type);
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
