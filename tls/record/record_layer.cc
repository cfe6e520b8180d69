#include "tls/record/record_layer.h"

#include <algorithm>
#include <utility>

#include "tls/record/deframer.h"
#include "tls/wire/messages.h"

namespace handfast::tls {
namespace {

// No ClientHello (which is skipped, not kept) and no NewSessionTicket needs more.
constexpr size_t kMaxMessage = size_t{64} << 10;
constexpr uint8_t kWarning = 1;
constexpr uint8_t kFatal = 2;
// RFC 8446 §4.6.3.
constexpr uint8_t kUpdateNotRequested = 0;
constexpr uint8_t kUpdateRequested = 1;
constexpr size_t kKeyUpdateSize = kHandshakeHeaderSize + 1;

size_t BodyLength(ByteView header) {
  return size_t{header[1]} << 16 | size_t{header[2]} << 8 | header[3];
}

}  // namespace

bool IsUnfinished(ByteView message) {
  return message.size() < kHandshakeHeaderSize ||
         message.size() < kHandshakeHeaderSize + BodyLength(message);
}

RecordLayer::RecordLayer(RecordSealer&& sealer, RecordOpener&& opener, RecordLayerOptions options,
                         RecordLayerState state)
    : sealer_(std::move(sealer)),
      opener_(std::move(opener)),
      options_(options),
      state_(std::move(state)),
      version_(sealer_.keys()->suite().version) {}

// ---- Reading

RecordLayer::Opened RecordLayer::Open(std::span<uint8_t> stream, std::vector<ByteView>& pieces,
                                      Bytes& to_peer) {
  Opened opened;
  if (failed_) {
    opened.failure = Reason::kInternalError;
    return opened;
  }
  while (!state_.peer_closed) {
    const Result<size_t> used = OpenOne(stream.subspan(opened.used), pieces, opened, to_peer);
    if (!used.ok()) {
      Fail(used.reason(), to_peer);
      opened.failure = used.reason();
      return opened;
    }
    if (*used == 0) return opened;
    opened.used += *used;
  }
  // RFC 8446 §6.1: "Any data received after a closure alert has been received MUST be ignored."
  opened.used = stream.size();
  return opened;
}

// 0: no whole record is there.
Result<size_t> RecordLayer::OpenOne(std::span<uint8_t> stream, std::vector<ByteView>& pieces,
                                    Opened& opened, Bytes& to_peer) {
  const auto header = PeekRecord(stream, /*first_record=*/false, opener_.max_ciphertext());
  if (!header.ok()) return header.reason();
  if (!header->has_value()) return size_t{0};
  // RFC 8446 §5: "If an implementation detects a change_cipher_spec record received before the
  // first ClientHello message or after the peer's Finished message, it MUST be treated as an
  // unexpected record type." TLS 1.2 knows it only inside a handshake.
  if ((*header)->type == ContentType::kChangeCipherSpec) {
    return Reason::kUnexpectedChangeCipherSpec;
  }
  const size_t size = kRecordHeaderSize + (*header)->length;
  if (stream.size() < size) return size_t{0};
  // A peer that goes on under worn keys, although it was asked to update them where it could.
  if (opener_.keys()->RecordsLeft() == 0) return Reason::kSequenceExhausted;
  const auto record = opener_.Open(stream.first(size), options_.max_plaintext);
  if (!record.ok()) return record.reason();
  if (const auto done = OnRecord(*record, pieces, opened, to_peer); !done.ok()) {
    return done.reason();
  }
  if (const auto fresh = RefreshReadKeys(to_peer); !fresh.ok()) return fresh.reason();
  return size;
}

Result<void> RecordLayer::OnRecord(const OpenedRecord& record, std::vector<ByteView>& pieces,
                                   Opened& opened, Bytes& to_peer) {
  // RFC 8446 §5.1: "Handshake messages MUST NOT be interleaved with other record types."
  const bool inside_message = !state_.message.empty() || state_.skip > 0;
  if (inside_message && record.type != ContentType::kHandshake) return Reason::kUnexpectedMessage;
  switch (record.type) {
    case ContentType::kApplicationData:
      return OnApplicationData(record.fragment, pieces);
    case ContentType::kAlert:
      return OnAlert(record.fragment);
    case ContentType::kHandshake:
      // RFC 8446 §5.1: "Implementations MUST NOT send zero-length fragments of Handshake types"
      if (record.fragment.empty()) return Reason::kEmptyHandshakeRecord;
      return OnHandshake(record.fragment, opened, to_peer);
    default:
      return Reason::kBadRecordType;
  }
}

Result<void> RecordLayer::OnApplicationData(ByteView fragment, std::vector<ByteView>& pieces) {
  if (fragment.empty()) {
    if (++state_.empty_records > kMaxEmptyRecords) return Reason::kTooManyEmptyRecords;
    return {};
  }
  state_.empty_records = 0;
  state_.key_updates = 0;
  state_.new_session_tickets = 0;
  pieces.emplace_back(fragment);
  return {};
}

Result<void> RecordLayer::OnAlert(ByteView fragment) {
  // RFC 8446 §5.4: "Implementations MUST NOT send Handshake and Alert records that have a
  // zero-length TLSInnerPlaintext.content; if such a message is received, the receiving
  // implementation MUST terminate the connection with an "unexpected_message" alert." RFC 5246
  // §6.2.1 forbids to send them too, and names no alert.
  if (fragment.empty()) return Reason::kUnexpectedMessage;
  // RFC 8446 §5.1: "a record with an Alert type MUST contain exactly one message."
  const std::optional<AlertMessage> alert = Parse<AlertMessage>(fragment);
  if (!alert) return Reason::kDecodeError;
  if (alert->description == static_cast<uint8_t>(Alert::kCloseNotify)) {
    state_.peer_closed = true;
    return {};
  }
  // RFC 8446 §6: "All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal and MUST
  // be treated as error alerts when received regardless of the AlertLevel in the message."
  const bool is_warning = is_tls13()
                              ? alert->description == static_cast<uint8_t>(Alert::kUserCanceled)
                              : alert->level == kWarning;
  if (is_warning) {
    if (++state_.warnings > kMaxWarnings) return Reason::kTooManyWarnings;
    return {};
  }
  alert_ = alert->description;
  return Reason::kPeerAlert;
}

Result<void> RecordLayer::CheckHeader() const {
  const auto type = static_cast<HandshakeType>(state_.message[0]);
  // RFC 8446 §4.6.2: "A client that receives a CertificateRequest message without having sent the
  // "post_handshake_auth" extension MUST send an "unexpected_message" fatal alert."
  const bool may_come = is_tls13()
                            ? type == HandshakeType::kKeyUpdate ||
                                  (options_.as_client && type == HandshakeType::kNewSessionTicket)
                            : type == (options_.as_client ? HandshakeType::kHelloRequest
                                                          : HandshakeType::kClientHello);
  if (!may_come) return Reason::kUnexpectedMessage;
  if (state_.message.size() < kHandshakeHeaderSize) return {};
  const size_t length = BodyLength(state_.message);
  if (length > kMaxMessage) return Reason::kMessageTooLong;
  const bool possible = type == HandshakeType::kKeyUpdate      ? length == 1
                        : type == HandshakeType::kHelloRequest ? length == 0
                                                               : length > 0;
  if (!possible) return Reason::kDecodeError;
  return {};
}

Result<void> RecordLayer::OnHandshake(ByteView fragment, Opened& opened, Bytes& to_peer) {
  const auto take = [&](size_t at_most) {
    const ByteView taken = fragment.first(std::min(at_most, fragment.size()));
    fragment = fragment.subspan(taken.size());
    return taken;
  };
  Bytes& message = state_.message;
  while (!fragment.empty()) {
    if (state_.skip > 0) {
      state_.skip -= take(state_.skip).size();
      if (state_.skip > 0) return {};
      if (const auto done = OnRenegotiation(to_peer); !done.ok()) return done;
      continue;
    }
    const size_t whole = message.size() < kHandshakeHeaderSize
                             ? kHandshakeHeaderSize
                             : kHandshakeHeaderSize + BodyLength(message);
    Append(message, take(whole - message.size()));
    if (const auto checked = CheckHeader(); !checked.ok()) return checked;
    if (message.size() < kHandshakeHeaderSize) return {};
    if (!is_tls13()) {
      state_.skip = BodyLength(message);
      message.clear();
      if (state_.skip > 0) continue;
      if (const auto done = OnRenegotiation(to_peer); !done.ok()) return done;
    } else if (!IsUnfinished(message)) {
      if (const auto done = OnMessage(fragment, opened); !done.ok()) return done;
      message.clear();
    }
  }
  return {};
}

// `rest`: what follows the message in its record.
Result<void> RecordLayer::OnMessage(ByteView rest, Opened& opened) {
  if (static_cast<HandshakeType>(state_.message[0]) == HandshakeType::kKeyUpdate) {
    return OnKeyUpdate(ByteView(state_.message).subspan(kHandshakeHeaderSize), rest);
  }
  if (++state_.new_session_tickets > kMaxNewSessionTickets) {
    return Reason::kTooManyPostHandshakeMessages;
  }
  opened.new_session_tickets.push_back(std::exchange(state_.message, {}));
  return {};
}

Result<void> RecordLayer::OnKeyUpdate(ByteView body, ByteView rest) {
  const std::optional<KeyUpdate> update = Parse<KeyUpdate>(body);
  if (!update) return Reason::kDecodeError;
  // RFC 8446 §4.6.3: "If an implementation receives any other value, it MUST terminate the
  // connection with an "illegal_parameter" alert."
  if (update->request_update > kUpdateRequested) return Reason::kBadKeyUpdate;
  // RFC 8446 §5.1: "Handshake messages MUST NOT span key changes."
  if (!rest.empty()) return Reason::kKeyChangeInsideMessage;
  if (++state_.key_updates > kMaxKeyUpdates) return Reason::kTooManyPostHandshakeMessages;
  // RFC 8446 §4.6.3: "Upon receiving a KeyUpdate, the receiver MUST update its receiving keys."
  // And: "both sides MUST enforce that a KeyUpdate with the old key is received before accepting
  // any messages encrypted with the new key": the opener knows one generation at a time.
  if (const auto updated = opener_.keys()->Update(); !updated.ok()) return updated;
  state_.update_asked = false;
  // RFC 8446 §4.6.3: "If the request_update field is set to "update_requested", then the receiver
  // MUST send a KeyUpdate of its own with request_update set to "update_not_requested" prior to
  // sending its next Application Data record." However many ask while we are silent: "an
  // implementation which receives multiple KeyUpdates while it is silent" may "respond with a
  // single update".
  if (update->request_update == kUpdateRequested) state_.update_due = true;
  return {};
}

Result<void> RecordLayer::OnRenegotiation(Bytes& to_peer) {
  if (++state_.renegotiations > kMaxRenegotiations) return Reason::kRenegotiationRefused;
  if (!state_.write_closed) SendAlert(kWarning, Alert::kNoRenegotiation, to_peer);
  return {};
}

// ---- Keys

Result<void> RecordLayer::SendKeyUpdate(bool request_update, Bytes& to_peer) {
  Bytes message;
  if (!AppendMessage(message, KeyUpdate{request_update ? kUpdateRequested : kUpdateNotRequested})) {
    return Reason::kInternalError;
  }
  // RFC 8446 §4.6.3: "Both sender and receiver MUST encrypt their KeyUpdate messages with the old
  // keys."
  const auto sealed =
      sealer_.Seal(ContentType::kHandshake, message, options_.max_fragment, to_peer);
  if (!sealed.ok()) return sealed;
  if (request_update) {
    state_.update_asked = true;
  } else {
    state_.update_due = false;
  }
  // RFC 8446 §4.6.3: "After sending a KeyUpdate message, the sender SHALL send all its traffic
  // using the next generation of keys".
  return sealer_.keys()->Update();
}

// RFC 8446 §5.5: "Implementations SHOULD do a key update as described in Section 4.6.3 prior to
// reaching these limits."
Result<void> RecordLayer::RefreshWriteKeys(Bytes& to_peer) {
  if (!state_.update_due && !sealer_.keys()->NearLimit()) return {};
  return SendKeyUpdate(/*request_update=*/false, to_peer);
}

// The same for what the peer writes: its keys are the peer's to update, and ours to ask for. A side
// that only reads would never learn it from what it sends.
Result<void> RecordLayer::RefreshReadKeys(Bytes& to_peer) {
  if (!is_tls13() || state_.update_asked || state_.write_closed || !opener_.keys()->NearLimit()) {
    return {};
  }
  return SendKeyUpdate(/*request_update=*/true, to_peer);
}

Result<void> RecordLayer::UpdateKeys(bool request_update, Bytes& to_peer) {
  if (state_.write_closed || !is_tls13()) return Reason::kInternalError;
  return SendKeyUpdate(request_update, to_peer);
}

// ---- Writing

Result<void> RecordLayer::Seal(ByteView plaintext, Bytes& to_peer) {
  if (state_.write_closed) return Reason::kInternalError;
  if (!is_tls13()) return Seal12(plaintext, to_peer);
  const size_t start = to_peer.size();
  to_peer.resize(start + SealedRoom(plaintext.size()));
  const Result<size_t> used = SealInto13(plaintext, std::span(to_peer).subspan(start));
  to_peer.resize(start + (used.ok() ? *used : 0));
  if (!used.ok()) return used.reason();
  return {};
}

size_t RecordLayer::SealedRoom(size_t plaintext) const {
  const size_t records = plaintext / options_.max_fragment + 1;
  // One that is due, and one for each time that the keys' limit is met.
  const size_t updates = 2 + records / kAesGcmUpdateAfter;
  const size_t update_size = kKeyUpdateSize * (1 + kMaxRecordOverhead);
  return plaintext + records * kMaxRecordOverhead + updates * update_size;
}

Result<size_t> RecordLayer::SealInto(ByteView plaintext, std::span<uint8_t> out) {
  if (state_.write_closed || out.size() < SealedRoom(plaintext.size())) {
    return Reason::kInternalError;
  }
  if (is_tls13()) return SealInto13(plaintext, out);
  Bytes records;
  if (const auto sealed = Seal12(plaintext, records); !sealed.ok()) return sealed.reason();
  if (records.size() > out.size()) return Reason::kInternalError;
  std::copy(records.begin(), records.end(), out.begin());
  return records.size();
}

Result<size_t> RecordLayer::SealInto13(ByteView plaintext, std::span<uint8_t> out) {
  size_t used = 0;
  do {
    Bytes update;
    if (const auto fresh = RefreshWriteKeys(update); !fresh.ok()) return fresh.reason();
    std::copy(update.begin(), update.end(), out.begin() + static_cast<std::ptrdiff_t>(used));
    used += update.size();
    const ByteView fragment = plaintext.first(std::min(plaintext.size(), options_.max_fragment));
    plaintext = plaintext.subspan(fragment.size());
    const Result<size_t> record =
        sealer_.SealInto(ContentType::kApplicationData, fragment, out.subspan(used));
    if (!record.ok()) return record.reason();
    used += *record;
  } while (!plaintext.empty());
  return used;
}

Result<void> RecordLayer::Seal12(ByteView plaintext, Bytes& to_peer) {
  const uint64_t records =
      plaintext.empty() ? 1 : (plaintext.size() - 1) / options_.max_fragment + 1;
  if (sealer_.keys()->RecordsLeft() < records) return Reason::kSequenceExhausted;
  return sealer_.Seal(ContentType::kApplicationData, plaintext, options_.max_fragment, to_peer);
}

void RecordLayer::SendAlert(uint8_t level, Alert alert, Bytes& to_peer) {
  const uint8_t body[] = {level, static_cast<uint8_t>(alert)};
  // Only worn-out sequence numbers can refuse it, and then nothing can be said any more.
  (void)sealer_.Seal(ContentType::kAlert, body, options_.max_fragment, to_peer);
}

void RecordLayer::Close(Bytes& to_peer) {
  if (state_.write_closed) return;
  state_.write_closed = true;
  SendAlert(kWarning, Alert::kCloseNotify, to_peer);
}

void RecordLayer::Abort(Alert alert, Bytes& to_peer) {
  if (state_.write_closed) return;
  state_.write_closed = true;
  const size_t before = to_peer.size();
  SendAlert(kFatal, alert, to_peer);
  if (to_peer.size() > before) alert_ = static_cast<uint8_t>(alert);
}

void RecordLayer::Fail(Reason reason, Bytes& to_peer) {
  failed_ = true;
  const ReasonInfo& info = Describe(reason);
  if (reason == Reason::kSequenceExhausted) {
    // RFC 8446 §5.3: "it MUST either rekey [...] or terminate the connection." Nobody did wrong.
    Close(to_peer);
  } else if (const auto alert = is_tls13() ? info.alert13 : info.alert12) {
    Abort(*alert, to_peer);
  }
  state_.write_closed = true;
}

Result<void> RecordLayer::OnTransportEnd() const {
  if (state_.peer_closed) return {};
  return Reason::kPeerClosed;
}

}  // namespace handfast::tls
