// Trust bundles from files, and verdicts on clients' chains. Path validation itself is tested where
// it is made, in tests/tls/crypto.
#include "server/trust/peer_trust.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/tls/crypto/test_ca.h"

namespace handfast::trust {
namespace {

using tls::Reason;
using tls::test::kNow;
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
    auto trust = PeerTrust::Load({{"clients", Write("roots.pem", root_.pem())}});
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

TEST_F(PeerTrustTest, BundlesAreApart) {
  const TestCa other = TestCa::Create("other");
  const auto trust = PeerTrust::Load(
      {{"a", Write("a.pem", root_.pem())}, {"b", Write("b.pem", other.pem() + root_.pem())}});
  ASSERT_TRUE(trust.ok());
  const auto leaf = other.Issue({.server = false, .client = true});
  EXPECT_EQ(trust->VerifyClient("a", leaf.chain, kNow).refusal, Reason::kUnknownCa);
  EXPECT_EQ(trust->VerifyClient("b", leaf.chain, kNow).refusal, std::nullopt);
  EXPECT_EQ(trust->Subjects("a").size(), 1U);
  EXPECT_EQ(trust->Subjects("b").size(), 2U);
}

TEST_F(PeerTrustTest, ABadFileIsNamed) {
  const auto message = [](const std::map<std::string, std::string>& files) {
    const absl::Status status = PeerTrust::Load(files).status();
    EXPECT_FALSE(status.ok());
    return static_cast<std::string>(status.message());
  };
  EXPECT_NE(message({{"x", "/nonexistent/roots.pem"}}).find("/nonexistent/roots.pem"),
            std::string::npos);
  EXPECT_NE(message({{"x", Write("empty.pem", "")}}).find("trust bundle x"), std::string::npos);
  EXPECT_NE(message({{"x", Write("text.pem", "no certificate")}}).find("no certificate"),
            std::string::npos);
  message({{"x", Write("broken.pem", root_.pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n")}});
  EXPECT_NE(
      message({{"x", Write("huge.pem", std::string(kMaxBundleSize + 1, '\n'))}}).find("larger"),
      std::string::npos);
  message({{"x", folder_}});
}

TEST_F(PeerTrustTest, NoBundlesIsFine) { EXPECT_TRUE(PeerTrust::Load({}).ok()); }

}  // namespace
}  // namespace handfast::trust
