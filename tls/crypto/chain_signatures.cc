// What a chain's certificates are signed with, as TLS names it (RFC 8446 §4.2.3).
#include <array>
#include <climits>
#include <optional>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tls/crypto/libcrypto.h"
#include "tls/crypto/scheme_table.h"
#include "tls/crypto/x509.h"

namespace handfast::tls {
namespace {

using Certificate = Owned<X509, X509_free>;

Certificate Read(ByteView der) {
  if (der.size() > LONG_MAX) return nullptr;
  const uint8_t* at = der.data();
  return Certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

// TLS 1.2's number of a hash (RFC 5246 §7.4.1.4.1); 0: none of them.
unsigned HashNumber(int digest) {
  switch (digest) {
    case NID_sha1:
      return 2;
    case NID_sha224:
      return 3;
    case NID_sha256:
      return 4;
    case NID_sha384:
      return 5;
    case NID_sha512:
      return 6;
    default:
      return 0;
  }
}

std::optional<SignatureScheme> Paired(int digest, unsigned algorithm) {
  const unsigned hash = HashNumber(digest);
  if (hash == 0) return std::nullopt;
  return static_cast<SignatureScheme>(hash << 8 | algorithm);
}

// rsa_pss_rsae_sha256 to 512 follow one another; rsa_pss_pss_sha256 is 5 behind the first.
std::optional<SignatureScheme> Pss(int digest, const EVP_PKEY* issuer) {
  constexpr unsigned kSha256 = 4;
  constexpr unsigned kToPssKeys = 5;
  const unsigned hash = HashNumber(digest);
  if (hash < kSha256) return std::nullopt;
  const bool pss_key = issuer != nullptr && EVP_PKEY_is_a(issuer, "RSA-PSS") == 1;
  return static_cast<SignatureScheme>(static_cast<unsigned>(SignatureScheme::kRsaPssRsaeSha256) +
                                      (hash - kSha256) + (pss_key ? kToPssKeys : 0));
}

bool IsOnCurveOf(const EVP_PKEY* issuer, SignatureScheme scheme) {
  const SchemeRow* row = FindScheme(scheme);
  std::array<char, 32> curve{};
  return row != nullptr &&
         EVP_PKEY_get_group_name(issuer, curve.data(), curve.size(), nullptr) == 1 &&
         std::string_view(curve.data()) == row->curve;
}

// `issuer` null: it is not in the chain, and its key is taken to be of the usual kind.
void AddSignature(X509* certificate, const EVP_PKEY* issuer, SchemeSet& signatures) {
  constexpr unsigned kRsa = 1;
  constexpr unsigned kEcdsa = 3;
  constexpr auto kEd448 = static_cast<SignatureScheme>(0x0808);
  int digest = NID_undef;
  int algorithm = NID_undef;
  std::optional<SignatureScheme> scheme;
  // For RSA-PSS this reads the parameters, where the hash is.
  if (X509_get_signature_info(certificate, &digest, &algorithm, nullptr, nullptr) == 1) {
    if (algorithm == NID_rsaEncryption) scheme = Paired(digest, kRsa);
    if (algorithm == NID_rsassaPss) scheme = Pss(digest, issuer);
    if (algorithm == NID_X9_62_id_ecPublicKey) scheme = Paired(digest, kEcdsa);
    if (algorithm == NID_ED25519) scheme = SignatureScheme::kEd25519;
    if (algorithm == NID_ED448) scheme = kEd448;
  }
  if (!scheme) return signatures.AddUnlisted();
  signatures.Add(*scheme);
  if (algorithm == NID_X9_62_id_ecPublicKey && issuer != nullptr && !IsOnCurveOf(issuer, *scheme)) {
    signatures.AddAnyCurve();
  }
}

}  // namespace

SchemeSet SignaturesOf(const std::vector<Bytes>& chain) {
  ClearErrorsOnReturn clear;
  SchemeSet signatures;
  Certificate certificate = chain.empty() ? nullptr : Read(chain.front());
  for (size_t i = 0; i < chain.size(); ++i) {
    Certificate above = i + 1 < chain.size() ? Read(chain[i + 1]) : nullptr;
    if (certificate == nullptr) {
      signatures.AddUnlisted();
    } else if ((X509_get_extension_flags(certificate.get()) & EXFLAG_SS) == 0) {
      // RFC 8446 §4.4.2.2: "Certificates that are self-signed or certificates that are expected to
      // be trust anchors are not validated as part of the chain and therefore MAY be signed with
      // any algorithm."
      AddSignature(certificate.get(), above ? X509_get0_pubkey(above.get()) : nullptr, signatures);
    }
    certificate = std::move(above);
  }
  return signatures;
}

}  // namespace handfast::tls
