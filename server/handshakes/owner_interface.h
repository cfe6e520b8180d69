// Whose a handshake or a connection is, and the number by which its owner names it.
#ifndef HANDFAST_SERVER_HANDSHAKES_OWNER_INTERFACE_H_
#define HANDFAST_SERVER_HANDSHAKES_OWNER_INTERFACE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tls/crypto/random.h"

namespace handfast::handshakes {

// Both must match: a tenant's principals do not see each other's handshakes.
struct Owner {
  std::string tenant;
  std::string principal;
  bool operator==(const Owner&) const = default;
};

// 128 random bits. A handshake and the connection that comes of it bear the same ones.
struct Handle {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Handle&) const = default;
};

struct HandleHash {
  size_t operator()(const Handle& handle) const { return handle.low; }
};

// kInternalError where randomness fails.
tls::Result<Handle> NewHandle(tls::Randomness& randomness);
// 32 lower-case hex digits.
std::string ToHex(const Handle& handle);
// Nullopt where `hex` is not exactly what ToHex makes: one handshake has one name.
std::optional<Handle> HandleFromHex(std::string_view hex);

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_OWNER_INTERFACE_H_
