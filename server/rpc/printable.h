// A peer's text for a field of type `string`, which must be UTF-8, and for a terminal.
#ifndef HANDFAST_SERVER_RPC_PRINTABLE_H_
#define HANDFAST_SERVER_RPC_PRINTABLE_H_

#include <string>

#include "tls/base/bytes.h"

namespace handfast::rpc {

// Bytes outside printable ASCII, and the backslash, become \x and two hex digits.
inline std::string Printable(tls::ByteView bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      text += static_cast<char>(byte);
    } else {
      text += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return text;
}

inline std::string Printable(std::string_view text) { return Printable(tls::AsBytes(text)); }

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_PRINTABLE_H_
