// What becomes of the records in the peer's stream.
#include "tls/connection/limits.h"
#include "tls/connection/run.h"
#include "tls/wire/messages.h"

namespace handfast::tls {
namespace {

constexpr uint8_t kWarning = 1;
constexpr uint8_t kChangeCipherSpecBody[] = {1};

bool IsChangeCipherSpec(uint8_t type) {
  return type == static_cast<uint8_t>(ContentType::kChangeCipherSpec);
}

}  // namespace

bool ToleratesChangeCipherSpec(const EngineState& state) {
  return std::holds_alternative<client::WaitServerHello>(state) ||
         std::holds_alternative<client13::WaitEncryptedExtensions>(state) ||
         std::holds_alternative<client13::WaitCertificateOrRequest>(state) ||
         std::holds_alternative<client13::WaitCertificate>(state) ||
         std::holds_alternative<client13::WaitCertificateVerify>(state) ||
         std::holds_alternative<client13::WaitFinished>(state) ||
         std::holds_alternative<tls13::WaitRetriedClientHello>(state) ||
         std::holds_alternative<tls13::WaitCertificate>(state) ||
         std::holds_alternative<tls13::WaitCertificateVerify>(state) ||
         std::holds_alternative<tls13::WaitFinished>(state);
}
// RFC 8446 §5 lets a server's ChangeCipherSpec come first of all.
bool IsFirstRecord(const ConnectionState& state, ByteView stream, size_t ahead) {
  const bool tolerated =
      !stream.empty() && IsChangeCipherSpec(stream[0]) && ToleratesChangeCipherSpec(state.engine);
  return state.consumed + ahead == 0 && !tolerated;
}

bool IsWarning(const ConnectionState& state, const AlertMessage& alert) {
  if (alert.description == static_cast<uint8_t>(Alert::kCloseNotify)) return false;
  // RFC 8446 §6: in TLS 1.3 the level says nothing; only closure alerts are no errors.
  return state.version == ProtocolVersion::kTls12
             ? alert.level == kWarning
             : alert.description == static_cast<uint8_t>(Alert::kUserCanceled);
}

// A TLS 1.3 client that cannot read our ServerHello has no keys yet, and tells us so in the clear.
// What anybody could forge here only ends an unfinished handshake, which they could do anyway; so
// it is tolerated here, and not by RecordOpener, which lives on after the handshake.
bool IsAlertInTheClear(const ConnectionState& state, const RecordHeader& header) {
  constexpr size_t kAlertSize = 2;
  return header.type == ContentType::kAlert && header.length == kAlertSize &&
         state.version == ProtocolVersion::kTls13 && state.opener.encrypted() &&
         state.opener.sequence() == 0;
}

void Run::ReadRecords() {
  size_t used = 0;
  while (!ended() && !state_.question && !stepped()) {
    const std::span<uint8_t> stream = std::span<uint8_t>(state_.input).subspan(used);
    const Result<std::optional<RecordHeader>> header = PeekRecord(
        stream, IsFirstRecord(state_, stream, /*ahead=*/0), state_.opener.max_ciphertext());
    if (!header.ok()) {
      Fail(header.reason());
      break;
    }
    if (!*header || stream.size() < kRecordHeaderSize + (*header)->length) break;
    const size_t size = kRecordHeaderSize + (*header)->length;
    used += size;
    state_.consumed += size;
    OnRecord(**header, stream.first(size));
  }
  // What follows the end is the caller's: see Connection::consumed.
  if (ended() && !state_.stepwise) used = state_.input.size();
  state_.input.erase(state_.input.begin(),
                     state_.input.begin() + static_cast<std::ptrdiff_t>(used));
}

void Run::OnRecord(const RecordHeader& header, std::span<uint8_t> record) {
  // RFC 8446 §5.1: "Handshake messages MUST NOT be interleaved with other record types."
  if (header.type == ContentType::kChangeCipherSpec) {
    return state_.messages.empty() ? OnChangeCipherSpec(record)
                                   : Fail(Reason::kUnexpectedChangeCipherSpec);
  }
  if (IsAlertInTheClear(state_, header)) {
    return OnAlert(record.subspan(kRecordHeaderSize), /*encrypted=*/false);
  }
  const bool may_be_early =
      state_.early_data_left > 0 && header.type == ContentType::kApplicationData;
  // RFC 8446 §4.2.10: after a HelloRetryRequest the server "ignores early data by skipping all
  // records with an external content type of "application_data"".
  if (may_be_early && !state_.opener.encrypted()) return SkipEarlyRecord(record.size());
  const Result<OpenedRecord> opened = state_.opener.Open(record, state_.max_plaintext);
  // RFC 8446 §4.2.10: else it skips "by attempting to deprotect received records using the
  // handshake traffic key, discarding records which fail deprotection (up to the configured
  // max_early_data_size)".
  if (may_be_early && !opened.ok() && opened.reason() == Reason::kBadRecordMac) {
    return SkipEarlyRecord(record.size());
  }
  if (!opened.ok()) return Fail(opened.reason());
  state_.early_data_left = 0;
  switch (opened->type) {
    case ContentType::kAlert:
      return OnAlert(opened->fragment, state_.opener.encrypted());
    case ContentType::kHandshake:
      return OnHandshake(opened->fragment);
    default:
      return Fail(Reason::kUnexpectedApplicationData);
  }
}

void Run::OnChangeCipherSpec(ByteView record) {
  // RFC 8446 §5: "An implementation which receives any other change_cipher_spec value or which
  // receives a protected change_cipher_spec record MUST abort the handshake with an
  // "unexpected_message" alert."
  if (!Equal(record.subspan(kRecordHeaderSize), kChangeCipherSpecBody)) {
    return Fail(Reason::kUnexpectedChangeCipherSpec);
  }
  if (state_.armed) {
    Trace(true, false, ContentType::kChangeCipherSpec, kChangeCipherSpecBody);
    ArmedKeys armed = *std::move(state_.armed);
    state_.armed.reset();
    took_message_ = true;
    return InstallRead(std::move(armed.keys), armed.max_plaintext);
  }
  // RFC 8446 §5: "If an implementation detects a change_cipher_spec record received before the
  // first ClientHello message or after the peer's Finished message, it MUST be treated as an
  // unexpected record type".
  // RFC 8446 §5: "An implementation may receive an unencrypted record of type change_cipher_spec
  // consisting of the single byte value 0x01 at any time after the first ClientHello message has
  // been sent or received and before the peer's Finished message has been received and MUST simply
  // drop it without further processing." More than an honest peer has use for are refused.
  if (!ToleratesChangeCipherSpec(state_.engine) ||
      ++state_.compatibility_change_cipher_specs > kMaxCompatibilityChangeCipherSpecs) {
    return Fail(Reason::kUnexpectedChangeCipherSpec);
  }
  Trace(true, false, ContentType::kChangeCipherSpec, kChangeCipherSpecBody);
}

void Run::SkipEarlyRecord(size_t size) {
  if (size > state_.early_data_left) return Fail(Reason::kTooMuchEarlyData);
  state_.early_data_left -= size;
  state_.empty_records = size == kRecordHeaderSize ? state_.empty_records + 1 : 0;
  if (state_.empty_records > kMaxEmptyRecords) Fail(Reason::kTooManyEmptyRecords);
}

void Run::OnAlert(ByteView fragment, bool encrypted) {
  // RFC 8446 §5.4: "Implementations MUST NOT send Handshake and Alert records that have a
  // zero-length TLSInnerPlaintext.content; if such a message is received, the receiving
  // implementation MUST terminate the connection with an "unexpected_message" alert."
  if (fragment.empty()) return Fail(Reason::kUnexpectedMessage);
  // RFC 8446 §5.1: "a record with an Alert type MUST contain exactly one message."
  const std::optional<AlertMessage> alert = Parse<AlertMessage>(fragment);
  if (!alert) return Fail(Reason::kDecodeError);
  Trace(true, encrypted, ContentType::kAlert, fragment);
  if (alert->description == static_cast<uint8_t>(Alert::kCloseNotify)) {
    // RFC 8446 §6.1: "Each party MUST send a "close_notify" alert before closing its write side of
    // the connection, unless it has already sent some error alert." RFC 5246 §7.2.1: "The other
    // party MUST respond with a close_notify alert of its own and close down the connection
    // immediately, discarding any pending writes."
    const AlertMessage answer{kWarning, alert->description};
    SendRecords(ContentType::kAlert, Serialize(answer));
    if (output_.failure) return;
    return End(Reason::kPeerClosed, Origin::kClosed, alert->description);
  }
  // RFC 8446 §6: "All the alerts listed in Section 6.2 MUST be sent with AlertLevel=fatal and MUST
  // be treated as error alerts when received regardless of the AlertLevel in the message." And:
  // "Unknown Alert types MUST be treated as error alerts."
  if (!IsWarning(state_, *alert)) {
    return End(Reason::kPeerAlert, Origin::kPeerAlert, alert->description);
  }
  // RFC 8446 §5.1: "if a handshake message is split over two or more records, there MUST NOT be any
  // other records between them."
  if (state_.version != ProtocolVersion::kTls12 && !state_.messages.empty()) {
    return Fail(Reason::kUnexpectedMessage);
  }
  if (++state_.warning_alerts > kMaxWarnings) Fail(Reason::kTooManyWarnings);
}

void Run::OnHandshake(ByteView fragment) {
  // RFC 8446 §5.1: "Implementations MUST NOT send zero-length fragments of Handshake types".
  if (fragment.empty()) return Fail(Reason::kEmptyHandshakeRecord);
  // In TLS 1.2 the keys that were agreed on are switched on by ChangeCipherSpec, or not at all.
  if (state_.armed) return Fail(Reason::kUnexpectedMessage);
  Append(state_.messages, fragment);
  ReadMessages();
}

}  // namespace handfast::tls
