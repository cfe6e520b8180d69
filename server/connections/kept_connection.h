// An established connection whose keys stay in the service: the one sealer of its records, and the
// one opener. Calls go one after the other, and the last one of each direction can be had again.
// Why no nonce is used twice stands in README.md.
#ifndef HANDFAST_SERVER_CONNECTIONS_KEPT_CONNECTION_H_
#define HANDFAST_SERVER_CONNECTIONS_KEPT_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "server/connections/records.h"
#include "server/handshakes/clock_interface.h"
#include "tls/connection/connection.h"
#include "tls/crypto/hash.h"

namespace handfast::connections {

// How long a reply can be had again, and a connection that failed is remembered.
inline constexpr std::chrono::seconds kReplyKept{10};

// What a tenant's replies that are kept for retries may take in memory, so that connections without
// number cannot: 1,000 that each have just moved as much as a call can.
inline constexpr size_t kMaxKeptReplyBytes = size_t{256} << 20;
using KeptReplyBytes = std::atomic<size_t>;

class KeptConnection {
 public:
  // As a client: takes what the server gives to resume with. Called with the connection locked.
  using KeepSession = std::function<void(tls::Session spent)>;

  // The handshake is over, and the keys are in `connection`. `kept` is the tenant's count. No
  // `keep_session`: sessions are dropped.
  KeptConnection(tls::Connection connection, const handshakes::Clock& clock,
                 std::shared_ptr<KeptReplyBytes> kept, KeepSession keep_session = nullptr);
  ~KeptConnection();
  KeptConnection(const KeptConnection&) = delete;
  KeptConnection& operator=(const KeptConnection&) = delete;

  // FAILED_PRECONDITION (SEQUENCE_MISMATCH, WRITE_CLOSED), ABORTED (SEQUENCE_CONFLICT),
  // RESOURCE_EXHAUSTED (KEPT_REPLIES_LIMIT): nothing happened. NOT_FOUND: it has ended.
  absl::StatusOr<RecordAnswer> Seal(const SealCall& call);
  absl::StatusOr<RecordAnswer> Open(const OpenCall& call);
  absl::StatusOr<RecordAnswer> Close();

  // The keys leave, once: from then on Seal, Open and Close are FAILED_PRECONDITION
  // (KEYS_RELEASED), and so is a second release. The same `request_id`, where it is not empty, gets
  // the same reply for kReplyKept, after which the keys are wiped. FAILED_PRECONDITION too:
  // NOT_RELEASABLE, NO_TRAFFIC_SECRETS, RELEASE_IMPOSSIBLE. Whether they may leave is the caller's
  // to know.
  absl::StatusOr<std::shared_ptr<const KeyRelease>> Release(KeyKind kind,
                                                            const std::string& request_id);
  // Of the direction to the peer (`write`) or from it. FAILED_PRECONDITION (NO_NEXT_KEYS).
  absl::StatusOr<std::shared_ptr<const KeyUpdate>> Update(bool write, bool request_update,
                                                          const std::string& request_id);
  // RFC 8446 §7.5, also after a release. FAILED_PRECONDITION (NO_EXPORTER): TLS 1.2.
  absl::Status Export(std::string_view label, tls::ByteView context, std::span<uint8_t> out) const;

  // Wipes its keys and what is kept, when the call that is under way has ended.
  void End();
  // Waits for no call.
  bool ended() const { return ended_; }
  bool released() const { return has_released_; }
  // Forgets the replies that are too old. True where nothing is left of it.
  bool ForgetOld();

 private:
  struct Kept {
    Kept(uint64_t first_seq, tls::Digest input, std::shared_ptr<const RecordReply> reply,
         handshakes::MonotonicTime at, KeptReplyBytes& counted);
    ~Kept();

    const uint64_t first_seq;
    const tls::Digest input;
    const std::shared_ptr<const RecordReply> reply;
    const handshakes::MonotonicTime at;
    KeptReplyBytes& counted;
  };
  struct Direction {
    uint64_t next_seq = 0;
    std::unique_ptr<Kept> last;
  };

  template <class Reply>
  struct LastReply {
    std::string request_id;
    handshakes::MonotonicTime at;
    std::shared_ptr<const Reply> reply;
  };

  // All with mutex_ held.
  // It is over, without a word to the peer.
  absl::Status Fail();
  absl::Status TakeKeys(KeyKind kind, KeyRelease& release);
  template <class Reply>
  bool Repeats(const LastReply<Reply>& last, const std::string& request_id) const;
  void ForgetReleases(handshakes::MonotonicTime now);
  // The reply to the last call, where this is it; null where it is a new one that may be made.
  absl::StatusOr<std::shared_ptr<const RecordReply>> Check(const Direction& direction,
                                                           std::optional<uint64_t> first_seq,
                                                           const tls::Digest& input) const;
  tls::Output Step(const tls::Input& input);
  void Take(tls::Output output, RecordReply& reply);
  void KeepSessions(const std::vector<tls::Bytes>& new_session_tickets);
  // Numbers what `reply` says, and keeps it where it can be asked for.
  RecordAnswer Finish(std::shared_ptr<RecordReply> reply, Direction& direction,
                      std::optional<uint64_t> first_seq, const tls::Digest& input);

  const handshakes::Clock& clock_;
  const std::shared_ptr<KeptReplyBytes> kept_bytes_;
  const KeepSession keep_session_;
  const size_t max_fragment_;
  const size_t max_ciphertext_;
  mutable std::mutex mutex_;
  std::optional<tls::Connection> connection_;  // nullopt: it has ended, and its keys are wiped
  std::atomic<bool> ended_ = false;            // tells so
  handshakes::MonotonicTime ended_at_;
  uint64_t to_peer_ = 0;  // bytes so far
  // Sealed for a release that then was refused: the next reply begins with it.
  tls::Bytes undelivered_;
  Direction seal_;
  Direction open_;
  std::shared_ptr<const RecordReply> close_;
  std::optional<KeyKind> released_;         // then somebody else protects the records
  std::atomic<bool> has_released_ = false;  // tells so
  LastReply<KeyRelease> release_;
  LastReply<KeyUpdate> write_update_;
  LastReply<KeyUpdate> read_update_;
};

}  // namespace handfast::connections

#endif  // HANDFAST_SERVER_CONNECTIONS_KEPT_CONNECTION_H_
