// PSS signatures, whose encoding is ours: libcrypto verifies them for every size of key and hash.
// T17: what leaves where the computation with the private key goes wrong in one half.
#include <array>
#include <map>
#include <memory>
#include <set>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tls/crypto/sign.h"

namespace handfast::tls::test {
namespace {

using enum SignatureScheme;

struct Hashed {
  SignatureScheme scheme;
  const char* digest;
  int size;
};
constexpr Hashed kHashes[] = {{kRsaPssRsaeSha256, "SHA256", 32},
                              {kRsaPssRsaeSha384, "SHA384", 48},
                              {kRsaPssRsaeSha512, "SHA512", 64}};

const ByteView kContent = AsBytes("to be signed, and nothing else");

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Number = std::unique_ptr<BIGNUM, Free>;

Key PublicKey(const PrivateKey& key) {
  const Bytes der = key.PublicKeyDer();
  const uint8_t* at = der.data();
  return Key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
}

// An RSA key and its numbers; the exponent of one half can be spoilt.
struct RsaKey {
  // One of any size; libcrypto would make one of an even size instead of an odd one.
  explicit RsaKey(int bits) {
    for (Number& number : numbers) number.reset(BN_new());
    const std::unique_ptr<BN_CTX, Free> context(BN_CTX_new());
    const Number order(BN_new()), p1(BN_new()), q1(BN_new());
    BN_set_word(numbers[kE].get(), RSA_F4);
    BIGNUM* inverse = nullptr;
    while (BN_num_bits(numbers[kN].get()) != bits || inverse == nullptr) {
      BN_generate_prime_ex(numbers[kP].get(), (bits + 1) / 2, 0, nullptr, nullptr, nullptr);
      BN_generate_prime_ex(numbers[kQ].get(), bits / 2, 0, nullptr, nullptr, nullptr);
      BN_mul(numbers[kN].get(), numbers[kP].get(), numbers[kQ].get(), context.get());
      BN_sub(p1.get(), numbers[kP].get(), BN_value_one());
      BN_sub(q1.get(), numbers[kQ].get(), BN_value_one());
      BN_mul(order.get(), p1.get(), q1.get(), context.get());
      inverse = BN_mod_inverse(numbers[kD].get(), numbers[kE].get(), order.get(), context.get());
    }
    BN_mod(numbers[kDp].get(), numbers[kD].get(), p1.get(), context.get());
    BN_mod(numbers[kDq].get(), numbers[kD].get(), q1.get(), context.get());
    BN_mod_inverse(numbers[kInverse].get(), numbers[kQ].get(), numbers[kP].get(), context.get());
  }

  BIGNUM* operator[](size_t i) const { return numbers[i].get(); }

  Bytes Pkcs8() const {
    OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
    for (size_t i = 0; i < numbers.size(); ++i) {
      EXPECT_EQ(OSSL_PARAM_BLD_push_BN(builder, kNames[i], numbers[i].get()), 1);
    }
    OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
    EVP_PKEY* key = nullptr;
    EXPECT_EQ(EVP_PKEY_fromdata_init(context), 1);
    EXPECT_EQ(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters), 1);
    PKCS8_PRIV_KEY_INFO* info = EVP_PKEY2PKCS8(key);
    uint8_t* der = nullptr;
    const int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    const Bytes bytes(der, der + (size > 0 ? size : 0));
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    return bytes;
  }

  // s^e mod n, for the s that the two halves of m^d make without a check.
  Number Unchecked(const BIGNUM* m) const {
    const std::unique_ptr<BN_CTX, Free> context(BN_CTX_new());
    Number half_p(BN_new()), half_q(BN_new()), s(BN_new());
    BN_mod_exp(half_p.get(), m, numbers[kDp].get(), numbers[kP].get(), context.get());
    BN_mod_exp(half_q.get(), m, numbers[kDq].get(), numbers[kQ].get(), context.get());
    BN_mod_sub(s.get(), half_p.get(), half_q.get(), numbers[kP].get(), context.get());
    BN_mod_mul(s.get(), s.get(), numbers[kInverse].get(), numbers[kP].get(), context.get());
    BN_mul(s.get(), s.get(), numbers[kQ].get(), context.get());
    BN_add(s.get(), s.get(), half_q.get());
    BN_mod_exp(s.get(), s.get(), numbers[kE].get(), numbers[kN].get(), context.get());
    return s;
  }

  enum : size_t { kN, kE, kD, kP, kQ, kDp, kDq, kInverse };
  static constexpr const char* kNames[] = {
      OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,           OSSL_PKEY_PARAM_RSA_D,
      OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,     OSSL_PKEY_PARAM_RSA_EXPONENT1,
      OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
  std::array<Number, 8> numbers;
};

// Making them takes long, so the tests share them.
const PrivateKey& KeyOf(int bits) {
  static std::map<int, PrivateKey> keys;
  auto found = keys.find(bits);
  if (found == keys.end()) {
    Result<PrivateKey> key = PrivateKey::FromPkcs8(RsaKey(bits).Pkcs8());
    EXPECT_TRUE(key.ok());
    found = keys.emplace(bits, *std::move(key)).first;
  }
  return found->second;
}

// libcrypto's word, for exactly this length of the salt.
bool Verifies(EVP_PKEY* key, const char* digest, const char* mask, int salt, ByteView content,
              ByteView signature) {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  EXPECT_EQ(
      EVP_DigestVerifyInit_ex(context.get(), &parameters, digest, nullptr, nullptr, key, nullptr),
      1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt), 1);
  EXPECT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md_name(parameters, mask, nullptr), 1);
  const bool good = EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                                     content.data(), content.size()) == 1;
  ERR_clear_error();
  return good;
}

// A modulus of 8k + 1 bits has an encoding that is a byte shorter than itself; with one of 8k + 2
// a single bit of the first byte is used, with one of 8k all but one.
TEST(RsaPss, LibcryptoVerifiesEverySize) {
  for (int bits : {2048, 2049, 2050, 2055, 2056, 3072, 3073, 4089, 4096}) {
    const PrivateKey& key = KeyOf(bits);
    const Key public_key = PublicKey(key);
    ASSERT_EQ(EVP_PKEY_get_bits(public_key.get()), bits);
    for (const Hashed& hash : kHashes) {
      const Result<Bytes> signature = key.Sign(hash.scheme, kContent);
      ASSERT_TRUE(signature.ok()) << bits << hash.digest;
      EXPECT_EQ(signature->size(), static_cast<size_t>(bits + 7) / 8);
      const auto verifies = [&](const char* mask, int salt, ByteView content) {
        return Verifies(public_key.get(), hash.digest, mask, salt, content, *signature);
      };
      EXPECT_TRUE(verifies(hash.digest, hash.size, kContent)) << bits << hash.digest;
      // The same check says no to another salt, mask or content.
      EXPECT_FALSE(verifies(hash.digest, hash.size - 1, kContent));
      EXPECT_FALSE(verifies(hash.digest, hash.size + 1, kContent));
      EXPECT_FALSE(verifies(hash.digest, 0, kContent));
      EXPECT_FALSE(verifies("SHA1", hash.size, kContent));
      EXPECT_FALSE(verifies(hash.digest, hash.size, kContent.first(5)));
    }
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

// Each first byte that a masked block can have is met, and the bits above the encoding are cleared.
TEST(RsaPss, ManySignaturesVerifyAndNoSaltComesTwice) {
  for (int bits : {2048, 2049, 2050}) {
    const PrivateKey& key = KeyOf(bits);
    const Key public_key = PublicKey(key);
    std::set<Bytes> signatures;
    for (int i = 0; i < 200; ++i) {
      const Bytes signature = *key.Sign(kRsaPssRsaeSha256, kContent);
      EXPECT_TRUE(Verifies(public_key.get(), "SHA256", "SHA256", 32, kContent, signature));
      EXPECT_TRUE(signatures.insert(signature).second);
    }
  }
}

TEST(RsaPss, ContentMayBeEmptyOrLong) {
  const PrivateKey& key = KeyOf(2048);
  const Key public_key = PublicKey(key);
  for (size_t size : {0, 1, 63, 64, 65, 5000}) {
    const Bytes content(size, 'x');
    for (const Hashed& hash : kHashes) {
      const Bytes signature = *key.Sign(hash.scheme, content);
      EXPECT_TRUE(
          Verifies(public_key.get(), hash.digest, hash.digest, hash.size, content, signature))
          << size << hash.digest;
    }
  }
}

// ---- T17 ----------------------------------------------------------------------------------------

// The exponent of one half is wrong, as if a bit had flipped in memory.
TEST(RsaPss, T17_AFaultInOneHalfDoesNotLeave) {
  RsaKey rsa(2048);
  Number message(BN_new());
  BN_set_word(message.get(), 0x5a17);
  ASSERT_EQ(BN_cmp(rsa.Unchecked(message.get()).get(), message.get()), 0);
  BN_add_word(rsa[RsaKey::kDp], 2);

  // The control: unchecked, the fault makes a wrong signature, and with it anybody has a factor.
  Number wrong = rsa.Unchecked(message.get());
  ASSERT_NE(BN_cmp(wrong.get(), message.get()), 0);
  const std::unique_ptr<BN_CTX, Free> context(BN_CTX_new());
  BN_sub(wrong.get(), wrong.get(), message.get());
  BN_gcd(wrong.get(), wrong.get(), rsa[RsaKey::kN], context.get());
  EXPECT_EQ(BN_cmp(wrong.get(), rsa[RsaKey::kQ]), 0);

  const Result<PrivateKey> key = PrivateKey::FromPkcs8(rsa.Pkcs8());
  ASSERT_TRUE(key.ok());
  const Key public_key = PublicKey(*key);
  for (const Hashed& hash : kHashes) {
    const Result<Bytes> signature = key->Sign(hash.scheme, kContent);
    // Libcrypto computes it again, without the halves; to refuse would be as good.
    EXPECT_TRUE(!signature.ok() || Verifies(public_key.get(), hash.digest, hash.digest, hash.size,
                                            kContent, *signature));
  }
}

}  // namespace
}  // namespace handfast::tls::test
