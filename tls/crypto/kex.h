// Ephemeral key exchange: X25519 (RFC 7748) and the NIST curves (RFC 8422), each pair used once.
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
  // Fresh from libcrypto's generator. kInternalError where the group is none of ours.
  static Result<KeyPair> Generate(NamedGroup group);
  // From a given scalar, for tests and replays: 32 little-endian bytes for X25519, a big-endian
  // scalar of the curve's size else.
  static Result<KeyPair> FromPrivate(NamedGroup group, ByteView private_key);
  // No pair: what a spent one is too. Derive then fails with kInternalError.
  KeyPair();
  KeyPair(KeyPair&&) noexcept;
  KeyPair& operator=(KeyPair&&) noexcept;
  ~KeyPair();

  NamedGroup group() const;
  // As it stands in a KeyShareEntry: 32 bytes, or an uncompressed point (RFC 8446 §4.2.8.2).
  ByteView public_key() const;
  // The scalar, for the saved form of a handshake in which the pair must wait for the peer.
  Secret<66> PrivateKey() const;

  // The shared secret; the pair is spent. kBadKeyShare for a point off the curve, of another
  // form or length, or an all-zero X25519 result (RFC 8446 §7.4.2).
  Result<SharedSecret> Derive(ByteView peer_public_key) &&;

 private:
  struct State;
  explicit KeyPair(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// True for the groups that Generate knows: x25519, secp256r1, secp384r1, secp521r1.
bool Implemented(NamedGroup group);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_KEX_H_
