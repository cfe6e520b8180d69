// Randomness that a test chose, so that a handshake can be replayed byte for byte.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_FIXED_RANDOMNESS_H_
#define HANDFAST_TESTS_TLS_CONNECTION_FIXED_RANDOMNESS_H_

#include <algorithm>
#include <utility>

#include "tls/base/bytes.h"
#include "tls/crypto/random.h"

namespace handfast::tls::test {

// A scalar of the group's size that is valid on its curve: `seed` repeated, with a small first
// byte.
inline Bytes FixedScalar(NamedGroup group, uint8_t seed) {
  size_t size = 32;
  if (group == NamedGroup::kSecp384r1) size = 48;
  if (group == NamedGroup::kSecp521r1) size = 66;
  if (group == NamedGroup::kFfdhe3072) size = 40;
  if (group == NamedGroup::kFfdhe4096) size = 48;
  if (IsHybrid(group)) size = 96;
  Bytes scalar(size, seed);
  scalar.front() = 0;
  return scalar;
}

class FixedRandomness : public Randomness {
 public:
  // Every Fill yields the first bytes of `random` and then counts up; a pair is made of
  // `private_key`, or of FixedScalar(group, 0x5a) where that is empty.
  explicit FixedRandomness(Bytes random = {}, Bytes private_key = {})
      : random_(std::move(random)), private_key_(std::move(private_key)) {}

  Result<void> Fill(std::span<uint8_t> out) override {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = i < random_.size() ? random_[i] : static_cast<uint8_t>(i);
    }
    return {};
  }
  Result<KeyPair> NewKeyPair(NamedGroup group) override {
    return KeyPair::FromPrivate(group,
                                private_key_.empty() ? FixedScalar(group, 0x5a) : private_key_);
  }

 private:
  Bytes random_;
  Bytes private_key_;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_FIXED_RANDOMNESS_H_
