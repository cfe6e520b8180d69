#include "tls/crypto/aead.h"

#include <climits>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tls/base/secret_access.h"
#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

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

// Up to this size both parts of a plaintext are joined in the output and encrypted at once: a call
// for a single byte costs more than the copy, as it goes another way through libcrypto's code.
constexpr size_t kJoined = 4096;

// libcrypto counts bytes in an int.
bool FitsInt(size_t size) { return size <= INT_MAX; }

bool Update(EVP_CIPHER_CTX* context, uint8_t* out, ByteView in) {
  int written = 0;
  return in.empty() ||
         EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) == 1;
}

}  // namespace

void Aead::Free::operator()(evp_cipher_ctx_st* context) const { EVP_CIPHER_CTX_free(context); }

Result<Aead> Aead::Create(AeadAlgorithm algorithm, AeadDirection direction, const AeadKey& key) {
  const EVP_CIPHER* cipher = Fetched(algorithm);
  if (cipher == nullptr || key.size() != AeadKeySize(algorithm)) {
    return Refused(Reason::kInternalError);
  }
  Context context(EVP_CIPHER_CTX_new());
  if (context == nullptr ||
      EVP_CipherInit_ex2(context.get(), cipher, SecretAccess::Open(key).data(), nullptr,
                         direction == AeadDirection::kSeal, nullptr) != 1) {
    return Refused(Reason::kInternalError);
  }
  return Aead(std::move(context), direction);
}

Result<void> Aead::Seal(ByteView nonce, ByteView associated_data, ByteView a, ByteView b,
                        uint8_t* out) {
  if (nonce.size() != kAeadNonceSize || direction_ != AeadDirection::kSeal || !FitsInt(a.size()) ||
      !FitsInt(b.size()) || !FitsInt(associated_data.size())) {
    return Reason::kInternalError;
  }
  EVP_CIPHER_CTX* cipher = context_.get();
  const size_t size = a.size() + b.size();
  if (size <= kJoined && !b.empty()) {
    if (!a.empty()) std::memmove(out, a.data(), a.size());
    std::memcpy(out + a.size(), b.data(), b.size());
    a = {out, size};
    b = {};
  }
  uint8_t* const tag = out + size;
  OSSL_PARAM get_tag[] = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag, kAeadTagSize),
      OSSL_PARAM_construct_end()};
  int written = 0;
  if (EVP_CipherInit_ex2(cipher, nullptr, nullptr, nonce.data(), -1, nullptr) != 1 ||
      !Update(cipher, nullptr, associated_data) || !Update(cipher, out, a) ||
      !Update(cipher, out + a.size(), b) || EVP_CipherFinal_ex(cipher, tag, &written) != 1 ||
      EVP_CIPHER_CTX_get_params(cipher, get_tag) != 1) {
    return Refused(Reason::kInternalError);
  }
  return {};
}

Result<std::span<uint8_t>> Aead::Open(ByteView nonce, ByteView associated_data,
                                      std::span<uint8_t> ciphertext_and_tag) {
  if (nonce.size() != kAeadNonceSize || direction_ != AeadDirection::kOpen ||
      !FitsInt(ciphertext_and_tag.size()) || !FitsInt(associated_data.size())) {
    return Reason::kInternalError;
  }
  if (ciphertext_and_tag.size() < kAeadTagSize) return Reason::kBadRecordMac;
  EVP_CIPHER_CTX* cipher = context_.get();
  const size_t size = ciphertext_and_tag.size() - kAeadTagSize;
  const std::span<uint8_t> text = ciphertext_and_tag.first(size);
  const OSSL_PARAM set_tag[] = {
      OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
                                        ciphertext_and_tag.data() + size, kAeadTagSize),
      OSSL_PARAM_construct_end()};
  if (EVP_CipherInit_ex2(cipher, nullptr, nullptr, nonce.data(), -1, set_tag) != 1) {
    return Refused(Reason::kInternalError);
  }
  int written = 0;
  if (!Update(cipher, nullptr, associated_data) || !Update(cipher, text.data(), text) ||
      EVP_CipherFinal_ex(cipher, text.data() + size, &written) != 1) {
    return Refused(Reason::kBadRecordMac);
  }
  return text;
}

}  // namespace handfast::tls
