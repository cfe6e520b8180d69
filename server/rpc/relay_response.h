// A handshake's reply as the contract has it.
#ifndef HANDFAST_SERVER_RPC_RELAY_RESPONSE_H_
#define HANDFAST_SERVER_RPC_RELAY_RESPONSE_H_

#include <cstdint>

#include "absl/status/status.h"

#include "handfast/v1/handshake.pb.h"
#include "server/handshakes/owner_interface.h"
#include "server/handshakes/reply.h"

namespace handfast::rpc {

// Keys enter here, where the reply has any.
v1::RelayResponse ToProto(uint64_t tag, const handshakes::Handle& handle,
                          const handshakes::Reply& reply);

// As it is kept in the store: without a tag. It may hold keys.
tls::Bytes Encode(const handshakes::Handle& handle, const handshakes::Reply& reply);

// A tag's error that no handshake made.
v1::RelayResponse ErrorOf(uint64_t tag, const absl::Status& status);

v1::RelayResponse DrainNotice();

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_RELAY_RESPONSE_H_
