#include "tls/engine/negotiation.h"

#include <algorithm>

namespace handfast::tls {

std::optional<SignatureScheme> CommonScheme(const std::vector<SignatureScheme>& asked,
                                            const Credential& credential) {
  // RFC 8446 §4.4.2.2: "The server's end-entity certificate's public key (and associated
  // restrictions) MUST be compatible with the selected authentication algorithm from the client's
  // "signature_algorithms" extension (currently RSA, ECDSA, or EdDSA)." RFC 5246 §7.4.3: "In
  // addition, the hash and signature algorithms MUST be compatible with the key in the server's
  // end-entity certificate."
  return FirstCommon(asked, credential.schemes);
}

SchemeSet CertificateSchemes(ProtocolVersion version, const std::vector<SignatureScheme>& listed) {
  SchemeSet schemes = SchemeSet::Of(listed);
  // RFC 8422 §5.4: before TLS 1.3 an ECDSA pair names the hash and no curve.
  if (version == ProtocolVersion::kTls12) schemes.AddAnyCurve();
  return schemes;
}

bool IsPkcs1(SignatureScheme scheme) {
  return scheme == SignatureScheme::kRsaPkcs1Sha256 || scheme == SignatureScheme::kRsaPkcs1Sha384 ||
         scheme == SignatureScheme::kRsaPkcs1Sha512;
}

bool MaySignTls13(const Profile& profile, SignatureScheme scheme) {
  // RFC 8446 §4.4.3: "RSA signatures MUST use an RSASSA-PSS algorithm, regardless of whether
  // RSASSA-PKCS1-v1_5 algorithms appear in "signature_algorithms"."
  return Contains(profile.signature_schemes, scheme) && !IsPkcs1(scheme);
}

SuiteAuthentication AuthenticationOf(SignatureScheme scheme) {
  const bool ecdsa = CurveOf(scheme).has_value() || scheme == SignatureScheme::kEd25519;
  return ecdsa ? SuiteAuthentication::kEcdsa : SuiteAuthentication::kRsa;
}

std::optional<NamedGroup> CurveOf(SignatureScheme scheme) {
  switch (scheme) {
    case SignatureScheme::kEcdsaSecp256r1Sha256:
      return NamedGroup::kSecp256r1;
    case SignatureScheme::kEcdsaSecp384r1Sha384:
      return NamedGroup::kSecp384r1;
    case SignatureScheme::kEcdsaSecp521r1Sha512:
      return NamedGroup::kSecp521r1;
    default:
      return std::nullopt;
  }
}

namespace tls13 {

uint16_t MaxPlaintext(const Profile& profile, bool negotiated) {
  constexpr uint16_t kUnlimited = 16384;
  if (!negotiated || profile.record_size_limit == 0) return kUnlimited;
  return static_cast<uint16_t>(profile.record_size_limit - 1);
}

}  // namespace tls13

namespace tls12 {

uint16_t MaxPlaintext(const Profile& profile, bool negotiated) {
  constexpr uint16_t kUnlimited = 16384;
  if (!negotiated || profile.record_size_limit == 0) return kUnlimited;
  return std::min(profile.record_size_limit, kUnlimited);
}

}  // namespace tls12

}  // namespace handfast::tls
