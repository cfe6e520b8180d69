#include "server/store/sealing.h"

#include <utility>

#include "tls/crypto/aead.h"

namespace handfast::store {
namespace {

constexpr tls::AeadAlgorithm kAlgorithm = tls::AeadAlgorithm::kAes256Gcm;

void AppendNumber(tls::Bytes& out, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(number >> shift));
}

}  // namespace

Binding& Binding::Add(tls::ByteView bytes) {
  AppendNumber(bytes_, bytes.size());
  tls::Append(bytes_, bytes);
  return *this;
}

Binding& Binding::Add(int64_t number) {
  AppendNumber(bytes_, static_cast<uint64_t>(number));
  return *this;
}

absl::StatusOr<tls::Bytes> Seal(const tls::AeadKey& key, tls::Randomness& randomness,
                                const Binding& binding, tls::ByteView plaintext) {
  tls::Bytes sealed(tls::kAeadNonceSize + plaintext.size() + tls::kAeadTagSize);
  const std::span<uint8_t> nonce(sealed.data(), tls::kAeadNonceSize);
  if (!randomness.Fill(nonce).ok()) return absl::InternalError("no randomness to seal with");
  tls::Result<tls::Aead> aead = tls::Aead::Create(kAlgorithm, tls::AeadDirection::kSeal, key);
  if (!aead.ok() ||
      !aead->Seal(nonce, binding.bytes(), plaintext, {}, sealed.data() + tls::kAeadNonceSize)
           .ok()) {
    return absl::InternalError("sealing failed");
  }
  return sealed;
}

absl::StatusOr<tls::Bytes> Open(const tls::AeadKey& key, const Binding& binding,
                                tls::ByteView sealed) {
  const absl::Status broken = absl::DataLossError("the seal does not fit");
  if (sealed.size() < tls::kAeadNonceSize + tls::kAeadTagSize) return broken;
  tls::Result<tls::Aead> aead = tls::Aead::Create(kAlgorithm, tls::AeadDirection::kOpen, key);
  if (!aead.ok()) return absl::InternalError("unsealing failed");
  tls::Bytes text = tls::Copy(sealed.subspan(tls::kAeadNonceSize));
  tls::Result<std::span<uint8_t>> opened =
      aead->Open(sealed.first(tls::kAeadNonceSize), binding.bytes(), text);
  if (!opened.ok()) {
    tls::Wipe(text);
    return broken;
  }
  text.resize(opened->size());
  return text;
}

}  // namespace handfast::store
