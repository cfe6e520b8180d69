// The hybrid groups of draft-ietf-tls-ecdhe-mlkem: one of our curves beside ML-KEM-768, so that a
// secret is safe while either is. Private to tls/crypto.
#ifndef HANDFAST_TLS_CRYPTO_KEX_HYBRID_H_
#define HANDFAST_TLS_CRYPTO_KEX_HYBRID_H_

#include <memory>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"
#include "tls/crypto/kex.h"
#include "tls/crypto/kex_mlkem.h"
#include "tls/crypto/respond.h"

namespace handfast::tls {

struct HybridGroup {
  NamedGroup group;
  NamedGroup curve;
  size_t curve_share;  // bytes
  // Which half comes first, in shares and in the secret.
  bool curve_first;
};

// Null where the group is no hybrid, and where the running libcrypto has no ML-KEM.
const HybridGroup* FindHybrid(NamedGroup group);

// The client's half.
class HybridPair {
 public:
  // Null on failure.
  static std::unique_ptr<HybridPair> Generate(const HybridGroup& group);
  // From the curve's scalar and then ML-KEM's seed.
  static std::unique_ptr<HybridPair> FromPrivate(const HybridGroup& group, ByteView private_key);

  NamedGroup group() const { return group_.group; }
  ByteView share() const { return share_; }
  Secret<KeyPair::kMaxPrivateKeySize> PrivateKey() const;
  Result<SharedSecret> Derive(ByteView server_share) &&;

 private:
  explicit HybridPair(const HybridGroup& group) : group_(group) {}
  static std::unique_ptr<HybridPair> From(const HybridGroup& group, Result<KeyPair> curve,
                                          Secret<kMlKemSeedSize> seed);

  const HybridGroup& group_;
  KeyPair curve_;
  Secret<kMlKemSeedSize> seed_;
  MlKemKey mlkem_;
  Bytes share_;
};

// The server's half.
Result<SharedSecret> RespondHybrid(const HybridGroup& group, ByteView client_share,
                                   Randomness& randomness, ResponderShare& share);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_KEX_HYBRID_H_
