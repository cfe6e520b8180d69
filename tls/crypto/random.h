// Where randomness enters. Production draws from libcrypto; a test gives its own, so that each
// handshake can be replayed byte for byte.
#ifndef HANDFAST_TLS_CRYPTO_RANDOM_H_
#define HANDFAST_TLS_CRYPTO_RANDOM_H_

#include <span>

#include "tls/base/result.h"
#include "tls/crypto/kex.h"

namespace handfast::tls {

class Randomness {
 public:
  virtual ~Randomness() = default;
  virtual Result<void> Fill(std::span<uint8_t> out) = 0;
  // Ready-made pairs: making P-256 from given entropy costs three times libcrypto's own way.
  virtual Result<KeyPair> NewKeyPair(NamedGroup group) = 0;
};

// Thread-safe, stateless; fails (kInternalError) only where libcrypto's generator does.
Randomness& SystemRandomness();

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_RANDOM_H_
