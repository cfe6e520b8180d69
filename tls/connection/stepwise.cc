#include "tls/connection/stepwise.h"

#include <utility>

#include "tls/connection/run.h"
#include "tls/connection/state.h"
#include "tls/engine/engine.h"
#include "tls/record/deframer.h"

namespace handfast::tls {
namespace {

// Reads ahead in copies: the connection is as before when it is gone.
class LookAhead {
 public:
  LookAhead(ConnectionState& state, ByteView more)
      : state_(state),
        sequence_(state.opener.sequence()),
        stream_(state.input),
        messages_(state.messages) {
    Append(stream_, more);
  }
  ~LookAhead() {
    state_.opener.Rewind(sequence_);
    // They may have held what a peer keeps to itself.
    Wipe(messages_);
    Wipe(stream_);
  }
  LookAhead(const LookAhead&) = delete;
  LookAhead& operator=(const LookAhead&) = delete;

  std::optional<MessageName> Next() {
    for (;;) {
      if (const std::optional<HandshakeType> type = WholeMessage()) {
        return MessageName{ContentType::kHandshake, *type};
      }
      const Result<std::optional<RecordHeader>> header =
          PeekRecord(rest(), /*first_record=*/false, state_.opener.max_ciphertext());
      if (!header.ok() || !*header) return std::nullopt;
      const size_t size = kRecordHeaderSize + (*header)->length;
      if (rest().size() < size) return std::nullopt;
      const std::span<uint8_t> record = rest().first(size);
      used_ += size;
      if ((*header)->type == ContentType::kChangeCipherSpec) {
        if (state_.armed) return kChangeCipherSpecName;
        continue;
      }
      if (!Read(**header, record)) return std::nullopt;
    }
  }

 private:
  std::span<uint8_t> rest() { return std::span<uint8_t>(stream_).subspan(used_); }

  std::optional<HandshakeType> WholeMessage() {
    for (;;) {
      const size_t length = WholeMessageLength(messages_);
      if (length == 0) return std::nullopt;
      if (!IsPassedOver(state_, ByteView(messages_).first(length))) {
        return static_cast<HandshakeType>(messages_[0]);
      }
      messages_.erase(messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(length));
    }
  }

  // False: it is for the step to say what is wrong.
  bool Read(const RecordHeader& header, std::span<uint8_t> record) {
    const bool may_be_early =
        state_.early_data_left > 0 && header.type == ContentType::kApplicationData;
    if (may_be_early && !state_.opener.encrypted()) return true;
    const Result<OpenedRecord> opened = state_.opener.Open(record, state_.max_plaintext);
    if (!opened.ok()) return may_be_early;
    if (opened->type != ContentType::kHandshake) return false;
    Append(messages_, opened->fragment);
    return true;
  }

  ConnectionState& state_;
  const uint64_t sequence_;
  Bytes stream_;
  Bytes messages_;
  size_t used_ = 0;
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

std::optional<MessageName> PeekMessage(Connection& connection, ByteView more) {
  return LookAhead(ConnectionAccess::Of(connection), more).Next();
}

size_t HeldBytes(const Connection& connection) {
  const ConnectionState& state = ConnectionAccess::Of(connection);
  return state.input.size() + state.messages.size();
}

Bytes TakeHeldBytes(Connection& connection) {
  return std::exchange(ConnectionAccess::Of(connection).input, {});
}

}  // namespace handfast::tls
