#include "client/core/record_layer.h"

#include <algorithm>
#include <utility>

#include "tls/record/deframer.h"

namespace handfast::client {
namespace {

using tls::Alert;
using tls::Bytes;
using tls::ByteView;
using tls::ContentType;
using tls::HandshakeType;
using tls::Reason;
using tls::Result;

// Legal, useless, and each costs a decryption: no peer needs many in a row.
constexpr int kMaxEmptyRecords = 32;
// Each costs us a key schedule, and an answer; more without data in between is a flood.
constexpr int kMaxKeyUpdates = 32;
// Warnings change nothing; a peer that goes on warning wants our time.
constexpr int kMaxWarnings = 4;
// One refusal is courtesy (RFC 5246 §7.2.2); a peer that asks again does not listen.
constexpr int kMaxRenegotiations = 1;
// No ClientHello needs more; it is skipped, not kept.
constexpr size_t kMaxMessage = 65536;

constexpr size_t kMessageHeader = 4;
constexpr uint8_t kWarning = 1;
constexpr uint8_t kFatal = 2;

}  // namespace

RecordLayer::RecordLayer(tls::ProtocolVersion version, size_t max_fragment, tls::RecordKeys write,
                         tls::RecordKeys read)
    : version_(version),
      max_fragment_(max_fragment),
      sealer_(std::move(write)),
      opener_(std::move(read)) {}

Result<RecordLayer> RecordLayer::Create(ReleasedKeys keys, size_t max_fragment) {
  max_fragment = std::clamp<size_t>(max_fragment, 1, tls::kMaxPlaintext);
  const auto create = [&](auto& both, tls::ProtocolVersion version) -> Result<RecordLayer> {
    auto write = tls::RecordKeys::Create(std::move(both.write), tls::AeadDirection::kSeal);
    if (!write.ok()) return write.reason();
    auto read = tls::RecordKeys::Create(std::move(both.read), tls::AeadDirection::kOpen);
    if (!read.ok()) return read.reason();
    return RecordLayer(version, max_fragment, *std::move(write), *std::move(read));
  };
  if (auto* both = std::get_if<ReleasedKeys13>(&keys)) {
    return create(*both, tls::ProtocolVersion::kTls13);
  }
  if (auto* both = std::get_if<ReleasedKeys12>(&keys)) {
    return create(*both, tls::ProtocolVersion::kTls12);
  }
  return Reason::kInternalError;
}

RecordLayer::Opened RecordLayer::Open(std::span<uint8_t> stream, std::vector<ByteView>& pieces,
                                      Bytes& to_peer) {
  Opened opened;
  if (failed_) {
    opened.failure = Reason::kInternalError;
    return opened;
  }
  while (!peer_closed_) {
    const Result<size_t> used = OpenOne(stream.subspan(opened.used), pieces, to_peer);
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
                                    Bytes& to_peer) {
  const auto header = tls::PeekRecord(stream, /*first_record=*/false);
  if (!header.ok()) return header.reason();
  if (!header->has_value()) return size_t{0};
  // RFC 8446 §5: "If an implementation detects a change_cipher_spec record received before the
  // first ClientHello message or after the peer's Finished message, it MUST be treated as an
  // unexpected record type." TLS 1.2 knows it only inside a handshake.
  if ((*header)->type == ContentType::kChangeCipherSpec) {
    return Reason::kUnexpectedChangeCipherSpec;
  }
  const size_t size = tls::kRecordHeaderSize + (*header)->length;
  if (stream.size() < size) return size_t{0};
  const auto record = opener_.Open(stream.first(size));
  if (!record.ok()) return record.reason();
  if (const auto done = OnRecord(*record, pieces, to_peer); !done.ok()) return done.reason();
  return size;
}

Result<void> RecordLayer::OnRecord(const tls::OpenedRecord& record, std::vector<ByteView>& pieces,
                                   Bytes& to_peer) {
  // RFC 8446 §5.1: "Handshake messages MUST NOT be interleaved with other record types."
  const bool inside_message = message_size_ > 0 || skip_ > 0;
  if (inside_message && record.type != ContentType::kHandshake) return Reason::kUnexpectedMessage;
  switch (record.type) {
    case ContentType::kApplicationData:
      if (record.fragment.empty()) return CountEmptyRecord();
      empty_records_ = 0;
      key_updates_ = 0;
      pieces.emplace_back(record.fragment);
      return {};
    case ContentType::kAlert:
      return OnAlert(record.fragment);
    case ContentType::kHandshake:
      // RFC 8446 §5.1: "Implementations MUST NOT send zero-length fragments of Handshake types"
      if (record.fragment.empty()) return Reason::kEmptyHandshakeRecord;
      return OnHandshake(record.fragment, to_peer);
    default:
      return Reason::kBadRecordType;
  }
}

Result<void> RecordLayer::CountEmptyRecord() {
  if (++empty_records_ > kMaxEmptyRecords) return Reason::kTooManyEmptyRecords;
  return {};
}

Result<void> RecordLayer::OnAlert(ByteView fragment) {
  // RFC 8446 §5.1: "a record with an Alert type MUST contain exactly one message."
  if (fragment.size() != 2) return Reason::kDecodeError;
  const uint8_t level = fragment[0];
  const uint8_t description = fragment[1];
  if (description == static_cast<uint8_t>(Alert::kCloseNotify)) {
    peer_closed_ = true;
    return {};
  }
  // RFC 8446 §6: "All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal and MUST
  // be treated as error alerts when received regardless of the AlertLevel in the message."
  const bool is_warning =
      is_tls13() ? description == static_cast<uint8_t>(Alert::kUserCanceled) : level == kWarning;
  if (is_warning) {
    if (++warnings_ > kMaxWarnings) return Reason::kTooManyWarnings;
    return {};
  }
  peer_alert_ = description;
  return Reason::kPeerAlert;
}

Result<void> RecordLayer::OnHandshake(ByteView fragment, Bytes& to_peer) {
  while (!fragment.empty()) {
    if (skip_ > 0) {
      const size_t skipped = std::min(skip_, fragment.size());
      skip_ -= skipped;
      fragment = fragment.subspan(skipped);
      if (skip_ == 0) {
        if (const auto done = OnRenegotiation(to_peer); !done.ok()) return done;
      }
      continue;
    }
    message_[message_size_++] = fragment[0];
    fragment = fragment.subspan(1);
    // To a server nothing else may come: no ticket, no certificate that nobody asked for.
    const auto wanted = is_tls13() ? HandshakeType::kKeyUpdate : HandshakeType::kClientHello;
    if (message_[0] != static_cast<uint8_t>(wanted)) return Reason::kUnexpectedMessage;
    if (message_size_ < kMessageHeader) continue;
    const size_t length = size_t{message_[1]} << 16 | size_t{message_[2]} << 8 | message_[3];
    if (is_tls13()) {
      if (length != 1) return Reason::kDecodeError;
      if (message_size_ > kMessageHeader) return OnKeyUpdate(fragment, to_peer);
    } else {
      if (length > kMaxMessage) return Reason::kMessageTooLong;
      if (length == 0) return Reason::kDecodeError;
      message_size_ = 0;
      skip_ = length;
    }
  }
  return {};
}

Result<void> RecordLayer::OnKeyUpdate(ByteView rest, Bytes& to_peer) {
  const uint8_t request = message_[kMessageHeader];
  message_size_ = 0;
  // RFC 8446 §4.6.3: "If an implementation receives any other value, it MUST terminate the
  // connection with an "illegal_parameter" alert."
  if (request > 1) {
    alert_instead_ = Alert::kIllegalParameter;
    return Reason::kDecodeError;
  }
  // RFC 8446 §5.1: "Handshake messages MUST NOT span key changes."
  if (!rest.empty()) return Reason::kKeyChangeInsideMessage;
  if (++key_updates_ > kMaxKeyUpdates) return Reason::kTooManyWarnings;
  if (const auto updated = opener_.keys()->Update(); !updated.ok()) return updated;
  update_asked_ = false;
  // RFC 8446 §4.6.3: "If the request_update field is set to "update_requested", then the receiver
  // MUST send a KeyUpdate of its own with request_update set to "update_not_requested" prior to
  // sending its next Application Data record."
  if (request == 1 && !write_closed_) return SendKeyUpdate(/*request=*/false, to_peer);
  return {};
}

Result<void> RecordLayer::OnRenegotiation(Bytes& to_peer) {
  if (++renegotiations_ > kMaxRenegotiations) {
    // no_renegotiation is always a warning, and it was sent already.
    alert_instead_ = Alert::kUnexpectedMessage;
    return Reason::kRenegotiationRefused;
  }
  if (!write_closed_) SendAlert(kWarning, Alert::kNoRenegotiation, to_peer);
  return {};
}

Result<void> RecordLayer::SendKeyUpdate(bool request, Bytes& to_peer) {
  const uint8_t message[] = {static_cast<uint8_t>(HandshakeType::kKeyUpdate), 0, 0, 1,
                             static_cast<uint8_t>(request)};
  const auto sealed = sealer_.Seal(ContentType::kHandshake, message, max_fragment_, to_peer);
  if (!sealed.ok()) return sealed;
  update_asked_ = update_asked_ || request;
  return sealer_.keys()->Update();
}

// RFC 8446 §5.5: "Implementations SHOULD do a key update as described in Section 4.6.3 prior to
// reaching these limits."
Result<void> RecordLayer::RefreshKeys(Bytes& to_peer) {
  const bool write_worn = sealer_.keys()->NearLimit();
  const bool read_worn = opener_.keys()->NearLimit();
  if (!is_tls13()) {
    if (write_worn || read_worn) return Reason::kSequenceExhausted;
    return {};
  }
  const bool ask = read_worn && !update_asked_;
  if (write_worn || ask) return SendKeyUpdate(ask, to_peer);
  return {};
}

Result<void> RecordLayer::Seal(ByteView plaintext, Bytes& to_peer) {
  if (write_closed_) return Reason::kInternalError;
  if (const auto fresh = RefreshKeys(to_peer); !fresh.ok()) return fresh;
  return sealer_.Seal(ContentType::kApplicationData, plaintext, max_fragment_, to_peer);
}

void RecordLayer::SendAlert(uint8_t level, Alert alert, Bytes& to_peer) {
  const uint8_t body[] = {level, static_cast<uint8_t>(alert)};
  // Only worn-out sequence numbers can refuse it, and then nothing can be said any more.
  (void)sealer_.Seal(ContentType::kAlert, body, max_fragment_, to_peer);
}

void RecordLayer::Close(Bytes& to_peer) {
  if (write_closed_) return;
  write_closed_ = true;
  SendAlert(kWarning, Alert::kCloseNotify, to_peer);
}

void RecordLayer::Abort(Alert alert, Bytes& to_peer) {
  if (write_closed_) return;
  write_closed_ = true;
  SendAlert(kFatal, alert, to_peer);
}

void RecordLayer::Fail(Reason reason, Bytes& to_peer) {
  failed_ = true;
  const tls::ReasonInfo& info = tls::Describe(reason);
  const std::optional<Alert> usual = is_tls13() ? info.alert13 : info.alert12;
  const std::optional<Alert> alert = alert_instead_ ? alert_instead_ : usual;
  if (alert) Abort(*alert, to_peer);
  write_closed_ = true;
}

Result<void> RecordLayer::OnTransportEnd() const {
  if (peer_closed_) return {};
  return Reason::kPeerClosed;
}

Bytes PlaintextAlert(Alert alert) {
  const uint8_t body[] = {kFatal, static_cast<uint8_t>(alert)};
  Bytes record;
  (void)tls::RecordSealer().Seal(ContentType::kAlert, body, tls::kMaxPlaintext, record);
  return record;
}

}  // namespace handfast::client
