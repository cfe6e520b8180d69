// A connection that was made `stepwise` takes one message a step: FromPeer reads on to the end of
// the next message of the peer's and leaves the rest, the handshake's end included, for later. Each
// of our messages has records of its own, which end at TracedMessage::sent_up_to, unless the caller
// takes whole flights (Hold::packs_flights). What stands here is for the caller who must say
// beforehand which message comes.
#ifndef HANDFAST_TLS_CONNECTION_STEPWISE_H_
#define HANDFAST_TLS_CONNECTION_STEPWISE_H_

#include <optional>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/connection/connection.h"

namespace handfast::tls {

// What a step can be named for: a handshake message, or TLS 1.2's ChangeCipherSpec.
struct MessageName {
  ContentType content_type = ContentType::kHandshake;
  HandshakeType type{};  // of a handshake message
  bool operator==(const MessageName&) const = default;
};
inline constexpr MessageName kChangeCipherSpecName{ContentType::kChangeCipherSpec, {}};

// By its first bytes. Nullopt: a message that is no step of its own: an alert, a HelloRequest, and
// TLS 1.3's ChangeCipherSpec and NewSessionTicket.
std::optional<MessageName> NameOf(const TracedMessage& message);

// What the peer may send next; empty where nothing: a question is open, or the handshake is over.
std::vector<MessageName> Expected(const Connection& connection);

// What stands in the bytes that are held, with `more` behind them. Neither: a message that is not
// whole yet.
struct Ahead {
  // The peer's next message, whole. It may be one that is not expected.
  std::optional<MessageName> message = std::nullopt;
  // Before any message these bytes end the handshake, as a step will tell.
  bool ends = false;
};
// Nothing is used up.
Ahead LookAhead(Connection& connection, ByteView more);
std::optional<MessageName> PeekMessage(Connection& connection, ByteView more);

// How many bytes of the peer's are held, messages that were cut out of their records included.
size_t HeldBytes(const Connection& connection);

// Once established: the bytes that follow the handshake, which are the caller's from here on.
Bytes TakeHeldBytes(Connection& connection);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CONNECTION_STEPWISE_H_
