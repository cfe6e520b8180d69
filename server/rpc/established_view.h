// What a handshake agreed on, as the contract tells it.
#ifndef HANDFAST_SERVER_RPC_ESTABLISHED_VIEW_H_
#define HANDFAST_SERVER_RPC_ESTABLISHED_VIEW_H_

#include <string>

#include "handfast/v1/handshake.pb.h"
#include "server/handshakes/owner_interface.h"
#include "server/handshakes/reply.h"
#include "tls/connection/connection.h"

namespace handfast::rpc {

// Without keys.
void Show(const tls::Established& established, const handshakes::Handle& handle,
          const std::string& verified_by, v1::Established& into);

// With the keys that were released, where there are any, and the explanations.
void Show(const handshakes::Done& done, const handshakes::Handle& handle, v1::Established& into);

void Show(const tls::HandshakeFailure& failure, const std::string& detail, v1::Failure& into);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_ESTABLISHED_VIEW_H_
