// What ReadCertificate and CheckChainFitsKey say. Trust has a test of its own.
#include "tls/crypto/x509.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/tls/crypto/test_ca.h"
#include "tls/crypto/hash.h"

namespace handfast::tls {
namespace {

using test::kNotAfter;
using test::kNotBefore;
using test::Leaf;
using test::TestCa;

TEST(ReadCertificate, SaysWhatItHolds) {
  const TestCa root = TestCa::Create("the root");
  const Leaf leaf = root.Issue({.common_name = "Jürgen, the \"leaf\"",
                                .dns = {"Example.TEST", "*.example.test"},
                                .uris = {"spiffe://domain/Workload"}});
  const Result<CertificateInfo> info = ReadCertificate(leaf.chain[0]);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->subject, "CN=Jürgen\\, the \\\"leaf\\\"");
  EXPECT_EQ(info->common_name, "Jürgen, the \"leaf\"");
  EXPECT_EQ(info->issuer, "CN=the root");
  EXPECT_EQ(info->not_before_unix_s, kNotBefore);
  EXPECT_EQ(info->not_after_unix_s, kNotAfter);
  EXPECT_EQ(info->dns_names, (std::vector<std::string>{"example.test", "*.example.test"}));
  EXPECT_EQ(info->uris, std::vector<std::string>{"spiffe://domain/Workload"});
  EXPECT_EQ(info->public_key_der, leaf.Key().PublicKeyDer());
  EXPECT_EQ(info->sha256_fingerprint, ToHex(Hash(HashAlgorithm::kSha256, leaf.chain[0]).view()));
  EXPECT_EQ(info->serial.size() % 2, 0u);
  EXPECT_FALSE(info->serial.empty());
  EXPECT_EQ(ReadCertificate(root.certificate())->subject_der, root.Bundle().subjects()[0]);
}

TEST(ReadCertificate, ACommonNameIsOneOrNone) {
  const TestCa root = TestCa::Create("root");
  using Subject = std::vector<std::pair<std::string, std::string>>;
  const auto common_name = [&](const std::string& first, const Subject& more) {
    const Leaf leaf = root.Issue({.common_name = first, .more_subject = more});
    return ReadCertificate(leaf.chain[0])->common_name;
  };
  EXPECT_EQ(common_name("alice", {}), "alice");
  EXPECT_EQ(common_name("alice", {{"O", "x,CN=admin"}}), "alice");
  EXPECT_EQ(common_name("Doe, John", {{"O", "Test"}}), "Doe, John");
  EXPECT_EQ(common_name("", {{"O", "Test"}}), "");
  EXPECT_EQ(common_name("alice", {{"CN", "admin"}}), "") << "whose is it?";
  EXPECT_EQ(common_name(std::string("alice\0admin", 11), {}), "");
  EXPECT_EQ(common_name("alice\nadmin", {}), "");
}

TEST(ReadCertificate, ReadsTimesBeyondUtcTime) {
  // RFC 5280 §4.1.2.5: from 2050 on as GeneralizedTime.
  const int64_t year_2100 = 4102444800;
  const Leaf leaf = TestCa::Create("root").Issue({.not_after_unix_s = year_2100});
  EXPECT_EQ(ReadCertificate(leaf.chain[0])->not_after_unix_s, year_2100);
}

TEST(ReadCertificate, ACertificateMayHaveNoNames) {
  const Leaf leaf = TestCa::Create("root").Issue({.common_name = ""});
  const Result<CertificateInfo> info = ReadCertificate(leaf.chain[0]);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->subject, "");
  EXPECT_TRUE(info->dns_names.empty());
  EXPECT_TRUE(info->uris.empty());
}

TEST(ReadCertificate, RefusesANameWithANul) {
  const TestCa root = TestCa::Create("root");
  const std::string evil("bank.test\0.evil.test", 20);
  EXPECT_EQ(ReadCertificate(root.Issue({.dns = {"good.test", evil}}).chain[0]).reason(),
            Reason::kBadCertificate);
  EXPECT_EQ(ReadCertificate(root.Issue({.uris = {evil}}).chain[0]).reason(),
            Reason::kBadCertificate);
}

TEST(ReadCertificate, RefusesWhatDoesNotParse) {
  const Bytes der = TestCa::Create("root").Issue({.dns = {"example.test"}}).chain[0];
  for (size_t size = 0; size < der.size(); ++size) {
    const Bytes cut(der.begin(), der.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(ReadCertificate(cut).reason(), Reason::kBadCertificate) << size;
  }
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_FALSE(ReadCertificate(longer).ok());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(PublicKeyOf, IsWhatLibcryptoReads) {
  for (KeyType type : {KeyType::kEcdsaP256, KeyType::kRsa2048, KeyType::kEd25519}) {
    const Leaf leaf = TestCa::Create("root").Issue({.type = type, .dns = {"example.test"}});
    EXPECT_EQ(*PublicKeyOf(leaf.chain[0]), ReadCertificate(leaf.chain[0])->public_key_der);
    EXPECT_EQ(*PublicKeyOf(leaf.chain[0]), leaf.Key().PublicKeyDer());
  }
}

TEST(PublicKeyOf, RefusesWhatDoesNotParse) {
  const Bytes der = TestCa::Create("root").Issue().chain[0];
  for (size_t size = 0; size < der.size(); ++size) {
    const Bytes cut(der.begin(), der.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(PublicKeyOf(cut).reason(), Reason::kBadCertificate) << size;
  }
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_FALSE(PublicKeyOf(longer).ok());
  // Lengths that only BER allows: indefinite, and longer than need be.
  EXPECT_FALSE(PublicKeyOf(*FromHex("3080300000000000")).ok());
  EXPECT_FALSE(PublicKeyOf(*FromHex("308103300100")).ok());
  EXPECT_FALSE(PublicKeyOf(*FromHex("3082000330010000")).ok());
  EXPECT_FALSE(PublicKeyOf(*FromHex("3084000000033001000000")).ok());
}

// Whatever one bit does, both readers see the same key, or one of them none.
TEST(PublicKeyOf, NeverDiffersFromLibcrypto) {
  const Bytes der = TestCa::Create("root").Issue({.dns = {"example.test"}}).chain[0];
  int both = 0;
  for (size_t bit = 0; bit < der.size() * 8; ++bit) {
    Bytes changed = der;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const Result<Bytes> key = PublicKeyOf(changed);
    const Result<CertificateInfo> info = ReadCertificate(changed);
    if (!key.ok() || !info.ok()) continue;
    EXPECT_EQ(*key, info->public_key_der) << bit;
    ++both;
  }
  EXPECT_GT(both, 100);
}

TEST(IssuerOf, IsTheSubjectAbove) {
  const TestCa root = TestCa::Create("root");
  const TestCa issuing = root.Intermediate("issuing");
  const Bytes der = issuing.Issue().chain[0];
  EXPECT_EQ(*IssuerOf(der), ReadCertificate(issuing.certificate())->subject_der);
  EXPECT_EQ(*IssuerOf(issuing.certificate()), ReadCertificate(root.certificate())->subject_der);
  EXPECT_NE(*IssuerOf(der), *IssuerOf(issuing.certificate()));
  EXPECT_EQ(*IssuerOf(root.certificate()), ReadCertificate(root.certificate())->subject_der);
  for (size_t size = 0; size < der.size(); ++size) {
    const Bytes cut(der.begin(), der.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(IssuerOf(cut).reason(), Reason::kBadCertificate) << size;
  }
}

TEST(ReadCertificate, SaysWhetherItMayBeAClients) {
  const TestCa root = TestCa::Create("root");
  const auto for_clients = [&](const test::LeafOptions& options) {
    return ReadCertificate(root.Issue(options).chain[0])->for_clients;
  };
  EXPECT_TRUE(for_clients({.server = false, .client = true}));
  EXPECT_TRUE(for_clients({.server = true, .client = true}));
  EXPECT_TRUE(for_clients({.extended_key_usage = false}));
  EXPECT_FALSE(for_clients({.server = true, .client = false}));
}

TEST(CheckChainFitsKey, TakesAChainInOrder) {
  for (KeyType type : {KeyType::kEcdsaP256, KeyType::kRsa2048, KeyType::kEd25519}) {
    const TestCa root = TestCa::Create("root");
    const Leaf leaf = root.Intermediate("one").Intermediate("two").Issue({.type = type});
    const Bytes key = leaf.Key().PublicKeyDer();
    EXPECT_TRUE(CheckChainFitsKey(leaf.chain, key).ok());
    EXPECT_TRUE(CheckChainFitsKey({leaf.chain[0]}, key).ok());
    std::vector<Bytes> with_root = leaf.chain;
    with_root.push_back(root.certificate());
    EXPECT_TRUE(CheckChainFitsKey(with_root, key).ok());
  }
}

TEST(CheckChainFitsKey, RefusesWhatDoesNotFit) {
  const TestCa root = TestCa::Create("root");
  const TestCa issuing = root.Intermediate("issuing");
  const Leaf leaf = issuing.Issue();
  const Bytes key = leaf.Key().PublicKeyDer();
  const auto refused = [](const std::vector<Bytes>& chain, ByteView public_key) {
    EXPECT_EQ(CheckChainFitsKey(chain, public_key).reason(), Reason::kBadCertificate);
    EXPECT_FALSE(CheckChainFitsKey(chain, public_key).ok());
  };
  refused({}, key);
  refused(leaf.chain, issuing.Issue().Key().PublicKeyDer());
  refused(leaf.chain, {});
  refused({leaf.chain[1], leaf.chain[0]}, key);
  refused({leaf.chain[0], root.certificate()}, key);
  refused({leaf.chain[0], Bytes(20, 1)}, key);
  // The issuer's name, but not its key.
  refused({leaf.chain[0], root.Intermediate("issuing").certificate()}, key);
}

// RFC 8446 §4.2.3 and §4.4.2.2, §4.4.2.3, RFC 5246 §7.4.2: what a peer need not take.
TEST(CheckChainFitsKey, RefusesWhatPeersNeedNotTake) {
  const TestCa root = TestCa::Create("root");
  const auto reason = [](const Leaf& leaf) {
    return CheckChainFitsKey(leaf.chain, leaf.Key().PublicKeyDer()).reason();
  };
  EXPECT_EQ(reason(root.Issue({.version1 = true})), Reason::kUnsupportedCertificate);
  EXPECT_EQ(reason(root.Issue({.key_usage = "keyEncipherment"})), Reason::kUnsupportedCertificate);
  EXPECT_EQ(reason(root.Issue({.sha1 = true})), Reason::kWeakCertificate);
  EXPECT_EQ(reason(root.Intermediate("weak", {.sha1 = true}).Issue()), Reason::kWeakCertificate);
  // A root's own signature is nobody's business.
  const TestCa old = TestCa::Create("old", {.sha1 = true});
  Leaf under_old = old.Issue();
  under_old.chain.push_back(old.certificate());
  EXPECT_TRUE(CheckChainFitsKey(under_old.chain, under_old.Key().PublicKeyDer()).ok());
}

}  // namespace
}  // namespace handfast::tls
