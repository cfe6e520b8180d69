#include "tls/connection/connection.h"

#include <algorithm>
#include <utility>

#include "tls/connection/limits.h"
#include "tls/connection/run.h"
#include "tls/connection/state.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/hkdf.h"
#include "tls/engine/engine.h"

namespace handfast::tls {

Connection::Connection(std::unique_ptr<ConnectionState> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Connection Connection::Server(ConnectionOptions options) {
  auto state = std::make_unique<ConnectionState>();
  state->engine = WaitClientHello{std::move(options.alpn)};
  state->trace = options.trace || options.stepwise;
  state->stepwise = options.stepwise;
  return Connection(std::move(state));
}

Connection Connection::Client(ConnectionOptions options, std::optional<Session> session) {
  auto state = std::make_unique<ConnectionState>();
  state->engine =
      client::Start{{std::move(options.server_name), std::move(options.alpn)}, std::move(session)};
  state->as_client = true;
  state->trace = options.trace || options.stepwise;
  state->stepwise = options.stepwise;
  return Connection(std::move(state));
}

std::string_view Connection::state_name() const { return StateName(state_->engine); }
uint64_t Connection::consumed() const { return state_->consumed; }
bool Connection::established() const { return std::holds_alternative<Connected>(state_->engine); }
std::shared_ptr<const Established> Connection::agreed() const {
  const auto* connected = std::get_if<Connected>(&state_->engine);
  return connected == nullptr ? nullptr : connected->established;
}
bool Connection::failed() const { return std::holds_alternative<Failed>(state_->engine); }
const std::optional<Question>& Connection::question() const { return state_->question; }

Stepped Step(Connection spent, const Input& input, const Context& context) {
  Stepped stepped{std::move(spent), {}};
  Run(ConnectionAccess::Of(stepped.connection), context, stepped.output).On(input);
  return stepped;
}

namespace {

// Null before the end of the handshake.
const Connected* ConnectedOf(const Connection& connection) {
  return std::get_if<Connected>(&ConnectionAccess::Of(connection).engine);
}

HashAlgorithm HashOf(const Established& established) {
  return FindSuite(established.cipher_suite)->hash;
}

}  // namespace

Result<Session> ReadNewSessionTicket(const Connection& established, ByteView message,
                                     int64_t now_unix_s) {
  const Connected* connected = ConnectedOf(established);
  if (connected == nullptr || connected->resumption.empty() ||
      message.size() < kHandshakeHeaderSize ||
      message[0] != static_cast<uint8_t>(HandshakeType::kNewSessionTicket)) {
    return Reason::kUnexpectedMessage;
  }
  const auto ticket = Parse<tls13::NewSessionTicket>(message.subspan(kHandshakeHeaderSize));
  if (!ticket) return Reason::kDecodeError;
  if (ticket->ticket.size() > kMaxKeptTicket) return Reason::kMessageTooLong;
  // RFC 8446 §4.6.1: "Clients MUST ignore unrecognized extensions." §9.3: "In TLS 1.3, a client
  // receiving a CertificateRequest or NewSessionTicket MUST also ignore all unrecognized
  // extensions."
  // RFC 8446 §4.6.1: "Clients MUST NOT cache tickets for longer than 7 days, regardless of the
  // ticket_lifetime".
  const Established& info = *connected->established;
  Session session;
  session.version = info.version;
  session.cipher_suite = info.cipher_suite;
  session.secret = TicketPsk(HashOf(info), connected->resumption, ticket->ticket_nonce);
  session.server_name = info.server_name;
  session.credential = info.credential;
  session.peer_chain = info.peer_chain;
  session.issued_unix_s = now_unix_s;
  session.not_after_unix_s =
      std::min(info.not_after_unix_s,
               now_unix_s + std::min(kMaxSessionLifetimeS, int64_t{ticket->ticket_lifetime}));
  session.ticket = Copy(ticket->ticket);
  session.ticket_age_add = ticket->ticket_age_add;
  return session;
}

std::optional<Session> TakeSession(Connection& established) {
  auto* connected = std::get_if<Connected>(&ConnectionAccess::Of(established).engine);
  return connected == nullptr ? std::nullopt : std::exchange(connected->session, std::nullopt);
}

Result<void> Export(const Connection& established, std::string_view label, ByteView context,
                    std::span<uint8_t> out) {
  const Connected* connected = ConnectedOf(established);
  if (connected == nullptr || connected->exporter.empty() || label.size() > kMaxLabelSize) {
    return Reason::kInternalError;
  }
  const HashAlgorithm hash = HashOf(*connected->established);
  if (out.size() > 255 * DigestSize(hash)) return Reason::kInternalError;
  // RFC 8446 §7.5: "Implementations MUST use the exporter_master_secret unless explicitly specified
  // by the application."
  ExportKeyingMaterial(hash, connected->exporter, label, context, out);
  return {};
}

namespace {

Result<void> CheckReleasable(ConnectionState& state, bool established) {
  // RFC 8446 §2: "Application Data MUST NOT be sent prior to sending the Finished message, except
  // as specified in Section 2.3." §5.1: "Note that Application Data records MUST NOT be written to
  // the wire unprotected (see Section 2 for details)." RFC 5246 §7.3: "Application data MUST NOT be
  // sent prior to the completion of the first handshake (before a cipher suite other than
  // TLS_NULL_WITH_NULL_NULL is established)."
  if (!established || !state.records) return Reason::kInternalError;
  const RecordLayerState& after = state.records->state();
  if (after.peer_closed || after.write_closed || after.update_due || after.skip > 0 ||
      !after.message.empty()) {
    return Reason::kInternalError;
  }
  // An AES-CBC record must be opened in constant time, which is not left to a thin client.
  if (state.records->read_keys().suite().cbc) return Reason::kKeysNotReleasable;
  return {};
}

}  // namespace

Result<ReleasedKeys> ReleaseKeys(Connection& connection) {
  ConnectionState& state = ConnectionAccess::Of(connection);
  const auto checked = CheckReleasable(state, connection.established());
  if (!checked.ok()) return checked.reason();
  ReleasedKeys keys{std::move(state.records->write_keys()).Release(),
                    std::move(state.records->read_keys()).Release()};
  state.records.reset();
  state.input.clear();
  return keys;
}

Result<ReleasedKeys> ReleaseKeys(Connection&& spent) {
  Connection last = std::move(spent);
  return ReleaseKeys(last);
}

Result<ReleasedGeneration> ReleaseGeneration(Connection& connection) {
  ConnectionState& state = ConnectionAccess::Of(connection);
  const auto checked = CheckReleasable(state, connection.established());
  if (!checked.ok()) return checked.reason();
  if (state.version != ProtocolVersion::kTls13) return Reason::kInternalError;
  Ratchet ratchet{std::move(state.records->write_keys()), std::move(state.records->read_keys())};
  state.records.reset();
  state.input.clear();
  Result<GenerationKeys> write = ratchet.write.ReleaseGeneration();
  Result<GenerationKeys> read = ratchet.read.ReleaseGeneration();
  if (!write.ok()) return write.reason();
  if (!read.ok()) return read.reason();
  state.ratchet = std::move(ratchet);
  return ReleasedGeneration{*std::move(write), *std::move(read)};
}

Result<GenerationKeys> NextGeneration(Connection& connection, bool write) {
  auto& ratchet = ConnectionAccess::Of(connection).ratchet;
  if (!ratchet) return Reason::kInternalError;
  return (write ? ratchet->write : ratchet->read).ReleaseGeneration();
}

bool OwesKeyUpdate(const Connection& established) {
  const auto& records = ConnectionAccess::Of(established).records;
  if (!records) return false;
  const RecordLayerState& after = records->state();
  return after.update_due && !after.peer_closed && !after.write_closed && after.message.empty();
}

}  // namespace handfast::tls
