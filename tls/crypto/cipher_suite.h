// What a cipher suite consists of.
#ifndef HANDFAST_TLS_CRYPTO_CIPHER_SUITE_H_
#define HANDFAST_TLS_CRYPTO_CIPHER_SUITE_H_

#include <optional>

#include "tls/base/registry.h"
#include "tls/crypto/aead.h"
#include "tls/crypto/cbc.h"
#include "tls/crypto/hash.h"

namespace handfast::tls {

// What a TLS 1.2 suite's certificate key must be; TLS 1.3 suites leave it to the scheme.
enum class SuiteAuthentication : uint8_t { kAny, kEcdsa, kRsa };
// How a TLS 1.2 suite agrees on the premaster secret; TLS 1.3 suites leave it to the group.
enum class SuiteKeyExchange : uint8_t { kAny, kEcdhe, kDhe, kRsa };

struct SuiteInfo {
  CipherSuite suite;
  ProtocolVersion version;
  AeadAlgorithm aead;  // no value of the enumeration where there is `cbc`
  HashAlgorithm hash;  // of the transcript, and of HKDF or the PRF
  SuiteAuthentication authentication;
  SuiteKeyExchange key_exchange = SuiteKeyExchange::kAny;
  // TLS 1.2 alone: AES-CBC and HMAC instead of an AEAD.
  std::optional<CbcAlgorithm> cbc = std::nullopt;
};

// Null for a suite that is not implemented.
const SuiteInfo* FindSuite(CipherSuite suite);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_CIPHER_SUITE_H_
