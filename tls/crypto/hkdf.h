// HMAC (RFC 2104) and HKDF (RFC 5869) on RunningHash, and HKDF-Expand-Label (RFC 8446 §7.1).
// On RunningHash rather than EVP_KDF, which costs 2.1 us a call; the whole TLS 1.3 schedule is
// about 5 us this way.
#ifndef HANDFAST_TLS_CRYPTO_HKDF_H_
#define HANDFAST_TLS_CRYPTO_HKDF_H_

#include <string_view>

#include "tls/base/bytes.h"
#include "tls/base/secret.h"
#include "tls/crypto/hash.h"

namespace handfast::tls {

// HMAC with a key absorbed once; copying it is the way to use the key again at half the cost.
class Hmac {
 public:
  Hmac(HashAlgorithm algorithm, ByteView key);
  void Update(ByteView bytes) { inner_.Update(bytes); }
  // Writes DigestSize bytes; the value is spent.
  void Finish(uint8_t* out);

 private:
  RunningHash inner_;
  RunningHash outer_;
};

// HKDF-Extract; an empty salt stands for DigestSize zero bytes, as RFC 5869 §2.2 says.
HashSecret HkdfExtract(HashAlgorithm algorithm, ByteView salt, ByteView input_key_material);

// HkdfLabel.label is opaque<7..255>, of which "tls13 " takes six.
constexpr size_t kMaxLabelSize = 249;

// HKDF-Expand-Label of RFC 8446 §7.1; `label` is without the "tls13 " prefix. Fills `out`, at most
// 255 x DigestSize bytes. A longer `out`, a label over kMaxLabelSize or a context over 255 bytes
// ends the process, as no key could be right: whoever takes a label from outside checks it first.
void HkdfExpandLabel(HashAlgorithm algorithm, const HashSecret& secret, std::string_view label,
                     ByteView context, std::span<uint8_t> out);

// A secret of which several things are derived: its key is absorbed once, which is half the cost.
class HkdfKey {
 public:
  HkdfKey(HashAlgorithm algorithm, const HashSecret& secret);
  // As HkdfExpandLabel, for at most DigestSize bytes.
  void ExpandLabel(std::string_view label, ByteView context, std::span<uint8_t> out) const;

 private:
  HashAlgorithm algorithm_;
  Hmac keyed_;
};

// HKDF-Expand (RFC 5869 §2.3), for what is sealed outside TLS (custody, the store); the same limit.
void HkdfExpand(HashAlgorithm algorithm, ByteView pseudo_random_key, ByteView info,
                std::span<uint8_t> out);

// Compares without branching on the contents; false at once where the sizes differ.
bool ConstantTimeEqual(ByteView a, ByteView b);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_HKDF_H_
