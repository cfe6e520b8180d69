#include "tls/engine/profile.h"

#include <iterator>
#include <utility>

namespace handfast::tls {
namespace {

// TLS 1.2 peers that predate RSA-PSS sign with them; TLS 1.3 keeps them to certificates, and
// authorities sign nearly all RSA certificates so.
constexpr SignatureScheme kPkcs1[] = {SignatureScheme::kRsaPkcs1Sha256,
                                      SignatureScheme::kRsaPkcs1Sha384,
                                      SignatureScheme::kRsaPkcs1Sha512};

std::string_view ClientAuthName(ClientAuth mode) {
  switch (mode) {
    case ClientAuth::kNone:
      return "none";
    case ClientAuth::kOptional:
      return "optional";
    case ClientAuth::kRequired:
      return "required";
  }
  return "none";
}

template <class T>
void AppendList(std::string& text, std::string_view key, const std::vector<T>& values) {
  text.append(key).append(":");
  for (const T& value : values) text.append(" ").append(Name(value));
  text.append("\n");
}

void AppendFlag(std::string& text, std::string_view key, bool value) {
  text.append(key).append(value ? ": yes\n" : ": no\n");
}

}  // namespace

Profile ModernProfile() {
  Profile profile;
  profile.name = "modern";
  profile.versions = {ProtocolVersion::kTls13};
  profile.cipher_suites = {CipherSuite::kTlsAes128GcmSha256, CipherSuite::kTlsAes256GcmSha384,
                           CipherSuite::kTlsChaCha20Poly1305Sha256};
  // Hybrids count where the running libcrypto has ML-KEM, and are passed over elsewhere.
  profile.groups = {NamedGroup::kX25519MlKem768, NamedGroup::kSecP256r1MlKem768,
                    NamedGroup::kX25519, NamedGroup::kSecp256r1};
  profile.signature_schemes = {
      SignatureScheme::kEcdsaSecp256r1Sha256, SignatureScheme::kEcdsaSecp384r1Sha384,
      SignatureScheme::kEcdsaSecp521r1Sha512, SignatureScheme::kEd25519,
      SignatureScheme::kRsaPssRsaeSha256,     SignatureScheme::kRsaPssRsaeSha384,
      SignatureScheme::kRsaPssRsaeSha512};
  // RFC 8446 §9.1: "A TLS-compliant application MUST support digital signatures with
  // rsa_pkcs1_sha256 (for certificates)".
  profile.certificate_schemes = profile.signature_schemes;
  profile.certificate_schemes.insert(profile.certificate_schemes.end(), std::begin(kPkcs1),
                                     std::end(kPkcs1));
  return profile;
}

Profile IntermediateProfile() {
  Profile profile = ModernProfile();
  profile.name = "intermediate";
  profile.versions = {ProtocolVersion::kTls13, ProtocolVersion::kTls12};
  profile.cipher_suites.insert(
      profile.cipher_suites.end(),
      {CipherSuite::kEcdheEcdsaAes128GcmSha256, CipherSuite::kEcdheRsaAes128GcmSha256,
       CipherSuite::kEcdheEcdsaAes256GcmSha384, CipherSuite::kEcdheRsaAes256GcmSha384,
       CipherSuite::kEcdheEcdsaChaCha20Poly1305Sha256,
       CipherSuite::kEcdheRsaChaCha20Poly1305Sha256});
  profile.groups.push_back(NamedGroup::kSecp384r1);
  profile.signature_schemes = std::exchange(profile.certificate_schemes, {});
  return profile;
}

Profile LegacyProfile() {
  using enum CipherSuite;
  Profile profile = IntermediateProfile();
  profile.name = "legacy";
  profile.cipher_suites.insert(profile.cipher_suites.end(), {kEcdheEcdsaAes128CbcSha256,
                                                             kEcdheRsaAes128CbcSha256,
                                                             kEcdheEcdsaAes256CbcSha384,
                                                             kEcdheRsaAes256CbcSha384,
                                                             kEcdheEcdsaAes128CbcSha,
                                                             kEcdheRsaAes128CbcSha,
                                                             kEcdheEcdsaAes256CbcSha,
                                                             kEcdheRsaAes256CbcSha,
                                                             kDheRsaAes128GcmSha256,
                                                             kDheRsaAes256GcmSha384,
                                                             kDheRsaChaCha20Poly1305Sha256,
                                                             kDheRsaAes128CbcSha256,
                                                             kDheRsaAes256CbcSha256,
                                                             kDheRsaAes128CbcSha,
                                                             kDheRsaAes256CbcSha,
                                                             kRsaAes128GcmSha256,
                                                             kRsaAes256GcmSha384,
                                                             kRsaAes128CbcSha256,
                                                             kRsaAes256CbcSha256,
                                                             kRsaAes128CbcSha,
                                                             kRsaAes256CbcSha});
  profile.groups.insert(profile.groups.end(), {NamedGroup::kFfdhe2048, NamedGroup::kFfdhe3072});
  profile.require_extended_master_secret = false;
  return profile;
}

std::string ToText(const Profile& profile) {
  std::string text = "profile: " + profile.name + "\n";
  AppendList(text, "versions", profile.versions);
  AppendList(text, "cipher_suites", profile.cipher_suites);
  AppendList(text, "groups", profile.groups);
  AppendList(text, "signature_schemes", profile.signature_schemes);
  AppendList(text, "certificate_schemes", profile.certificate_schemes);
  text.append("client_auth: ").append(ClientAuthName(profile.client_auth)).append("\n");
  text.append("certificate_authorities: ")
      .append(std::to_string(profile.certificate_authorities.size()))
      .append("\n");
  AppendFlag(text, "refuse_unknown_names", profile.refuse_unknown_names);
  AppendFlag(text, "require_extended_master_secret", profile.require_extended_master_secret);
  AppendFlag(text, "require_renegotiation_info", profile.require_renegotiation_info);
  text.append("session_tickets: ").append(std::to_string(profile.session_tickets)).append("\n");
  text.append("session_lifetime_s: ")
      .append(std::to_string(profile.session_lifetime_s))
      .append("\n");
  text.append("record_size_limit: ").append(std::to_string(profile.record_size_limit)).append("\n");
  return text;
}

}  // namespace handfast::tls
