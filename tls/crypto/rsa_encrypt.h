// The client's half of the RSA key exchange of TLS 1.2 (RFC 5246 §7.4.7.1).
#ifndef HANDFAST_TLS_CRYPTO_RSA_ENCRYPT_H_
#define HANDFAST_TLS_CRYPTO_RSA_ENCRYPT_H_

#include "tls/base/bytes.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"
#include "tls/crypto/random.h"

namespace handfast::tls {

// The secret under PKCS#1 padding (RFC 8017 §7.2.1) for the holder of the key, as many bytes as its
// modulus. `public_key`: a SubjectPublicKeyInfo, DER. The padding is drawn from `randomness`, where
// libcrypto's own would not let a run be replayed. kUnsupportedCertificate where the key is not RSA
// or of a size that we do not take.
Result<Bytes> EncryptRsaPremaster(ByteView public_key, const RsaPremaster& premaster,
                                  Randomness& randomness);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_RSA_ENCRYPT_H_
