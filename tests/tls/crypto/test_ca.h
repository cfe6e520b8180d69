// A certification authority for tests: roots, intermediates and leaves, right or wrong in a chosen
// way. It calls libcrypto itself, so that it shares no code with what it tests, and ends the
// process where libcrypto refuses.
//
//   TestCa root = TestCa::Create("root");
//   TestCa issuing = root.Intermediate("issuing");
//   Leaf server = issuing.Issue({.dns = {"example.test"}});
//   Leaf client = issuing.Issue({.type = KeyType::kEd25519, .uris = {"spiffe://a/b"},
//                                .server = false, .client = true});
//   TrustBundle bundle = root.Bundle();
#ifndef HANDFAST_TESTS_TLS_CRYPTO_TEST_CA_H_
#define HANDFAST_TESTS_TLS_CRYPTO_TEST_CA_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/crypto/sign.h"
#include "tls/crypto/x509.h"

namespace handfast::tls::test {

// Certificates are valid from 2020 to 2049 unless told otherwise: at the real time and at this one.
constexpr int64_t kDay = int64_t{24} * 3600;
constexpr int64_t kNotBefore = 1577836800;  // 2020-01-01
constexpr int64_t kNow = 1767225600;        // 2026-01-01
constexpr int64_t kNotAfter = 2524521600;   // 2049-12-31

struct CaOptions {
  KeyType type = KeyType::kEcdsaP256;
  int64_t not_before_unix_s = kNotBefore;
  int64_t not_after_unix_s = kNotAfter;
  // basicConstraints; false makes a certificate that must not issue others, but here does.
  bool ca = true;
  // False: no basicConstraints at all, key usage alone.
  bool basic_constraints = true;
  int path_length = -1;                         // none
  std::vector<std::string> permitted_dns = {};  // name constraints
  // Name constraints as libcrypto's configuration writes them: "excluded;URI:evil.test".
  std::string name_constraints = {};
  std::string extended_key_usage = {};  // none; "serverAuth" binds what it issues
  bool crl_sign = true;                 // key usage cRLSign
  bool sha1 = false;                    // signed with SHA-1
  int rsa_bits = 0;                     // an RSA key of this size instead of `type`
};

struct LeafOptions {
  KeyType type = KeyType::kEcdsaP256;
  std::string common_name = "leaf";
  // Further parts of the subject behind it, in order: {"O", "Test"}.
  std::vector<std::pair<std::string, std::string>> more_subject = {};
  std::vector<std::string> dns = {};
  std::vector<std::string> uris = {};
  std::vector<Bytes> ips = {};  // 4 or 16 bytes each
  int64_t not_before_unix_s = kNotBefore;
  int64_t not_after_unix_s = kNotAfter;
  bool server = true;              // extended key usage serverAuth
  bool client = false;             // extended key usage clientAuth
  bool extended_key_usage = true;  // false: no such extension, which permits both
  std::string usages = {};         // instead of both flags: "anyExtendedKeyUsage"
  bool sha1 = false;
  bool pss = false;          // signed with RSASSA-PSS, by an RSA authority
  bool must_staple = false;  // TLS feature status_request (RFC 7633)
  int rsa_bits = 0;
  // Key usage keyEncipherment beside digitalSignature, as public authorities issue RSA keys for
  // servers; NSS takes none without it, though no handshake of ours needs it.
  bool key_encipherment = false;
  // Key usage alone of these, instead of digitalSignature.
  std::string key_usage = {};
  // X.509v1, which has no extensions.
  bool version1 = false;
  // A critical extension that nobody knows.
  bool unknown_critical = false;
};

struct Leaf {
  std::vector<Bytes> chain;  // DER, leaf first, then intermediates; without the root
  Bytes key_pkcs8;           // DER
  std::string chain_pem;
  std::string key_pem;

  PrivateKey Key() const;
};

// RSA keys are made once for the process and size, as making one takes long; all others are fresh.
class TestCa {
 public:
  static TestCa Create(const std::string& common_name, const CaOptions& options = {});
  TestCa Intermediate(const std::string& common_name, const CaOptions& options = {}) const;
  Leaf Issue(const LeafOptions& options = {}) const;
  // A chain for a key that is not ours, such as that of a certificate request.
  std::vector<Bytes> Certify(ByteView public_key_der, const LeafOptions& options = {}) const;

  // For what else a CA signs: test_revocation.h.
  Bytes key_pkcs8() const;

  // Its own certificate, and that of the root above it.
  const Bytes& certificate() const;
  std::string pem() const;
  std::string root_pem() const;
  TrustBundle Bundle() const;

 private:
  struct State;
  explicit TestCa(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// block^e mod n, without any padding; empty where libcrypto refuses.
Bytes RsaEncryptRaw(ByteView subject_public_key_info, ByteView block);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CRYPTO_TEST_CA_H_
