// PrivateKey::CertificateRequest, read back by libcrypto.
#include <gtest/gtest.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "tests/tls/crypto/test_ca.h"
#include "tls/crypto/sign.h"
#include "tls/crypto/x509.h"

namespace handfast::tls {
namespace {

PrivateKey NewKey(KeyType type) {
  Result<PrivateKey> key = PrivateKey::Generate(type);
  EXPECT_TRUE(key.ok());
  return *std::move(key);
}

std::vector<std::string> DnsNamesOf(X509_REQ* request) {
  std::vector<std::string> found;
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request);
  auto* names = static_cast<GENERAL_NAMES*>(
      X509V3_get_d2i(extensions, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    int type = 0;
    const auto* text = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
    EXPECT_EQ(type, GEN_DNS);
    found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                       static_cast<size_t>(ASN1_STRING_length(text)));
  }
  GENERAL_NAMES_free(names);
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  return found;
}

TEST(CertificateRequest, HoldsNamesAndKeyAndIsSigned) {
  const std::vector<std::string> dns = {"a.example.test", "b.example.test"};
  for (KeyType type : {KeyType::kRsa2048, KeyType::kEcdsaP256, KeyType::kEcdsaP384,
                       KeyType::kEcdsaP521, KeyType::kEd25519}) {
    const PrivateKey key = NewKey(type);
    const Result<Bytes> der = key.CertificateRequest("a.example.test", dns);
    ASSERT_TRUE(der.ok()) << Name(type);
    const uint8_t* at = der->data();
    X509_REQ* request = d2i_X509_REQ(nullptr, &at, static_cast<long>(der->size()));
    ASSERT_NE(request, nullptr);
    EXPECT_EQ(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    EXPECT_EQ(DnsNamesOf(request), dns);
    char common_name[64] = {};
    X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(request), NID_commonName, common_name,
                              sizeof(common_name));
    EXPECT_STREQ(common_name, "a.example.test");
    uint8_t* spki = nullptr;
    const int size = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request), &spki);
    EXPECT_TRUE(Equal(ByteView(spki, static_cast<size_t>(size)), key.PublicKeyDer()));
    OPENSSL_free(spki);
    X509_REQ_free(request);
  }
}

TEST(CertificateRequest, MayBeBare) {
  EXPECT_TRUE(NewKey(KeyType::kEcdsaP256).CertificateRequest("", {}).ok());
}

TEST(CertificateRequest, RefusesBadNames) {
  const PrivateKey key = NewKey(KeyType::kEcdsaP256);
  EXPECT_FALSE(key.CertificateRequest("", {std::string("a\0b", 3)}).ok());
  EXPECT_FALSE(key.CertificateRequest("", {""}).ok());
  EXPECT_FALSE(key.CertificateRequest(std::string(65, 'x'), {}).ok());  // ub-common-name is 64
}

// A CA certifies the key, and the chain then fits it.
TEST(CertificateRequest, LeadsToAChainThatFits) {
  const PrivateKey key = NewKey(KeyType::kEcdsaP256);
  const test::TestCa issuing = test::TestCa::Create("root").Intermediate("issuing");
  const std::vector<Bytes> chain = issuing.Certify(key.PublicKeyDer(), {.dns = {"example.test"}});
  EXPECT_TRUE(CheckChainFitsKey(chain, key.PublicKeyDer()).ok());
  EXPECT_FALSE(issuing.Bundle()
                   .Verify(chain, {.purpose = Purpose::kTlsServer, .now_unix_s = test::kNow})
                   .reason);
}

}  // namespace
}  // namespace handfast::tls
