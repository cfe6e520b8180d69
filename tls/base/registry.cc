#include "tls/base/registry.h"

#include <span>

namespace handfast::tls {
namespace {

template <class E>
struct Row {
  E value;
  std::string_view name;
};

constexpr Row<ProtocolVersion> kVersions[] = {
    {ProtocolVersion::kSsl3, "SSLv3"},    {ProtocolVersion::kTls10, "TLSv1.0"},
    {ProtocolVersion::kTls11, "TLSv1.1"}, {ProtocolVersion::kTls12, "TLSv1.2"},
    {ProtocolVersion::kTls13, "TLSv1.3"},
};

constexpr Row<CipherSuite> kSuites[] = {
    {CipherSuite::kTlsAes128GcmSha256, "TLS_AES_128_GCM_SHA256"},
    {CipherSuite::kTlsAes256GcmSha384, "TLS_AES_256_GCM_SHA384"},
    {CipherSuite::kTlsChaCha20Poly1305Sha256, "TLS_CHACHA20_POLY1305_SHA256"},
    {CipherSuite::kEcdheEcdsaAes128GcmSha256, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {CipherSuite::kEcdheEcdsaAes256GcmSha384, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {CipherSuite::kEcdheRsaAes128GcmSha256, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {CipherSuite::kEcdheRsaAes256GcmSha384, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {CipherSuite::kEcdheRsaChaCha20Poly1305Sha256, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {CipherSuite::kEcdheEcdsaChaCha20Poly1305Sha256,
     "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {CipherSuite::kEcdheEcdsaAes128CbcSha, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    {CipherSuite::kEcdheEcdsaAes256CbcSha, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    {CipherSuite::kEcdheEcdsaAes128CbcSha256, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {CipherSuite::kEcdheEcdsaAes256CbcSha384, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
    {CipherSuite::kEcdheRsaAes128CbcSha, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    {CipherSuite::kEcdheRsaAes256CbcSha, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    {CipherSuite::kEcdheRsaAes128CbcSha256, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    {CipherSuite::kEcdheRsaAes256CbcSha384, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
    {CipherSuite::kDheRsaAes128GcmSha256, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
    {CipherSuite::kDheRsaAes256GcmSha384, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
    {CipherSuite::kDheRsaChaCha20Poly1305Sha256, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {CipherSuite::kDheRsaAes128CbcSha, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"},
    {CipherSuite::kDheRsaAes256CbcSha, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"},
    {CipherSuite::kDheRsaAes128CbcSha256, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
    {CipherSuite::kDheRsaAes256CbcSha256, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"},
    {CipherSuite::kRsaAes128GcmSha256, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {CipherSuite::kRsaAes256GcmSha384, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {CipherSuite::kRsaAes128CbcSha, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {CipherSuite::kRsaAes256CbcSha, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    {CipherSuite::kRsaAes128CbcSha256, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
    {CipherSuite::kRsaAes256CbcSha256, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    {CipherSuite::kEmptyRenegotiationInfoScsv, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"},
    {CipherSuite::kFallbackScsv, "TLS_FALLBACK_SCSV"},
};

constexpr Row<NamedGroup> kGroups[] = {
    {NamedGroup::kSecp256r1, "secp256r1"},
    {NamedGroup::kSecp384r1, "secp384r1"},
    {NamedGroup::kSecp521r1, "secp521r1"},
    {NamedGroup::kX25519, "x25519"},
    {NamedGroup::kX448, "x448"},
    {NamedGroup::kFfdhe2048, "ffdhe2048"},
    {NamedGroup::kFfdhe3072, "ffdhe3072"},
    {NamedGroup::kFfdhe4096, "ffdhe4096"},
    {NamedGroup::kFfdhe6144, "ffdhe6144"},
    {NamedGroup::kFfdhe8192, "ffdhe8192"},
    {NamedGroup::kSecP256r1MlKem768, "SecP256r1MLKEM768"},
    {NamedGroup::kX25519MlKem768, "X25519MLKEM768"},
};

constexpr Row<SignatureScheme> kSchemes[] = {
    {SignatureScheme::kRsaPkcs1Sha256, "rsa_pkcs1_sha256"},
    {SignatureScheme::kRsaPkcs1Sha384, "rsa_pkcs1_sha384"},
    {SignatureScheme::kRsaPkcs1Sha512, "rsa_pkcs1_sha512"},
    {SignatureScheme::kEcdsaSecp256r1Sha256, "ecdsa_secp256r1_sha256"},
    {SignatureScheme::kEcdsaSecp384r1Sha384, "ecdsa_secp384r1_sha384"},
    {SignatureScheme::kEcdsaSecp521r1Sha512, "ecdsa_secp521r1_sha512"},
    {SignatureScheme::kRsaPssRsaeSha256, "rsa_pss_rsae_sha256"},
    {SignatureScheme::kRsaPssRsaeSha384, "rsa_pss_rsae_sha384"},
    {SignatureScheme::kRsaPssRsaeSha512, "rsa_pss_rsae_sha512"},
    {SignatureScheme::kEd25519, "ed25519"},
    {SignatureScheme::kRsaPkcs1Sha1, "rsa_pkcs1_sha1"},
    {SignatureScheme::kEcdsaSha1, "ecdsa_sha1"},
};

constexpr Row<ContentType> kContentTypes[] = {
    {ContentType::kChangeCipherSpec, "change_cipher_spec"},
    {ContentType::kAlert, "alert"},
    {ContentType::kHandshake, "handshake"},
    {ContentType::kApplicationData, "application_data"},
};

constexpr Row<HandshakeType> kHandshakeTypes[] = {
    {HandshakeType::kHelloRequest, "hello_request"},
    {HandshakeType::kClientHello, "client_hello"},
    {HandshakeType::kServerHello, "server_hello"},
    {HandshakeType::kNewSessionTicket, "new_session_ticket"},
    {HandshakeType::kEndOfEarlyData, "end_of_early_data"},
    {HandshakeType::kEncryptedExtensions, "encrypted_extensions"},
    {HandshakeType::kCertificate, "certificate"},
    {HandshakeType::kServerKeyExchange, "server_key_exchange"},
    {HandshakeType::kCertificateRequest, "certificate_request"},
    {HandshakeType::kServerHelloDone, "server_hello_done"},
    {HandshakeType::kCertificateVerify, "certificate_verify"},
    {HandshakeType::kClientKeyExchange, "client_key_exchange"},
    {HandshakeType::kFinished, "finished"},
    {HandshakeType::kCertificateStatus, "certificate_status"},
    {HandshakeType::kKeyUpdate, "key_update"},
    {HandshakeType::kMessageHash, "message_hash"},
};

constexpr Row<ExtensionType> kExtensions[] = {
    {ExtensionType::kServerName, "server_name"},
    {ExtensionType::kStatusRequest, "status_request"},
    {ExtensionType::kSupportedGroups, "supported_groups"},
    {ExtensionType::kEcPointFormats, "ec_point_formats"},
    {ExtensionType::kSignatureAlgorithms, "signature_algorithms"},
    {ExtensionType::kAlpn, "application_layer_protocol_negotiation"},
    {ExtensionType::kPadding, "padding"},
    {ExtensionType::kEncryptThenMac, "encrypt_then_mac"},
    {ExtensionType::kExtendedMasterSecret, "extended_master_secret"},
    {ExtensionType::kRecordSizeLimit, "record_size_limit"},
    {ExtensionType::kSessionTicket, "session_ticket"},
    {ExtensionType::kPreSharedKey, "pre_shared_key"},
    {ExtensionType::kEarlyData, "early_data"},
    {ExtensionType::kSupportedVersions, "supported_versions"},
    {ExtensionType::kCookie, "cookie"},
    {ExtensionType::kPskKeyExchangeModes, "psk_key_exchange_modes"},
    {ExtensionType::kCertificateAuthorities, "certificate_authorities"},
    {ExtensionType::kSignatureAlgorithmsCert, "signature_algorithms_cert"},
    {ExtensionType::kKeyShare, "key_share"},
    {ExtensionType::kRenegotiationInfo, "renegotiation_info"},
};

std::string Hex(uint64_t value, size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "0x";
  for (size_t i = digits; i-- > 0;) text.push_back(kDigits[value >> (4 * i) & 15]);
  return text;
}

template <class E>
std::string Find(std::span<const Row<E>> rows, E value) {
  for (const Row<E>& row : rows) {
    if (row.value == value) return std::string(row.name);
  }
  return Hex(static_cast<uint64_t>(value), 2 * sizeof(E));
}

}  // namespace

std::string Name(ProtocolVersion version) { return Find<ProtocolVersion>(kVersions, version); }
std::string Name(CipherSuite suite) { return Find<CipherSuite>(kSuites, suite); }
std::string Name(NamedGroup group) { return Find<NamedGroup>(kGroups, group); }
std::string Name(SignatureScheme scheme) { return Find<SignatureScheme>(kSchemes, scheme); }
std::string Name(ContentType type) { return Find<ContentType>(kContentTypes, type); }
std::string Name(HandshakeType type) { return Find<HandshakeType>(kHandshakeTypes, type); }
std::string Name(ExtensionType type) { return Find<ExtensionType>(kExtensions, type); }

}  // namespace handfast::tls
