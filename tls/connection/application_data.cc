#include "tls/connection/application_data.h"

#include <utility>
#include <vector>

#include "tls/wire/messages.h"

namespace handfast::tls {

bool IsApplicationInput(const Input& input) {
  return std::holds_alternative<PlaintextToSend>(input) ||
         std::holds_alternative<UpdateKeys>(input) || std::holds_alternative<CloseWrite>(input);
}

void ApplicationData::On(const Input& input) {
  // Whoever took the keys is the only sealer now, and the only one who can tell a clean end.
  if (!state_.records) {
    output_.refused = IsApplicationInput(input);
    return;
  }
  if (const auto* bytes = std::get_if<FromPeer>(&input)) return OnBytes(bytes->bytes);
  if (const auto* plaintext = std::get_if<PlaintextToSend>(&input)) {
    return OnPlaintext(plaintext->bytes);
  }
  if (const auto* update = std::get_if<UpdateKeys>(&input)) {
    return OnUpdateKeys(update->request_update);
  }
  if (std::holds_alternative<CloseWrite>(input)) return state_.records->Close(output_.to_peer);
  if (std::holds_alternative<PeerClosed>(input)) return OnPeerClosed();
  if (const auto* give_up = std::get_if<GiveUp>(&input)) return OnGiveUp(give_up->reason);
}

void ApplicationData::OnBytes(ByteView bytes) {
  Append(state_.input, bytes);
  std::vector<ByteView> pieces;
  RecordLayer::Opened opened = state_.records->Open(state_.input, pieces, output_.to_peer);
  for (const ByteView piece : pieces) Append(output_.application_data, piece);
  state_.consumed += opened.used;
  state_.input.erase(state_.input.begin(),
                     state_.input.begin() + static_cast<std::ptrdiff_t>(opened.used));
  output_.new_session_tickets = std::move(opened.new_session_tickets);
  output_.peer_closed = state_.records->peer_closed();
  if (opened.failure) return End(*opened.failure);
  for (const Bytes& message : output_.new_session_tickets) {
    if (!Parse<tls13::NewSessionTicket>(ByteView(message).subspan(kHandshakeHeaderSize))) {
      return OnGiveUp(Reason::kDecodeError);
    }
  }
}

void ApplicationData::OnPlaintext(ByteView plaintext) {
  if (state_.records->write_closed()) {
    output_.refused = true;
    return;
  }
  const Result<void> sealed = state_.records->Seal(plaintext, output_.to_peer);
  if (sealed.ok()) return;
  // RFC 8446 §5.3: "it MUST either rekey [...] or terminate the connection."
  state_.records->Close(output_.to_peer);
  End(sealed.reason());
}

void ApplicationData::OnUpdateKeys(bool request_update) {
  const Result<void> updated = state_.records->UpdateKeys(request_update, output_.to_peer);
  if (updated.ok()) return;
  if (updated.reason() == Reason::kSequenceExhausted) return End(updated.reason());
  output_.refused = true;
}

// The end of a stream without close_notify may be an attacker's cut (RFC 8446 §6.1).
void ApplicationData::OnPeerClosed() {
  if (const Result<void> end = state_.records->OnTransportEnd(); !end.ok()) End(end.reason());
}

void ApplicationData::OnGiveUp(Reason reason) {
  const ReasonInfo& info = Describe(reason);
  const auto alert = state_.version == ProtocolVersion::kTls12 ? info.alert12 : info.alert13;
  if (alert) state_.records->Abort(*alert, output_.to_peer);
  End(reason);
}

void ApplicationData::End(Reason reason) {
  output_.failure = HandshakeFailure{reason, Describe(reason).origin, state_.records->alert()};
  output_.new_session_tickets.clear();
  // RFC 5246 §7.2: "In this case, other connections corresponding to the session may continue, but
  // the session identifier MUST be invalidated, preventing the failed session from being used to
  // establish new connections." The session goes with the state; one that was taken before is its
  // taker's to drop.
  state_.engine = Failed{reason};
  state_.records.reset();
  state_.input.clear();
}

}  // namespace handfast::tls
