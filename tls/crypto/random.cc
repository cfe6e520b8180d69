#include "tls/crypto/random.h"

#include <climits>

#include <openssl/rand.h>

#include "tls/crypto/libcrypto.h"

namespace handfast::tls {
namespace {

class LibcryptoRandomness final : public Randomness {
 public:
  Result<void> Fill(std::span<uint8_t> out) override {
    ClearErrorsOnReturn clear;
    if (out.size() > INT_MAX) return Reason::kInternalError;
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) return Reason::kInternalError;
    return {};
  }
  Result<KeyPair> NewKeyPair(NamedGroup group) override { return KeyPair::Generate(group); }
};

}  // namespace

Randomness& SystemRandomness() {
  static LibcryptoRandomness randomness;
  return randomness;
}

}  // namespace handfast::tls
