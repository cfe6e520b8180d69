#include "tls/crypto/sign.h"

#include <array>
#include <climits>
#include <cstring>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tls/base/secret_access.h"
#include "tls/crypto/libcrypto.h"
#include "tls/crypto/random.h"
#include "tls/crypto/rsa_premaster.h"
#include "tls/crypto/rsa_pss.h"
#include "tls/crypto/scheme_table.h"

namespace handfast::tls {
namespace {

using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;

using enum SignatureScheme;

// Best first. PSS before PKCS#1 v1.5, which TLS 1.2 alone may still use.
constexpr SignatureScheme kRsaSchemes[] = {kRsaPssRsaeSha256, kRsaPssRsaeSha384, kRsaPssRsaeSha512,
                                           kRsaPkcs1Sha256,   kRsaPkcs1Sha384,   kRsaPkcs1Sha512};
constexpr SignatureScheme kP256Schemes[] = {kEcdsaSecp256r1Sha256};
constexpr SignatureScheme kP384Schemes[] = {kEcdsaSecp384r1Sha384};
constexpr SignatureScheme kP521Schemes[] = {kEcdsaSecp521r1Sha512};
constexpr SignatureScheme kEd25519Schemes[] = {kEd25519};

constexpr int kMinRsaBits = 2048;
// A signature's cost grows with the cube of the size; 4096 bits already take milliseconds.
constexpr int kMaxRsaBits = 4096;

// Nullopt where the key is no KeyType of ours.
std::optional<KeyType> TypeOf(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(key);
    if (bits < kMinRsaBits || bits > kMaxRsaBits) return std::nullopt;
    return bits < 3072 ? KeyType::kRsa2048 : bits < 4096 ? KeyType::kRsa3072 : KeyType::kRsa4096;
  }
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return KeyType::kEd25519;
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    std::array<char, 32> group{};
    if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return std::nullopt;
    const std::string_view name(group.data());
    if (name == "prime256v1") return KeyType::kEcdsaP256;
    if (name == "secp384r1") return KeyType::kEcdsaP384;
    if (name == "secp521r1") return KeyType::kEcdsaP521;
  }
  return std::nullopt;
}

EVP_PKEY* GenerateKey(KeyType type) {
  const auto rsa = [](size_t bits) { return EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits); };
  const auto ec = [](const char* curve) {
    return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve);
  };
  switch (type) {
    case KeyType::kRsa2048:
      return rsa(2048);
    case KeyType::kRsa3072:
      return rsa(3072);
    case KeyType::kRsa4096:
      return rsa(4096);
    case KeyType::kEcdsaP256:
      return ec("P-256");
    case KeyType::kEcdsaP384:
      return ec("P-384");
    case KeyType::kEcdsaP521:
      return ec("P-521");
    case KeyType::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

// ---- PKCS#10 --------------------------------------------------------------------------------

using Request = Owned<X509_REQ, X509_REQ_free>;
using NameList = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
struct FreeExtensions {
  void operator()(STACK_OF(X509_EXTENSION) * list) const {
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
  }
};
using ExtensionList = std::unique_ptr<STACK_OF(X509_EXTENSION), FreeExtensions>;

bool AddDnsNames(X509_REQ* request, const std::vector<std::string>& dns_names) {
  if (dns_names.empty()) return true;
  NameList names(GENERAL_NAMES_new());
  for (const std::string& dns_name : dns_names) {
    // A CA that reads up to the NUL would certify another name than was asked for.
    if (dns_name.empty() || dns_name.find('\0') != std::string::npos) return false;
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    if (name == nullptr || text == nullptr ||
        ASN1_STRING_set(text, dns_name.data(), static_cast<int>(dns_name.size())) != 1) {
      GENERAL_NAME_free(name);
      ASN1_IA5STRING_free(text);
      return false;
    }
    GENERAL_NAME_set0_value(name, GEN_DNS, text);
    if (sk_GENERAL_NAME_push(names.get(), name) <= 0) {
      GENERAL_NAME_free(name);
      return false;
    }
  }
  STACK_OF(X509_EXTENSION)* extensions = nullptr;
  const int added = X509V3_add1_i2d(&extensions, NID_subject_alt_name, names.get(), 0, 0);
  const ExtensionList owned(extensions);
  return added == 1 && X509_REQ_add_extensions(request, extensions) == 1;
}

bool SetCommonName(X509_REQ* request, const std::string& common_name) {
  if (common_name.empty()) return true;
  return X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(common_name.data()),
                                    static_cast<int>(common_name.size()), -1, 0) == 1;
}

}  // namespace

std::string_view Name(KeyType type) {
  switch (type) {
    case KeyType::kRsa2048:
      return "RSA_2048";
    case KeyType::kRsa3072:
      return "RSA_3072";
    case KeyType::kRsa4096:
      return "RSA_4096";
    case KeyType::kEcdsaP256:
      return "ECDSA_P256";
    case KeyType::kEcdsaP384:
      return "ECDSA_P384";
    case KeyType::kEcdsaP521:
      return "ECDSA_P521";
    case KeyType::kEd25519:
      return "ED25519";
  }
  return "unknown";
}

std::span<const SignatureScheme> SchemesOf(KeyType type) {
  switch (type) {
    case KeyType::kRsa2048:
    case KeyType::kRsa3072:
    case KeyType::kRsa4096:
      return kRsaSchemes;
    case KeyType::kEcdsaP256:
      return kP256Schemes;
    case KeyType::kEcdsaP384:
      return kP384Schemes;
    case KeyType::kEcdsaP521:
      return kP521Schemes;
    case KeyType::kEd25519:
      return kEd25519Schemes;
  }
  return {};
}

// One context per scheme, initialised once with the key. A signature is made with a copy of it:
// the copy costs 0.3 us and makes threads independent, without a lock or a pool.
struct PrivateKey::State {
  Key key;
  KeyType type;
  struct Prepared {
    const SchemeRow* row;
    KeyContext context;  // null for Ed25519, which has no digest to prepare
  };
  std::vector<Prepared> prepared = {};

  static Result<PrivateKey> From(Key key) {
    if (key == nullptr) return Reason::kInternalError;
    const std::optional<KeyType> type = TypeOf(key.get());
    if (!type) return Reason::kInternalError;
    auto state = std::make_unique<State>(State{std::move(key), *type});
    for (SignatureScheme scheme : SchemesOf(*type)) {
      if (!state->Prepare(scheme)) return Reason::kInternalError;
    }
    return PrivateKey(std::move(state));
  }

  bool Prepare(SignatureScheme scheme) {
    const SchemeRow* row = FindScheme(scheme);
    if (row->digest == MessageDigest::kNone) {
      prepared.push_back({row, nullptr});
      return true;
    }
    KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1) return false;
    const bool configured = row->padding == RsaPadding::kPss
                                ? EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1
                                : Configure(context.get(), *row);
    if (!configured) return false;
    prepared.push_back({row, std::move(context)});
    return true;
  }

  bool SignWhole(ByteView content, uint8_t* out, size_t& size) const {
    DigestContext context(EVP_MD_CTX_new());
    return context != nullptr &&
           EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestSign(context.get(), out, &size, content.data(), content.size()) == 1;
  }

  // Encoded here: libcrypto's encoding costs some 10 us, of which most goes into setting up each of
  // its nine hashes. The operation with the key, its blinding and its check of the result are
  // libcrypto's as ever. The salt can be read from the signature, so it is no secret.
  bool SignPss(const Prepared& scheme, ByteView content, uint8_t* out, size_t& size) const {
    std::array<uint8_t, kMaxRsaBits / 8> encoded;
    std::array<uint8_t, kMaxMessageHash> salt;
    const auto used = std::span(salt).first(DigestSize(scheme.row->digest));
    const size_t bits = static_cast<size_t>(EVP_PKEY_get_bits(key.get()));
    KeyContext context(EVP_PKEY_CTX_dup(scheme.context.get()));
    return context != nullptr && SystemRandomness().FillPublic(used).ok() &&
           EncodePss(scheme.row->digest, content, used, bits, std::span(encoded).first(size)) &&
           EVP_PKEY_sign(context.get(), out, &size, encoded.data(), size) == 1;
  }

  bool Sign(const Prepared& scheme, ByteView content, uint8_t* out, size_t& size) const {
    if (scheme.context == nullptr) return SignWhole(content, out, size);
    if (scheme.row->padding == RsaPadding::kPss) return SignPss(scheme, content, out, size);
    return SignDigest(scheme, content, out, size);
  }

  static bool SignDigest(const Prepared& scheme, ByteView content, uint8_t* out, size_t& size) {
    MessageHash hash;
    KeyContext context(EVP_PKEY_CTX_dup(scheme.context.get()));
    return context != nullptr && HashMessage(scheme.row->digest, content, hash) &&
           EVP_PKEY_sign(context.get(), out, &size, hash.bytes.data(), hash.size) == 1;
  }
};

PrivateKey::PrivateKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

Result<PrivateKey> PrivateKey::Generate(KeyType type) {
  ClearErrorsOnReturn clear;
  return State::From(Key(GenerateKey(type)));
}

Result<PrivateKey> PrivateKey::FromPkcs8(ByteView der) {
  ClearErrorsOnReturn clear;
  if (der.size() > LONG_MAX) return Reason::kInternalError;
  const uint8_t* at = der.data();
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (info == nullptr || at != der.data() + der.size()) return Reason::kInternalError;
  Result<PrivateKey> key = State::From(Key(EVP_PKCS82PKEY(info.get())));
  if (!key.ok()) return key.reason();
  // A scalar beside a public key that is not its own would sign what nobody can verify.
  static constexpr std::string_view kProbe = "handfast: does this key fit itself?";
  const SignatureScheme scheme = SchemesOf(key->type()).front();
  const Result<Bytes> signature = key->Sign(scheme, AsBytes(kProbe));
  if (!signature.ok() || !VerifySignature(ProtocolVersion::kTls13, scheme, key->PublicKeyDer(),
                                          AsBytes(kProbe), *signature)) {
    return Reason::kInternalError;
  }
  return key;
}

KeyType PrivateKey::type() const { return state_->type; }

Bytes PrivateKey::PublicKeyDer() const {
  ClearErrorsOnReturn clear;
  const int size = i2d_PUBKEY(state_->key.get(), nullptr);
  Bytes der(size > 0 ? static_cast<size_t>(size) : 0);
  uint8_t* at = der.data();
  if (!der.empty()) i2d_PUBKEY(state_->key.get(), &at);
  return der;
}

Bytes PrivateKey::ToPkcs8() const {
  ClearErrorsOnReturn clear;
  const Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info(
      EVP_PKEY2PKCS8(state_->key.get()));
  const int size = info == nullptr ? 0 : i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  Bytes der(size > 0 ? static_cast<size_t>(size) : 0);
  uint8_t* at = der.data();
  if (!der.empty()) i2d_PKCS8_PRIV_KEY_INFO(info.get(), &at);
  return der;
}

Result<Bytes> PrivateKey::Sign(SignatureScheme scheme, ByteView content) const {
  for (const State::Prepared& prepared : state_->prepared) {
    if (prepared.row->scheme != scheme) continue;
    size_t size = static_cast<size_t>(EVP_PKEY_get_size(state_->key.get()));
    Bytes signature(size);
    // Where its encoder finds no memory, libcrypto's ECDSA says that all went well, and a length of
    // four GiB.
    if (!state_->Sign(prepared, content, signature.data(), size) || size > signature.size()) {
      return Refused(Reason::kPrivateKeyFailed);
    }
    signature.resize(size);
    return signature;
  }
  return Reason::kSchemeNotOffered;
}

Result<RsaPremaster> PrivateKey::RecoverPremaster(uint16_t client_version,
                                                  ByteView encrypted) const {
  ClearErrorsOnReturn clear;
  if (EVP_PKEY_is_a(state_->key.get(), "RSA") != 1) return Reason::kSchemeNotOffered;
  RsaPremaster premaster;
  if (!RecoverRsaPremaster(state_->key.get(), client_version, encrypted,
                           SecretAccess::Fill(premaster, kRsaPremasterSize))) {
    return Reason::kPrivateKeyFailed;
  }
  return premaster;
}

Result<Bytes> PrivateKey::CertificateRequest(const std::string& common_name,
                                             const std::vector<std::string>& dns_names) const {
  ClearErrorsOnReturn clear;
  const SchemeRow* row = state_->prepared.front().row;
  Request request(X509_REQ_new());
  if (request == nullptr || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      !SetCommonName(request.get(), common_name) || !AddDnsNames(request.get(), dns_names) ||
      X509_REQ_set_pubkey(request.get(), state_->key.get()) != 1 ||
      X509_REQ_sign(request.get(), state_->key.get(), FetchedDigest(row->digest)) <= 0) {
    return Reason::kInternalError;
  }
  const int size = i2d_X509_REQ(request.get(), nullptr);
  if (size <= 0) return Reason::kInternalError;
  Bytes der(static_cast<size_t>(size));
  uint8_t* at = der.data();
  i2d_X509_REQ(request.get(), &at);
  return der;
}

}  // namespace handfast::tls
