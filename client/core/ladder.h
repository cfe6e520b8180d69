// Draws a handshake as a ladder: the client on the left, the service on the right, one rung a
// message with what it says. The messages come from a relay with tracing; none holds a secret.
#ifndef HANDFAST_CLIENT_CORE_LADDER_H_
#define HANDFAST_CLIENT_CORE_LADDER_H_

#include <string>
#include <vector>

#include "handfast/v1/handshake.pb.h"

namespace handfast::client {

using Lines = std::vector<std::string>;

// The two posts' names.
Lines DrawHead();
// An arrow with the message's name ("*" behind the name: it travelled encrypted), then its fields.
Lines DrawMessage(const v1::HandshakeMessage& message);
// What the handshake came to.
Lines DrawEstablished(const v1::Established& established);
Lines DrawFailure(const v1::Failure& failure);

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_LADDER_H_
