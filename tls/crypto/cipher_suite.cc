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
