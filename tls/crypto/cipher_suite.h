// What a cipher suite consists of.
#ifndef HANDFAST_TLS_CRYPTO_CIPHER_SUITE_H_
#define HANDFAST_TLS_CRYPTO_CIPHER_SUITE_H_

#include "tls/base/registry.h"
#include "tls/crypto/aead.h"
#include "tls/crypto/hash.h"

namespace handfast::tls {

// What a TLS 1.2 suite's certificate key must be; TLS 1.3 suites leave it to the scheme.
enum class SuiteAuthentication : uint8_t { kAny, kEcdsa, kRsa };

struct SuiteInfo {
  CipherSuite suite;
  ProtocolVersion version;
  AeadAlgorithm aead;
  HashAlgorithm hash;  // of the transcript, and of HKDF or the PRF
  SuiteAuthentication authentication;
};

// Null for a suite that is not implemented.
const SuiteInfo* FindSuite(CipherSuite suite);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_CIPHER_SUITE_H_
