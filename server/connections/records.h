// What callers ask of a connection's records, and what they are told: the calls and replies of
// kept_connection.h.
#ifndef HANDFAST_SERVER_CONNECTIONS_RECORDS_H_
#define HANDFAST_SERVER_CONNECTIONS_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "tls/base/bytes.h"
#include "tls/base/secret.h"
#include "tls/connection/connection.h"

namespace handfast::connections {

// Of plaintext or of the peer's bytes in one call: eight full records, about 100 us of one core; a
// reply with its overhead stays below the 256 KiB that one message may have.
inline constexpr size_t kMaxCallBytes = size_t{128} * 1024;

// `first_seq`: how many records of the direction went before, by the caller's count. Nullopt: the
// reply is not kept for a retry.
struct SealCall {
  std::optional<uint64_t> first_seq;
  tls::ByteView plaintext;  // 1 to kMaxCallBytes
};
struct OpenCall {
  std::optional<uint64_t> first_seq;
  tls::ByteView from_peer;   // at most kMaxCallBytes
  bool peer_closed = false;  // behind these bytes
};

struct RecordReply {
  RecordReply() = default;
  RecordReply(const RecordReply&) = delete;
  RecordReply& operator=(const RecordReply&) = delete;
  ~RecordReply() { tls::Wipe(plaintext); }

  tls::Bytes to_peer;  // to be sent, also where there is a failure
  uint64_t to_peer_offset = 0;
  tls::Bytes plaintext;  // what the peer said
  size_t consumed = 0;   // of OpenCall::from_peer
  uint64_t next_seal_seq = 0;
  uint64_t next_open_seq = 0;
  bool peer_closed = false;
  size_t new_session_tickets = 0;
  std::optional<tls::HandshakeFailure> failure;  // the connection is over
  // Of application data sealed, or of any kind opened.
  uint64_t records = 0;
};

struct RecordAnswer {
  std::shared_ptr<const RecordReply> reply;
  // It was the last call again: nothing was done.
  bool repeated = false;
};

// What may leave of the keys. kTrafficKeys: a key and IV a direction; of TLS 1.3 the next ones
// follow by KeptConnection::Update, each once. kTrafficSecrets: TLS 1.3, and nothing of the records
// stays.
enum class KeyKind : uint8_t { kTrafficKeys, kTrafficSecrets };

struct KeyRelease {
  std::variant<std::monostate, tls::ReleasedKeys, tls::ReleasedGeneration> keys;
  tls::Bytes to_peer;  // a KeyUpdate that was due: before whatever the keys protect
  uint64_t to_peer_offset = 0;
};

// Of one direction. With released keys: the next ones. Else the KeyUpdate's record.
struct KeyUpdate {
  std::optional<tls::GenerationKeys> keys;
  tls::Bytes to_peer;
  uint64_t to_peer_offset = 0;
};

}  // namespace handfast::connections

#endif  // HANDFAST_SERVER_CONNECTIONS_RECORDS_H_
