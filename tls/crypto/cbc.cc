// Opening goes through the parameters that libssl itself uses (provider-cipher and provider-mac
// interfaces of OpenSSL 3.0): the cipher takes off explicit IV, padding and MAC and yields a random
// MAC where the padding is bad; HMAC hashes as many blocks as the longest plaintext would need.
#include "tls/crypto/cbc.h"

#include <algorithm>
#include <cstring>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "tls/base/secret_access.h"
#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using MacContext = Owned<EVP_MAC_CTX, EVP_MAC_CTX_free>;

constexpr unsigned kTls12 = 0x0303;
// A record body: 2^14 + 2048 bytes (RFC 5246 §6.2.3) at most, so that lengths fit 16 bits.
constexpr size_t kMaxBody = (size_t{1} << 14) + 2048;
constexpr size_t kMaxMacSize = 48;
constexpr size_t kSequenceSize = 8;

const EVP_CIPHER* Fetched(size_t key_size) {
  static const EVP_CIPHER* const aes128 = EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr);
  static const EVP_CIPHER* const aes256 = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return key_size == 16 ? aes128 : key_size == 32 ? aes256 : nullptr;
}

const char* DigestName(CbcMac mac) {
  return mac == CbcMac::kHmacSha1 ? "SHA1" : mac == CbcMac::kHmacSha256 ? "SHA256" : "SHA384";
}

CipherContext NewCipher(CbcAlgorithm algorithm, AeadDirection direction, const AeadKey& key,
                        bool encrypt_then_mac) {
  const EVP_CIPHER* cipher = Fetched(algorithm.key_size);
  CipherContext context(EVP_CIPHER_CTX_new());
  // Opening drops the first block and with it whatever IV is set; sealing encrypts the nonce in it.
  static constexpr uint8_t kNoIv[kCbcBlockSize] = {};
  const bool seals = direction == AeadDirection::kSeal;
  if (cipher == nullptr || context == nullptr || key.size() != algorithm.key_size ||
      EVP_CipherInit_ex(context.get(), cipher, nullptr, SecretAccess::Open(key).data(), kNoIv,
                        seals ? 1 : 0) != 1) {
    return nullptr;
  }
  if (seals) {
    return EVP_CIPHER_CTX_set_padding(context.get(), 0) == 1 ? std::move(context) : nullptr;
  }
  unsigned version = kTls12;
  size_t mac_size = encrypt_then_mac ? 0 : CbcMacSize(algorithm.mac);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_uint(OSSL_CIPHER_PARAM_TLS_VERSION, &version),
      OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_TLS_MAC_SIZE, &mac_size),
      OSSL_PARAM_construct_end()};
  return EVP_CIPHER_CTX_set_params(context.get(), parameters) == 1 ? std::move(context) : nullptr;
}

MacContext NewMac(CbcMac mac, const HashSecret& key) {
  static EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MacContext context(hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac));
  char digest[8] = {};
  std::strncpy(digest, DigestName(mac), sizeof(digest) - 1);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  const ByteView bytes = SecretAccess::Open(key);
  if (context == nullptr || key.size() != CbcMacSize(mac) ||
      EVP_MAC_init(context.get(), bytes.data(), bytes.size(), parameters) != 1) {
    return nullptr;
  }
  return context;
}

}  // namespace

struct CbcHmac::Context {
  CipherContext cipher;
  MacContext mac;  // keyed; each record takes a copy
  size_t mac_size;
  bool encrypt_then_mac;
  AeadDirection direction;

  // The MAC over associated_data, length and data. `whole_size` is not 0 where data.size() is
  // secret: data and what padding and MAC follow it.
  bool Mac(const CbcAssociatedData& associated_data, ByteView data, size_t whole_size,
           std::array<uint8_t, kMaxMacSize>& out) const {
    std::array<uint8_t, kCbcAssociatedDataSize + 2> header;
    std::copy(associated_data.begin(), associated_data.end(), header.begin());
    header[kCbcAssociatedDataSize] = static_cast<uint8_t>(data.size() >> 8);
    header[kCbcAssociatedDataSize + 1] = static_cast<uint8_t>(data.size());
    const MacContext copy(EVP_MAC_CTX_dup(mac.get()));
    if (copy == nullptr) return false;
    if (whole_size != 0) {
      const OSSL_PARAM parameters[] = {
          OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_TLS_DATA_SIZE, &whole_size),
          OSSL_PARAM_construct_end()};
      if (EVP_MAC_CTX_set_params(copy.get(), parameters) != 1) return false;
    }
    size_t size = 0;
    return EVP_MAC_update(copy.get(), header.data(), header.size()) == 1 &&
           EVP_MAC_update(copy.get(), data.data(), data.size()) == 1 &&
           EVP_MAC_final(copy.get(), out.data(), &size, out.size()) == 1 && size == mac_size;
  }

  bool Crypt(std::span<uint8_t> blocks, int& size) const {
    return EVP_CipherUpdate(cipher.get(), blocks.data(), &size, blocks.data(),
                            static_cast<int>(blocks.size())) == 1;
  }

  Result<std::span<uint8_t>> OpenMacThenEncrypt(const CbcAssociatedData& associated_data,
                                                std::span<uint8_t> body) const;
  Result<std::span<uint8_t>> OpenEncryptThenMac(const CbcAssociatedData& associated_data,
                                                std::span<uint8_t> body) const;
};

Result<std::span<uint8_t>> CbcHmac::Context::OpenMacThenEncrypt(
    const CbcAssociatedData& associated_data, std::span<uint8_t> body) const {
  // RFC 5246 §7.2.2: "This alert also MUST be returned if an alert is sent because a TLSCiphertext
  // decrypted in an invalid way: either it wasn't an even multiple of the block length, or its
  // padding values, when checked, weren't correct."
  if (body.size() % kCbcBlockSize != 0 || body.size() < kCbcBlockSize + mac_size + 1) {
    return Reason::kBadRecordMac;
  }
  int size = 0;
  if (!Crypt(body, size)) return Reason::kBadRecordMac;
  void* sent = nullptr;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_ptr(OSSL_CIPHER_PARAM_TLS_MAC, &sent, mac_size),
      OSSL_PARAM_construct_end()};
  if (EVP_CIPHER_CTX_get_params(cipher.get(), parameters) != 1 || sent == nullptr) {
    return Reason::kInternalError;
  }
  const std::span<uint8_t> decrypted = body.subspan(kCbcBlockSize);
  const std::span<uint8_t> plaintext = decrypted.first(static_cast<size_t>(size));
  std::array<uint8_t, kMaxMacSize> computed;
  if (!Mac(associated_data, plaintext, decrypted.size(), computed)) return Reason::kInternalError;
  // RFC 5246 §6.2.3.2: "implementations MUST ensure that record processing time is essentially the
  // same whether or not the padding is correct. In general, the best way to do this is to compute
  // the MAC even if the padding is incorrect, and only then reject the packet."
  // RFC 5246 §6.2.3.2: "The receiver MUST check this padding and MUST use the bad_record_mac alert
  // to indicate padding errors."
  if (CRYPTO_memcmp(computed.data(), sent, mac_size) != 0) return Reason::kBadRecordMac;
  return plaintext;
}

Result<std::span<uint8_t>> CbcHmac::Context::OpenEncryptThenMac(
    const CbcAssociatedData& associated_data, std::span<uint8_t> body) const {
  if (body.size() < 2 * kCbcBlockSize + mac_size || (body.size() - mac_size) % kCbcBlockSize != 0) {
    return Reason::kBadRecordMac;
  }
  const std::span<uint8_t> encrypted = body.first(body.size() - mac_size);
  std::array<uint8_t, kMaxMacSize> computed;
  if (!Mac(associated_data, encrypted, 0, computed)) return Reason::kInternalError;
  // RFC 7366 §3: "The MAC SHALL be evaluated before any further processing such as decryption is
  // performed, and if the MAC verification fails, then processing SHALL terminate immediately. For
  // TLS, a fatal bad_record_mac MUST be generated".
  if (CRYPTO_memcmp(computed.data(), encrypted.data() + encrypted.size(), mac_size) != 0) {
    return Reason::kBadRecordMac;
  }
  int size = 0;
  if (!Crypt(encrypted, size)) return Reason::kBadRecordMac;
  return encrypted.subspan(kCbcBlockSize, static_cast<size_t>(size));
}

CbcHmac::CbcHmac(std::unique_ptr<Context> context) : context_(std::move(context)) {}
CbcHmac::CbcHmac(CbcHmac&&) noexcept = default;
CbcHmac& CbcHmac::operator=(CbcHmac&&) noexcept = default;
CbcHmac::~CbcHmac() = default;

Result<CbcHmac> CbcHmac::Create(CbcAlgorithm algorithm, AeadDirection direction, const AeadKey& key,
                                const HashSecret& mac_key, bool encrypt_then_mac) {
  ClearErrorsOnReturn clear;
  auto context = std::make_unique<Context>(Context{
      NewCipher(algorithm, direction, key, encrypt_then_mac), NewMac(algorithm.mac, mac_key),
      CbcMacSize(algorithm.mac), encrypt_then_mac, direction});
  if (context->cipher == nullptr || context->mac == nullptr) return Reason::kInternalError;
  return CbcHmac(std::move(context));
}

size_t CbcHmac::SealedSize(size_t plaintext) const {
  const size_t inside = plaintext + (context_->encrypt_then_mac ? 0 : context_->mac_size);
  // RFC 5246 §6.2.3.2: "padding_length The padding length MUST be such that the total size of the
  // GenericBlockCipher structure is a multiple of the cipher's block length."
  const size_t padded = (inside / kCbcBlockSize + 1) * kCbcBlockSize;
  return kCbcBlockSize + padded + (context_->encrypt_then_mac ? context_->mac_size : 0);
}

Result<void> CbcHmac::Seal(const CbcAssociatedData& associated_data, ByteView plaintext,
                           uint8_t* out) {
  ClearErrorsOnReturn clear;
  const Context& c = *context_;
  const size_t size = SealedSize(plaintext.size());
  if (c.direction != AeadDirection::kSeal || size > kMaxBody) return Reason::kInternalError;
  const std::span<uint8_t> blocks(out, c.encrypt_then_mac ? size - c.mac_size : size);
  std::array<uint8_t, kMaxMacSize> mac;
  // RFC 5246 §6.2.3.2: "The Initialization Vector (IV) SHOULD be chosen at random, and MUST be
  // unpredictable." It is the sequence number, encrypted under the same key, which NIST SP 800-38A
  // appendix C allows: as the first block behind a zero IV.
  std::fill_n(blocks.begin(), kCbcBlockSize, 0);
  std::copy_n(associated_data.begin(), kSequenceSize, blocks.begin());
  auto end = std::copy(plaintext.begin(), plaintext.end(), blocks.begin() + kCbcBlockSize);
  if (!c.encrypt_then_mac) {
    if (!c.Mac(associated_data, plaintext, 0, mac)) return Reason::kInternalError;
    end = std::copy_n(mac.begin(), c.mac_size, end);
  }
  const auto padding = static_cast<uint8_t>(blocks.end() - end - 1);
  // RFC 5246 §6.2.3.2: "Each uint8 in the padding data vector MUST be filled with the padding
  // length value."
  std::fill(end, blocks.end(), padding);
  static constexpr uint8_t kZeroIv[kCbcBlockSize] = {};
  int written = 0;
  if (EVP_CipherInit_ex(c.cipher.get(), nullptr, nullptr, nullptr, kZeroIv, -1) != 1 ||
      !c.Crypt(blocks, written) || static_cast<size_t>(written) != blocks.size()) {
    return Reason::kInternalError;
  }
  if (c.encrypt_then_mac) {
    if (!c.Mac(associated_data, blocks, 0, mac)) return Reason::kInternalError;
    std::copy_n(mac.begin(), c.mac_size, out + blocks.size());
  }
  return {};
}

Result<std::span<uint8_t>> CbcHmac::Open(const CbcAssociatedData& associated_data,
                                         std::span<uint8_t> body) {
  ClearErrorsOnReturn clear;
  if (context_->direction != AeadDirection::kOpen || body.size() > kMaxBody) {
    return Reason::kInternalError;
  }
  return context_->encrypt_then_mac ? context_->OpenEncryptThenMac(associated_data, body)
                                    : context_->OpenMacThenEncrypt(associated_data, body);
}

}  // namespace handfast::tls
