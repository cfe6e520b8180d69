// The typed view of a handshake message that passed, for `Start.trace`. It shows what was on the
// wire; a body that does not parse keeps its length and direction, and no fields.
#ifndef HANDFAST_SERVER_RPC_MESSAGE_VIEW_H_
#define HANDFAST_SERVER_RPC_MESSAGE_VIEW_H_

#include "handfast/v1/handshake.pb.h"
#include "tls/connection/connection.h"

namespace handfast::rpc {

void Show(const tls::TracedMessage& message, v1::HandshakeMessage& into);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_MESSAGE_VIEW_H_
