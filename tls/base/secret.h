// Secret<N>: at most N secret bytes, inline, move-only, wiped. It has no formatter, no comparison
// and no iterator; whoever must read the bytes includes secret_access.h, which a reviewer can grep.
#ifndef HANDFAST_TLS_BASE_SECRET_H_
#define HANDFAST_TLS_BASE_SECRET_H_

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "tls/base/bytes.h"

namespace handfast::tls {

// Overwrites memory in a way that the optimiser keeps, as explicit_bzero() does, but inline: moving
// a secret wipes where it was, and a handshake moves some hundred.
inline void Wipe(std::span<uint8_t> bytes) {
  if (bytes.empty()) return;
  std::memset(bytes.data(), 0, bytes.size());
  __asm__ __volatile__("" : : "r"(bytes.data()) : "memory");
}

template <size_t N>
class Secret {
 public:
  static constexpr size_t kCapacity = N;

  // An empty secret: the value before one is known, and after one was spent.
  Secret() = default;

  // Nullopt where `bytes` exceed the capacity.
  static std::optional<Secret> From(ByteView bytes) {
    if (bytes.size() > N) return std::nullopt;
    Secret secret;
    if (!bytes.empty()) std::memcpy(secret.bytes_.data(), bytes.data(), bytes.size());
    secret.size_ = bytes.size();
    return secret;
  }

  // Copies are refused; the moved-from value is wiped and empty.
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept { Take(other); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      WipeAll();
      Take(other);
    }
    return *this;
  }
  ~Secret() { WipeAll(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Proof of the right to read: only SecretAccess can make one.
  class Passkey {
    friend struct SecretAccess;
    Passkey() = default;
  };
  ByteView Expose(Passkey) const { return {bytes_.data(), size_}; }
  // The first `size` bytes, writable, for a producer that fills the secret in place.
  std::span<uint8_t> Fill(Passkey, size_t size) {
    size_ = size <= N ? size : N;
    return {bytes_.data(), size_};
  }

 private:
  void Take(Secret& other) {
    std::memcpy(bytes_.data(), other.bytes_.data(), other.size_);
    size_ = other.size_;
    other.WipeAll();
  }
  // Only the used part can hold a secret: bytes past size_ were never written or were wiped.
  void WipeAll() {
    Wipe({bytes_.data(), size_});
    size_ = 0;
  }

  std::array<uint8_t, N> bytes_;
  size_t size_ = 0;
};

// Capacity is part of the type.
using HashSecret = Secret<48>;     // a value of the key schedule: SHA-256 or SHA-384
using SharedSecret = Secret<512>;  // a (EC)DH result: FFDHE-4096 needs 512
using RsaPremaster = Secret<48>;   // RFC 5246 §7.4.7.1
using AeadKey = Secret<32>;        // AES-256 and ChaCha20
using AeadIv = Secret<12>;         // RFC 8446 §5.3's static IV, or RFC 5288's 4-byte salt

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_BASE_SECRET_H_
