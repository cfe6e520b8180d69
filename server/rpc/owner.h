// Whose a handshake or a connection is that a principal calls for.
#ifndef HANDFAST_SERVER_RPC_OWNER_H_
#define HANDFAST_SERVER_RPC_OWNER_H_

#include "server/access/policy.h"
#include "server/handshakes/owner_interface.h"

namespace handfast::rpc {

inline handshakes::Owner OwnerOf(const access::Principal& principal) {
  return {.tenant = principal.tenant, .principal = principal.name};
}

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_OWNER_H_
