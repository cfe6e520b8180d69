#include "tests/fuzz/target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace handfast::fuzz {

void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "PROPERTY BROKEN: %s\n", property);
  std::abort();
}

bool Mutant(const char* property) {
  static const char* const wanted = std::getenv("HANDFAST_FUZZ_MUTANT");
  return wanted != nullptr && std::string_view(wanted) == property;
}

ByteView Choices::Take(size_t size) {
  const ByteView taken = rest_.first(std::min(size, rest_.size()));
  rest_ = rest_.subspan(taken.size());
  return taken;
}

uint8_t Choices::U8() {
  const ByteView byte = Take(1);
  return byte.empty() ? 0 : byte[0];
}

uint16_t Choices::U16() {
  const uint8_t high = U8();
  return static_cast<uint16_t>(high << 8 | U8());
}

}  // namespace handfast::fuzz
