// AEAD_AES_128_GCM, AEAD_AES_256_GCM and AEAD_CHACHA20_POLY1305 (RFC 5116, RFC 8439), one keyed
// direction a value. Algorithms are fetched once for the process; a value keeps its context, so
// that a record costs no set-up.
#ifndef HANDFAST_TLS_CRYPTO_AEAD_H_
#define HANDFAST_TLS_CRYPTO_AEAD_H_

#include <memory>
#include <span>
#include <utility>

#include "tls/base/bytes.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"

struct evp_cipher_ctx_st;  // EVP_CIPHER_CTX

namespace handfast::tls {

enum class AeadAlgorithm : uint8_t { kAes128Gcm = 1, kAes256Gcm = 2, kChaCha20Poly1305 = 3 };

constexpr size_t kAeadTagSize = 16;
constexpr size_t kAeadNonceSize = 12;

// Bytes of a key: 16 for AES-128, else 32.
constexpr size_t AeadKeySize(AeadAlgorithm algorithm) {
  return algorithm == AeadAlgorithm::kAes128Gcm ? 16 : 32;
}

enum class AeadDirection : uint8_t { kSeal, kOpen };

class Aead {
 public:
  // kInternalError where the key's size is not the algorithm's.
  static Result<Aead> Create(AeadAlgorithm algorithm, AeadDirection direction, const AeadKey& key);

  // Encrypts first `a`, then `b` (the inner content type of TLS 1.3 need not be copied behind the
  // plaintext) and appends ciphertext and tag to what `out` points at: a.size() + b.size() +
  // kAeadTagSize bytes, which must be there. `out` may be a.data() itself (in place), else they
  // must not overlap.
  Result<void> Seal(ByteView nonce, ByteView associated_data, ByteView a, ByteView b, uint8_t* out);

  // Decrypts ciphertext||tag in place; the first size - kAeadTagSize bytes then are the plaintext.
  // kBadRecordMac where the tag is wrong: the bytes are then unspecified.
  Result<std::span<uint8_t>> Open(ByteView nonce, ByteView associated_data,
                                  std::span<uint8_t> ciphertext_and_tag);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  using Context = std::unique_ptr<evp_cipher_ctx_st, Free>;
  Aead(Context context, AeadDirection direction)
      : context_(std::move(context)), direction_(direction) {}
  Context context_;
  AeadDirection direction_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_AEAD_H_
