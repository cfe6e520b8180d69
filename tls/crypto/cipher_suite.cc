#include "tls/crypto/cipher_suite.h"

namespace handfast::tls {
namespace {

using enum CipherSuite;
using enum AeadAlgorithm;
using Auth = SuiteAuthentication;
using Kex = SuiteKeyExchange;

constexpr HashAlgorithm kSha256 = HashAlgorithm::kSha256;
constexpr HashAlgorithm kSha384 = HashAlgorithm::kSha384;

constexpr SuiteInfo Tls13(CipherSuite suite, AeadAlgorithm aead, HashAlgorithm hash) {
  return {suite, ProtocolVersion::kTls13, aead, hash, Auth::kAny};
}

constexpr SuiteInfo WithAead(CipherSuite suite, Kex key_exchange, Auth authentication,
                             AeadAlgorithm aead, HashAlgorithm hash) {
  return {suite, ProtocolVersion::kTls12, aead, hash, authentication, key_exchange};
}

// RFC 5246 §5 and RFC 5289 §3.1: the PRF uses SHA-256 unless the suite's name says SHA384.
constexpr SuiteInfo WithCbc(CipherSuite suite, Kex key_exchange, Auth authentication,
                            uint8_t key_size, CbcMac mac) {
  return {suite,
          ProtocolVersion::kTls12,
          AeadAlgorithm{},
          mac == CbcMac::kHmacSha384 ? kSha384 : kSha256,
          authentication,
          key_exchange,
          CbcAlgorithm{key_size, mac}};
}

// What is not listed is neither offered nor taken: no suite without encryption or authentication,
// with RC4, or with less than 112 bits. RFC 8446 §9.1: "A TLS-compliant application MUST implement
// the TLS_AES_128_GCM_SHA256 [GCM] cipher suite and SHOULD implement the TLS_AES_256_GCM_SHA384
// [GCM] and TLS_CHACHA20_POLY1305_SHA256 [RFC8439] cipher suites (see Appendix B.4)." §D.5:
// "Implementations MUST NOT offer or negotiate RC4 cipher suites for any version of TLS for any
// reason." And: "Ciphers with a strength less than 112 bits MUST NOT be offered or negotiated for
// any version of TLS for any reason." RFC 5246 §A.5: "TLS_NULL_WITH_NULL_NULL is specified and is
// the initial state of a TLS connection during the first handshake on that channel, but MUST NOT be
// negotiated, as it provides no more protection than an unsecured connection." And: "Using this
// mode therefore is of limited use: These cipher suites MUST NOT be used by TLS 1.2 implementations
// unless the application layer has specifically requested to allow anonymous key exchange." §9: "In
// the absence of an application profile standard specifying otherwise, a TLS-compliant application
// MUST implement the cipher suite TLS_RSA_WITH_AES_128_CBC_SHA (see Appendix A.5 for the
// definition)."
constexpr SuiteInfo kSuites[] = {
    Tls13(kTlsAes128GcmSha256, kAes128Gcm, kSha256),
    Tls13(kTlsAes256GcmSha384, kAes256Gcm, kSha384),
    Tls13(kTlsChaCha20Poly1305Sha256, kChaCha20Poly1305, kSha256),

    WithAead(kEcdheEcdsaAes128GcmSha256, Kex::kEcdhe, Auth::kEcdsa, kAes128Gcm, kSha256),
    WithAead(kEcdheEcdsaAes256GcmSha384, Kex::kEcdhe, Auth::kEcdsa, kAes256Gcm, kSha384),
    WithAead(kEcdheEcdsaChaCha20Poly1305Sha256, Kex::kEcdhe, Auth::kEcdsa, kChaCha20Poly1305,
             kSha256),
    WithAead(kEcdheRsaAes128GcmSha256, Kex::kEcdhe, Auth::kRsa, kAes128Gcm, kSha256),
    WithAead(kEcdheRsaAes256GcmSha384, Kex::kEcdhe, Auth::kRsa, kAes256Gcm, kSha384),
    WithAead(kEcdheRsaChaCha20Poly1305Sha256, Kex::kEcdhe, Auth::kRsa, kChaCha20Poly1305, kSha256),

    WithCbc(kEcdheEcdsaAes128CbcSha, Kex::kEcdhe, Auth::kEcdsa, 16, CbcMac::kHmacSha1),
    WithCbc(kEcdheEcdsaAes256CbcSha, Kex::kEcdhe, Auth::kEcdsa, 32, CbcMac::kHmacSha1),
    WithCbc(kEcdheEcdsaAes128CbcSha256, Kex::kEcdhe, Auth::kEcdsa, 16, CbcMac::kHmacSha256),
    WithCbc(kEcdheEcdsaAes256CbcSha384, Kex::kEcdhe, Auth::kEcdsa, 32, CbcMac::kHmacSha384),
    WithCbc(kEcdheRsaAes128CbcSha, Kex::kEcdhe, Auth::kRsa, 16, CbcMac::kHmacSha1),
    WithCbc(kEcdheRsaAes256CbcSha, Kex::kEcdhe, Auth::kRsa, 32, CbcMac::kHmacSha1),
    WithCbc(kEcdheRsaAes128CbcSha256, Kex::kEcdhe, Auth::kRsa, 16, CbcMac::kHmacSha256),
    WithCbc(kEcdheRsaAes256CbcSha384, Kex::kEcdhe, Auth::kRsa, 32, CbcMac::kHmacSha384),

    WithAead(kDheRsaAes128GcmSha256, Kex::kDhe, Auth::kRsa, kAes128Gcm, kSha256),
    WithAead(kDheRsaAes256GcmSha384, Kex::kDhe, Auth::kRsa, kAes256Gcm, kSha384),
    WithAead(kDheRsaChaCha20Poly1305Sha256, Kex::kDhe, Auth::kRsa, kChaCha20Poly1305, kSha256),
    WithCbc(kDheRsaAes128CbcSha, Kex::kDhe, Auth::kRsa, 16, CbcMac::kHmacSha1),
    WithCbc(kDheRsaAes256CbcSha, Kex::kDhe, Auth::kRsa, 32, CbcMac::kHmacSha1),
    WithCbc(kDheRsaAes128CbcSha256, Kex::kDhe, Auth::kRsa, 16, CbcMac::kHmacSha256),
    WithCbc(kDheRsaAes256CbcSha256, Kex::kDhe, Auth::kRsa, 32, CbcMac::kHmacSha256),

    WithAead(kRsaAes128GcmSha256, Kex::kRsa, Auth::kRsa, kAes128Gcm, kSha256),
    WithAead(kRsaAes256GcmSha384, Kex::kRsa, Auth::kRsa, kAes256Gcm, kSha384),
    WithCbc(kRsaAes128CbcSha, Kex::kRsa, Auth::kRsa, 16, CbcMac::kHmacSha1),
    WithCbc(kRsaAes256CbcSha, Kex::kRsa, Auth::kRsa, 32, CbcMac::kHmacSha1),
    WithCbc(kRsaAes128CbcSha256, Kex::kRsa, Auth::kRsa, 16, CbcMac::kHmacSha256),
    WithCbc(kRsaAes256CbcSha256, Kex::kRsa, Auth::kRsa, 32, CbcMac::kHmacSha256),
};

}  // namespace

const SuiteInfo* FindSuite(CipherSuite suite) {
  for (const SuiteInfo& row : kSuites) {
    if (row.suite == suite) return &row;
  }
  return nullptr;
}

}  // namespace handfast::tls
