#include "tls/crypto/rsa_pss.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace handfast::tls {
namespace {

// Takes `mask` into `bytes`: MGF1 of `seed` (RFC 8017 §B.2.1).
bool Mask(MessageDigest digest, ByteView seed, std::span<uint8_t> bytes) {
  std::array<uint8_t, kMaxMessageHash + 4> block;
  std::copy(seed.begin(), seed.end(), block.begin());
  uint8_t* const counter = block.data() + seed.size();
  std::memset(counter, 0, 4);
  MessageHash hash;
  while (!bytes.empty()) {
    if (!HashMessage(digest, ByteView(block).first(seed.size() + 4), hash)) return false;
    const size_t size = std::min<size_t>(hash.size, bytes.size());
    for (size_t i = 0; i < size; ++i) bytes[i] ^= hash.bytes[i];
    bytes = bytes.subspan(size);
    ++counter[3];  // no modulus of ours needs 256 hashes
  }
  return true;
}

}  // namespace

bool EncodePss(MessageDigest digest, ByteView message, ByteView salt, size_t modulus_bits,
               std::span<uint8_t> encoded) {
  MessageHash hash;
  if (modulus_bits == 0 || encoded.size() != (modulus_bits + 7) / 8 ||
      !HashMessage(digest, message, hash) || salt.size() != hash.size) {
    return false;
  }
  // "emBits", one bit less than the modulus has: where those end with a byte, a zero leads.
  const size_t bits = modulus_bits - 1;
  if (bits % 8 == 0) {
    encoded[0] = 0;
    encoded = encoded.subspan(1);
  }
  if (encoded.size() < hash.size + salt.size() + 2) return false;
  // M' = eight zeros || mHash || salt.
  std::array<uint8_t, 8 + 2 * kMaxMessageHash> inner{};
  std::memcpy(inner.data() + 8, hash.bytes.data(), hash.size);
  std::memcpy(inner.data() + 8 + hash.size, salt.data(), salt.size());
  const ByteView whole = ByteView(inner).first(8 + hash.size + salt.size());
  if (!HashMessage(digest, whole, hash)) return false;
  // EM = maskedDB || H || 0xbc, where DB = zeros || 0x01 || salt.
  const std::span<uint8_t> db = encoded.first(encoded.size() - hash.size - 1);
  std::fill(db.begin(), db.end(), uint8_t{0});
  db[db.size() - salt.size() - 1] = 1;
  std::memcpy(db.last(salt.size()).data(), salt.data(), salt.size());
  if (!Mask(digest, ByteView(hash.bytes).first(hash.size), db)) return false;
  if (bits % 8 != 0) db[0] &= static_cast<uint8_t>(0xff >> (8 - bits % 8));
  std::memcpy(encoded.data() + db.size(), hash.bytes.data(), hash.size);
  encoded.back() = 0xbc;
  return true;
}

}  // namespace handfast::tls
