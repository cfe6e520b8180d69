// Trust bundles from files, and verdicts on clients' chains. Path validation itself is tested where
// it is made, in tests/tls/crypto.
#include "server/trust/peer_trust.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/tls/crypto/test_ca.h"
#include "tests/tls/crypto/test_revocation.h"

namespace handfast::trust {
namespace {

using tls::Reason;
using tls::test::kNow;
using tls::test::MakeCrl;
using tls::test::MakeOcsp;
using tls::test::TestCa;

class PeerTrustTest : public ::testing::Test {
 protected:
  PeerTrustTest() {
    std::string pattern = ::testing::TempDir() + "/trust.XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~PeerTrustTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
    return folder_ + "/" + name;
  }
  PeerTrust Load() {
    auto trust = PeerTrust::Load({{"clients", {.file = Write("roots.pem", root_.pem())}}});
    EXPECT_TRUE(trust.ok()) << trust.status();
    return *std::move(trust);
  }

  std::string folder_;
  TestCa root_ = TestCa::Create("root");
  TestCa issuing_ = root_.Intermediate("issuing");
};

TEST_F(PeerTrustTest, TrustsAClientAndSaysWhoItIs) {
  const auto leaf = issuing_.Issue({.common_name = "edge",
                                    .dns = {"edge.example.test"},
                                    .uris = {"spiffe://example.test/edge"},
                                    .server = false,
                                    .client = true});
  const Verification verdict = Load().VerifyClient("clients", leaf.chain, kNow);
  EXPECT_FALSE(verdict.refusal.has_value()) << verdict.detail;
  EXPECT_EQ(verdict.detail, "");
  EXPECT_EQ(verdict.leaf.uris, std::vector<std::string>{"spiffe://example.test/edge"});
  EXPECT_EQ(verdict.leaf.dns_names, std::vector<std::string>{"edge.example.test"});
  EXPECT_NE(verdict.leaf.subject.find("edge"), std::string::npos);
}

TEST_F(PeerTrustTest, SaysWhyNot) {
  const PeerTrust trust = Load();
  const auto refusal = [&](const std::vector<tls::Bytes>& chain, int64_t now = kNow) {
    const Verification verdict = trust.VerifyClient("clients", chain, now);
    EXPECT_FALSE(verdict.detail.empty());
    EXPECT_TRUE(verdict.leaf.uris.empty()) << "nothing of a peer that is not trusted";
    return verdict.refusal;
  };
  const auto good = issuing_.Issue({.uris = {"spiffe://a/b"}, .server = false, .client = true});
  EXPECT_EQ(refusal(good.chain, tls::test::kNotAfter + 1), Reason::kCertificateExpired);
  EXPECT_EQ(refusal({good.chain[0]}), Reason::kUnknownCa) << "without its intermediate";
  const TestCa stranger = TestCa::Create("stranger");
  EXPECT_EQ(refusal(stranger.Issue({.server = false, .client = true}).chain), Reason::kUnknownCa);
  EXPECT_TRUE(refusal(issuing_.Issue({.server = true, .client = false}).chain).has_value())
      << "a server's certificate is no client's";
  EXPECT_TRUE(refusal({tls::Bytes{1, 2, 3}}).has_value());
  EXPECT_TRUE(refusal({}).has_value());
}

TEST_F(PeerTrustTest, AnUnknownBundleTrustsNobody) {
  const auto leaf = issuing_.Issue({.server = false, .client = true});
  const PeerTrust trust = Load();
  for (const char* bundle : {"", "Clients", "other"}) {
    EXPECT_EQ(trust.VerifyClient(bundle, leaf.chain, kNow).refusal, Reason::kTrustUnavailable);
    EXPECT_TRUE(trust.Subjects(bundle).empty());
  }
}

TEST_F(PeerTrustTest, TrustsAServerOfTheNameAlone) {
  const PeerTrust trust = Load();
  const auto refusal = [&](const tls::test::LeafOptions& leaf, std::string_view name,
                           std::string_view bundle = "clients", int64_t now = kNow) {
    const Verification verdict =
        trust.VerifyServer(bundle, {.chain = issuing_.Issue(leaf).chain, .server_name = name}, now);
    EXPECT_EQ(verdict.detail.empty(), !verdict.refusal.has_value());
    EXPECT_EQ(verdict.leaf.sha256_fingerprint.empty(), verdict.refusal.has_value());
    return verdict.refusal;
  };
  const tls::test::LeafOptions db = {.dns = {"other.test", "db.example.test"}};
  EXPECT_EQ(refusal(db, "db.example.test"), std::nullopt);
  EXPECT_EQ(refusal(db, "web.example.test"), Reason::kNameMismatch);
  EXPECT_EQ(refusal(db, "example.test"), Reason::kNameMismatch);
  EXPECT_EQ(refusal(db, ""), Reason::kNameMismatch) << "no name is not any name";
  EXPECT_EQ(refusal({.common_name = "db.example.test"}, "db.example.test"), Reason::kNameMismatch)
      << "a common name is no name";
  EXPECT_EQ(refusal({.dns = {"*.example.test"}}, "db.example.test"), std::nullopt);
  EXPECT_EQ(refusal({.dns = {"*.example.test"}}, "a.db.example.test"), Reason::kNameMismatch);
  EXPECT_EQ(refusal({.dns = {"d*.example.test"}}, "db.example.test"), Reason::kNameMismatch);
  EXPECT_EQ(
      refusal({.dns = {"db.example.test"}, .server = false, .client = true}, "db.example.test"),
      Reason::kUnsupportedCertificate)
      << "a client's certificate is no server's";
  EXPECT_EQ(refusal(db, "db.example.test", "other"), Reason::kTrustUnavailable);
  EXPECT_EQ(refusal(db, "db.example.test", "clients", tls::test::kNotAfter + 1),
            Reason::kCertificateExpired);
  const TestCa stranger = TestCa::Create("stranger");
  EXPECT_EQ(
      trust
          .VerifyServer("clients",
                        {.chain = stranger.Issue(db).chain, .server_name = "db.example.test"}, kNow)
          .refusal,
      Reason::kUnknownCa);
  EXPECT_TRUE(trust.VerifyServer("clients", {.chain = {}, .server_name = "db.example.test"}, kNow)
                  .refusal.has_value());
}

// RFC 6066 §8, RFC 7633.
TEST_F(PeerTrustTest, AServersStapleIsCheckedOnItsIssuersWord) {
  using Status = tls::test::OcspOptions::Status;
  const PeerTrust trust = Load();
  const auto leaf = issuing_.Issue({.dns = {"db.example.test"}});
  const auto refusal = [&](const std::vector<tls::Bytes>& chain, const tls::Bytes& response,
                           bool require = false) {
    const Verification verdict = trust.VerifyServer("clients",
                                                    {.chain = chain,
                                                     .server_name = "db.example.test",
                                                     .ocsp_response = response,
                                                     .require_ocsp_response = require},
                                                    kNow);
    EXPECT_EQ(verdict.detail.empty(), !verdict.refusal.has_value());
    return verdict.refusal;
  };
  const tls::Bytes good = MakeOcsp(issuing_, leaf.chain[0]);
  EXPECT_EQ(refusal(leaf.chain, good), std::nullopt);
  EXPECT_EQ(refusal(leaf.chain, good, true), std::nullopt);
  EXPECT_EQ(refusal(leaf.chain, {}), std::nullopt);
  EXPECT_EQ(refusal(leaf.chain, {}, true), Reason::kNoOcspResponse);
  EXPECT_EQ(refusal(leaf.chain, MakeOcsp(issuing_, leaf.chain[0], {.status = Status::kRevoked})),
            Reason::kCertificateRevoked);
  EXPECT_EQ(refusal(leaf.chain, MakeOcsp(root_, leaf.chain[0])), Reason::kBadOcspResponse)
      << "the root did not issue it";
  EXPECT_EQ(refusal(leaf.chain, {1, 2, 3}), Reason::kBadOcspResponse);
  const auto promising = issuing_.Issue({.dns = {"db.example.test"}, .must_staple = true});
  EXPECT_EQ(refusal(promising.chain, {}), Reason::kNoOcspResponse);
  EXPECT_EQ(refusal(promising.chain, MakeOcsp(issuing_, promising.chain[0])), std::nullopt);
  // The issuer is the one of the path found, not whatever the server sent second.
  auto shuffled = leaf.chain;
  shuffled.insert(shuffled.begin() + 1, TestCa::Create("stranger").certificate());
  EXPECT_EQ(refusal(shuffled, good), std::nullopt);
  // Issued by the root itself, which the server does not send.
  const auto direct = root_.Issue({.dns = {"db.example.test"}});
  EXPECT_EQ(refusal(direct.chain, MakeOcsp(root_, direct.chain[0])), std::nullopt);
}

// Whom nobody trusts is refused for that, whatever is stapled.
TEST_F(PeerTrustTest, AStapleTrustsNobody) {
  const TestCa stranger = TestCa::Create("stranger");
  const auto leaf = stranger.Issue({.dns = {"db.example.test"}});
  const tls::Bytes good = MakeOcsp(stranger, leaf.chain[0]);
  EXPECT_EQ(
      Load()
          .VerifyServer(
              "clients",
              {.chain = leaf.chain, .server_name = "db.example.test", .ocsp_response = good}, kNow)
          .refusal,
      Reason::kUnknownCa);
}

TEST_F(PeerTrustTest, BundlesAreApart) {
  const TestCa other = TestCa::Create("other");
  const auto trust = PeerTrust::Load({{"a", {.file = Write("a.pem", root_.pem())}},
                                      {"b", {.file = Write("b.pem", other.pem() + root_.pem())}}});
  ASSERT_TRUE(trust.ok());
  const auto leaf = other.Issue({.server = false, .client = true});
  EXPECT_EQ(trust->VerifyClient("a", leaf.chain, kNow).refusal, Reason::kUnknownCa);
  EXPECT_EQ(trust->VerifyClient("b", leaf.chain, kNow).refusal, std::nullopt);
  EXPECT_EQ(trust->Subjects("a").size(), 1U);
  EXPECT_EQ(trust->Subjects("b").size(), 2U);
}

TEST_F(PeerTrustTest, ABadFileIsNamed) {
  const auto message = [](const std::string& path) {
    const absl::Status status = PeerTrust::Load({{"x", {.file = path}}}).status();
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find("trust bundle x: " + path), std::string::npos) << status;
    return static_cast<std::string>(status.message());
  };
  EXPECT_NE(message("/nonexistent/roots.pem").find("cannot be read"), std::string::npos);
  message(Write("empty.pem", ""));
  EXPECT_NE(message(Write("text.pem", "no certificate")).find("no certificate"), std::string::npos);
  message(Write("broken.pem", root_.pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n"));
  EXPECT_NE(message(Write("huge.pem", std::string(kMaxBundleSize + 1, '\n'))).find("larger"),
            std::string::npos);
  EXPECT_NE(message(folder_).find("is no file"), std::string::npos);
}

TEST_F(PeerTrustTest, ABadFileOfListsIsNamed) {
  const auto status = [&](const std::string& path) {
    return PeerTrust::Load({{"x",
                             {.file = Write("roots.pem", root_.pem()),
                              .crl_file = path,
                              .crl_check = tls::CrlCheck::kLeaf}}})
        .status();
  };
  EXPECT_TRUE(status(Write("good.pem", MakeCrl(root_))).ok());
  for (const std::string& path : {std::string("/nonexistent/crl.pem"), folder_,
                                  Write("none.pem", root_.pem()), std::string()}) {
    EXPECT_NE(status(path).message().find("trust bundle x: " + path), std::string::npos);
  }
}

TEST_F(PeerTrustTest, ARevokedClientIsRefused) {
  const auto good = root_.Issue({.server = false, .client = true});
  const auto revoked = root_.Issue({.server = false, .client = true});
  const std::string roots = Write("roots.pem", root_.pem());
  const std::string crls = Write("crls.pem", MakeCrl(root_, {.revoked = {revoked.chain[0]}}));
  const auto trust = PeerTrust::Load(
      {{"checked", {.file = roots, .crl_file = crls, .crl_check = tls::CrlCheck::kLeaf}},
       {"whole", {.file = roots, .crl_file = crls, .crl_check = tls::CrlCheck::kChain}},
       {"unchecked", {.file = roots}}});
  ASSERT_TRUE(trust.ok()) << trust.status();
  for (const char* bundle : {"checked", "whole"}) {
    EXPECT_EQ(trust->VerifyClient(bundle, good.chain, kNow).refusal, std::nullopt);
    EXPECT_EQ(trust->VerifyClient(bundle, revoked.chain, kNow).refusal,
              Reason::kCertificateRevoked);
  }
  EXPECT_EQ(trust->VerifyClient("unchecked", revoked.chain, kNow).refusal, std::nullopt);
  // Below an intermediate that has no list.
  const auto below = issuing_.Issue({.server = false, .client = true});
  EXPECT_EQ(trust->VerifyClient("checked", below.chain, kNow).refusal, Reason::kCrlUnusable);
  EXPECT_EQ(trust->VerifyClient("unchecked", below.chain, kNow).refusal, std::nullopt);
}

TEST_F(PeerTrustTest, AnExpiredListRefusesEverybody) {
  const auto leaf = root_.Issue({.server = false, .client = true});
  const auto trust = PeerTrust::Load({{"clients",
                                       {.file = Write("roots.pem", root_.pem()),
                                        .crl_file = Write("crls.pem", MakeCrl(root_)),
                                        .crl_check = tls::CrlCheck::kLeaf}}});
  ASSERT_TRUE(trust.ok());
  EXPECT_EQ(trust->VerifyClient("clients", leaf.chain, kNow).refusal, std::nullopt);
  const Verification late = trust->VerifyClient("clients", leaf.chain, kNow + 2 * tls::test::kDay);
  EXPECT_EQ(late.refusal, Reason::kCrlExpired);
  EXPECT_EQ(late.detail, "CRL has expired (depth 0)");
}

TEST_F(PeerTrustTest, AChangedListIsInForceASecondLater) {
  const auto leaf = root_.Issue({.server = false, .client = true});
  const auto trust = PeerTrust::Load({{"clients",
                                       {.file = Write("roots.pem", root_.pem()),
                                        .crl_file = Write("crls.pem", MakeCrl(root_)),
                                        .crl_check = tls::CrlCheck::kLeaf}}});
  ASSERT_TRUE(trust.ok());
  EXPECT_EQ(trust->VerifyClient("clients", leaf.chain, kNow).refusal, std::nullopt);
  Write("crls.pem", MakeCrl(root_, {.revoked = {leaf.chain[0]}}));
  EXPECT_EQ(trust->VerifyClient("clients", leaf.chain, kNow).refusal, std::nullopt)
      << "within the same second nobody looks";
  EXPECT_EQ(trust->VerifyClient("clients", leaf.chain, kNow + 1).refusal,
            Reason::kCertificateRevoked);
}

// What was judged by a bundle is not taken for granted when the bundle is another.
TEST_F(PeerTrustTest, AFingerprintFollowsRootsAndLists) {
  const std::string roots = Write("roots.pem", root_.pem());
  const auto fingerprint = [](const PeerTrust& trust, int64_t now) {
    return tls::ToHex(trust.Fingerprint("clients", now));
  };
  const auto trust = PeerTrust::Load({{"clients",
                                       {.file = roots,
                                        .crl_file = Write("crls.pem", MakeCrl(root_)),
                                        .crl_check = tls::CrlCheck::kLeaf}}});
  ASSERT_TRUE(trust.ok());
  const std::string before = fingerprint(*trust, kNow);
  EXPECT_EQ(fingerprint(*trust, kNow + 1), before);
  EXPECT_NE(fingerprint(Load(), kNow), before) << "no lists";
  EXPECT_EQ(fingerprint(Load(), kNow), fingerprint(Load(), kNow));
  const auto leaf = root_.Issue({.server = false, .client = true});
  EXPECT_LE(trust->VerifyClient("clients", leaf.chain, kNow + 1).not_after_unix_s,
            kNow + 2 * tls::test::kDay)
      << "as long as the list says";
  Write("crls.pem", MakeCrl(root_, {.revoked = {leaf.chain[0]}}));
  EXPECT_NE(fingerprint(*trust, kNow + 2), before);
  std::filesystem::remove(folder_ + "/crls.pem");
  EXPECT_NE(fingerprint(*trust, kNow + 3), before);
  EXPECT_TRUE(trust->Fingerprint("others", kNow).empty());
}

TEST_F(PeerTrustTest, NoBundlesIsFine) { EXPECT_TRUE(PeerTrust::Load({}).ok()); }

}  // namespace
}  // namespace handfast::trust
