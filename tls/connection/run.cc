#include "tls/connection/run.h"

#include <algorithm>
#include <utility>

#include "tls/connection/application_data.h"
#include "tls/connection/limits.h"
#include "tls/engine/engine.h"
#include "tls/wire/messages.h"

namespace handfast::tls {
namespace {

constexpr uint8_t kFatal = 2;
constexpr uint8_t kChangeCipherSpecBody[] = {1};

bool IsTls12Client(const EngineState& state) {
  return std::visit(
      []<class State>(const State&) {
        return std::is_same_v<State, client12::WaitCertificate> ||
               std::is_same_v<State, client12::WaitCertificateStatus> ||
               std::is_same_v<State, client12::WaitServerKeyExchange> ||
               std::is_same_v<State, client12::WaitRequestOrDone> ||
               std::is_same_v<State, client12::WaitServerHelloDone> ||
               std::is_same_v<State, client12::WaitNewSessionTicket>;
      },
      state);
}

size_t MessageLength(ByteView message) {
  return kHandshakeHeaderSize +
         (size_t{message[1]} << 16 | size_t{message[2]} << 8 | size_t{message[3]});
}

bool ChangesReadKeys(const Transition& transition) {
  return std::holds_alternative<Connected>(transition.next) ||
         std::any_of(transition.effects.begin(), transition.effects.end(), [](const Effect& e) {
           return std::holds_alternative<InstallReadKeys>(e) ||
                  std::holds_alternative<ArmReadKeys>(e);
         });
}

}  // namespace

size_t WholeMessageLength(ByteView messages) {
  if (messages.size() < kHandshakeHeaderSize) return 0;
  const size_t length = MessageLength(messages);
  return messages.size() < length ? 0 : length;
}

// RFC 5246 §7.4.1.1: "This message will be ignored by the client if the client is currently
// negotiating a session", and it enters no transcript.
// RFC 5246 §7.4.1.1: "This message MUST NOT be included in the message hashes that are maintained
// throughout the handshake and used in the Finished messages and the certificate verify message."
bool IsPassedOver(const ConnectionState& state, ByteView message) {
  return message[0] == static_cast<uint8_t>(HandshakeType::kHelloRequest) &&
         message.size() == kHandshakeHeaderSize && IsTls12Client(state.engine);
}

bool IsTooLong(ByteView message) { return MessageLength(message) > kMaxHandshakeMessage; }

void Run::On(const Input& input) {
  if (const auto* hold = std::get_if<Hold>(&input)) {
    if (state_.stepwise) Append(state_.input, hold->bytes);
    state_.packs_flights = hold->packs_flights;
    return;
  }
  if (std::holds_alternative<Connected>(state_.engine)) {
    return ApplicationData(state_, output_).On(input);
  }
  if (IsApplicationInput(input)) {
    output_.refused = true;
    return;
  }
  // RFC 8446 §6.1: "Any data received after a closure alert has been received MUST be ignored."
  if (ended()) return;
  if (const auto* bytes = std::get_if<FromPeer>(&input)) return OnBytes(bytes->bytes);
  if (const auto* answer = std::get_if<Answer>(&input)) return OnAnswer(*answer);
  if (const auto* give_up = std::get_if<GiveUp>(&input)) return Fail(give_up->reason);
  if (std::holds_alternative<Begin>(input)) return OnBegin();
  End(Reason::kPeerClosed, Origin::kClosed, std::nullopt);
}

void Run::OnBytes(ByteView bytes) {
  // Early data that may be passed over later may also wait.
  if (state_.question &&
      state_.input.size() + bytes.size() > kMaxHeldInput + state_.early_data_left) {
    return Fail(Reason::kUnexpectedMessage);
  }
  Append(state_.input, bytes);
  ReadOn();
}

void Run::ReadOn() {
  ReadMessages();
  ReadRecords();
}

void Run::OnAnswer(const Answer& answer) {
  if (!state_.question || !Answers(state_.engine, answer)) return;
  state_.question.reset();
  Apply(tls::Step(std::move(state_.engine), answer, context_));
  // The question was one of a message that was taken already.
  if (!state_.stepwise) ReadOn();
}

void Run::OnBegin() {
  auto* start = std::get_if<client::Start>(&state_.engine);
  if (start != nullptr) Apply(client::Begin(std::move(*start), context_));
}

// ---- Messages

void Run::ReadMessages() {
  while (!ended() && !state_.question && !stepped() &&
         state_.messages.size() >= kHandshakeHeaderSize) {
    if (IsTooLong(state_.messages)) return Fail(Reason::kMessageTooLong);
    const size_t length = MessageLength(state_.messages);
    if (state_.messages.size() < length) return;
    // The engine copies what it keeps, so the message can leave the buffer first.
    Bytes message;
    if (state_.messages.size() == length) {
      message = std::exchange(state_.messages, {});
    } else {
      const auto end = state_.messages.begin() + static_cast<std::ptrdiff_t>(length);
      message.assign(state_.messages.begin(), end);
      state_.messages.erase(state_.messages.begin(), end);
    }
    Trace(true, state_.opener.encrypted(), ContentType::kHandshake, message);
    if (IsPassedOver(state_, message)) {
      if (++state_.warning_alerts > kMaxWarnings) return Fail(Reason::kTooManyWarnings);
      continue;
    }
    took_message_ = true;
    Apply(tls::Step(std::move(state_.engine), message, context_));
  }
}

void Run::Apply(Transition transition) {
  state_.engine = std::move(transition.next);
  if (const auto* failed = std::get_if<Failed>(&state_.engine)) return Fail(failed->reason);
  // RFC 8446 §5.1: "Handshake messages MUST NOT span key changes. Implementations MUST verify that
  // all messages immediately preceding a key change align with a record boundary; if not, then they
  // MUST terminate the connection with an "unexpected_message" alert."
  if (!state_.messages.empty() && ChangesReadKeys(transition)) {
    return Fail(Reason::kKeyChangeInsideMessage);
  }
  if (transition.question) {
    if (const auto* choose = std::get_if<Choose>(&*transition.question)) {
      state_.version = choose->version;
    }
    state_.question = transition.question;
    output_.question = std::move(transition.question);
  }
  for (Effect& effect : transition.effects) {
    CarryOut(effect);
    if (ended() && output_.failure) return;
  }
  if (const auto* connected = std::get_if<Connected>(&state_.engine)) {
    output_.established = connected->established;
    state_.records.emplace(std::exchange(state_.sealer, {}), std::exchange(state_.opener, {}),
                           state_.record_options());
  }
}

void Run::CarryOut(Effect& effect) {
  if (const auto* send = std::get_if<SendMessages>(&effect)) {
    // RFC 8446 §5.1: "Because the ClientHello, EndOfEarlyData, ServerHello, Finished, and KeyUpdate
    // messages can immediately precede a key change, implementations MUST send these messages in
    // alignment with a record boundary."
    SendRecords(ContentType::kHandshake, send->messages);
  } else if (std::holds_alternative<SendChangeCipherSpec>(effect)) {
    SendRecords(ContentType::kChangeCipherSpec, kChangeCipherSpecBody);
  } else if (auto* write = std::get_if<InstallWriteKeys>(&effect)) {
    Result<RecordKeys> keys = RecordKeys::Create(std::move(write->keys), AeadDirection::kSeal);
    if (!keys.ok()) return Fail(keys.reason());
    state_.sealer.Install(*std::move(keys));
    state_.max_fragment = write->max_fragment;
  } else if (auto* read = std::get_if<InstallReadKeys>(&effect)) {
    InstallRead(std::move(read->keys), read->max_plaintext);
  } else if (auto* arm = std::get_if<ArmReadKeys>(&effect)) {
    state_.armed = ArmedKeys{std::move(arm->keys), arm->max_plaintext};
  } else if (std::holds_alternative<SkipEarlyData>(effect)) {
    state_.early_data_left = kMaxSkippedEarlyData;
  } else if (const auto* negotiated = std::get_if<Negotiated>(&effect)) {
    state_.version = negotiated->version;
    // Until now it could have been TLS 1.3's, which means nothing. TLS 1.2 has none so early.
    if (negotiated->version == ProtocolVersion::kTls12 &&
        state_.compatibility_change_cipher_specs > 0) {
      return Fail(Reason::kUnexpectedChangeCipherSpec);
    }
  }
}

void Run::InstallRead(TrafficKeys&& keys, uint16_t max_plaintext) {
  Result<RecordKeys> created = RecordKeys::Create(std::move(keys), AeadDirection::kOpen);
  if (!created.ok()) return Fail(created.reason());
  state_.opener.Install(*std::move(created));
  state_.max_plaintext = max_plaintext;
}

// RFC 5246 §6.2.1: "Implementations MUST NOT send zero-length fragments of Handshake, Alert, or
// ChangeCipherSpec content types." And: "However, records MUST be delivered to the network in the
// same order as they are protected by the record layer."
void Run::SendRecords(ContentType type, ByteView content) {
  const bool apart = state_.stepwise && !state_.packs_flights && type == ContentType::kHandshake;
  if (!apart) return SendRecord(type, content);
  while (!content.empty() && !output_.failure) {
    const ByteView message = content.first(MessageLength(content));
    SendRecord(type, message);
    content = content.subspan(message.size());
  }
}

void Run::SendRecord(ContentType type, ByteView content) {
  const size_t first = output_.messages.size();
  Trace(false, state_.sealer.encrypted(), type, content);
  const Result<void> sealed =
      state_.sealer.Seal(type, content, state_.max_fragment, output_.to_peer);
  if (!sealed.ok()) End(sealed.reason(), Origin::kLocal, std::nullopt);
  for (size_t i = first; i < output_.messages.size(); ++i) {
    output_.messages[i].sent_up_to = output_.to_peer.size();
  }
}

// ---- The end

bool Run::ended() const {
  return std::holds_alternative<Failed>(state_.engine) ||
         std::holds_alternative<Connected>(state_.engine);
}

void Run::Fail(Reason reason) {
  const ReasonInfo& info = Describe(reason);
  const std::optional<Alert> alert =
      state_.version == ProtocolVersion::kTls12 ? info.alert12 : info.alert13;
  // A server that has heard nothing from us has nothing to be told.
  const bool unsaid = std::holds_alternative<client::Start>(state_.engine);
  if (!alert || unsaid) return End(reason, info.origin, std::nullopt);
  // RFC 8446 §6.2: "Whenever an implementation encounters a fatal error condition, it SHOULD send
  // an appropriate fatal alert and MUST close the connection without sending or receiving any
  // additional data." RFC 5246 §7.2.2: "Whenever an implementation encounters a condition which is
  // defined as a fatal alert, it MUST send the appropriate alert prior to closing the connection."
  // And: "If the implementation chooses to send an alert but intends to close the connection
  // immediately afterwards, it MUST send that alert at the fatal alert level."
  const AlertMessage message{kFatal, static_cast<uint8_t>(*alert)};
  // RFC 8446 §5.1: "Alert messages (Section 6) MUST NOT be fragmented across records, and multiple
  // alert messages MUST NOT be coalesced into a single TLSPlaintext record."
  SendRecords(ContentType::kAlert, Serialize(message));
  if (!output_.failure) End(reason, info.origin, message.description);
}

void Run::End(Reason reason, Origin origin, std::optional<uint8_t> alert) {
  // RFC 8446 §6: "Servers and clients MUST forget the secret values and keys established in failed
  // connections, with the exception of the PSKs associated with session tickets, which SHOULD be
  // discarded if possible." RFC 5246 §7.2.2: "Servers and clients MUST forget any
  // session-identifiers, keys, and secrets associated with a failed connection." And: "Thus, any
  // connection terminated with a fatal alert MUST NOT be resumed."
  // RFC 8446 §6: "Upon receiving an error alert, the TLS implementation SHOULD indicate an error to
  // the application and MUST NOT allow any further data to be sent or received on the connection."
  // §6.2: "Upon transmission or receipt of a fatal alert message, both parties MUST immediately
  // close the connection."
  state_.engine = Failed{reason};
  state_.sealer = RecordSealer();
  state_.opener = RecordOpener();
  state_.question.reset();
  state_.armed.reset();
  state_.messages.clear();
  output_.question.reset();
  output_.established.reset();
  output_.failure = HandshakeFailure{reason, origin, alert};
}

void Run::Trace(bool from_peer, bool encrypted, ContentType type, ByteView bytes) {
  if (!state_.trace) return;
  const ProtocolVersion version = state_.version.value_or(ProtocolVersion::kTls13);
  if (type != ContentType::kHandshake) {
    output_.messages.push_back({from_peer, encrypted, type, version, Copy(bytes)});
    return;
  }
  while (!bytes.empty()) {
    const ByteView message = bytes.first(MessageLength(bytes));
    output_.messages.push_back({from_peer, encrypted, type, version, Copy(message)});
    bytes = bytes.subspan(message.size());
  }
}

}  // namespace handfast::tls
