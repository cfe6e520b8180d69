// The finite field groups of RFC 7919 against libcrypto's own DH, and what a peer may not send.
#include <set>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>

#include "tls/base/secret_access.h"
#include "tls/crypto/kex.h"

namespace handfast::tls {
namespace {

constexpr NamedGroup kGroups[] = {NamedGroup::kFfdhe2048, NamedGroup::kFfdhe3072,
                                  NamedGroup::kFfdhe4096};

KeyPair Fresh(NamedGroup group) {
  Result<KeyPair> pair = KeyPair::Generate(group);
  EXPECT_TRUE(pair.ok());
  return *std::move(pair);
}

std::string SharedHex(KeyPair&& pair, ByteView peer) {
  const Result<SharedSecret> shared = std::move(pair).Derive(peer);
  return shared.ok() ? ToHex(SecretAccess::Open(*shared)) : Describe(shared.reason()).label.data();
}

// p + difference, in as many bytes as p has.
Bytes PrimePlus(NamedGroup group, int difference) {
  Bytes value = Copy(ParametersOf(group).p);
  for (int i = static_cast<int>(value.size()) - 1; difference != 0 && i >= 0; --i) {
    const int sum = value[static_cast<size_t>(i)] + difference;
    value[static_cast<size_t>(i)] = static_cast<uint8_t>(sum & 0xff);
    difference = sum < 0 ? -1 : sum > 255 ? 1 : 0;
  }
  return value;
}

Bytes Small(NamedGroup group, uint8_t value) {
  Bytes bytes(ParametersOf(group).p.size(), 0);
  bytes.back() = value;
  return bytes;
}

TEST(Ffdhe, AgreesWithLibcrypto) {
  for (NamedGroup group : kGroups) {
    const std::string name = Name(group);
    EVP_PKEY_CTX* generation = EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr);
    EVP_PKEY* theirs = nullptr;
    ASSERT_EQ(EVP_PKEY_keygen_init(generation), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_group_name(generation, name.c_str()), 1);
    ASSERT_EQ(EVP_PKEY_generate(generation, &theirs), 1);
    uint8_t* encoded = nullptr;
    const size_t size = EVP_PKEY_get1_encoded_public_key(theirs, &encoded);
    const Bytes their_share(encoded, encoded + size);
    OPENSSL_free(encoded);
    KeyPair ours = Fresh(group);
    ASSERT_EQ(their_share.size(), ours.public_key().size());

    EVP_PKEY* peer = EVP_PKEY_new();
    ASSERT_EQ(EVP_PKEY_copy_parameters(peer, theirs), 1);
    ASSERT_EQ(EVP_PKEY_set1_encoded_public_key(peer, ours.public_key().data(), size), 1);
    EVP_PKEY_CTX* derivation = EVP_PKEY_CTX_new_from_pkey(nullptr, theirs, nullptr);
    Bytes shared(size);
    size_t written = size;
    ASSERT_EQ(EVP_PKEY_derive_init(derivation), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_dh_pad(derivation, 1), 1);
    ASSERT_EQ(EVP_PKEY_derive_set_peer(derivation, peer), 1);
    ASSERT_EQ(EVP_PKEY_derive(derivation, shared.data(), &written), 1);
    EXPECT_EQ(SharedHex(std::move(ours), their_share), ToHex(shared)) << name;
    EVP_PKEY_CTX_free(derivation);
    EVP_PKEY_CTX_free(generation);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(theirs);
  }
}

// RFC 7919 appendix A: p begins and ends with 64 ones, and g is 2.
TEST(Ffdhe, Parameters) {
  for (NamedGroup group : kGroups) {
    const FfdheParameters parameters = ParametersOf(group);
    const std::string hex = ToHex(parameters.p);
    EXPECT_EQ(hex.substr(0, 32), "ffffffffffffffffadf85458a2bb4a9a") << Name(group);
    EXPECT_EQ(hex.substr(hex.size() - 16), "ffffffffffffffff");
    EXPECT_EQ(ToHex(parameters.g), "02");
  }
  EXPECT_EQ(ToHex(ParametersOf(NamedGroup::kFfdhe2048).p).substr(480, 16), "886b423861285c97");
  EXPECT_EQ(ToHex(ParametersOf(NamedGroup::kFfdhe3072).p).substr(736, 16), "25e41d2b66c62e37");
  for (NamedGroup group : {NamedGroup::kX25519, NamedGroup::kFfdhe6144}) {
    EXPECT_TRUE(ParametersOf(group).p.empty());
  }
}

// RFC 7919 §5.1.
TEST(Ffdhe, T14_ValuesOutOfRange) {
  for (NamedGroup group : kGroups) {
    const Bytes beyond(ParametersOf(group).p.size(), 0xff);
    for (const Bytes& value : {Small(group, 0), Small(group, 1), PrimePlus(group, -1),
                               PrimePlus(group, 0), PrimePlus(group, 1), beyond}) {
      EXPECT_EQ(SharedHex(Fresh(group), value), "bad_key_share") << ToHex(value);
    }
    // The negative control: the least and the greatest that are legal.
    for (const Bytes& value : {Small(group, 2), PrimePlus(group, -2)}) {
      EXPECT_EQ(SharedHex(Fresh(group), value).size(), 2 * value.size());
    }
  }
}

// RFC 8446 §7.4.1: the secret is as long as the prime, whatever it begins with.
TEST(Ffdhe, LeadingZerosStay) {
  for (NamedGroup group : kGroups) {
    Bytes one(Fresh(group).PrivateKey().size(), 0);
    one.back() = 1;
    KeyPair pair = *KeyPair::FromPrivate(group, one);
    EXPECT_EQ(ToHex(pair.public_key()), ToHex(Small(group, 2)));
    EXPECT_EQ(SharedHex(std::move(pair), Small(group, 7)), ToHex(Small(group, 7)));
  }
}

TEST(Ffdhe, IdsOfFfdhe) {
  for (uint32_t n = 0; n <= 0xffff; ++n) {
    EXPECT_EQ(IsFfdhe(static_cast<NamedGroup>(n)), n >= 256 && n <= 511);
  }
}

}  // namespace
}  // namespace handfast::tls
