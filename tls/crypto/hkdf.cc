#include "tls/crypto/hkdf.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include <openssl/crypto.h>

#include "tls/base/secret_access.h"

namespace handfast::tls {
namespace {

constexpr size_t BlockSize(HashAlgorithm algorithm) {
  return algorithm == HashAlgorithm::kSha256 ? 64 : 128;
}
constexpr size_t kMaxBlockSize = 128;

constexpr std::string_view kLabelPrefix = "tls13 ";
constexpr size_t kMaxContextSize = 255;
// struct HkdfLabel of RFC 8446 §7.1, at its largest.
constexpr size_t kMaxHkdfLabel = 2 + 1 + kLabelPrefix.size() + kMaxLabelSize + 1 + kMaxContextSize;

class Label {
 public:
  Label(std::string_view label, ByteView context, size_t length) {
    if (label.size() > kMaxLabelSize || context.size() > kMaxContextSize) std::abort();
    *end_++ = static_cast<uint8_t>(length >> 8);
    *end_++ = static_cast<uint8_t>(length);
    *end_++ = static_cast<uint8_t>(kLabelPrefix.size() + label.size());
    Append(kLabelPrefix.data(), kLabelPrefix.size());
    Append(label.data(), label.size());
    *end_++ = static_cast<uint8_t>(context.size());
    Append(context.data(), context.size());
  }
  ByteView view() const { return {bytes_.data(), static_cast<size_t>(end_ - bytes_.data())}; }

 private:
  void Append(const void* bytes, size_t size) {
    if (size > 0) std::memcpy(end_, bytes, size);
    end_ += size;
  }
  std::array<uint8_t, kMaxHkdfLabel> bytes_;
  uint8_t* end_ = bytes_.data();
};

// Both block sizes are multiples of 64, which a loop of fixed length can do at once.
void Mix(std::span<uint8_t> block, uint8_t pad) {
  for (; !block.empty(); block = block.subspan(64)) {
    for (size_t i = 0; i < 64; ++i) block[i] ^= pad;
  }
}

// T(n) of RFC 5869 §2.3, from T(n - 1).
void ExpandBlock(Hmac& hmac, ByteView previous, ByteView info, uint8_t n, uint8_t* out) {
  hmac.Update(previous);
  hmac.Update(info);
  hmac.Update({&n, 1});
  hmac.Finish(out);
}

// HKDF-Expand-Label for one block at most, with an HMAC that is keyed, and spent.
void ExpandLabelOnce(HashAlgorithm algorithm, Hmac& hmac, std::string_view label, ByteView context,
                     std::span<uint8_t> out) {
  if (out.size() > DigestSize(algorithm)) std::abort();
  const Label info(label, context, out.size());
  std::array<uint8_t, kMaxDigestSize> block;
  ExpandBlock(hmac, {}, info.view(), 1, block.data());
  std::memcpy(out.data(), block.data(), out.size());
  Wipe(block);
}

}  // namespace

Hmac::Hmac(HashAlgorithm algorithm, ByteView key) : inner_(algorithm), outer_(algorithm) {
  const size_t block_size = BlockSize(algorithm);
  std::array<uint8_t, kMaxBlockSize> pads;
  const std::span<uint8_t> pad(pads.data(), block_size);
  std::memset(pad.data(), 0, pad.size());
  if (key.size() > block_size) {
    RunningHash hash(algorithm);
    hash.Update(key);
    hash.Finish(pad.data());
  } else if (!key.empty()) {
    std::memcpy(pad.data(), key.data(), key.size());
  }
  Mix(pad, 0x36);
  inner_.Update(pad);
  Mix(pad, 0x36 ^ 0x5c);
  outer_.Update(pad);
  Wipe(pad);
}

void Hmac::Finish(uint8_t* out) {
  std::array<uint8_t, kMaxDigestSize> digest;
  inner_.Finish(digest.data());
  outer_.Update({digest.data(), DigestSize(outer_.algorithm())});
  outer_.Finish(out);
  Wipe(digest);
}

HashSecret HkdfExtract(HashAlgorithm algorithm, ByteView salt, ByteView input_key_material) {
  // HMAC pads its key with zeros: an empty salt already is the DigestSize zero bytes.
  Hmac hmac(algorithm, salt);
  hmac.Update(input_key_material);
  HashSecret secret;
  hmac.Finish(SecretAccess::Fill(secret, DigestSize(algorithm)).data());
  return secret;
}

HkdfKey::HkdfKey(HashAlgorithm algorithm, const HashSecret& secret)
    : algorithm_(algorithm), keyed_(algorithm, SecretAccess::Open(secret)) {}

void HkdfKey::ExpandLabel(std::string_view label, ByteView context, std::span<uint8_t> out) const {
  Hmac hmac = keyed_;
  ExpandLabelOnce(algorithm_, hmac, label, context, out);
}

void HkdfExpandLabel(HashAlgorithm algorithm, const HashSecret& secret, std::string_view label,
                     ByteView context, std::span<uint8_t> out) {
  const ByteView key = SecretAccess::Open(secret);
  if (out.size() > DigestSize(algorithm)) {
    return HkdfExpand(algorithm, key, Label(label, context, out.size()).view(), out);
  }
  Hmac hmac(algorithm, key);
  ExpandLabelOnce(algorithm, hmac, label, context, out);
}

void HkdfExpand(HashAlgorithm algorithm, ByteView pseudo_random_key, ByteView info,
                std::span<uint8_t> out) {
  const size_t digest_size = DigestSize(algorithm);
  // RFC 5869 §2.3: "length of output keying material in octets (<= 255*HashLen)"
  if (out.size() > 255 * digest_size) std::abort();
  Hmac keyed(algorithm, pseudo_random_key);
  std::array<uint8_t, kMaxDigestSize> block;
  ByteView previous;
  uint8_t n = 1;
  for (; out.size() > digest_size; ++n) {
    Hmac copy = keyed;
    ExpandBlock(copy, previous, info, n, block.data());
    previous = {block.data(), digest_size};
    std::memcpy(out.data(), block.data(), digest_size);
    out = out.subspan(digest_size);
  }
  // The last block spends the key itself; in TLS it mostly is the only one.
  ExpandBlock(keyed, previous, info, n, block.data());
  if (!out.empty()) std::memcpy(out.data(), block.data(), out.size());
  Wipe(block);
}

bool ConstantTimeEqual(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  return a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace handfast::tls
