// The verifying half of sign.h.
#include <array>
#include <climits>
#include <optional>
#include <string_view>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
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

struct PublicKey {
  Key key;
  KeyAlgorithm algorithm;
  std::string_view curve = {};  // libcrypto's name, for ECDSA
};

// ---- Reading a SubjectPublicKeyInfo ------------------------------------------------------------
//
// libcrypto's decoder takes 100 us for any key, more than a P-256 verification. So the usual ones
// are known by the bytes before the key itself (RFC 5480, RFC 8410, RFC 3279), and made from those
// behind them; what is not in the table goes to the decoder.

// A key without a point, to take the curve from: naming it would cost 40 us.
Key CurveTemplate(const char* curve) {
  const Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(curve), 0),
      OSSL_PARAM_construct_end()};
  if (context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEY_PARAMETERS, parameters);
  }
  return Key(key);
}

Key ReadPoint(const EVP_PKEY* curve, ByteView point) {
  Key key(EVP_PKEY_new());
  // The point is checked to be on the curve as it is set.
  if (curve == nullptr || key == nullptr || EVP_PKEY_copy_parameters(key.get(), curve) != 1 ||
      EVP_PKEY_set1_encoded_public_key(key.get(), point.data(), point.size()) != 1) {
    return nullptr;
  }
  return key;
}

Key ReadP256(ByteView point) {
  static const Key curve = CurveTemplate("prime256v1");
  return ReadPoint(curve.get(), point);
}
Key ReadP384(ByteView point) {
  static const Key curve = CurveTemplate("secp384r1");
  return ReadPoint(curve.get(), point);
}
Key ReadP521(ByteView point) {
  static const Key curve = CurveTemplate("secp521r1");
  return ReadPoint(curve.get(), point);
}
Key ReadEd25519(ByteView raw) {
  return Key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, raw.data(), raw.size()));
}
Key ReadRsa(ByteView der) {
  const uint8_t* at = der.data();
  Key key(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(der.size())));
  if (at != der.data() + der.size()) key.reset();
  return key;
}

struct KnownForm {
  std::string_view prefix;
  size_t size;  // of all
  KeyAlgorithm algorithm;
  Key (*read)(ByteView rest);
  std::string_view curve = {};
  size_t kept = 0;  // bytes of the prefix that are the key's own
};

using namespace std::string_view_literals;

// The EC rows end in the 4 of an uncompressed point.
constexpr KnownForm kForms[] = {
    {"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
     "\x03\x42\x00\x04"sv,
     91, KeyAlgorithm::kEcdsa, ReadP256, "prime256v1", 1},
    {"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"
     "\x03\x62\x00\x04"sv,
     120, KeyAlgorithm::kEcdsa, ReadP384, "secp384r1", 1},
    {"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"
     "\x03\x81\x86\x00\x04"sv,
     158, KeyAlgorithm::kEcdsa, ReadP521, "secp521r1", 1},
    {"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"sv, 44, KeyAlgorithm::kEd25519, ReadEd25519},
    // RSA of 2048, 3072 and 4096 bits with the usual exponent 65537.
    {"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
     "\x03\x82\x01\x0f\x00"sv,
     294, KeyAlgorithm::kRsa, ReadRsa},
    {"\x30\x82\x01\xa2\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
     "\x03\x82\x01\x8f\x00"sv,
     422, KeyAlgorithm::kRsa, ReadRsa},
    {"\x30\x82\x02\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
     "\x03\x82\x02\x0f\x00"sv,
     550, KeyAlgorithm::kRsa, ReadRsa},
};

// Nullopt also for a key of a kind that signs no scheme of ours.
std::optional<PublicKey> Decode(ByteView der) {
  if (der.size() > LONG_MAX) return std::nullopt;
  const uint8_t* at = der.data();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr || at != der.data() + der.size()) return std::nullopt;
  // RFC 8446 §4.2.3: "If the public key is carried in an X.509 certificate, it MUST use the
  // rsaEncryption OID [RFC5280]." libcrypto names a key with the other OID RSA-PSS.
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) return PublicKey{std::move(key), KeyAlgorithm::kRsa};
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) {
    return PublicKey{std::move(key), KeyAlgorithm::kEd25519};
  }
  std::array<char, 32> group{};
  if (EVP_PKEY_is_a(key.get(), "EC") != 1 ||
      EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr) != 1) {
    return std::nullopt;
  }
  for (const KnownForm& form : kForms) {
    if (!form.curve.empty() && form.curve == group.data()) {
      return PublicKey{std::move(key), KeyAlgorithm::kEcdsa, form.curve};
    }
  }
  return std::nullopt;
}

std::optional<PublicKey> ReadPublicKey(ByteView der) {
  for (const KnownForm& form : kForms) {
    if (der.size() != form.size || !AsText(der).starts_with(form.prefix)) continue;
    Key key = form.read(der.subspan(form.prefix.size() - form.kept));
    if (key == nullptr) return std::nullopt;
    return PublicKey{std::move(key), form.algorithm, form.curve};
  }
  return Decode(der);
}

// ---- Verifying ---------------------------------------------------------------------------------

bool KeyFits(ProtocolVersion version, const SchemeRow& row, const PublicKey& key) {
  // RFC 8446 §4.2.3: "The keys found in certificates MUST also be of appropriate type for the
  // signature algorithms they are used with." §4.4.3: "In addition, the signature algorithm MUST be
  // compatible with the key in the sender's end-entity certificate." RFC 5246 §7.4.8: "In addition,
  // the hash and signature algorithms MUST be compatible with the key in the client's end-entity
  // certificate."
  if (key.algorithm != row.key) return false;
  const bool tls13 = version >= ProtocolVersion::kTls13;
  switch (row.key) {
    case KeyAlgorithm::kRsa: {
      // RFC 8446 §4.2.3: "These values refer solely to signatures which appear in certificates (see
      // Section 4.4.2.2) and are not defined for use in signed TLS handshake messages"
      // RFC 8446 §4.4.3: "RSA signatures MUST use an RSASSA-PSS algorithm, regardless of whether
      // RSASSA-PKCS1-v1_5 algorithms appear in "signature_algorithms"." §4.2.3: "Implementations
      // that advertise support for RSASSA-PSS (which is mandatory in TLS 1.3) MUST be prepared to
      // accept a signature using that scheme even when TLS 1.2 is negotiated."
      if (row.padding == RsaPadding::kPkcs1 && tls13) return false;
      const int bits = EVP_PKEY_get_bits(key.key.get());
      return bits >= kMinRsaBits && bits <= kMaxRsaBits;
    }
    case KeyAlgorithm::kEcdsa:
      // RFC 8446 §4.2.3: "Indicates a signature algorithm using ECDSA [ECDSA], the corresponding
      // curve as defined in ANSI X9.62 [ECDSA] and FIPS 186-4 [DSS]". Before, the hash alone was
      // named.
      // RFC 8446 §4.2.3: "If TLS 1.2 is negotiated, implementations MUST be prepared to accept a
      // signature that uses any curve that they advertised in the "supported_groups" extension."
      // And: "TLS 1.3 implementations willing to negotiate TLS 1.2 MUST behave in accordance with
      // the requirements of [RFC5246] when negotiating that version."
      return !tls13 || key.curve == row.curve;
    case KeyAlgorithm::kEd25519:
      return true;
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

// What comes before the hash in a DigestInfo without parameters.
std::string_view BareDigestInfo(MessageDigest digest) {
  switch (digest) {
    case MessageDigest::kSha256:
      return "\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20"sv;
    case MessageDigest::kSha384:
      return "\x30\x3f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x04\x30"sv;
    case MessageDigest::kSha512:
      return "\x30\x4f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x04\x40"sv;
    case MessageDigest::kNone:
      break;
  }
  return {};
}

// RFC 5246 §4.7: "For hash algorithms without parameters (which includes SHA-1), the
// DigestInfo.AlgorithmIdentifier.parameters field MUST be NULL, but implementations MUST accept
// both without parameters and with NULL parameters." libcrypto writes NULL, and takes nothing else.
// Here all that was signed is compared, so that it is one more form and no looser one.
bool VerifyBare(const SchemeRow& row, EVP_PKEY* key, const MessageHash& hash, ByteView signature) {
  const std::string_view prefix = BareDigestInfo(row.digest);
  std::array<uint8_t, kMaxRsaBits / 8> content{};
  size_t size = content.size();
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context == nullptr || EVP_PKEY_verify_recover_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_verify_recover(context.get(), content.data(), &size, signature.data(),
                              signature.size()) != 1) {
    return false;
  }
  const ByteView recovered = ByteView(content).first(size);
  return size == prefix.size() + hash.size &&
         Equal(recovered.first(prefix.size()), AsBytes(prefix)) &&
         Equal(recovered.last(hash.size), ByteView(hash.bytes).first(hash.size));
}

bool VerifyDigest(const SchemeRow& row, EVP_PKEY* key, ByteView content, ByteView signature) {
  MessageHash hash;
  KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (context == nullptr || EVP_PKEY_verify_init(context.get()) != 1 ||
      !Configure(context.get(), row) || !HashMessage(row.digest, content, hash)) {
    return false;
  }
  if (EVP_PKEY_verify(context.get(), signature.data(), signature.size(), hash.bytes.data(),
                      hash.size) == 1) {
    return true;
  }
  return row.padding == RsaPadding::kPkcs1 && VerifyBare(row, key, hash, signature);
}

}  // namespace

bool VerifySignature(ProtocolVersion version, SignatureScheme scheme,
                     ByteView subject_public_key_info, ByteView content, ByteView signature) {
  ClearErrorsOnReturn clear;
  const SchemeRow* row = FindScheme(scheme);
  if (row == nullptr) return false;
  const std::optional<PublicKey> public_key = ReadPublicKey(subject_public_key_info);
  if (!public_key || !KeyFits(version, *row, *public_key)) return false;
  EVP_PKEY* key = public_key->key.get();
  return row->digest == MessageDigest::kNone ? VerifyWhole(key, content, signature)
                                             : VerifyDigest(*row, key, content, signature);
}

}  // namespace handfast::tls
