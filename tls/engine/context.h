// Context: all that Step reads and that is not in the state. Bringing it in makes each run
// repeatable.
#ifndef HANDFAST_TLS_ENGINE_CONTEXT_H_
#define HANDFAST_TLS_ENGINE_CONTEXT_H_

#include <cstdint>

#include "tls/crypto/random.h"
#include "tls/engine/profile.h"

namespace handfast::tls {

struct Context {
  const Profile& profile;
  Randomness& randomness;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_CONTEXT_H_
