// The one place where secret bytes enter a reply: record keys, released under policy.
#ifndef HANDFAST_SERVER_RPC_KEY_RELEASE_H_
#define HANDFAST_SERVER_RPC_KEY_RELEASE_H_

#include "handfast/v1/handshake.pb.h"
#include "tls/connection/connection.h"

namespace handfast::rpc {

// TLS 1.3: traffic_secrets. TLS 1.2: traffic_keys.
void Release(const tls::ReleasedKeys& keys, v1::Established& into);

// Overwrites what Release has set, once it was serialized.
void WipeKeys(v1::RelayResponse& response);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_KEY_RELEASE_H_
