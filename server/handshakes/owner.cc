#include <array>

#include "server/handshakes/owner_interface.h"

namespace handfast::handshakes {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr size_t kDigitsEach = 16;  // of a 64-bit half

bool ParseHalf(std::string_view digits, uint64_t& half) {
  half = 0;
  for (char digit : digits) {
    const size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) return false;
    half = half << 4 | value;
  }
  return true;
}

}  // namespace

tls::Result<Handle> NewHandle(tls::Randomness& randomness) {
  std::array<uint8_t, sizeof(uint64_t) * 2> bytes{};
  if (auto filled = randomness.Fill(bytes); !filled.ok()) return filled.reason();
  Handle handle;
  for (size_t i = 0; i < sizeof(uint64_t); ++i) {
    handle.high = handle.high << 8 | bytes[i];
    handle.low = handle.low << 8 | bytes[sizeof(uint64_t) + i];
  }
  return handle;
}

std::string ToHex(const Handle& handle) {
  std::string hex(2 * kDigitsEach, '0');
  for (size_t i = 0; i < kDigitsEach; ++i) {
    const size_t shift = 4 * (kDigitsEach - 1 - i);
    hex[i] = kDigits[handle.high >> shift & 15];
    hex[kDigitsEach + i] = kDigits[handle.low >> shift & 15];
  }
  return hex;
}

std::optional<Handle> HandleFromHex(std::string_view hex) {
  Handle handle;
  if (hex.size() != 2 * kDigitsEach) return std::nullopt;
  if (!ParseHalf(hex.substr(0, kDigitsEach), handle.high)) return std::nullopt;
  if (!ParseHalf(hex.substr(kDigitsEach), handle.low)) return std::nullopt;
  return handle;
}

}  // namespace handfast::handshakes
