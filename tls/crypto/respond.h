// The answer to a peer's share: what the second to speak sends, and the secret that both then have.
// With a group of Diffie-Hellman that is a pair of its own; with a hybrid, half of it is a
// ciphertext that only who sent the share can open, so that share and secret come together.
#ifndef HANDFAST_TLS_CRYPTO_RESPOND_H_
#define HANDFAST_TLS_CRYPTO_RESPOND_H_

#include <array>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"
#include "tls/crypto/random.h"

namespace handfast::tls {

// As it stands in a KeyShareEntry. Inline: an answer costs no allocation but the pair's.
class ResponderShare {
 public:
  static constexpr size_t kCapacity = 1153;  // SecP256r1MLKEM768: a point and a ciphertext

  ByteView view() const { return {bytes_.data(), size_}; }
  // The first `size` bytes, writable.
  std::span<uint8_t> Fill(size_t size) {
    size_ = size <= kCapacity ? size : kCapacity;
    return {bytes_.data(), size_};
  }

 private:
  std::array<uint8_t, kCapacity> bytes_;  // those past size_ were never written
  size_t size_ = 0;
};

// kBadKeyShare for a share that KeyPair::Derive would refuse, and for an encapsulation key of
// ML-KEM that has a number out of range; kInternalError where the group is not Implemented.
// `share` is of use where it succeeds.
Result<SharedSecret> Respond(NamedGroup group, ByteView peer_share, Randomness& randomness,
                             ResponderShare& share);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_RESPOND_H_
