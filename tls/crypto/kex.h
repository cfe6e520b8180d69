// Ephemeral key exchange: X25519 (RFC 7748), the NIST curves (RFC 8422), the finite field groups of
// RFC 7919 and the hybrids with ML-KEM, each pair used once. Who answers a share goes through
// respond.h.
#ifndef HANDFAST_TLS_CRYPTO_KEX_H_
#define HANDFAST_TLS_CRYPTO_KEX_H_

#include <memory>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"

namespace handfast::tls {

class KeyPair {
 public:
  static constexpr size_t kMaxPrivateKeySize = 96;  // a hybrid's

  // Fresh from libcrypto's generator. kInternalError where the group is not Implemented.
  static Result<KeyPair> Generate(NamedGroup group);
  // From a given scalar, for tests and replays: 32 little-endian bytes for X25519, a big-endian
  // scalar of the curve's size for a curve, a big-endian exponent of 32 (ffdhe2048), 40 (ffdhe3072)
  // or 48 bytes (ffdhe4096); for a hybrid its curve's, and then the 64 of ML-KEM's seed.
  static Result<KeyPair> FromPrivate(NamedGroup group, ByteView private_key);
  // No pair: what a spent one is too. Derive then fails with kInternalError.
  KeyPair();
  KeyPair(KeyPair&&) noexcept;
  KeyPair& operator=(KeyPair&&) noexcept;
  ~KeyPair();

  bool spent() const { return state_ == nullptr; }
  // 0 and nothing of a spent one.
  NamedGroup group() const;
  // As it stands in a KeyShareEntry: 32 bytes, an uncompressed point (RFC 8446 §4.2.8.2), or as
  // many bytes as the prime (§4.2.8.1). A hybrid's is a client's: 1216 or 1249 bytes.
  ByteView public_key() const;
  // What FromPrivate takes, for the saved form of a handshake in which the pair must wait for the
  // peer.
  Secret<kMaxPrivateKeySize> PrivateKey() const;

  // The shared secret; the pair is spent. kBadKeyShare for a point off the curve, of another
  // form or length, an all-zero X25519 result (RFC 8446 §7.4.2), or a finite field's value out of
  // range. A finite field's secret keeps its leading zeros. A hybrid opens a server's share; its
  // ciphertext, where it is none, gives a secret that nobody else has.
  Result<SharedSecret> Derive(ByteView peer_public_key) &&;

 private:
  struct State;
  explicit KeyPair(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// True for the groups that Generate knows: x25519, secp256r1, secp384r1, secp521r1, ffdhe2048,
// ffdhe3072, ffdhe4096, and the hybrids where the running libcrypto has ML-KEM.
bool Implemented(NamedGroup group);

// The hybrids that we know, whether there is ML-KEM or not. TLS 1.3 alone has them.
constexpr bool IsHybrid(NamedGroup group) {
  return group == NamedGroup::kX25519MlKem768 || group == NamedGroup::kSecP256r1MlKem768;
}

// RFC 7919 §2: ids 256 to 511 are finite field groups, known to us or not.
constexpr bool IsFfdhe(NamedGroup group) { return static_cast<uint16_t>(group) >> 8 == 1; }
// A finite field group's prime, big-endian, and its generator; empty where it is none of ours.
struct FfdheParameters {
  ByteView p;
  ByteView g;
};
FfdheParameters ParametersOf(NamedGroup group);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_KEX_H_
