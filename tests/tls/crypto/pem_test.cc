#include "tls/crypto/pem.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tests/tls/crypto/test_ca.h"

namespace handfast::tls {
namespace {

using test::Leaf;
using test::TestCa;

std::string Traditional(const Bytes& pkcs8, const EVP_CIPHER* cipher = nullptr) {
  const uint8_t* at = pkcs8.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(pkcs8.size()));
  BIO* out = BIO_new(BIO_s_mem());
  char password[] = "secret";
  EXPECT_EQ(PEM_write_bio_PrivateKey_traditional(out, key, cipher, nullptr, 0, nullptr, password),
            1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<size_t>(size));
  BIO_free(out);
  EVP_PKEY_free(key);
  return pem;
}

TEST(Pem, ReadsAChainInOrder) {
  const TestCa root = TestCa::Create("root");
  const Leaf leaf = root.Intermediate("one").Intermediate("two").Issue();
  const Result<std::vector<Bytes>> read = CertificatesFromPem(leaf.chain_pem);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(*read, leaf.chain);
  EXPECT_EQ(read->size(), 3u);
}

TEST(Pem, PassesOverOtherBlocksAndText) {
  const TestCa root = TestCa::Create("root");
  const Leaf leaf = root.Issue();
  const std::string file = "# a comment\n" + leaf.key_pem + "subject=CN = leaf\n" + leaf.chain_pem;
  EXPECT_EQ(*CertificatesFromPem(file), leaf.chain);
  EXPECT_EQ(*PrivateKeyFromPem(file), leaf.key_pkcs8);
  EXPECT_EQ(*PrivateKeyFromPem(leaf.chain_pem + leaf.key_pem), leaf.key_pkcs8);
}

TEST(Pem, RefusesWhatHoldsNoCertificate) {
  EXPECT_EQ(CertificatesFromPem("").reason(), Reason::kBadCertificate);
  EXPECT_EQ(CertificatesFromPem("hello\n").reason(), Reason::kBadCertificate);
  EXPECT_EQ(CertificatesFromPem(TestCa::Create("root").Issue().key_pem).reason(),
            Reason::kBadCertificate);
}

TEST(Pem, RefusesABrokenBlock) {
  const std::string good = TestCa::Create("root").pem();
  const size_t middle = good.size() / 2;
  std::string flipped = good;
  flipped[middle] = '!';
  EXPECT_FALSE(CertificatesFromPem(flipped).ok());
  EXPECT_FALSE(CertificatesFromPem(good + flipped).ok());
  EXPECT_FALSE(CertificatesFromPem(good.substr(0, middle)).ok());
  EXPECT_FALSE(CertificatesFromPem(good + good.substr(0, middle)).ok());
  EXPECT_FALSE(CertificatesFromPem(ToPem("CERTIFICATE", Bytes{0x30, 0x00})).ok());
  Bytes longer = TestCa::Create("root").certificate();
  longer.push_back(0);
  EXPECT_FALSE(CertificatesFromPem(ToPem("CERTIFICATE", longer)).ok());
}

TEST(Pem, ReadsKeysOfEveryForm) {
  for (KeyType type : {KeyType::kRsa2048, KeyType::kEcdsaP256, KeyType::kEd25519}) {
    const Leaf leaf = TestCa::Create("root").Issue({.type = type});
    EXPECT_EQ(*PrivateKeyFromPem(leaf.key_pem), leaf.key_pkcs8) << Name(type);
    if (type == KeyType::kEd25519) continue;  // has no form of its own
    const std::string pem = Traditional(leaf.key_pkcs8);
    EXPECT_NE(
        pem.find(type == KeyType::kRsa2048 ? "BEGIN RSA PRIVATE KEY" : "BEGIN EC PRIVATE KEY"),
        std::string::npos);
    EXPECT_EQ(*PrivateKeyFromPem(pem), leaf.key_pkcs8) << Name(type);
  }
}

TEST(Pem, ReadsAKeyBehindItsParameters) {
  const Leaf leaf = TestCa::Create("root").Issue();
  const std::string parameters =
      ToPem("EC PARAMETERS", *FromHex("06082a8648ce3d030107"));  // as `openssl ecparam` writes
  EXPECT_EQ(*PrivateKeyFromPem(parameters + Traditional(leaf.key_pkcs8)), leaf.key_pkcs8);
}

// It must fail, and never ask for a password at a terminal.
TEST(Pem, RefusesEncryptedKeys) {
  const Leaf leaf = TestCa::Create("root").Issue();
  EXPECT_EQ(PrivateKeyFromPem(Traditional(leaf.key_pkcs8, EVP_aes_128_cbc())).reason(),
            Reason::kPrivateKeyFailed);
  EXPECT_EQ(PrivateKeyFromPem(ToPem("ENCRYPTED PRIVATE KEY", leaf.key_pkcs8)).reason(),
            Reason::kPrivateKeyFailed);
  EXPECT_EQ(PrivateKeyFromPem("").reason(), Reason::kPrivateKeyFailed);
  EXPECT_EQ(PrivateKeyFromPem(leaf.chain_pem).reason(), Reason::kPrivateKeyFailed);
}

TEST(Pem, WritesWhatItReads) {
  const TestCa root = TestCa::Create("root");
  EXPECT_EQ(ToPem("CERTIFICATE", root.certificate()), root.pem());
  EXPECT_TRUE(ToPem("CERTIFICATE REQUEST", Bytes(100, 1))
                  .starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"));
}

TEST(Pem, LeavesNoErrorsBehind) {
  EXPECT_FALSE(CertificatesFromPem("").ok());
  EXPECT_FALSE(PrivateKeyFromPem("-----BEGIN PRIVATE KEY-----\n").ok());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace handfast::tls
