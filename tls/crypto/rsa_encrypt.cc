#include "tls/crypto/rsa_encrypt.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tls/base/secret_access.h"
#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using PublicKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

constexpr size_t kMinModulus = 256;
constexpr size_t kMaxModulus = 512;

// The block, wiped when it goes.
struct Block {
  ~Block() { Wipe(bytes); }
  std::array<uint8_t, kMaxModulus> bytes;
};

// Fills `out` with random bytes other than zero.
Result<void> FillNonZero(Randomness& randomness, std::span<uint8_t> out) {
  // One byte in 256 is a zero; so many spare ones are short once in more than 2^128 runs.
  constexpr size_t kSpare = 128;
  std::array<uint8_t, kMaxModulus + kSpare> drawn;
  const std::span<uint8_t> used(drawn.data(), out.size() + kSpare);
  if (Result<void> filled = randomness.Fill(used); !filled.ok()) return filled;
  const auto end = std::remove(used.begin(), used.end(), 0);
  if (end - used.begin() < static_cast<std::ptrdiff_t>(out.size())) return Reason::kInternalError;
  std::copy_n(used.begin(), out.size(), out.begin());
  return {};
}

}  // namespace

Result<Bytes> EncryptRsaPremaster(ByteView public_key, const RsaPremaster& premaster,
                                  Randomness& randomness) {
  const ClearErrorsOnReturn clear_errors;
  const uint8_t* der = public_key.data();
  const PublicKey key(d2i_PUBKEY(nullptr, &der, static_cast<long>(public_key.size())));
  if (key == nullptr || EVP_PKEY_is_a(key.get(), "RSA") != 1) {
    return Reason::kUnsupportedCertificate;
  }
  const size_t size = static_cast<size_t>(EVP_PKEY_get_size(key.get()));
  if (size < kMinModulus || size > kMaxModulus) return Reason::kUnsupportedCertificate;
  // RFC 8017 §7.2.1: EM = 0x00 || 0x02 || PS || 0x00 || M.
  Block block;
  const size_t padding = size - premaster.size() - 3;
  block.bytes[0] = 0;
  block.bytes[1] = 2;
  if (Result<void> r = FillNonZero(randomness, std::span(block.bytes).subspan(2, padding));
      !r.ok()) {
    return r.reason();
  }
  block.bytes[2 + padding] = 0;
  const ByteView secret = SecretAccess::Open(premaster);
  std::copy(secret.begin(), secret.end(), block.bytes.begin() + 3 + padding);
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  Bytes encrypted(size);
  size_t written = size;
  if (context == nullptr || EVP_PKEY_encrypt_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) != 1 ||
      EVP_PKEY_encrypt(context.get(), encrypted.data(), &written, block.bytes.data(), size) != 1 ||
      written != size) {
    return Reason::kInternalError;
  }
  return encrypted;
}

}  // namespace handfast::tls
