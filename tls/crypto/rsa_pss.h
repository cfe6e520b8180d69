// EMSA-PSS, the encoding that RSASSA-PSS signs (RFC 8017 §9.1.1), for PrivateKey. Private to
// tls/crypto, and free of OpenSSL's headers.
#ifndef HANDFAST_TLS_CRYPTO_RSA_PSS_H_
#define HANDFAST_TLS_CRYPTO_RSA_PSS_H_

#include <span>

#include "tls/base/bytes.h"
#include "tls/crypto/scheme_table.h"

namespace handfast::tls {

// Fills `encoded`, as many bytes as the modulus has, for the raw private-key operation. As TLS has
// it (RFC 8446 §4.2.3), the mask is made with the message's digest, and the salt is as long as it.
// False where the salt is not, where the modulus is too short for it, or without memory.
bool EncodePss(MessageDigest digest, ByteView message, ByteView salt, size_t modulus_bits,
               std::span<uint8_t> encoded);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_RSA_PSS_H_
