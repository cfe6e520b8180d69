// What any store takes, and the words in which it refuses the rest.
#ifndef HANDFAST_SERVER_STORE_LIMITS_H_
#define HANDFAST_SERVER_STORE_LIMITS_H_

#include "absl/status/status.h"

#include "server/store/store_interface.h"

namespace handfast::store {

// A tenant's name and a handle in hex are far shorter.
inline constexpr size_t kMaxNameSize = 256;
// A saved handshake holds a chain of certificates and a flight of the peer's: tens of KiB at most.
inline constexpr size_t kMaxValueSize = size_t{256} * 1024;
// RFC 8446 §4.6.1 lets no ticket live longer than seven days; nothing else lives as long.
inline constexpr TimeToLive kMaxTimeToLive = std::chrono::hours(7 * 24);

// INVALID_ARGUMENT where a part of the name is empty or longer than kMaxNameSize.
absl::Status CheckKey(const Key& key);
// INVALID_ARGUMENT where the key, the value or its time is out of bounds. The value may be empty.
absl::Status CheckWrite(const Key& key, tls::ByteView value, TimeToLive time_to_live);

// In the same words whatever the reason, so that a stranger's key cannot be told from none.
absl::Status NotFound();
absl::Status AlreadyExists();
absl::Status LostTheSwap(uint64_t expected, uint64_t found);

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_LIMITS_H_
