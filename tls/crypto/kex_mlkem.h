// ML-KEM-768 (FIPS 203) by libcrypto, which has it from 3.5 on: looked for once, by its name, so
// that what was built with older headers finds it at run time. Private to tls/crypto.
#ifndef HANDFAST_TLS_CRYPTO_KEX_MLKEM_H_
#define HANDFAST_TLS_CRYPTO_KEX_MLKEM_H_

#include <memory>

#include "tls/base/bytes.h"

struct evp_pkey_st;

namespace handfast::tls {

// FIPS 203 §8, and the random values of its algorithms 16 and 17.
constexpr size_t kMlKemKeySize = 1184;  // an encapsulation key
constexpr size_t kMlKemCiphertextSize = 1088;
constexpr size_t kMlKemSecretSize = 32;
constexpr size_t kMlKemSeedSize = 64;     // d and z, which a key pair is made of
constexpr size_t kMlKemMessageSize = 32;  // m, which an encapsulation is made of

// Whether the running libcrypto has it.
bool HasMlKem();

class MlKemKey {
 public:
  // No key: what a failed FromSeed gives, and a moved-from one is.
  MlKemKey() = default;
  // The encapsulation key goes into `encapsulation_key`, kMlKemKeySize bytes.
  static MlKemKey FromSeed(ByteView seed, std::span<uint8_t> encapsulation_key);

  explicit operator bool() const { return key_ != nullptr; }
  // Into `secret`, kMlKemSecretSize bytes. A ciphertext of the right size always yields one: of a
  // wrong ciphertext, one that nobody else has.
  bool Decapsulate(ByteView ciphertext, std::span<uint8_t> secret) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  std::unique_ptr<evp_pkey_st, Free> key_;
};

// Into kMlKemCiphertextSize and kMlKemSecretSize bytes. `bad_key` tells a peer's fault from ours.
bool Encapsulate(ByteView encapsulation_key, ByteView message, std::span<uint8_t> ciphertext,
                 std::span<uint8_t> secret, bool& bad_key);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_KEX_MLKEM_H_
