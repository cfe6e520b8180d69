// What each signature scheme consists of (RFC 8446 §4.2.3), and how libcrypto is told so. Private
// to tls/crypto, and free of OpenSSL's headers.
#ifndef HANDFAST_TLS_CRYPTO_SCHEME_TABLE_H_
#define HANDFAST_TLS_CRYPTO_SCHEME_TABLE_H_

#include <array>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"

struct evp_md_st;        // EVP_MD
struct evp_pkey_ctx_st;  // EVP_PKEY_CTX

namespace handfast::tls {

enum class KeyAlgorithm : uint8_t { kRsa, kEcdsa, kEd25519 };
enum class RsaPadding : uint8_t { kNone, kPkcs1, kPss };
// kNone: Ed25519 takes the message itself.
enum class MessageDigest : uint8_t { kNone, kSha256, kSha384, kSha512 };

struct SchemeRow {
  SignatureScheme scheme;
  KeyAlgorithm key;
  MessageDigest digest;
  RsaPadding padding = RsaPadding::kNone;
  // libcrypto's name of the curve that TLS 1.3 demands; empty for what is no ECDSA.
  const char* curve = "";
};

// Null for a scheme that is not implemented; those with SHA-1 are not.
const SchemeRow* FindScheme(SignatureScheme scheme);

// Fetched once for the process; null for kNone.
const evp_md_st* FetchedDigest(MessageDigest digest);

// Bytes of a digest.
constexpr size_t DigestSize(MessageDigest digest) {
  switch (digest) {
    case MessageDigest::kSha256:
      return 32;
    case MessageDigest::kSha384:
      return 48;
    case MessageDigest::kSha512:
      return 64;
    case MessageDigest::kNone:
      break;
  }
  return 0;
}

// Digest of a message, SHA-512 at the largest.
constexpr size_t kMaxMessageHash = DigestSize(MessageDigest::kSha512);
struct MessageHash {
  std::array<uint8_t, kMaxMessageHash> bytes;
  unsigned size = 0;
};
bool HashMessage(MessageDigest digest, ByteView message, MessageHash& out);

// Sets digest and padding of a context that was initialised to sign or to verify.
bool Configure(evp_pkey_ctx_st* context, const SchemeRow& row);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_SCHEME_TABLE_H_
