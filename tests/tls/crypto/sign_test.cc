#include "tls/crypto/sign.h"

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tests/tls/crypto/test_ca.h"

namespace handfast::tls {
namespace {

using enum SignatureScheme;
using test::TestCa;

constexpr KeyType kTypes[] = {KeyType::kRsa2048,   KeyType::kRsa3072,   KeyType::kRsa4096,
                              KeyType::kEcdsaP256, KeyType::kEcdsaP384, KeyType::kEcdsaP521,
                              KeyType::kEd25519};
constexpr SignatureScheme kSchemes[] = {kRsaPkcs1Sha256,         kRsaPkcs1Sha384,
                                        kRsaPkcs1Sha512,         kEcdsaSecp256r1Sha256,
                                        kEcdsaSecp384r1Sha384,   kEcdsaSecp521r1Sha512,
                                        kRsaPssRsaeSha256,       kRsaPssRsaeSha384,
                                        kRsaPssRsaeSha512,       kEd25519,
                                        kRsaPkcs1Sha1,           kEcdsaSha1,
                                        SignatureScheme{0x0000}, SignatureScheme{0x0809}};

const std::string_view kText = "to be signed, and nothing else";
const ByteView kContent = AsBytes(kText);

// Making RSA keys takes long, so each test shares them.
const PrivateKey& KeyOf(KeyType type) {
  static std::map<KeyType, PrivateKey> keys;
  auto found = keys.find(type);
  if (found == keys.end()) {
    Result<PrivateKey> key = PrivateKey::Generate(type);
    EXPECT_TRUE(key.ok());
    found = keys.emplace(type, *std::move(key)).first;
  }
  return found->second;
}

bool Among(std::span<const SignatureScheme> schemes, SignatureScheme scheme) {
  return std::find(schemes.begin(), schemes.end(), scheme) != schemes.end();
}

bool IsPkcs1(SignatureScheme scheme) {
  return scheme == kRsaPkcs1Sha256 || scheme == kRsaPkcs1Sha384 || scheme == kRsaPkcs1Sha512;
}

TEST(PrivateKey, SignsWithItsSchemesAndNoOther) {
  for (KeyType type : kTypes) {
    const PrivateKey& key = KeyOf(type);
    EXPECT_EQ(key.type(), type);
    const Bytes public_key = key.PublicKeyDer();
    for (SignatureScheme scheme : kSchemes) {
      const Result<Bytes> signature = key.Sign(scheme, kContent);
      if (!Among(SchemesOf(type), scheme)) {
        EXPECT_EQ(signature.reason(), Reason::kSchemeNotOffered) << Name(type) << Name(scheme);
        continue;
      }
      ASSERT_TRUE(signature.ok()) << Name(type) << Name(scheme);
      EXPECT_TRUE(
          VerifySignature(ProtocolVersion::kTls12, scheme, public_key, kContent, *signature));
      // RFC 8446 §4.2.3 leaves PKCS#1 v1.5 to certificates.
      EXPECT_EQ(VerifySignature(ProtocolVersion::kTls13, scheme, public_key, kContent, *signature),
                !IsPkcs1(scheme));
    }
  }
}

TEST(PrivateKey, SchemesAreBestFirst) {
  EXPECT_EQ(SchemesOf(KeyType::kRsa2048).front(), kRsaPssRsaeSha256);
  EXPECT_EQ(SchemesOf(KeyType::kEcdsaP256).front(), kEcdsaSecp256r1Sha256);
  for (KeyType type : kTypes) {
    EXPECT_FALSE(IsPkcs1(SchemesOf(type).front()));
    EXPECT_FALSE(Among(SchemesOf(type), kRsaPkcs1Sha1));
    EXPECT_FALSE(Among(SchemesOf(type), kEcdsaSha1));
  }
}

// T16: a signature made with one scheme counts for no other, nor for other bytes.
TEST(VerifySignature, IsBoundToSchemeContentAndKey) {
  for (KeyType type : kTypes) {
    const Bytes public_key = KeyOf(type).PublicKeyDer();
    for (SignatureScheme made : SchemesOf(type)) {
      const Bytes signature = *KeyOf(type).Sign(made, kContent);
      for (SignatureScheme claimed : kSchemes) {
        for (ProtocolVersion version : {ProtocolVersion::kTls12, ProtocolVersion::kTls13}) {
          if (claimed == made) continue;
          EXPECT_FALSE(VerifySignature(version, claimed, public_key, kContent, signature))
              << Name(made) << " taken for " << Name(claimed);
        }
      }
      const auto refused = [&](ByteView content, ByteView signed_with) {
        EXPECT_FALSE(
            VerifySignature(ProtocolVersion::kTls12, made, public_key, content, signed_with))
            << Name(made);
      };
      refused(AsBytes("to be signed, and nothing els"), signature);
      refused({}, signature);
      refused(kContent, {});
      refused(kContent, ByteView(signature).first(signature.size() - 1));
      Bytes longer = signature;
      longer.push_back(0);
      refused(kContent, longer);
      for (size_t at : {size_t{0}, signature.size() / 2, signature.size() - 1}) {
        Bytes flipped = signature;
        flipped[at] ^= 1;
        refused(kContent, flipped);
      }
      for (KeyType other : kTypes) {
        if (other == type) continue;
        EXPECT_FALSE(VerifySignature(ProtocolVersion::kTls12, made, KeyOf(other).PublicKeyDer(),
                                     kContent, signature));
      }
    }
  }
}

// The salt of another length than the digest's: libcrypto would take any if it were not told.
TEST(VerifySignature, RefusesAnotherPssSaltOrMask) {
  const Bytes der = KeyOf(KeyType::kRsa2048).ToPkcs8();
  const uint8_t* at = der.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size()));
  ASSERT_NE(key, nullptr);
  const auto sign = [&](const char* salt, const char* mask) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_PKEY_CTX* parameters = nullptr;
    EXPECT_EQ(EVP_DigestSignInit(context, &parameters, EVP_sha256(), nullptr, key), 1);
    EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(parameters, "rsa_padding_mode", "pss"), 1);
    EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(parameters, "rsa_pss_saltlen", salt), 1);
    EXPECT_EQ(EVP_PKEY_CTX_ctrl_str(parameters, "rsa_mgf1_md", mask), 1);
    Bytes signature(256);
    size_t size = signature.size();
    EXPECT_EQ(EVP_DigestSign(context, signature.data(), &size, kContent.data(), kContent.size()),
              1);
    EVP_MD_CTX_free(context);
    return signature;
  };
  const Bytes public_key = KeyOf(KeyType::kRsa2048).PublicKeyDer();
  const auto verify = [&](const Bytes& signature) {
    return VerifySignature(ProtocolVersion::kTls13, kRsaPssRsaeSha256, public_key, kContent,
                           signature);
  };
  EXPECT_TRUE(verify(sign("32", "SHA256")));
  for (const char* salt : {"0", "20", "31", "33", "64"}) EXPECT_FALSE(verify(sign(salt, "SHA256")));
  EXPECT_FALSE(verify(sign("32", "SHA1")));
  EXPECT_FALSE(verify(sign("32", "SHA384")));
  EVP_PKEY_free(key);
}

// RFC 8422 §5.4 against RFC 8446 §4.2.3: whether an ECDSA scheme names the curve.
TEST(VerifySignature, ACurveOfAnotherHashIsForTls12Alone) {
  const test::Leaf leaf = TestCa::Create("root").Issue({.type = KeyType::kEcdsaP256});
  const uint8_t* at = leaf.key_pkcs8.data();
  EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(leaf.key_pkcs8.size()));
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ASSERT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha384(), nullptr, key), 1);
  Bytes signature(80);
  size_t size = signature.size();
  ASSERT_EQ(EVP_DigestSign(context, signature.data(), &size, kContent.data(), kContent.size()), 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  const Bytes public_key = leaf.Key().PublicKeyDer();
  EXPECT_TRUE(VerifySignature(ProtocolVersion::kTls12, kEcdsaSecp384r1Sha384, public_key, kContent,
                              signature));
  EXPECT_FALSE(VerifySignature(ProtocolVersion::kTls13, kEcdsaSecp384r1Sha384, public_key, kContent,
                               signature));
}

TEST(VerifySignature, RefusesSmallRsaKeys) {
  for (int bits : {1024, 1536, 2047}) {
    const test::Leaf leaf = TestCa::Create("root").Issue({.rsa_bits = bits});
    const uint8_t* at = leaf.key_pkcs8.data();
    EVP_PKEY* key = d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(leaf.key_pkcs8.size()));
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ASSERT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key), 1);
    Bytes signature(256);
    size_t size = signature.size();
    ASSERT_EQ(EVP_DigestSign(context, signature.data(), &size, kContent.data(), kContent.size()),
              1);
    signature.resize(size);
    uint8_t* spki = nullptr;
    const int spki_size = i2d_PUBKEY(key, &spki);
    EXPECT_FALSE(VerifySignature(ProtocolVersion::kTls12, kRsaPkcs1Sha256,
                                 ByteView(spki, static_cast<size_t>(spki_size)), kContent,
                                 signature))
        << bits;
    OPENSSL_free(spki);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    EXPECT_FALSE(PrivateKey::FromPkcs8(leaf.key_pkcs8).ok());
  }
}

// RFC 8446 §4.2.3: rsa_pss_rsae schemes are for keys with the OID rsaEncryption.
TEST(VerifySignature, RefusesKeysForPssAlone) {
  EVP_PKEY_CTX* generator = EVP_PKEY_CTX_new_from_name(nullptr, "RSA-PSS", nullptr);
  EVP_PKEY* key = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(generator), 1);
  ASSERT_EQ(EVP_PKEY_generate(generator, &key), 1);
  EVP_PKEY_CTX_free(generator);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  ASSERT_EQ(EVP_DigestSignInit(context, &parameters, EVP_sha256(), nullptr, key), 1);
  ASSERT_EQ(EVP_PKEY_CTX_ctrl_str(parameters, "rsa_pss_saltlen", "32"), 1);
  Bytes signature(256);
  size_t size = signature.size();
  ASSERT_EQ(EVP_DigestSign(context, signature.data(), &size, kContent.data(), kContent.size()), 1);
  uint8_t* spki = nullptr;
  const int spki_size = i2d_PUBKEY(key, &spki);
  EXPECT_FALSE(VerifySignature(ProtocolVersion::kTls13, kRsaPssRsaeSha256,
                               ByteView(spki, static_cast<size_t>(spki_size)), kContent,
                               signature));
  OPENSSL_free(spki);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
}

// Keys that are read in another way than the usual ones: compressed, and of an unusual size.
TEST(VerifySignature, ReadsUnusualFormsToo) {
  const PrivateKey& ec = KeyOf(KeyType::kEcdsaP256);
  const Bytes whole = ec.PublicKeyDer();
  Bytes compressed = *FromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
  compressed.push_back(static_cast<uint8_t>(2 + (whole.back() & 1)));
  Append(compressed, ByteView(whole).subspan(27, 32));
  EXPECT_TRUE(VerifySignature(ProtocolVersion::kTls13, kEcdsaSecp256r1Sha256, compressed, kContent,
                              *ec.Sign(kEcdsaSecp256r1Sha256, kContent)));
  const PrivateKey rsa = TestCa::Create("root").Issue({.rsa_bits = 2560}).Key();
  EXPECT_EQ(rsa.type(), KeyType::kRsa2048);
  EXPECT_TRUE(VerifySignature(ProtocolVersion::kTls13, kRsaPssRsaeSha256, rsa.PublicKeyDer(),
                              kContent, *rsa.Sign(kRsaPssRsaeSha256, kContent)));
}

TEST(VerifySignature, RefusesBrokenKeys) {
  const Bytes key = KeyOf(KeyType::kEcdsaP256).PublicKeyDer();
  const Bytes signature = *KeyOf(KeyType::kEcdsaP256).Sign(kEcdsaSecp256r1Sha256, kContent);
  const auto verify = [&](ByteView der) {
    return VerifySignature(ProtocolVersion::kTls13, kEcdsaSecp256r1Sha256, der, kContent,
                           signature);
  };
  EXPECT_TRUE(verify(key));
  for (size_t size = 0; size < key.size(); ++size) {
    const Bytes cut(key.begin(), key.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(verify(cut)) << size;
  }
  Bytes longer = key;
  longer.push_back(0);
  EXPECT_FALSE(verify(longer));
  for (size_t at = 0; at < key.size(); ++at) {
    Bytes flipped = key;
    flipped[at] ^= 0x10;
    EXPECT_FALSE(verify(flipped)) << at;
  }
}

TEST(PrivateKey, Pkcs8GoesBothWays) {
  for (KeyType type : kTypes) {
    const Bytes der = KeyOf(type).ToPkcs8();
    const Result<PrivateKey> again = PrivateKey::FromPkcs8(der);
    ASSERT_TRUE(again.ok()) << Name(type);
    EXPECT_EQ(again->type(), type);
    EXPECT_EQ(again->ToPkcs8(), der);
    EXPECT_EQ(again->PublicKeyDer(), KeyOf(type).PublicKeyDer());
  }
}

TEST(PrivateKey, RefusesBrokenPkcs8) {
  const Bytes der = KeyOf(KeyType::kEcdsaP256).ToPkcs8();
  for (size_t size = 0; size < der.size(); ++size) {
    const Bytes cut(der.begin(), der.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(PrivateKey::FromPkcs8(cut).ok()) << size;
  }
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_FALSE(PrivateKey::FromPkcs8(longer).ok());
  // The public key is the last thing in it: one that is not the scalar's own.
  Bytes mismatched = der;
  const Bytes other = KeyOf(KeyType::kEcdsaP256).PublicKeyDer();
  const Bytes foreign = PrivateKey::Generate(KeyType::kEcdsaP256)->PublicKeyDer();
  ASSERT_TRUE(Equal(ByteView(mismatched).last(65), ByteView(other).last(65)));
  std::copy(foreign.end() - 65, foreign.end(), mismatched.end() - 65);
  EXPECT_FALSE(PrivateKey::FromPkcs8(mismatched).ok());
}

TEST(PrivateKey, RefusesKeysOfOtherKinds) {
  const auto refused = [](EVP_PKEY* key) {
    ASSERT_NE(key, nullptr);
    PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
    uint8_t* der = nullptr;
    const int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    EXPECT_FALSE(PrivateKey::FromPkcs8(ByteView(der, static_cast<size_t>(size))).ok());
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(key);
  };
  refused(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
  refused(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
  refused(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp256k1"));
  refused(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-224"));
}

// T17: nonces are never used twice, which equal r values would show.
TEST(PrivateKey, EcdsaNoncesDiffer) {
  std::set<Bytes> rs;
  for (int i = 0; i < 2000; ++i) {
    const Bytes signature = *KeyOf(KeyType::kEcdsaP256).Sign(kEcdsaSecp256r1Sha256, kContent);
    const size_t size = signature[3];  // SEQUENCE, length, INTEGER, length, r
    EXPECT_TRUE(rs.insert(Bytes(signature.begin() + 4,
                                signature.begin() + 4 + static_cast<ptrdiff_t>(size)))
                    .second);
  }
}

TEST(PrivateKey, ManyThreadsShareAKey) {
  for (KeyType type : {KeyType::kEcdsaP256, KeyType::kRsa2048, KeyType::kEd25519}) {
    const PrivateKey& key = KeyOf(type);
    const Bytes public_key = key.PublicKeyDer();
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const SignatureScheme scheme =
              SchemesOf(type)[static_cast<size_t>(i) % SchemesOf(type).size()];
          const std::string content = std::to_string(t) + ":" + std::to_string(i);
          const Result<Bytes> signature = key.Sign(scheme, AsBytes(content));
          right += signature.ok() && VerifySignature(ProtocolVersion::kTls12, scheme, public_key,
                                                     AsBytes(content), *signature);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, 4 * 50);
  }
}

TEST(PrivateKey, LeavesNoErrorsBehind) {
  for (KeyType type : kTypes) {
    EXPECT_TRUE(KeyOf(type).Sign(SchemesOf(type).front(), kContent).ok());
    EXPECT_EQ(ERR_peek_error(), 0u) << Name(type);
  }
  EXPECT_FALSE(PrivateKey::FromPkcs8(Bytes(10, 1)).ok());
  EXPECT_FALSE(VerifySignature(ProtocolVersion::kTls13, kEd25519, Bytes(10, 1), {}, {}));
  EXPECT_FALSE(VerifySignature(ProtocolVersion::kTls13, kEcdsaSecp256r1Sha256,
                               KeyOf(KeyType::kEcdsaP256).PublicKeyDer(), kContent, Bytes(70, 1)));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(PrivateKey, NamesItsType) {
  EXPECT_EQ(Name(KeyType::kEcdsaP256), "ECDSA_P256");
  EXPECT_EQ(Name(KeyType::kRsa2048), "RSA_2048");
  EXPECT_EQ(Name(KeyType::kEd25519), "ED25519");
  std::set<std::string_view> names;
  for (KeyType type : kTypes) EXPECT_TRUE(names.insert(Name(type)).second);
}

}  // namespace
}  // namespace handfast::tls
