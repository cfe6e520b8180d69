// SHA-256 and SHA-384 as values: copied while running, saved and loaded in mid-message. A saved
// hash is {chaining value, byte count, unprocessed tail}, so that a saved handshake stays small
// whatever its messages weighed. This is the one place that touches libcrypto's public SHA
// structures; everything else in tls/ hashes through it.
#ifndef HANDFAST_TLS_CRYPTO_HASH_H_
#define HANDFAST_TLS_CRYPTO_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tls/base/bytes.h"
#include "tls/base/secret.h"

namespace handfast::tls {

enum class HashAlgorithm : uint8_t { kSha256 = 1, kSha384 = 2 };

constexpr size_t kMaxDigestSize = 48;

// Bytes of a digest: 32 or 48.
constexpr size_t DigestSize(HashAlgorithm algorithm) {
  return algorithm == HashAlgorithm::kSha256 ? 32 : 48;
}

// A public digest. Secret ones are HashSecret.
struct Digest {
  std::array<uint8_t, kMaxDigestSize> bytes;
  size_t size = 0;
  ByteView view() const { return {bytes.data(), size}; }
};

class RunningHash {
 public:
  explicit RunningHash(HashAlgorithm algorithm);
  ~RunningHash();  // wipes: an HMAC's inner state is a secret
  RunningHash(const RunningHash& other);
  RunningHash& operator=(const RunningHash& other);

  HashAlgorithm algorithm() const { return algorithm_; }
  void Update(ByteView bytes);
  // The digest of all bytes so far; the hash keeps running.
  Digest Current() const;
  // Writes the digest to `out`, DigestSize bytes, and wipes the state; the hash is spent.
  void Finish(uint8_t* out);

  // The saved form (see state_codec): algorithm, chaining value, count, tail.
  Bytes Save() const;
  static std::optional<RunningHash> Load(ByteView saved);

 private:
  HashAlgorithm algorithm_;
  // SHA256_CTX is 112 bytes, SHA512_CTX (SHA-384) 216; the .cc asserts that both fit. What SHA-256
  // does not use stays unset and is neither copied nor wiped.
  alignas(8) std::array<uint8_t, 216> context_;
};

// One-shot.
Digest Hash(HashAlgorithm algorithm, ByteView bytes);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_HASH_H_
