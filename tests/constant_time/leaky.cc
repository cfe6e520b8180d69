#include "tests/constant_time/leaky.h"

namespace handfast::constant_time {

bool LeakyEqual(tls::ByteView a, tls::ByteView b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

uint8_t LeakyLookUp(uint8_t secret) {
  static const tls::Bytes table(256, 1);
  return table[secret];
}

}  // namespace handfast::constant_time
