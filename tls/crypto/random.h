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
  // For what is no secret, though nobody may foresee it: a hello's random, a session id, the nonce
  // of a ticket. May be drawn ahead, many at once.
  virtual Result<void> FillPublic(std::span<uint8_t> out) { return Fill(out); }
  // Ready-made pairs: making P-256 from given entropy costs three times libcrypto's own way.
  virtual Result<KeyPair> NewKeyPair(NamedGroup group) = 0;
};

// Thread-safe; fails (kInternalError) only where libcrypto's generator does. Public values are
// drawn ahead for each thread, and never twice, in a process that forks either.
Randomness& SystemRandomness();

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_RANDOM_H_
