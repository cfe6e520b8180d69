// All that is left to chance, from one seed; and the entropy of replicas and peers, from the same.
#ifndef HANDFAST_TESTS_SIM_DICE_H_
#define HANDFAST_TESTS_SIM_DICE_H_

#include <cstdint>
#include <span>

#include "tls/crypto/random.h"

namespace handfast::sim {

// splitmix64: the same on every machine.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // 0 to n - 1; 0 where n is 0.
  size_t Below(size_t n) { return n == 0 ? 0 : Next() % n; }
  // Never where n is 0.
  bool OneIn(size_t n) { return n != 0 && Below(n) == 0; }

 private:
  uint64_t state_;
};

class DiceRandomness final : public tls::Randomness {
 public:
  explicit DiceRandomness(uint64_t seed) : dice_(seed) {}

  tls::Result<void> Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = static_cast<uint8_t>(dice_.Next());
    return {};
  }
  tls::Result<tls::KeyPair> NewKeyPair(tls::NamedGroup group) override {
    tls::Bytes scalar(32);
    (void)Fill(scalar);
    scalar.front() = 0;  // below P-256's order
    return tls::KeyPair::FromPrivate(group, scalar);
  }

 private:
  Dice dice_;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_DICE_H_
