// AES-CBC with HMAC as TLS 1.2 protects records with it, one keyed direction a value: the body of
// a GenericBlockCipher (RFC 5246 §6.2.3.2), or that of RFC 7366 (encrypt-then-MAC). Padding and MAC
// are taken off by libcrypto in constant time; what is here only tells it what the record is.
//
// Not here: record headers and sequence numbers, which the caller writes into the associated data.
#ifndef HANDFAST_TLS_CRYPTO_CBC_H_
#define HANDFAST_TLS_CRYPTO_CBC_H_

#include <array>
#include <memory>

#include "tls/base/bytes.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"
#include "tls/crypto/aead.h"

namespace handfast::tls {

enum class CbcMac : uint8_t { kHmacSha1 = 1, kHmacSha256 = 2, kHmacSha384 = 3 };

// Bytes of a MAC, and of its key.
constexpr size_t CbcMacSize(CbcMac mac) {
  return mac == CbcMac::kHmacSha1 ? 20 : mac == CbcMac::kHmacSha256 ? 32 : 48;
}

struct CbcAlgorithm {
  uint8_t key_size;  // 16: AES-128; 32: AES-256
  CbcMac mac;
};

constexpr size_t kCbcBlockSize = 16;
// seq_num (8), type (1), version (2): all that the MAC covers before the length.
constexpr size_t kCbcAssociatedDataSize = 11;
using CbcAssociatedData = std::array<uint8_t, kCbcAssociatedDataSize>;

class CbcHmac {
 public:
  // kInternalError where a size is not the algorithm's.
  static Result<CbcHmac> Create(CbcAlgorithm algorithm, AeadDirection direction, const AeadKey& key,
                                const HashSecret& mac_key, bool encrypt_then_mac);
  CbcHmac(CbcHmac&&) noexcept;
  CbcHmac& operator=(CbcHmac&&) noexcept;
  ~CbcHmac();

  // Bytes of the body that Seal makes of `plaintext` bytes: the least padding that fits.
  size_t SealedSize(size_t plaintext) const;
  // Writes SealedSize(plaintext.size()) bytes to `out`: IV, ciphertext, and behind it the MAC where
  // it comes last. The associated data must never come twice: the IV is made from seq_num.
  Result<void> Seal(const CbcAssociatedData& associated_data, ByteView plaintext, uint8_t* out);

  // Decrypts a body in place. kBadRecordMac for a wrong length, padding or MAC, told apart neither
  // by the reason nor by time.
  Result<std::span<uint8_t>> Open(const CbcAssociatedData& associated_data,
                                  std::span<uint8_t> body);

 private:
  struct Context;
  explicit CbcHmac(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_CBC_H_
