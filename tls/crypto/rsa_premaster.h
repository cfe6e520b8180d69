// The RSA key exchange of TLS 1.2 (RFC 5246 §7.4.7.1), for PrivateKey. Private to tls/crypto, and
// free of OpenSSL's headers.
#ifndef HANDFAST_TLS_CRYPTO_RSA_PREMASTER_H_
#define HANDFAST_TLS_CRYPTO_RSA_PREMASTER_H_

#include "tls/base/bytes.h"

struct evp_pkey_st;  // EVP_PKEY

namespace handfast::tls {

constexpr size_t kRsaPremasterSize = 48;

// Fills `out`, kRsaPremasterSize bytes, with the secret or with random bytes: see
// PrivateKey::RecoverPremaster. False only where there is no randomness or no memory.
bool RecoverRsaPremaster(evp_pkey_st* key, uint16_t client_version, ByteView encrypted,
                         std::span<uint8_t> out);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_RSA_PREMASTER_H_
