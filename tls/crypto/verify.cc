// The verifying half of sign.h.
#include <array>
#include <climits>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tls/crypto/libcrypto.h"
#include "tls/crypto/scheme_table.h"
#include "tls/crypto/sign.h"

namespace handfast::tls {
namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

constexpr int kMinRsaBits = 2048;
// A peer chooses its key, and we pay for verifying with it.
constexpr int kMaxRsaBits = 8192;

Key ReadPublicKey(ByteView der) {
  if (der.size() > LONG_MAX) return nullptr;
  const uint8_t* at = der.data();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key != nullptr && at != der.data() + der.size()) key.reset();
  return key;
}

bool CurveFits(ProtocolVersion version, const SchemeRow& row, const EVP_PKEY* key) {
  std::array<char, 32> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return false;
  const std::string_view name(group.data());
  // RFC 8446 §4.2.3: "Indicates a signature algorithm using ECDSA [ECDSA], the corresponding curve
  // as defined in ANSI X9.62 [ECDSA] and FIPS 186-4 [DSS]"
  if (version >= ProtocolVersion::kTls13) return name == row.curve;
  // Before, the hash alone was named; the curve still is one of ours.
  return name == "prime256v1" || name == "secp384r1" || name == "secp521r1";
}

bool KeyFits(ProtocolVersion version, const SchemeRow& row, const EVP_PKEY* key) {
  switch (row.key) {
    case KeyAlgorithm::kRsa: {
      // RFC 8446 §4.2.3: "These values refer solely to signatures which appear in certificates (see
      // Section 4.4.2.2) and are not defined for use in signed TLS handshake messages"
      if (row.padding == RsaPadding::kPkcs1 && version >= ProtocolVersion::kTls13) return false;
      // RFC 8446 §4.2.3: "If the public key is carried in an X.509 certificate, it MUST use the
      // rsaEncryption OID [RFC5280]." libcrypto names a key with the other OID RSA-PSS.
      const int bits = EVP_PKEY_get_bits(key);
      return EVP_PKEY_is_a(key, "RSA") == 1 && bits >= kMinRsaBits && bits <= kMaxRsaBits;
    }
    case KeyAlgorithm::kEcdsa:
      return EVP_PKEY_is_a(key, "EC") == 1 && CurveFits(version, row, key);
    case KeyAlgorithm::kEd25519:
      return EVP_PKEY_is_a(key, "ED25519") == 1;
  }
  return false;
}

bool VerifyWhole(EVP_PKEY* key, ByteView content, ByteView signature) {
  DigestContext context(EVP_MD_CTX_new());
  return context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), signature.data(), signature.size(), content.data(),
                          content.size()) == 1;
}

bool VerifyDigest(const SchemeRow& row, EVP_PKEY* key, ByteView content, ByteView signature) {
  MessageHash hash;
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
         Configure(context.get(), row) && HashMessage(row.digest, content, hash) &&
         EVP_PKEY_verify(context.get(), signature.data(), signature.size(), hash.bytes.data(),
                         hash.size) == 1;
}

}  // namespace

bool VerifySignature(ProtocolVersion version, SignatureScheme scheme,
                     ByteView subject_public_key_info, ByteView content, ByteView signature) {
  ClearErrorsOnReturn clear;
  const SchemeRow* row = FindScheme(scheme);
  if (row == nullptr) return false;
  const Key key = ReadPublicKey(subject_public_key_info);
  if (key == nullptr || !KeyFits(version, *row, key.get())) return false;
  return row->digest == MessageDigest::kNone ? VerifyWhole(key.get(), content, signature)
                                             : VerifyDigest(*row, key.get(), content, signature);
}

}  // namespace handfast::tls
