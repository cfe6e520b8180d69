// The TLS 1.2 PRF: P_hash of RFC 5246 §5.
#ifndef HANDFAST_TLS_CRYPTO_PRF_H_
#define HANDFAST_TLS_CRYPTO_PRF_H_

#include <string_view>

#include "tls/base/bytes.h"
#include "tls/crypto/hash.h"

namespace handfast::tls {

// PRF(secret, label, seed1 || seed2); fills `out`.
void Prf(HashAlgorithm algorithm, ByteView secret, std::string_view label, ByteView seed1,
         ByteView seed2, std::span<uint8_t> out);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_PRF_H_
