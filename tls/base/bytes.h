// The vocabulary for byte strings in tls/: an owned string, a view, and the few operations that
// every layer needs. Nothing here knows about TLS.
#ifndef HANDFAST_TLS_BASE_BYTES_H_
#define HANDFAST_TLS_BASE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handfast::tls {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// `more` is no part of `out`. One function for all, with less code than insert(), which could also
// put the bytes in between.
void Append(Bytes& out, ByteView more);

inline Bytes Copy(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }

// Compares public bytes. Secrets are compared by crypto/hkdf.h's ConstantTimeEqual.
bool Equal(ByteView a, ByteView b);

// Lower-case hex, two digits a byte.
std::string ToHex(ByteView bytes);

// Reads hex digits of either case; nullopt on an odd length or a character that is no hex digit.
std::optional<Bytes> FromHex(std::string_view hex);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_BASE_BYTES_H_
