// T25: revocation lists. Without a list in force nobody is trusted, and each way in which a list is
// none has its reason.
#include "tls/crypto/crl.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/tls/crypto/test_revocation.h"
#include "tls/crypto/x509.h"

namespace handfast::tls {
namespace {

using test::CrlOptions;
using test::kDay;
using test::kNow;
using test::MakeCrl;
using test::TestCa;
using Chain = std::vector<Bytes>;

TrustBundle::Verdict Judge(const TestCa& root, const Chain& chain, CrlCheck check,
                           const std::string& crl_pem) {
  TrustParameters wanted = {.purpose = Purpose::kTlsServer, .now_unix_s = kNow};
  wanted.crl_check = check;
  if (crl_pem.empty()) return root.Bundle().Verify(chain, wanted);
  const Result<CrlSet> crls = CrlSet::FromPem(crl_pem);
  EXPECT_TRUE(crls.ok());
  if (!crls.ok()) return {crls.reason(), "does not parse"};
  wanted.crls = &*crls;
  return root.Bundle().Verify(chain, wanted);
}

std::string Label(const TestCa& root, const Chain& chain, CrlCheck check,
                  const std::string& crl_pem) {
  const TrustBundle::Verdict verdict = Judge(root, chain, check, crl_pem);
  EXPECT_EQ(verdict.reason.has_value(), !verdict.detail.empty());
  EXPECT_EQ(ERR_peek_error(), 0u);
  return verdict.reason ? std::string(Describe(*verdict.reason).label) : "";
}

TEST(Crl, ARevokedLeafIsRefused) {
  const TestCa root = TestCa::Create("root");
  const Chain revoked = root.Issue().chain;
  const Chain other = root.Issue().chain;
  const std::string crl = MakeCrl(root, {.revoked = {revoked[0]}});
  EXPECT_EQ(Label(root, revoked, CrlCheck::kLeaf, crl), "certificate_revoked");
  EXPECT_EQ(Label(root, other, CrlCheck::kLeaf, crl), "");
  EXPECT_EQ(Label(root, revoked, CrlCheck::kNone, crl), "") << "nobody asked";
  EXPECT_EQ(Judge(root, revoked, CrlCheck::kLeaf, crl).detail, "certificate revoked (depth 0)");
}

TEST(Crl, WithoutAListNobodyIsTrusted) {
  const TestCa root = TestCa::Create("root");
  const Chain chain = root.Issue().chain;
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, ""), "crl_unusable");
  EXPECT_EQ(Label(root, chain, CrlCheck::kNone, ""), "");
  const std::string of_another = MakeCrl(TestCa::Create("another"));
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, of_another), "crl_unusable");
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, of_another + MakeCrl(root)), "");
}

TEST(Crl, IsInForceForItsTime) {
  const TestCa root = TestCa::Create("root");
  const Chain chain = root.Issue().chain;
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, MakeCrl(root, {.next_update_unix_s = kNow - 1})),
            "crl_expired");
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, MakeCrl(root, {.this_update_unix_s = kNow + 1})),
            "crl_unusable");
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf,
                  MakeCrl(root, {.this_update_unix_s = kNow, .next_update_unix_s = kNow + 1})),
            "");
  // An old list beside the one in force does no harm.
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf,
                  MakeCrl(root, {.next_update_unix_s = kNow - 1}) + MakeCrl(root)),
            "");
}

TEST(Crl, IsItsIssuersOwn) {
  const TestCa root = TestCa::Create("root");
  const TestCa impostor = TestCa::Create("root");
  const Chain chain = root.Issue().chain;
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, MakeCrl(impostor)), "crl_unusable");
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, MakeCrl(root)), "");
  const TestCa no_crls = root.Intermediate("no crls", {.crl_sign = false});
  EXPECT_EQ(Label(root, no_crls.Issue().chain, CrlCheck::kLeaf, MakeCrl(no_crls)), "crl_unusable");
}

TEST(Crl, OfUnknownCriticalExtensionsIsNone) {
  const TestCa root = TestCa::Create("root");
  const Chain chain = root.Issue().chain;
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, MakeCrl(root, {.unknown_critical = true})),
            "crl_unusable");
}

TEST(Crl, TheWholeChainIsAskedForWhereWanted) {
  const TestCa root = TestCa::Create("root");
  const TestCa issuing = root.Intermediate("issuing");
  const Chain chain = issuing.Issue().chain;
  const std::string leafs = MakeCrl(issuing);
  const std::string good = MakeCrl(root);
  const std::string bad = MakeCrl(root, {.revoked = {issuing.certificate()}});
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, leafs), "");
  EXPECT_EQ(Label(root, chain, CrlCheck::kLeaf, leafs + bad), "");
  EXPECT_EQ(Label(root, chain, CrlCheck::kChain, leafs), "crl_unusable");
  EXPECT_EQ(Label(root, chain, CrlCheck::kChain, leafs + good), "");
  EXPECT_EQ(Label(root, chain, CrlCheck::kChain, leafs + bad), "certificate_revoked");
  EXPECT_EQ(Judge(root, chain, CrlCheck::kChain, leafs + bad).detail,
            "certificate revoked (depth 1)");
}

TEST(CrlSet, ReadsAllLists) {
  const TestCa root = TestCa::Create("root");
  const Result<CrlSet> two =
      CrlSet::FromPem(MakeCrl(root, {.next_update_unix_s = kNow + 5}) + root.pem() + MakeCrl(root));
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(two->size(), 2u);
  EXPECT_EQ(two->next_update_unix_s(), kNow + 5) << "the one that ends first";
}

TEST(CrlSet, RefusesWhatIsNoList) {
  const TestCa root = TestCa::Create("root");
  const std::string good = MakeCrl(root);
  ASSERT_TRUE(CrlSet::FromPem(good).ok());
  for (const std::string& pem :
       {std::string(), std::string("text"), root.pem(), good.substr(0, good.size() / 2),
        good + "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
        MakeCrl(root, {.next_update = false}), MakeCrl(root, {.sha1 = true})}) {
    const Result<CrlSet> read = CrlSet::FromPem(pem);
    EXPECT_FALSE(read.ok()) << pem;
    EXPECT_EQ(read.reason(), Reason::kCrlUnusable);
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
  const TestCa ed25519 = TestCa::Create("root", {.type = KeyType::kEd25519});
  EXPECT_TRUE(CrlSet::FromPem(MakeCrl(ed25519)).ok());
}

TEST(CrlSet, IsSharedByThreads) {
  const TestCa root = TestCa::Create("root");
  const TrustBundle bundle = root.Bundle();
  std::vector<Bytes> revoked;
  for (int i = 0; i < 20; ++i) revoked.push_back(root.Issue().chain[0]);
  const Chain good = root.Issue().chain;
  const Result<CrlSet> crls = CrlSet::FromPem(MakeCrl(root, {.revoked = revoked}));
  ASSERT_TRUE(crls.ok());
  TrustParameters wanted = {.purpose = Purpose::kTlsServer, .now_unix_s = kNow};
  wanted.crl_check = CrlCheck::kLeaf;
  wanted.crls = &*crls;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (const Bytes& leaf : revoked) {
        right += bundle.Verify({leaf}, wanted).reason == Reason::kCertificateRevoked &&
                 !bundle.Verify(good, wanted).reason;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4 * 20);
}

}  // namespace
}  // namespace handfast::tls
