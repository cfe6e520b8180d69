#include "tls/crypto/aead.h"

#include <climits>

#include <openssl/evp.h>

#include "tls/base/secret_access.h"
#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

const EVP_CIPHER* Fetched(AeadAlgorithm algorithm) {
  static const struct {
    EVP_CIPHER* aes128 = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
    EVP_CIPHER* aes256 = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    EVP_CIPHER* chacha20 = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  } ciphers;
  switch (algorithm) {
    case AeadAlgorithm::kAes128Gcm:
      return ciphers.aes128;
    case AeadAlgorithm::kAes256Gcm:
      return ciphers.aes256;
    case AeadAlgorithm::kChaCha20Poly1305:
      return ciphers.chacha20;
  }
  return nullptr;
}

// libcrypto counts bytes in an int.
bool FitsInt(size_t size) { return size <= INT_MAX; }

bool Update(EVP_CIPHER_CTX* context, uint8_t* out, ByteView in) {
  int written = 0;
  return in.empty() ||
         EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) == 1;
}

}  // namespace

struct Aead::Context {
  CipherContext cipher;
  AeadDirection direction;
};

Aead::Aead(std::unique_ptr<Context> context) : context_(std::move(context)) {}
Aead::Aead(Aead&&) noexcept = default;
Aead& Aead::operator=(Aead&&) noexcept = default;
Aead::~Aead() = default;

Result<Aead> Aead::Create(AeadAlgorithm algorithm, AeadDirection direction, const AeadKey& key) {
  ClearErrorsOnReturn clear;
  const EVP_CIPHER* cipher = Fetched(algorithm);
  if (cipher == nullptr || key.size() != AeadKeySize(algorithm)) return Reason::kInternalError;
  CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr ||
      EVP_CipherInit_ex(context.get(), cipher, nullptr, SecretAccess::Open(key).data(), nullptr,
                        direction == AeadDirection::kSeal) != 1) {
    return Reason::kInternalError;
  }
  return Aead(std::make_unique<Context>(Context{std::move(context), direction}));
}

Result<void> Aead::Seal(ByteView nonce, ByteView associated_data, ByteView a, ByteView b,
                        uint8_t* out) {
  ClearErrorsOnReturn clear;
  if (nonce.size() != kAeadNonceSize || context_->direction != AeadDirection::kSeal ||
      !FitsInt(a.size()) || !FitsInt(b.size()) || !FitsInt(associated_data.size())) {
    return Reason::kInternalError;
  }
  EVP_CIPHER_CTX* cipher = context_->cipher.get();
  uint8_t* tag = out + a.size() + b.size();
  int written = 0;
  if (EVP_CipherInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data(), -1) != 1 ||
      !Update(cipher, nullptr, associated_data) || !Update(cipher, out, a) ||
      !Update(cipher, out + a.size(), b) || EVP_CipherFinal_ex(cipher, tag, &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag) != 1) {
    return Reason::kInternalError;
  }
  return {};
}

Result<std::span<uint8_t>> Aead::Open(ByteView nonce, ByteView associated_data,
                                      std::span<uint8_t> ciphertext_and_tag) {
  ClearErrorsOnReturn clear;
  if (nonce.size() != kAeadNonceSize || context_->direction != AeadDirection::kOpen ||
      !FitsInt(ciphertext_and_tag.size()) || !FitsInt(associated_data.size())) {
    return Reason::kInternalError;
  }
  if (ciphertext_and_tag.size() < kAeadTagSize) return Reason::kBadRecordMac;
  EVP_CIPHER_CTX* cipher = context_->cipher.get();
  const size_t size = ciphertext_and_tag.size() - kAeadTagSize;
  const std::span<uint8_t> text = ciphertext_and_tag.first(size);
  uint8_t* tag = ciphertext_and_tag.data() + size;
  if (EVP_CipherInit_ex(cipher, nullptr, nullptr, nullptr, nonce.data(), -1) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag) != 1) {
    return Reason::kInternalError;
  }
  int written = 0;
  if (!Update(cipher, nullptr, associated_data) || !Update(cipher, text.data(), text) ||
      EVP_CipherFinal_ex(cipher, tag, &written) != 1) {
    return Reason::kBadRecordMac;
  }
  return text;
}

}  // namespace handfast::tls
