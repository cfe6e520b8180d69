#include "tls/crypto/cipher_suite.h"

namespace handfast::tls {
namespace {

constexpr SuiteInfo kSuites[] = {
    {CipherSuite::kTlsAes128GcmSha256, ProtocolVersion::kTls13, AeadAlgorithm::kAes128Gcm,
     HashAlgorithm::kSha256, SuiteAuthentication::kAny},
    {CipherSuite::kTlsAes256GcmSha384, ProtocolVersion::kTls13, AeadAlgorithm::kAes256Gcm,
     HashAlgorithm::kSha384, SuiteAuthentication::kAny},
    {CipherSuite::kTlsChaCha20Poly1305Sha256, ProtocolVersion::kTls13,
     AeadAlgorithm::kChaCha20Poly1305, HashAlgorithm::kSha256, SuiteAuthentication::kAny},
    {CipherSuite::kEcdheEcdsaAes128GcmSha256, ProtocolVersion::kTls12, AeadAlgorithm::kAes128Gcm,
     HashAlgorithm::kSha256, SuiteAuthentication::kEcdsa},
    {CipherSuite::kEcdheEcdsaAes256GcmSha384, ProtocolVersion::kTls12, AeadAlgorithm::kAes256Gcm,
     HashAlgorithm::kSha384, SuiteAuthentication::kEcdsa},
    {CipherSuite::kEcdheEcdsaChaCha20Poly1305Sha256, ProtocolVersion::kTls12,
     AeadAlgorithm::kChaCha20Poly1305, HashAlgorithm::kSha256, SuiteAuthentication::kEcdsa},
    {CipherSuite::kEcdheRsaAes128GcmSha256, ProtocolVersion::kTls12, AeadAlgorithm::kAes128Gcm,
     HashAlgorithm::kSha256, SuiteAuthentication::kRsa},
    {CipherSuite::kEcdheRsaAes256GcmSha384, ProtocolVersion::kTls12, AeadAlgorithm::kAes256Gcm,
     HashAlgorithm::kSha384, SuiteAuthentication::kRsa},
    {CipherSuite::kEcdheRsaChaCha20Poly1305Sha256, ProtocolVersion::kTls12,
     AeadAlgorithm::kChaCha20Poly1305, HashAlgorithm::kSha256, SuiteAuthentication::kRsa},
};

}  // namespace

const SuiteInfo* FindSuite(CipherSuite suite) {
  for (const SuiteInfo& row : kSuites) {
    if (row.suite == suite) return &row;
  }
  return nullptr;
}

}  // namespace handfast::tls
