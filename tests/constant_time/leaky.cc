#include "tests/constant_time/leaky.h"

#include "tls/crypto/hash.h"

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

bool LeakyUnpad(tls::ByteView decrypted) {
  const size_t padding = size_t{decrypted.back()} + 1;
  if (padding > decrypted.size()) return false;
  const tls::ByteView rest = decrypted.first(decrypted.size() - padding);
  return tls::Hash(tls::HashAlgorithm::kSha256, rest).bytes[0] == 0;
}

}  // namespace handfast::constant_time
