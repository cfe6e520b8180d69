// The finite field groups of RFC 7919, for KeyPair. Private to tls/crypto, and free of OpenSSL's
// headers.
#ifndef HANDFAST_TLS_CRYPTO_KEX_FFDHE_H_
#define HANDFAST_TLS_CRYPTO_KEX_FFDHE_H_

#include "tls/base/bytes.h"
#include "tls/base/registry.h"

namespace handfast::tls {

constexpr size_t kMaxFfdheSize = 512;  // ffdhe4096

struct FfdheGroup {
  NamedGroup group;
  const char* name;      // libcrypto's
  size_t size;           // bytes of p, of a public value and of a shared secret
  size_t exponent_size;  // bytes of a private value
};

// Null where the group is no finite field group of ours.
const FfdheGroup* FindFfdhe(NamedGroup group);

// p, big-endian. Empty where libcrypto has not the group.
ByteView FfdhePrimeOf(const FfdheGroup& group);

// A fresh private value into `out`, exponent_size bytes.
bool NewFfdheExponent(std::span<uint8_t> out);

// g^exponent mod p into `out`, size bytes.
bool FfdhePublic(const FfdheGroup& group, ByteView exponent, std::span<uint8_t> out);

// peer^exponent mod p into `out`, size bytes with leading zeros. False for a peer's value of
// another length, or not between 1 and p - 1.
bool DeriveFfdhe(const FfdheGroup& group, ByteView exponent, ByteView peer, std::span<uint8_t> out);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_KEX_FFDHE_H_
