#include "tls/crypto/scheme_table.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "tls/crypto/hash.h"

namespace handfast::tls {
namespace {

using enum SignatureScheme;

// What is not listed is neither offered nor taken. RFC 8446 §4.2.3: "They MUST NOT be offered or
// negotiated by any implementation." And: "In particular, MD5 [SLOTH], SHA-224, and DSA MUST NOT be
// used." §4.4.3: "The SHA-1 algorithm MUST NOT be used in any signatures of CertificateVerify
// messages." RFC 5246 §7.4.1.4.1: "It MUST NOT appear in this extension." Three of the rows are
// required: RFC 8446 §9.1: "A TLS-compliant application MUST support digital signatures with
// rsa_pkcs1_sha256 (for certificates), rsa_pss_rsae_sha256 (for CertificateVerify and
// certificates), and ecdsa_secp256r1_sha256."
constexpr SchemeRow kRows[] = {
    {kEcdsaSecp256r1Sha256, KeyAlgorithm::kEcdsa, MessageDigest::kSha256, RsaPadding::kNone,
     "prime256v1"},
    {kEcdsaSecp384r1Sha384, KeyAlgorithm::kEcdsa, MessageDigest::kSha384, RsaPadding::kNone,
     "secp384r1"},
    {kEcdsaSecp521r1Sha512, KeyAlgorithm::kEcdsa, MessageDigest::kSha512, RsaPadding::kNone,
     "secp521r1"},
    {kEd25519, KeyAlgorithm::kEd25519, MessageDigest::kNone},
    {kRsaPssRsaeSha256, KeyAlgorithm::kRsa, MessageDigest::kSha256, RsaPadding::kPss},
    {kRsaPssRsaeSha384, KeyAlgorithm::kRsa, MessageDigest::kSha384, RsaPadding::kPss},
    {kRsaPssRsaeSha512, KeyAlgorithm::kRsa, MessageDigest::kSha512, RsaPadding::kPss},
    {kRsaPkcs1Sha256, KeyAlgorithm::kRsa, MessageDigest::kSha256, RsaPadding::kPkcs1},
    {kRsaPkcs1Sha384, KeyAlgorithm::kRsa, MessageDigest::kSha384, RsaPadding::kPkcs1},
    {kRsaPkcs1Sha512, KeyAlgorithm::kRsa, MessageDigest::kSha512, RsaPadding::kPkcs1},
};

}  // namespace

const SchemeRow* FindScheme(SignatureScheme scheme) {
  for (const SchemeRow& row : kRows) {
    if (row.scheme == scheme) return &row;
  }
  return nullptr;
}

const EVP_MD* FetchedDigest(MessageDigest digest) {
  static const struct {
    EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
    EVP_MD* sha384 = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
    EVP_MD* sha512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  } digests;
  switch (digest) {
    case MessageDigest::kSha256:
      return digests.sha256;
    case MessageDigest::kSha384:
      return digests.sha384;
    case MessageDigest::kSha512:
      return digests.sha512;
    case MessageDigest::kNone:
      break;
  }
  return nullptr;
}

bool HashMessage(MessageDigest digest, ByteView message, MessageHash& out) {
  const auto on = [&](HashAlgorithm algorithm) {
    RunningHash hash(algorithm);
    hash.Update(message);
    hash.Finish(out.bytes.data());
    out.size = static_cast<unsigned>(DigestSize(algorithm));
    return true;
  };
  // The transcript's code, which is in the caches, and needs no context to be made.
  if (digest == MessageDigest::kSha256) return on(HashAlgorithm::kSha256);
  if (digest == MessageDigest::kSha384) return on(HashAlgorithm::kSha384);
  const EVP_MD* md = FetchedDigest(digest);
  return md != nullptr &&
         EVP_Digest(message.data(), message.size(), out.bytes.data(), &out.size, md, nullptr) == 1;
}

bool Configure(EVP_PKEY_CTX* context, const SchemeRow& row) {
  const EVP_MD* md = FetchedDigest(row.digest);
  if (row.key == KeyAlgorithm::kRsa) {
    const int padding = row.padding == RsaPadding::kPss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    if (EVP_PKEY_CTX_set_rsa_padding(context, padding) != 1) return false;
  }
  // RFC 5246 §4.7: "As discussed in [PKCS1], the DigestInfo MUST be DER-encoded [X680] [X690]."
  // With the digest known, libcrypto writes it so.
  if (EVP_PKEY_CTX_set_signature_md(context, md) != 1) return false;
  if (row.padding != RsaPadding::kPss) return true;
  // RFC 8446 §4.2.3: "The digest used in the mask generation function and the digest being signed
  // are both the corresponding hash algorithm as defined in [SHS]. The length of the Salt MUST be
  // equal to the length of the output of the digest algorithm."
  return EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

}  // namespace handfast::tls
