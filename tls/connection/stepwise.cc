#include "tls/connection/stepwise.h"

#include <utility>

#include "tls/connection/limits.h"
#include "tls/connection/run.h"
#include "tls/connection/state.h"
#include "tls/engine/engine.h"
#include "tls/record/deframer.h"
#include "tls/wire/messages.h"

namespace handfast::tls {
namespace {

// Reads ahead in copies: the connection is as before when it is gone. It decides as Run does (see
// run.cc), but for what only the engine can tell.
class Scan {
 public:
  Scan(ConnectionState& state, ByteView more)
      : state_(state),
        sequence_(state.opener.sequence()),
        stream_(state.input),
        messages_(state.messages),
        early_data_left_(state.early_data_left),
        change_cipher_specs_(state.compatibility_change_cipher_specs),
        warnings_(state.warning_alerts),
        empty_records_(state.empty_records) {
    Append(stream_, more);
  }
  ~Scan() {
    state_.opener.Rewind(sequence_);
    // They may have held what a peer keeps to itself.
    Wipe(messages_);
    Wipe(stream_);
  }
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;

  Ahead Next() {
    for (;;) {
      if (const std::optional<Ahead> found = ReadMessages()) return *found;
      const std::span<uint8_t> rest = std::span<uint8_t>(stream_).subspan(used_);
      const Result<std::optional<RecordHeader>> header =
          PeekRecord(rest, IsFirstRecord(state_, rest, used_), state_.opener.max_ciphertext());
      if (!header.ok()) return kEnds;
      if (!*header || rest.size() < kRecordHeaderSize + (*header)->length) return {};
      const size_t size = kRecordHeaderSize + (*header)->length;
      used_ += size;
      if (const std::optional<Ahead> found = ReadRecord(**header, rest.first(size))) return *found;
    }
  }

 private:
  static constexpr Ahead kEnds{.message = std::nullopt, .ends = true};

  // What was put together of records and is not read yet.
  ByteView unread() const { return ByteView(messages_).subspan(read_); }

  // These three: nullopt where more has to be read.
  std::optional<Ahead> ReadMessages() {
    for (;;) {
      if (unread().size() >= kHandshakeHeaderSize && IsTooLong(unread())) return kEnds;
      const size_t length = WholeMessageLength(unread());
      if (length == 0) return std::nullopt;
      if (!IsPassedOver(state_, unread().first(length))) {
        return Ahead{.message = MessageName{ContentType::kHandshake,
                                            static_cast<HandshakeType>(unread()[0])}};
      }
      if (++warnings_ > kMaxWarnings) return kEnds;
      read_ += length;
    }
  }

  std::optional<Ahead> ReadRecord(const RecordHeader& header, std::span<uint8_t> record) {
    if (header.type == ContentType::kChangeCipherSpec) {
      if (!unread().empty()) return kEnds;
      if (state_.armed) return Ahead{.message = kChangeCipherSpecName};
      if (!ToleratesChangeCipherSpec(state_.engine) ||
          ++change_cipher_specs_ > kMaxCompatibilityChangeCipherSpecs) {
        return kEnds;
      }
      return std::nullopt;
    }
    if (IsAlertInTheClear(state_, header)) return ReadAlert(record.subspan(kRecordHeaderSize));
    const bool may_be_early = early_data_left_ > 0 && header.type == ContentType::kApplicationData;
    if (may_be_early && !state_.opener.encrypted()) return SkipEarly(record.size());
    const Result<OpenedRecord> opened = state_.opener.Open(record, state_.max_plaintext);
    if (!opened.ok() && may_be_early && opened.reason() == Reason::kBadRecordMac) {
      return SkipEarly(record.size());
    }
    if (!opened.ok()) return kEnds;
    early_data_left_ = 0;
    if (opened->type == ContentType::kAlert) return ReadAlert(opened->fragment);
    if (opened->type != ContentType::kHandshake || opened->fragment.empty() || state_.armed) {
      return kEnds;
    }
    Append(messages_, opened->fragment);
    return std::nullopt;
  }

  std::optional<Ahead> ReadAlert(ByteView fragment) {
    const std::optional<AlertMessage> alert = Parse<AlertMessage>(fragment);
    if (!alert || !IsWarning(state_, *alert)) return kEnds;
    if (state_.version != ProtocolVersion::kTls12 && !unread().empty()) return kEnds;
    if (++warnings_ > kMaxWarnings) return kEnds;
    return std::nullopt;
  }

  std::optional<Ahead> SkipEarly(size_t size) {
    if (size > early_data_left_) return kEnds;
    early_data_left_ -= size;
    empty_records_ = size == kRecordHeaderSize ? empty_records_ + 1 : 0;
    return empty_records_ > kMaxEmptyRecords ? std::optional(kEnds) : std::nullopt;
  }

  ConnectionState& state_;
  const uint64_t sequence_;
  Bytes stream_;
  size_t used_ = 0;
  Bytes messages_;
  size_t read_ = 0;
  uint64_t early_data_left_;
  int change_cipher_specs_;
  int warnings_;
  int empty_records_;
};

}  // namespace

std::optional<MessageName> NameOf(const TracedMessage& message) {
  const bool tls13 = message.version == ProtocolVersion::kTls13;
  if (message.content_type == ContentType::kChangeCipherSpec) {
    return tls13 ? std::nullopt : std::optional(kChangeCipherSpecName);
  }
  if (message.content_type != ContentType::kHandshake) return std::nullopt;
  const auto type = static_cast<HandshakeType>(message.bytes[0]);
  if (tls13 && type == HandshakeType::kNewSessionTicket) return std::nullopt;
  if (type == HandshakeType::kHelloRequest) return std::nullopt;
  return MessageName{ContentType::kHandshake, type};
}

std::vector<MessageName> Expected(const Connection& connection) {
  const ConnectionState& state = ConnectionAccess::Of(connection);
  if (state.question) return {};
  if (state.armed) return {kChangeCipherSpecName};
  std::vector<MessageName> names;
  for (const HandshakeType type : LegalMessages(state.engine)) {
    names.push_back({ContentType::kHandshake, type});
  }
  return names;
}

Ahead LookAhead(Connection& connection, ByteView more) {
  return Scan(ConnectionAccess::Of(connection), more).Next();
}

std::optional<MessageName> PeekMessage(Connection& connection, ByteView more) {
  return LookAhead(connection, more).message;
}

size_t HeldBytes(const Connection& connection) {
  const ConnectionState& state = ConnectionAccess::Of(connection);
  return state.input.size() + state.messages.size();
}

Bytes TakeHeldBytes(Connection& connection) {
  return std::exchange(ConnectionAccess::Of(connection).input, {});
}

}  // namespace handfast::tls
