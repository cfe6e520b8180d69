// What chains are signed with, and whether a peer's list covers it.
#include <gtest/gtest.h>

#include "tests/tls/crypto/test_ca.h"
#include "tls/base/scheme_set.h"
#include "tls/crypto/x509.h"

namespace handfast::tls {
namespace {

using enum SignatureScheme;
using test::CaOptions;
using test::Leaf;
using test::TestCa;

SchemeSet Only(std::vector<SignatureScheme> schemes) { return SchemeSet::Of(schemes); }

TEST(SchemeSet, CoversWhatItHolds) {
  const std::vector<SignatureScheme> all = {kRsaPkcs1Sha256,       kRsaPkcs1Sha384,
                                            kRsaPkcs1Sha512,       kEcdsaSecp256r1Sha256,
                                            kEcdsaSecp384r1Sha384, kEcdsaSecp521r1Sha512,
                                            kRsaPssRsaeSha256,     kRsaPssRsaeSha384,
                                            kRsaPssRsaeSha512,     kEd25519,
                                            kRsaPkcs1Sha1,         kEcdsaSha1};
  for (const SignatureScheme one : all) {
    EXPECT_TRUE(Only(all).Covers(Only({one}))) << Name(one);
    for (const SignatureScheme other : all) {
      EXPECT_EQ(Only({one}).Covers(Only({other})), one == other) << Name(one) << Name(other);
    }
  }
  EXPECT_TRUE(SchemeSet().Covers(SchemeSet()));
  EXPECT_TRUE(Only(all).Covers(SchemeSet()));
  EXPECT_FALSE(SchemeSet().Covers(Only({kEd25519})));
}

// Each of the 65536 numbers: a bit of its own, or none.
TEST(SchemeSet, NoTwoNumbersShareABit) {
  uint64_t seen = 0;
  int known = 0;
  for (int number = 0; number < 0x10000; ++number) {
    const uint64_t bit = Only({static_cast<SignatureScheme>(number)}).bits();
    EXPECT_EQ(bit & (bit - 1), 0u) << number;
    EXPECT_EQ(seen & bit, 0u) << number;
    seen |= bit;
    known += bit != 0;
  }
  EXPECT_EQ(known, 18 + 8);
  SchemeSet unlisted;
  unlisted.AddUnlisted();
  EXPECT_FALSE(SchemeSet::FromBits(seen).Covers(unlisted)) << "nobody can ask for it";
}

TEST(SignaturesOf, EachKindOfAuthority) {
  const std::pair<CaOptions, SchemeSet> rows[] = {
      {{.type = KeyType::kEcdsaP256}, Only({kEcdsaSecp256r1Sha256})},
      {{.type = KeyType::kRsa2048}, Only({kRsaPkcs1Sha256})},
      {{.type = KeyType::kEd25519}, Only({kEd25519})},
  };
  for (const auto& [options, expected] : rows) {
    // Whatever the leaf's own key: the issuer's signature is what counts.
    for (const KeyType key : {KeyType::kEcdsaP256, KeyType::kRsa2048, KeyType::kEd25519}) {
      EXPECT_EQ(SignaturesOf(TestCa::Create("root", options).Issue({.type = key}).chain), expected);
    }
  }
  const TestCa rsa = TestCa::Create("root", {.type = KeyType::kRsa2048});
  EXPECT_EQ(SignaturesOf(rsa.Issue({.pss = true}).chain), Only({kRsaPssRsaeSha384}));
  EXPECT_EQ(SignaturesOf(rsa.Issue({.sha1 = true}).chain), Only({kRsaPkcs1Sha1}));
}

TEST(SignaturesOf, AllOfAChain) {
  const TestCa root = TestCa::Create("root", {.type = KeyType::kRsa2048});
  const TestCa middle = root.Intermediate("middle", {.type = KeyType::kEd25519});
  const TestCa low = middle.Intermediate("low");
  EXPECT_EQ(SignaturesOf(low.Issue().chain),
            Only({kEcdsaSecp256r1Sha256, kEd25519, kRsaPkcs1Sha256}));
}

// RFC 8446 §4.4.2.2: "Certificates that are self-signed [...] are not validated as part of the
// chain and therefore MAY be signed with any algorithm."
TEST(SignaturesOf, ARootDoesNotCount) {
  const TestCa root = TestCa::Create("root", {.type = KeyType::kRsa2048, .sha1 = true});
  Leaf leaf = root.Intermediate("middle").Issue();
  const SchemeSet without = SignaturesOf(leaf.chain);
  EXPECT_EQ(without, Only({kEcdsaSecp256r1Sha256, kRsaPkcs1Sha256}));
  leaf.chain.push_back(root.certificate());
  EXPECT_EQ(SignaturesOf(leaf.chain), without);
  EXPECT_EQ(SignaturesOf({root.certificate()}), SchemeSet());
}

// RFC 8446 §4.2.3: an ECDSA scheme names its curve; RFC 8422 §5.4: a pair of TLS 1.2 does not.
TEST(SignaturesOf, AnotherCurveThanTheHashes) {
  const TestCa root = TestCa::Create("root");
  // It signs with SHA-256 all the same.
  const Leaf leaf = root.Intermediate("middle", {.type = KeyType::kEcdsaP384}).Issue();
  const SchemeSet signatures = SignaturesOf(leaf.chain);
  SchemeSet tls13 = Only({kEcdsaSecp256r1Sha256, kEcdsaSecp384r1Sha384});
  EXPECT_FALSE(tls13.Covers(signatures));
  SchemeSet tls12 = tls13;
  tls12.AddAnyCurve();
  EXPECT_TRUE(tls12.Covers(signatures));
  tls12 = Only({kEcdsaSecp384r1Sha384});
  tls12.AddAnyCurve();
  EXPECT_FALSE(tls12.Covers(signatures)) << "the hash still counts";
  // Whose issuer is not shown is taken to be of the hash's curve.
  EXPECT_TRUE(tls13.Covers(SignaturesOf({leaf.chain[0]})));
}

TEST(SignaturesOf, WhatDoesNotParseIsCoveredByNobody) {
  SchemeSet unlisted;
  unlisted.AddUnlisted();
  EXPECT_EQ(SignaturesOf({Bytes{1, 2, 3}}), unlisted);
  EXPECT_EQ(SignaturesOf({}), SchemeSet());
}

}  // namespace
}  // namespace handfast::tls
