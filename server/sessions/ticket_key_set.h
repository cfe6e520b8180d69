// The keys that seal tickets, as all replicas share them: a value that says what is due at a time,
// without store, clock or threads. Each key seals for two hours and opens for thirteen more, so
// that what is stolen today opens little of yesterday. The next one is there two hours before it
// seals: by then every replica knows it.
#ifndef HANDFAST_SERVER_SESSIONS_TICKET_KEY_SET_H_
#define HANDFAST_SERVER_SESSIONS_TICKET_KEY_SET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/result.h"
#include "tls/crypto/random.h"
#include "tls/engine/ticket.h"

namespace handfast::sessions {

// Seconds.
inline constexpr int64_t kTicketKeySealsFor = 2 * 3600;
inline constexpr int64_t kTicketKeyOpensFor = kTicketKeySealsFor + 13 * 3600;

class TicketKeySet {
 public:
  // Eight that open, one to come, and room for what a clock that jumped leaves.
  static constexpr size_t kMaxKeys = 16;

  TicketKeySet() = default;

  // The stored form, SECRET: always of the same size, so that a full store has room for the next.
  // Nullopt where it is none, or a newer release's.
  static std::optional<TicketKeySet> Parse(tls::ByteView stored);
  tls::Bytes Serialize() const;

  // Drops what no longer opens, and makes what is due: a key that seals now, and the next one.
  // Whether anything has changed.
  tls::Result<bool> Rotate(int64_t now_unix_s, tls::Randomness& randomness);

  // For the engine. Null: none opens. They do not seal where the time of all of them is over.
  std::shared_ptr<const tls::TicketKeys> KeysAt(int64_t now_unix_s) const;
  // When the key that seals, or was the last one to, began to; nullopt: there is none.
  std::optional<int64_t> RotatedAt(int64_t now_unix_s) const;

 private:
  struct Entry {
    tls::TicketKey key;
    int64_t seals_from_unix_s = 0;
  };

  tls::Result<void> Add(int64_t seals_from_unix_s, tls::Randomness& randomness);
  // The latest that has begun; null: none has.
  const Entry* Latest(int64_t now_unix_s) const;

  std::vector<Entry> entries_;  // the latest first
};

}  // namespace handfast::sessions

#endif  // HANDFAST_SERVER_SESSIONS_TICKET_KEY_SET_H_
