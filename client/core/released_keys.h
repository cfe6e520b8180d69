// From the contract's key release to the record layer's keys.
#ifndef HANDFAST_CLIENT_CORE_RELEASED_KEYS_H_
#define HANDFAST_CLIENT_CORE_RELEASED_KEYS_H_

#include "client/core/record_layer.h"
#include "handfast/v1/handshake.pb.h"

namespace handfast::client {

// Moves the keys out of `established`: whatever comes back, their bytes there are wiped and the
// field is gone. monostate where there were none, or their sizes are impossible.
ReleasedKeys TakeKeys(v1::Established& established);

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_RELEASED_KEYS_H_
