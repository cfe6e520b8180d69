// Draws a handshake as a ladder: the client on the left, the server on the right, one of them the
// service; one rung a message with what it says. The messages come from a relay with tracing, or
// from steps; none holds a secret.
#ifndef HANDFAST_CLIENT_CORE_LADDER_H_
#define HANDFAST_CLIENT_CORE_LADDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "handfast/v1/handshake.pb.h"

namespace handfast::client {

using Lines = std::vector<std::string>;

// Text of the peer's as a terminal may have it: what it could obey is a '?'.
std::string Printable(std::string text);

// The two posts' names. Here and below: which of them is the service.
Lines DrawHead(v1::Role service = v1::ROLE_SERVER);
// An arrow with the message's name ("*" behind the name: it travelled encrypted), then its fields.
// `note`, of up to 22 characters, stands beside the arrow.
Lines DrawMessage(const v1::HandshakeMessage& message, v1::Role service = v1::ROLE_SERVER,
                  std::string_view note = {});
// What the handshake came to, and why, where that was asked for.
Lines DrawEstablished(const v1::Established& established, v1::Role service = v1::ROLE_SERVER);
Lines DrawFailure(const v1::Failure& failure, v1::Role service = v1::ROLE_SERVER);

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_LADDER_H_
