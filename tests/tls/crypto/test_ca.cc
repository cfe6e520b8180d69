#include "tests/tls/crypto/test_ca.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace handfast::tls::test {
namespace {

using KeyRef = std::shared_ptr<EVP_PKEY>;
using CertificateRef = std::shared_ptr<X509>;

void Must(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "test_ca: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

KeyRef Own(EVP_PKEY* key) {
  Must(key != nullptr, "no key");
  return KeyRef(key, EVP_PKEY_free);
}

KeyRef RsaKey(int bits) {
  static std::mutex mutex;
  static std::map<int, KeyRef> keys;
  std::lock_guard lock(mutex);
  KeyRef& key = keys[bits];
  if (key == nullptr) {
    key = Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(bits)));
  }
  return key;
}

KeyRef NewKey(KeyType type, int rsa_bits) {
  if (rsa_bits != 0) return RsaKey(rsa_bits);
  const auto ec = [](const char* curve) {
    return Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
  };
  switch (type) {
    case KeyType::kRsa2048:
      return RsaKey(2048);
    case KeyType::kRsa3072:
      return RsaKey(3072);
    case KeyType::kRsa4096:
      return RsaKey(4096);
    case KeyType::kEcdsaP256:
      return ec("P-256");
    case KeyType::kEcdsaP384:
      return ec("P-384");
    case KeyType::kEcdsaP521:
      return ec("P-521");
    case KeyType::kEd25519:
      return Own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  std::abort();
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  Must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value.c_str());
  X509_EXTENSION_free(extension);
}

// Not through the configuration syntax, in which a comma or a NUL could not stand.
void AddNames(X509* certificate, const LeafOptions& options) {
  if (options.dns.empty() && options.uris.empty() && options.ips.empty()) return;
  GENERAL_NAMES* names = GENERAL_NAMES_new();
  const auto add = [names](int type, const auto& content) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_STRING* value =
        ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
    ASN1_STRING_set(value, content.data(), static_cast<int>(content.size()));
    GENERAL_NAME_set0_value(name, type, value);
    sk_GENERAL_NAME_push(names, name);
  };
  for (const std::string& dns : options.dns) add(GEN_DNS, dns);
  for (const std::string& uri : options.uris) add(GEN_URI, uri);
  for (const Bytes& ip : options.ips) add(GEN_IPADD, ip);
  Must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1, "subjectAltName");
  GENERAL_NAMES_free(names);
}

void AddUnknownCritical(X509* certificate) {
  ASN1_OBJECT* id = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
  ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>("\x05\x00"), 2);
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, id, 1, value);
  Must(X509_add_ext(certificate, extension, -1) == 1, "unknown extension");
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(value);
  ASN1_OBJECT_free(id);
}

using Subject = std::vector<std::pair<std::string, std::string>>;

Subject SubjectOf(const LeafOptions& options) {
  Subject subject;
  if (!options.common_name.empty()) subject.emplace_back("CN", options.common_name);
  subject.insert(subject.end(), options.more_subject.begin(), options.more_subject.end());
  return subject;
}

// A certificate with everything but extensions and signature.
CertificateRef Draft(const Subject& subject, EVP_PKEY* key, X509* issuer, int64_t not_before,
                     int64_t not_after) {
  static std::atomic<long> serial{1000};
  CertificateRef certificate(X509_new(), X509_free);
  X509* x = certificate.get();
  Must(X509_set_version(x, X509_VERSION_3) == 1, "version");
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  Must(ASN1_TIME_set(X509_getm_notBefore(x), not_before) != nullptr, "notBefore");
  Must(ASN1_TIME_set(X509_getm_notAfter(x), not_after) != nullptr, "notAfter");
  for (const auto& [type, value] : subject) {
    Must(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), type.c_str(), MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1,
         "subject");
  }
  Must(X509_set_issuer_name(x, X509_get_subject_name(issuer == nullptr ? x : issuer)) == 1,
       "issuer");
  Must(X509_set_pubkey(x, key) == 1, "public key");
  return certificate;
}

void SignWith(X509* certificate, EVP_PKEY* key, bool sha1) {
  const EVP_MD* digest = EVP_PKEY_is_a(key, "ED25519") == 1 ? nullptr
                         : sha1                             ? EVP_sha1()
                                                            : EVP_sha256();
  Must(X509_sign(certificate, key, digest) > 0, "signature");
}

void SignWithPss(X509* certificate, EVP_PKEY* key) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  Must(EVP_DigestSignInit(context, &parameters, EVP_sha384(), nullptr, key) == 1 &&
           EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           X509_sign_ctx(certificate, context) > 0,
       "RSASSA-PSS");
  EVP_MD_CTX_free(context);
}

Bytes Der(X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  Must(size > 0, "DER");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

std::string TextOf(BIO* out) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string copy(text, static_cast<size_t>(size));
  BIO_free(out);
  return copy;
}

std::string CertificatePem(const std::vector<Bytes>& chain) {
  BIO* out = BIO_new(BIO_s_mem());
  for (const Bytes& der : chain) {
    Must(PEM_write_bio(out, "CERTIFICATE", "", der.data(), static_cast<long>(der.size())) > 0,
         "PEM");
  }
  return TextOf(out);
}

std::string KeyPem(EVP_PKEY* key) {
  BIO* out = BIO_new(BIO_s_mem());
  Must(PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM");
  return TextOf(out);
}

Bytes KeyDer(EVP_PKEY* key) {
  PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
  uint8_t* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
  Must(size > 0, "PKCS#8");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  PKCS8_PRIV_KEY_INFO_free(info);
  return bytes;
}

std::string NameConstraints(const CaOptions& options) {
  std::string value;
  for (const std::string& dns : options.permitted_dns) value += ",permitted;DNS:" + dns;
  if (!options.name_constraints.empty()) value += "," + options.name_constraints;
  return value;
}

std::string Usages(const LeafOptions& options) {
  if (!options.usages.empty()) return options.usages;
  if (options.server && options.client) return "serverAuth,clientAuth";
  return options.server ? "serverAuth" : options.client ? "clientAuth" : "codeSigning";
}

std::string BasicConstraints(const CaOptions& options) {
  std::string value = options.ca ? "critical,CA:TRUE" : "critical,CA:FALSE";
  if (options.path_length >= 0) value += ",pathlen:" + std::to_string(options.path_length);
  return value;
}

}  // namespace

struct TestCa::State {
  KeyRef key;
  CertificateRef certificate;
  Bytes der;
  std::vector<Bytes> above;  // this one and those above it, without the root
  Bytes root;

  // `issuer` null: self-signed.
  static std::shared_ptr<State> New(const std::string& common_name, const CaOptions& options,
                                    const State* issuer) {
    auto state = std::make_shared<State>();
    state->key = NewKey(options.type, options.rsa_bits);
    X509* above = issuer == nullptr ? nullptr : issuer->certificate.get();
    state->certificate = Draft({{"CN", common_name}}, state->key.get(), above,
                               options.not_before_unix_s, options.not_after_unix_s);
    X509* x = state->certificate.get();
    X509* signer = above == nullptr ? x : above;
    if (options.basic_constraints) {
      AddExtension(x, signer, NID_basic_constraints, BasicConstraints(options));
    }
    AddExtension(x, signer, NID_key_usage,
                 options.crl_sign ? "critical,keyCertSign,cRLSign" : "critical,keyCertSign");
    AddExtension(x, signer, NID_subject_key_identifier, "hash");
    if (issuer != nullptr) AddExtension(x, signer, NID_authority_key_identifier, "keyid:always");
    const std::string names = NameConstraints(options);
    if (!names.empty()) AddExtension(x, signer, NID_name_constraints, "critical" + names);
    if (!options.extended_key_usage.empty()) {
      AddExtension(x, signer, NID_ext_key_usage, options.extended_key_usage);
    }
    SignWith(x, issuer == nullptr ? state->key.get() : issuer->key.get(), options.sha1);
    state->der = Der(x);
    state->root = issuer == nullptr ? state->der : issuer->root;
    if (issuer != nullptr) {
      state->above.push_back(state->der);
      state->above.insert(state->above.end(), issuer->above.begin(), issuer->above.end());
    }
    return state;
  }

  std::vector<Bytes> SignedAsVersion1(X509* leaf) const {
    Must(X509_set_version(leaf, X509_VERSION_1) == 1, "version");
    SignWith(leaf, key.get(), /*sha1=*/false);
    std::vector<Bytes> chain = {Der(leaf)};
    chain.insert(chain.end(), above.begin(), above.end());
    return chain;
  }

  std::vector<Bytes> Chain(EVP_PKEY* subject_key, const LeafOptions& options) const {
    const CertificateRef leaf = Draft(SubjectOf(options), subject_key, certificate.get(),
                                      options.not_before_unix_s, options.not_after_unix_s);
    X509* x = leaf.get();
    if (options.version1) return SignedAsVersion1(x);
    AddExtension(x, certificate.get(), NID_basic_constraints, "critical,CA:FALSE");
    const char* encipherment = options.key_encipherment ? ",keyEncipherment" : "";
    const std::string usage = options.key_usage.empty()
                                  ? std::string("digitalSignature") + encipherment
                                  : options.key_usage;
    AddExtension(x, certificate.get(), NID_key_usage, "critical," + usage);
    AddExtension(x, certificate.get(), NID_subject_key_identifier, "hash");
    AddExtension(x, certificate.get(), NID_authority_key_identifier, "keyid:always");
    if (options.extended_key_usage) {
      AddExtension(x, certificate.get(), NID_ext_key_usage, Usages(options));
    }
    AddNames(x, options);
    if (options.unknown_critical) AddUnknownCritical(x);
    if (options.must_staple) AddExtension(x, certificate.get(), NID_tlsfeature, "status_request");
    if (options.pss) {
      SignWithPss(x, key.get());
    } else {
      SignWith(x, key.get(), options.sha1);
    }
    std::vector<Bytes> chain = {Der(x)};
    chain.insert(chain.end(), above.begin(), above.end());
    return chain;
  }
};

PrivateKey Leaf::Key() const {
  Result<PrivateKey> key = PrivateKey::FromPkcs8(key_pkcs8);
  Must(key.ok(), "the leaf's key");
  return *std::move(key);
}

TestCa TestCa::Create(const std::string& common_name, const CaOptions& options) {
  return TestCa(State::New(common_name, options, nullptr));
}

TestCa TestCa::Intermediate(const std::string& common_name, const CaOptions& options) const {
  return TestCa(State::New(common_name, options, state_.get()));
}

Leaf TestCa::Issue(const LeafOptions& options) const {
  const KeyRef key = NewKey(options.type, options.rsa_bits);
  Leaf leaf;
  leaf.chain = state_->Chain(key.get(), options);
  leaf.key_pkcs8 = KeyDer(key.get());
  leaf.chain_pem = CertificatePem(leaf.chain);
  leaf.key_pem = KeyPem(key.get());
  return leaf;
}

std::vector<Bytes> TestCa::Certify(ByteView public_key_der, const LeafOptions& options) const {
  const uint8_t* at = public_key_der.data();
  const KeyRef key = Own(d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key_der.size())));
  return state_->Chain(key.get(), options);
}

Bytes TestCa::key_pkcs8() const { return KeyDer(state_->key.get()); }
const Bytes& TestCa::certificate() const { return state_->der; }
std::string TestCa::pem() const { return CertificatePem({state_->der}); }
std::string TestCa::root_pem() const { return CertificatePem({state_->root}); }

TrustBundle TestCa::Bundle() const {
  Result<TrustBundle> bundle = TrustBundle::FromPem(root_pem());
  Must(bundle.ok(), "the root's bundle");
  return *std::move(bundle);
}

Bytes RsaEncryptRaw(ByteView subject_public_key_info, ByteView block) {
  const uint8_t* at = subject_public_key_info.data();
  EVP_PKEY* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(subject_public_key_info.size()));
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
  Bytes encrypted(block.size());
  size_t size = encrypted.size();
  const bool done =
      context != nullptr && EVP_PKEY_encrypt_init(context) == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING) == 1 &&
      EVP_PKEY_encrypt(context, encrypted.data(), &size, block.data(), block.size()) == 1;
  EVP_PKEY_CTX_free(context);
  EVP_PKEY_free(key);
  encrypted.resize(done ? size : 0);
  return encrypted;
}

}  // namespace handfast::tls::test
