// What a holder of a private key answers. The one place where an intent and a key meet.
#ifndef HANDFAST_TLS_ENGINE_USE_PRIVATE_KEY_H_
#define HANDFAST_TLS_ENGINE_USE_PRIVATE_KEY_H_

#include "tls/crypto/sign.h"
#include "tls/engine/question.h"

namespace handfast::tls {

// Signs the content of the intent, or recovers a premaster secret. kPrivateKeyRefused where the key
// cannot do such a thing, kPrivateKeyFailed where it should have.
PrivateKeyUsed Use(const PrivateKey& key, const UsePrivateKey& question);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_USE_PRIVATE_KEY_H_
