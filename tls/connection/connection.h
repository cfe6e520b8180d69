// A connection is a value: Step spends it and returns the next one. Bytes in, bytes out, questions
// in between; no I/O, threads, clock or callbacks. What stands here and not in the engine: records,
// alerts, ChangeCipherSpec, the end of the stream, and limits on all of them.
#ifndef HANDFAST_TLS_CONNECTION_CONNECTION_H_
#define HANDFAST_TLS_CONNECTION_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reason.h"
#include "tls/base/registry.h"
#include "tls/base/result.h"
#include "tls/crypto/traffic_keys.h"
#include "tls/engine/context.h"
#include "tls/engine/established.h"
#include "tls/engine/question.h"
#include "tls/engine/session.h"
#include "tls/record/protection.h"

namespace handfast::tls {

// What the caller of one handshake may narrow, fixed at its start.
struct ConnectionOptions {
  // Protocols to negotiate (RFC 7301), best first; empty: ALPN is ignored, or not offered.
  std::vector<std::string> alpn = {};
  // As a client: the DNS name to ask for, in lower case; empty: none is sent.
  std::string server_name = {};
  // Collect each message in Output::messages.
  bool trace = false;
  // One message a step, and each of ours in records of its own: see stepwise.h. Implies `trace`.
  bool stepwise = false;
};

// ---- What goes in.

// A client's first step: its ClientHello comes out. A server has none.
struct Begin {};
// The bytes may be cut anywhere. Those of an unfinished record are kept inside. What lies behind
// the handshake's end is not used by the step that reaches it (see consumed()): it is given again,
// or to whom the keys are released.
struct FromPeer {
  ByteView bytes;
};
// The transport ended.
struct PeerClosed {};
// The owner gives up: kDeadlineExceeded or kHandshakeAborted.
struct GiveUp {
  Reason reason;
};
// After the handshake, while the keys are here: application data to protect.
struct PlaintextToSend {
  ByteView bytes;
};
// Likewise, in TLS 1.3: new keys to write under, and, where asked, to read under. The limits of RFC
// 8446 §5.5 are kept without it.
struct UpdateKeys {
  bool request_update = false;
};
// Likewise: close_notify. The peer may go on sending.
struct CloseWrite {};
// Of a stepwise connection: bytes from the peer for a later step, which are kept and not looked at.
struct Hold {
  ByteView bytes;
  // Until the next Hold: messages of ours that go out together share records.
  bool packs_flights = false;
};

using Input = std::variant<FromPeer, Answer, PeerClosed, GiveUp, Begin, PlaintextToSend, UpdateKeys,
                           CloseWrite, Hold>;

// ---- What comes out.

// Of the handshake, or of the connection after it.
struct HandshakeFailure {
  Reason reason = Reason::kInternalError;
  Origin origin = Origin::kLocal;
  // The alert that was sent, or that the peer sent; nullopt where none was.
  std::optional<uint8_t> alert;
};

// One message as it passed, for the ladder. Never holds a secret.
struct TracedMessage {
  bool from_peer = false;
  bool encrypted = false;
  ContentType content_type{};  // handshake, change_cipher_spec or alert
  ProtocolVersion version{};   // by which the body is to be read; kTls13 before it is negotiated
  Bytes bytes;                 // whole, with its handshake header
  // Ours: where the last record that bears it ends in Output::to_peer. Where several share it, the
  // same for each.
  size_t sent_up_to = 0;
};

struct Output {
  // Send these, in order, also when there is a failure.
  Bytes to_peer;
  // Set when Step has stopped for one: answer it through Step. Nothing is deframed meanwhile.
  std::optional<Question> question;
  // Once, at the end of the handshake.
  std::shared_ptr<const Established> established;
  // Once, at the end of everything.
  std::optional<HandshakeFailure> failure;
  // After the handshake: what the peer said, in order; also when there is a failure.
  Bytes application_data;
  // The peer said close_notify: more than `application_data` will not come.
  bool peer_closed = false;
  // As a client: messages for ReadNewSessionTicket.
  std::vector<Bytes> new_session_tickets;
  // The input was PlaintextToSend, UpdateKeys or CloseWrite where there is no such thing (before
  // the handshake's end, without keys, after CloseWrite, an update in TLS 1.2): nothing changed.
  bool refused = false;
  std::vector<TracedMessage> messages;
};

// ---- The value.

// For the caller's own record layer: both of TrafficKeys13, or both of TrafficKeys12.
struct ReleasedKeys {
  TrafficKeys write;
  TrafficKeys read;
};

struct ConnectionState;

class Connection {
 public:
  // A TLS server before the first byte.
  static Connection Server(ConnectionOptions options);
  // A TLS client before its ClientHello, which Begin brings. `session` is offered where it still
  // can be: one of this server_name, and for this use alone.
  static Connection Client(ConnectionOptions options,
                           std::optional<Session> session = std::nullopt);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // The engine's state by its name, such as "WaitClientHello".
  std::string_view state_name() const;
  // Bytes from the peer that are used up; what lies behind the handshake's end never is.
  uint64_t consumed() const;
  // RFC 8446 §E.5: "In order to allow applications to implement this kind of processing, TLS
  // implementations MUST provide a way for the application to determine if the handshake has
  // completed."
  bool established() const;
  bool failed() const;
  // What the handshake agreed on; null before its end.
  std::shared_ptr<const Established> agreed() const;
  // The open question, so that it can be asked again after a restore.
  const std::optional<Question>& question() const;

 private:
  friend struct ConnectionAccess;
  explicit Connection(std::unique_ptr<ConnectionState> state);
  std::unique_ptr<ConnectionState> state_;
};

struct Stepped {
  Connection connection;
  Output output;
};

// An answer to no open question changes nothing. After a failure, or once the keys are released,
// nothing does.
Stepped Step(Connection spent, const Input& input, const Context& context);

// After a client's handshake: what a NewSessionTicket message of the server's, header included,
// gives us. kDecodeError; kUnexpectedMessage where it is none, or we are no TLS 1.3 client;
// kMessageTooLong beyond what any ClientHello could carry. A lifetime of 0 gives a session that
// cannot be offered.
Result<Session> ReadNewSessionTicket(const Connection& established, ByteView message,
                                     int64_t now_unix_s);

// TLS 1.2: the session that the handshake left, once: as a client, and as a server that keeps
// sessions by their id (Context). Nullopt where there is none, and after a failure: who keeps one
// drops it when Output::failure comes for its connection (RFC 5246 §7.2).
std::optional<Session> TakeSession(Connection& established);

// RFC 8446 §7.5: fills `out` (at most 8160 bytes) with keying material for the application, a
// secret. kInternalError before the handshake is done, in TLS 1.2, and for a label over 249 bytes.
Result<void> Export(const Connection& established, std::string_view label, ByteView context,
                    std::span<uint8_t> out);

// Takes the record keys out of an established connection: from here on the holder of the keys is
// the only sealer, and a second release fails. What is not of the records stays: Export,
// ReadNewSessionTicket. kInternalError where it is not established, was closed by either side, has
// half a handshake message of the peer's (who could read on?), or owes the peer a KeyUpdate, which
// UpdateKeys sends; kKeysNotReleasable under an AES-CBC suite, whose records no thin client should
// have to open in constant time.
Result<ReleasedKeys> ReleaseKeys(Connection& connection);
// For who needs nothing but the keys.
Result<ReleasedKeys> ReleaseKeys(Connection&& spent);

// The same in TLS 1.3, but of the keys of this generation alone: the secrets are ratcheted on, and
// NextGeneration gives each later generation of a direction once. kInternalError in 1.2 too.
struct ReleasedGeneration {
  GenerationKeys write;
  GenerationKeys read;
};
Result<ReleasedGeneration> ReleaseGeneration(Connection& connection);
// For a KeyUpdate of ours (`write`) or of the peer's (RFC 8446 §7.2). kInternalError where
// ReleaseGeneration did not go before.
Result<GenerationKeys> NextGeneration(Connection& connection, bool write);

// True where the peer asked for a KeyUpdate that has not been sent, and nothing else stands in the
// way of a release.
bool OwesKeyUpdate(const Connection& established);

// The saved form, which spends the value: see state_codec.h. It holds secrets and must be sealed
// before it goes anywhere. kInternalError after a failure, and after ReleaseGeneration: of what
// gives each generation once there is one.
Result<Bytes> Save(Connection spent);
// kDecodeError where the form is broken, or of a version that is unknown.
Result<Connection> Load(ByteView saved);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CONNECTION_CONNECTION_H_
