#include "tests/constant_time/cbc.h"

#include <algorithm>

#include "tests/constant_time/poison.h"

namespace handfast::constant_time {
namespace {

using namespace tls;  // NOLINT(google-build-using-namespace): it speaks of nothing else

constexpr CbcAssociatedData kData = {0, 0, 0, 0, 0, 0, 0, 1, 23, 3, 3};

CbcHmac Make(CbcAlgorithm algorithm, AeadDirection direction, bool encrypt_then_mac, bool secret) {
  const AeadKey key = *AeadKey::From(Bytes(algorithm.key_size, 0x47));
  const HashSecret mac_key = *HashSecret::From(Bytes(CbcMacSize(algorithm.mac), 0x48));
  if (secret) {
    Poison(key);
    Poison(mac_key);
  }
  return *CbcHmac::Create(algorithm, direction, key, mac_key, encrypt_then_mac);
}

Bytes Seal(CbcAlgorithm algorithm, bool encrypt_then_mac, ByteView plaintext) {
  CbcHmac sealer = Make(algorithm, AeadDirection::kSeal, encrypt_then_mac, /*secret=*/false);
  Bytes body(sealer.SealedSize(plaintext.size()));
  if (!sealer.Seal(kData, plaintext, body.data()).ok()) body.clear();
  return body;
}

}  // namespace

CbcHmac CbcOpener(const CbcCase& of, bool secret) {
  return Make(of.algorithm, AeadDirection::kOpen, of.encrypt_then_mac, secret);
}

Result<std::span<uint8_t>> OpenCbc(CbcHmac& opener, std::span<uint8_t> body) {
  return opener.Open(kData, body);
}

Bytes GoodCbcBody(const CbcCase& of, ByteView plaintext) {
  return Seal(of.algorithm, of.encrypt_then_mac, plaintext);
}

Bytes CbcBodyOf(const CbcCase& of, ByteView blocks) {
  // What a sealer adds behind whole blocks, under encrypt-then-MAC, is taken off again.
  Bytes body = Seal(of.algorithm, /*encrypt_then_mac=*/true, blocks);
  body.resize(kCbcBlockSize + blocks.size());
  return body;
}

Bytes PaddedBlocks(size_t size, uint8_t padding, bool whole) {
  Bytes blocks(size, 0x61);
  const size_t padded = whole ? std::min<size_t>(padding + size_t{1}, size) : 1;
  std::fill_n(blocks.end() - static_cast<std::ptrdiff_t>(padded), padded, padding);
  return blocks;
}

}  // namespace handfast::constant_time
