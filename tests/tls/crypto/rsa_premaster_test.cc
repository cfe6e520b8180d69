// T1: what PrivateKey::RecoverPremaster makes of right and wrong paddings. Beside it, as the
// negative control, what libcrypto's plain PKCS#1 decryption would have told.
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/tls/crypto/test_ca.h"
#include "tests/tls/crypto/vectors.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/sign.h"

namespace handfast::tls::test {
namespace {

constexpr uint16_t kVersion = 0x0303;
constexpr size_t kSize = 256;

const PrivateKey& Key() {
  static const PrivateKey key = *PrivateKey::Generate(KeyType::kRsa2048);
  return key;
}

Bytes Secret48() {
  Bytes secret(48, 0x2b);
  secret[0] = secret[1] = 3;
  return secret;
}

Bytes GoodBlock() {
  Bytes block(kSize, 0x5c);
  block[0] = 0;
  block[1] = 2;
  block[kSize - 49] = 0;
  const Bytes secret = Secret48();
  std::copy(secret.begin(), secret.end(), block.end() - 48);
  return block;
}

Bytes Encrypted(const Bytes& block) { return RsaEncryptRaw(Key().PublicKeyDer(), block); }

Bytes Recovered(const Bytes& encrypted, uint16_t version = kVersion) {
  const Result<RsaPremaster> premaster = Key().RecoverPremaster(version, encrypted);
  EXPECT_TRUE(premaster.ok());
  return premaster.ok() ? Copy(SecretAccess::Open(*premaster)) : Bytes();
}

struct Malformed {
  const char* what;
  std::function<void(Bytes&)> spoil;
};

const std::vector<Malformed>& MalformedBlocks() {
  static const std::vector<Malformed> all = {
      {"the first byte", [](Bytes& b) { b[0] = 1; }},
      {"block type 0", [](Bytes& b) { b[1] = 0; }},
      {"block type 1", [](Bytes& b) { b[1] = 1; }},
      {"block type 3", [](Bytes& b) { b[1] = 3; }},
      {"a zero as the first byte of padding", [](Bytes& b) { b[2] = 0; }},
      {"a zero as the eighth byte of padding", [](Bytes& b) { b[9] = 0; }},
      {"a zero in the midst of padding", [](Bytes& b) { b[100] = 0; }},
      {"no separator", [](Bytes& b) { b[kSize - 49] = 1; }},
      {"47 bytes",
       [](Bytes& b) {
         b[kSize - 49] = 1;
         b[kSize - 48] = 0;
       }},
      {"49 bytes", [](Bytes& b) { b[kSize - 50] = 0; }},
      {"nothing behind the separator",
       [](Bytes& b) {
         std::fill(b.begin() + 2, b.end(), 0x5c);
         b.back() = 0;
       }},
      {"another major version", [](Bytes& b) { b[kSize - 48] = 2; }},
      {"another minor version", [](Bytes& b) { b[kSize - 47] = 1; }},
      {"all zeros but one",
       [](Bytes& b) {
         std::fill(b.begin(), b.end(), 0);
         b.back() = 2;
       }},
  };
  return all;
}

TEST(T1_RsaPremaster, AGoodOneIsRecovered) {
  EXPECT_EQ(Recovered(Encrypted(GoodBlock())), Secret48());
}

// RFC 5246 §7.4.7.1: the version is ClientHello's.
TEST(T1_RsaPremaster, TheVersionIsTheClients) {
  EXPECT_NE(Recovered(Encrypted(GoodBlock()), 0x0304), Secret48());
  Bytes block = GoodBlock();
  block[kSize - 47] = 4;
  Bytes expected = Secret48();
  expected[1] = 4;
  EXPECT_EQ(Recovered(Encrypted(block), 0x0304), expected);
}

// Always 48 bytes, never an error, never what was encrypted, never the same twice.
TEST(T1_RsaPremaster, AMalformedOneIsRandom) {
  EXPECT_GE(MalformedBlocks().size(), 12u);
  std::set<Bytes> seen;
  for (const Malformed& malformed : MalformedBlocks()) {
    Bytes block = GoodBlock();
    malformed.spoil(block);
    const Bytes encrypted = Encrypted(block);
    ASSERT_EQ(encrypted.size(), kSize) << malformed.what;
    for (int i = 0; i < 2; ++i) {
      const Bytes recovered = Recovered(encrypted);
      EXPECT_EQ(recovered.size(), 48u) << malformed.what;
      EXPECT_TRUE(seen.insert(recovered).second) << malformed.what;
      EXPECT_FALSE(Equal(recovered, ByteView(block).last(48))) << malformed.what;
    }
  }
}

TEST(T1_RsaPremaster, WhatIsNoNumberOfItsSizeIsRandom) {
  const Bytes good = Encrypted(GoodBlock());
  Bytes longer = good;
  longer.insert(longer.begin(), 0);
  const Bytes shorter(good.begin() + 1, good.end());
  std::set<Bytes> seen;
  for (const Bytes& encrypted :
       {Bytes(), Bytes{0}, longer, shorter, Bytes(kSize, 0xff), Bytes(kSize, 0), Bytes(1000, 1)}) {
    const Bytes recovered = Recovered(encrypted);
    EXPECT_EQ(recovered.size(), 48u);
    EXPECT_TRUE(seen.insert(recovered).second) << encrypted.size();
  }
}

TEST(T1_RsaPremaster, OfRsaKeysAlone) {
  for (KeyType type : {KeyType::kEcdsaP256, KeyType::kEd25519}) {
    EXPECT_EQ(PrivateKey::Generate(type)->RecoverPremaster(kVersion, Bytes(256, 1)).reason(),
              Reason::kSchemeNotOffered);
  }
}

// The negative control: this is why plain PKCS#1 padding is not used.
TEST(T1_RsaPremaster, PlainDecryptionWouldTell) {
  const Bytes pkcs8 = Key().ToPkcs8();
  const uint8_t* at = pkcs8.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(pkcs8.size()));
  ASSERT_NE(key, nullptr);
  const auto decrypts = [&](const Bytes& encrypted) {
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr);
    Bytes out(kSize);
    size_t size = out.size();
    EVP_PKEY_decrypt_init(context);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
    const bool done =
        EVP_PKEY_decrypt(context, out.data(), &size, encrypted.data(), encrypted.size()) == 1;
    EVP_PKEY_CTX_free(context);
    return done && size == 48;
  };
  EXPECT_TRUE(decrypts(Encrypted(GoodBlock())));
  int told = 0;
  for (const Malformed& malformed : MalformedBlocks()) {
    Bytes block = GoodBlock();
    malformed.spoil(block);
    told += !decrypts(Encrypted(block));
  }
  // All but those whose version alone is wrong.
  EXPECT_EQ(told + 2, static_cast<int>(MalformedBlocks().size()));
  EVP_PKEY_free(key);
}

// Botan's classes of Bleichenbacher's and Manger's attacks: decrypted blocks. None carries a
// premaster secret of 48 bytes, so that all are random, and of one size.
TEST(T1_RsaPremaster, BotanClasses) {
  for (const char* file : {"botan/timing/bleichenbacher.vec", "botan/timing/manger.vec"}) {
    HANDFAST_VECTORS_OR_SKIP(path, file, 2);
    std::ifstream in(path);
    std::set<Bytes> seen;
    int cases = 0;
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      Bytes block = Hex(line);
      if (block.size() > kSize) continue;
      block.insert(block.begin(), kSize - block.size(), 0);
      block[0] = 0;  // below the modulus, whatever the key
      ++cases;
      const Bytes recovered = Recovered(Encrypted(block));
      EXPECT_EQ(recovered.size(), 48u);
      EXPECT_TRUE(seen.insert(recovered).second);
    }
    EXPECT_GE(cases, 2) << file;
  }
}

}  // namespace
}  // namespace handfast::tls::test
