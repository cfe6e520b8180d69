// The IANA numbers that more than one package needs, under their RFC names. A number that a peer
// sends and that is not listed here stays what it is: these enumerations are open.
#ifndef HANDFAST_TLS_BASE_REGISTRY_H_
#define HANDFAST_TLS_BASE_REGISTRY_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace handfast::tls {

enum class ProtocolVersion : uint16_t {
  kSsl3 = 0x0300,
  kTls10 = 0x0301,
  kTls11 = 0x0302,
  kTls12 = 0x0303,
  kTls13 = 0x0304,
};

// RFC 8446 §B.4; RFC 5246 §A.5, RFC 5288, RFC 5289, RFC 7905, RFC 8422 §6.
enum class CipherSuite : uint16_t {
  kTlsAes128GcmSha256 = 0x1301,
  kTlsAes256GcmSha384 = 0x1302,
  kTlsChaCha20Poly1305Sha256 = 0x1303,
  kEcdheEcdsaAes128GcmSha256 = 0xc02b,
  kEcdheEcdsaAes256GcmSha384 = 0xc02c,
  kEcdheRsaAes128GcmSha256 = 0xc02f,
  kEcdheRsaAes256GcmSha384 = 0xc030,
  kEcdheRsaChaCha20Poly1305Sha256 = 0xcca8,
  kEcdheEcdsaChaCha20Poly1305Sha256 = 0xcca9,
  kEcdheEcdsaAes128CbcSha = 0xc009,
  kEcdheEcdsaAes256CbcSha = 0xc00a,
  kEcdheEcdsaAes128CbcSha256 = 0xc023,
  kEcdheEcdsaAes256CbcSha384 = 0xc024,
  kEcdheRsaAes128CbcSha = 0xc013,
  kEcdheRsaAes256CbcSha = 0xc014,
  kEcdheRsaAes128CbcSha256 = 0xc027,
  kEcdheRsaAes256CbcSha384 = 0xc028,
  kDheRsaAes128GcmSha256 = 0x009e,
  kDheRsaAes256GcmSha384 = 0x009f,
  kDheRsaChaCha20Poly1305Sha256 = 0xccaa,
  kDheRsaAes128CbcSha = 0x0033,
  kDheRsaAes256CbcSha = 0x0039,
  kDheRsaAes128CbcSha256 = 0x0067,
  kDheRsaAes256CbcSha256 = 0x006b,
  kRsaAes128GcmSha256 = 0x009c,
  kRsaAes256GcmSha384 = 0x009d,
  kRsaAes128CbcSha = 0x002f,
  kRsaAes256CbcSha = 0x0035,
  kRsaAes128CbcSha256 = 0x003c,
  kRsaAes256CbcSha256 = 0x003d,
  // Signalling values, never negotiated: RFC 5746 §3.3, RFC 7507 §2.
  kEmptyRenegotiationInfoScsv = 0x00ff,
  kFallbackScsv = 0x5600,
};

// RFC 8446 §4.2.7, draft-ietf-tls-ecdhe-mlkem.
// RFC 8446 §B.3.1.4: "Values within "obsolete_RESERVED" ranges are used in previous versions of TLS
// and MUST NOT be offered or negotiated by TLS 1.3 implementations."
enum class NamedGroup : uint16_t {
  kSecp256r1 = 0x0017,
  kSecp384r1 = 0x0018,
  kSecp521r1 = 0x0019,
  kX25519 = 0x001d,
  kX448 = 0x001e,
  kFfdhe2048 = 0x0100,
  kFfdhe3072 = 0x0101,
  kFfdhe4096 = 0x0102,
  kFfdhe6144 = 0x0103,
  kFfdhe8192 = 0x0104,
  kSecP256r1MlKem768 = 0x11eb,
  kX25519MlKem768 = 0x11ec,
};

// RFC 8446 §4.2.3.
enum class SignatureScheme : uint16_t {
  kRsaPkcs1Sha256 = 0x0401,
  kRsaPkcs1Sha384 = 0x0501,
  kRsaPkcs1Sha512 = 0x0601,
  kEcdsaSecp256r1Sha256 = 0x0403,
  kEcdsaSecp384r1Sha384 = 0x0503,
  kEcdsaSecp521r1Sha512 = 0x0603,
  kRsaPssRsaeSha256 = 0x0804,
  kRsaPssRsaeSha384 = 0x0805,
  kRsaPssRsaeSha512 = 0x0806,
  kEd25519 = 0x0807,
  kRsaPkcs1Sha1 = 0x0201,
  kEcdsaSha1 = 0x0203,
};

// RFC 8446 §5.1.
// RFC 8446 §5: "Implementations MUST NOT send record types not defined in this document unless
// negotiated by some extension." RFC 5246 §6: "Implementations MUST NOT send record types not
// defined in this document unless negotiated by some extension."
enum class ContentType : uint8_t {
  kChangeCipherSpec = 20,
  kAlert = 21,
  kHandshake = 22,
  kApplicationData = 23,
};

// RFC 8446 §4, RFC 5246 §7.4, RFC 6066 §8.
enum class HandshakeType : uint8_t {
  kHelloRequest = 0,
  kClientHello = 1,
  kServerHello = 2,
  kNewSessionTicket = 4,
  kEndOfEarlyData = 5,
  kEncryptedExtensions = 8,
  kCertificate = 11,
  kServerKeyExchange = 12,
  kCertificateRequest = 13,
  kServerHelloDone = 14,
  kCertificateVerify = 15,
  kClientKeyExchange = 16,
  kFinished = 20,
  kCertificateStatus = 22,
  kKeyUpdate = 24,
  kMessageHash = 254,
};

// RFC 8446 §4.2 and the RFCs that protocol.md lists.
enum class ExtensionType : uint16_t {
  kServerName = 0,
  kStatusRequest = 5,
  kSupportedGroups = 10,
  kEcPointFormats = 11,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kPadding = 21,
  kEncryptThenMac = 22,
  kExtendedMasterSecret = 23,
  kRecordSizeLimit = 28,
  kSessionTicket = 35,
  kPreSharedKey = 41,
  kEarlyData = 42,
  kSupportedVersions = 43,
  kCookie = 44,
  kPskKeyExchangeModes = 45,
  kCertificateAuthorities = 47,
  kSignatureAlgorithmsCert = 50,
  kKeyShare = 51,
  kRenegotiationInfo = 0xff01,
};

// Names as the RFCs print them, for the ladder, logs and metric labels; "0x1a2a" where unknown.
std::string Name(ProtocolVersion version);  // "TLSv1.3"
std::string Name(CipherSuite suite);        // "TLS_AES_128_GCM_SHA256"
std::string Name(NamedGroup group);         // "x25519"
std::string Name(SignatureScheme scheme);   // "ecdsa_secp256r1_sha256"
std::string Name(ContentType type);         // "handshake"
std::string Name(HandshakeType type);       // "client_hello"
std::string Name(ExtensionType type);       // "server_name"

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_BASE_REGISTRY_H_
