// Private keys that sign and public keys that verify, by TLS signature scheme (RFC 8446 §4.2.3).
// A key signs only whole contents that its caller built; there is no raw digest, and no decryption
// but that of TLS 1.2's RSA key exchange, which tells nobody what it found.
#ifndef HANDFAST_TLS_CRYPTO_SIGN_H_
#define HANDFAST_TLS_CRYPTO_SIGN_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"

namespace handfast::tls {

enum class KeyType : uint8_t {
  kRsa2048 = 1,
  kRsa3072 = 2,
  kRsa4096 = 3,
  kEcdsaP256 = 4,
  kEcdsaP384 = 5,
  kEcdsaP521 = 6,
  kEd25519 = 7,
};

std::string_view Name(KeyType type);  // "ECDSA_P256"

// The schemes that a key of this type can sign with, best first. In TLS 1.2 an ECDSA scheme does
// not name the curve (RFC 8422 §5.4); ours still pairs each curve with its own hash.
std::span<const SignatureScheme> SchemesOf(KeyType type);

class PrivateKey {
 public:
  static Result<PrivateKey> Generate(KeyType type);
  // PKCS#8, unencrypted; kInternalError where it does not parse, or is no KeyType of ours. RSA of
  // 2048 to 4096 bits is taken and counted by the KeyType at or below its size.
  static Result<PrivateKey> FromPkcs8(ByteView der);
  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  KeyType type() const;
  // SubjectPublicKeyInfo, DER.
  Bytes PublicKeyDer() const;
  // PKCS#8 DER, for sealing at rest. The caller wipes it.
  Bytes ToPkcs8() const;

  // Signs `content` (hashing included). Thread-safe: each thread has its own context. A faulty
  // RSA-CRT result never leaves: libcrypto checks it. kSchemeNotOffered where the scheme is not
  // among SchemesOf(type()); kPrivateKeyFailed else.
  Result<Bytes> Sign(SignatureScheme scheme, ByteView content) const;

  // The premaster secret of a TLS 1.2 RSA key exchange (RFC 5246 §7.4.7.1): always 48 bytes, random
  // ones where `encrypted` is no such secret or begins with another version than the ClientHello
  // did. No error, length or time tells which. kSchemeNotOffered where this is no RSA key.
  Result<RsaPremaster> RecoverPremaster(uint16_t client_version, ByteView encrypted) const;

  // A PKCS#10 request (DER) with this subject common name (may be empty) and DNS names.
  Result<Bytes> CertificateRequest(const std::string& common_name,
                                   const std::vector<std::string>& dns_names) const;

 private:
  struct State;
  explicit PrivateKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Verifies with the key in `subject_public_key_info` (DER): true only where the key's type is the
// scheme's (and, from TLS 1.3 on, its curve too) and the signature is right.
// `version` decides whether an ECDSA scheme names the curve (RFC 8446 §4.2.3) or not (RFC 8422).
bool VerifySignature(ProtocolVersion version, SignatureScheme scheme,
                     ByteView subject_public_key_info, ByteView content, ByteView signature);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_SIGN_H_
