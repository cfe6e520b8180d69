// T25: what a certificate must say beyond a valid path. Each test is a class of certificate that
// must be refused, with the one next to it that must not. Paths themselves: trust_test.cc;
// revocation: crl_test.cc and ocsp_test.cc.
#include <gtest/gtest.h>

#include "tests/tls/crypto/test_ca.h"
#include "tls/crypto/x509.h"

namespace handfast::tls {
namespace {

using test::kNow;
using test::LeafOptions;
using test::TestCa;
using Chain = std::vector<Bytes>;

TrustBundle::Verdict Judge(const TestCa& ca, const Chain& chain, const TrustParameters& wanted) {
  return ca.Bundle().Verify(chain, wanted);
}

std::string Label(const TrustBundle::Verdict& verdict) {
  EXPECT_EQ(verdict.reason.has_value(), !verdict.detail.empty());
  return verdict.reason ? std::string(Describe(*verdict.reason).label) : "";
}

std::string Named(const TestCa& ca, const LeafOptions& leaf, std::string_view server_name) {
  return Label(
      Judge(ca, ca.Issue(leaf).chain,
            {.purpose = Purpose::kTlsServer, .now_unix_s = kNow, .server_name = server_name}));
}

std::string Is(const TestCa& ca, const LeafOptions& leaf,
               const std::vector<std::string>& identities) {
  return Label(
      Judge(ca, ca.Issue(leaf).chain,
            {.purpose = Purpose::kTlsServer, .now_unix_s = kNow, .identities = identities}));
}

std::string Serves(const TestCa& root, const Chain& chain, Purpose purpose = Purpose::kTlsServer) {
  return Label(Judge(root, chain, {.purpose = purpose, .now_unix_s = kNow}));
}

TEST(SecurityT25, TheServersNameIsAsked) {
  const TestCa ca = TestCa::Create("root");
  const LeafOptions leaf = {.dns = {"a.example.test", "b.example.test"}};
  EXPECT_EQ(Named(ca, leaf, "a.example.test"), "");
  EXPECT_EQ(Named(ca, leaf, "B.Example.Test"), "");
  EXPECT_EQ(Named(ca, leaf, "a.example.test."), "") << "the absolute form of the same name";
  EXPECT_EQ(Named(ca, leaf, ""), "") << "nobody asked";
  for (const char* other :
       {"example.test", "c.example.test", "a.example.tes", "x.a.example.test", "aaexample.test"}) {
    EXPECT_EQ(Named(ca, leaf, other), "name_mismatch") << other;
  }
  EXPECT_EQ(Judge(ca, ca.Issue(leaf).chain,
                  {.purpose = Purpose::kTlsServer, .now_unix_s = kNow, .server_name = "c.test"})
                .detail,
            "hostname mismatch (depth 0)");
}

TEST(SecurityT25, WhatIsNoNameMatchesNothing) {
  const TestCa ca = TestCa::Create("root");
  const LeafOptions leaf = {.dns = {"*.example.test", "example.test", "a.example.test"}};
  for (const std::string& name :
       {std::string(".example.test"), std::string("*.example.test"), std::string("."),
        std::string("a.example.test.."), std::string("a..example.test"),
        std::string("a.example.test\0", 15), std::string("a.example.test\0.evil.test", 25),
        std::string("a.example.test:443"), std::string("[::1]"), std::string("a b")}) {
    EXPECT_EQ(Named(ca, leaf, name), "name_mismatch") << name;
  }
  EXPECT_EQ(Named(ca, leaf, "a.example.test"), "");
}

TEST(SecurityT25, TheCommonNameIsNoName) {
  const TestCa ca = TestCa::Create("root");
  EXPECT_EQ(Named(ca, {.common_name = "a.test"}, "a.test"), "name_mismatch");
  EXPECT_EQ(Named(ca, {.common_name = "a.test", .dns = {"b.test"}}, "a.test"), "name_mismatch");
  EXPECT_EQ(Named(ca, {.common_name = "a.test", .uris = {"https://a.test"}}, "a.test"),
            "name_mismatch");
  EXPECT_EQ(Named(ca, {.common_name = "other", .dns = {"a.test"}}, "a.test"), "");
}

// RFC 9525 §6.3.
TEST(SecurityT25, AWildcardIsOneWholeLabel) {
  const TestCa ca = TestCa::Create("root");
  const LeafOptions whole = {.dns = {"*.example.test"}};
  EXPECT_EQ(Named(ca, whole, "a.example.test"), "");
  EXPECT_EQ(Named(ca, whole, "example.test"), "name_mismatch");
  EXPECT_EQ(Named(ca, whole, "a.b.example.test"), "name_mismatch");
  for (const char* partial : {"a*.example.test", "*a.example.test", "a*a.example.test",
                              "aaa.*.test", "*.*.test", "**.example.test"}) {
    EXPECT_EQ(Named(ca, {.dns = {partial}}, "aaa.example.test"), "name_mismatch") << partial;
  }
  EXPECT_EQ(Named(ca, {.dns = {"*.test"}}, "a.test"), "name_mismatch") << "all of a domain";
  EXPECT_EQ(Named(ca, {.dns = {"*"}}, "test"), "name_mismatch");
}

TEST(SecurityT25, AnAddressIsNoDnsName) {
  const TestCa ca = TestCa::Create("root");
  const Bytes v4 = {192, 0, 2, 1};
  Bytes v6(16, 0);
  v6[15] = 1;
  EXPECT_EQ(Named(ca, {.ips = {v4}}, "192.0.2.1"), "");
  EXPECT_EQ(Named(ca, {.ips = {v6}}, "::1"), "");
  EXPECT_EQ(Named(ca, {.ips = {v4}}, "192.0.2.2"), "name_mismatch");
  EXPECT_EQ(Named(ca, {.ips = {v6}}, "192.0.2.1"), "name_mismatch");
  EXPECT_EQ(Named(ca, {.dns = {"192.0.2.1"}}, "192.0.2.1"), "name_mismatch");
  EXPECT_EQ(Named(ca, {.common_name = "192.0.2.1"}, "192.0.2.1"), "name_mismatch");
  EXPECT_EQ(Named(ca, {.dns = {"*.0.2.1"}}, "192.0.2.1"), "name_mismatch");
}

TEST(SecurityT25, ANameOfAnUntrustedChainIsWorthNothing) {
  const TestCa ca = TestCa::Create("root");
  const TestCa stranger = TestCa::Create("stranger");
  const TrustParameters wanted = {
      .purpose = Purpose::kTlsServer, .now_unix_s = kNow, .server_name = "a.test"};
  EXPECT_EQ(Label(Judge(ca, stranger.Issue({.dns = {"a.test"}}).chain, wanted)), "unknown_ca");
  EXPECT_EQ(Label(Judge(ca, ca.Issue({.dns = {"a.test"}}).chain, wanted)), "");
}

TEST(SecurityT25, AnIdentityCanBeRequired) {
  const TestCa ca = TestCa::Create("root");
  const LeafOptions leaf = {.dns = {"db.test"}, .uris = {"spiffe://test/db"}};
  EXPECT_EQ(Is(ca, leaf, {"spiffe://test/db"}), "");
  EXPECT_EQ(Is(ca, leaf, {"db.test"}), "");
  EXPECT_EQ(Is(ca, leaf, {"spiffe://test/other", "spiffe://test/db"}), "") << "one of them";
  EXPECT_EQ(Is(ca, leaf, {}), "");
  EXPECT_EQ(Is(ca, leaf, {"spiffe://test/other"}), "identity_not_allowed");
  EXPECT_EQ(Is(ca, leaf, {"spiffe://test"}), "identity_not_allowed");
  EXPECT_EQ(Is(ca, leaf, {"spiffe://test/db/x"}), "identity_not_allowed");
  EXPECT_EQ(Is(ca, leaf, {""}), "identity_not_allowed");
  EXPECT_EQ(Is(ca, {}, {"spiffe://test/db"}), "identity_not_allowed") << "it has no names";
}

TEST(SecurityT25, TwoUrisAreNoIdentity) {
  const TestCa ca = TestCa::Create("root");
  EXPECT_EQ(Is(ca, {.uris = {"spiffe://test/db", "spiffe://test/admin"}}, {"spiffe://test/db"}),
            "identity_not_allowed");
  EXPECT_EQ(Is(ca, {.uris = {"spiffe://test/db"}}, {"spiffe://test/db"}), "");
}

TEST(SecurityT25, AWildcardIsNobody) {
  const TestCa ca = TestCa::Create("root");
  EXPECT_EQ(Is(ca, {.dns = {"*.test"}}, {"db.test"}), "identity_not_allowed");
  EXPECT_EQ(Is(ca, {.dns = {"*.test"}}, {"*.test"}), "identity_not_allowed");
}

TEST(SecurityT25, ANulEndsNoName) {
  const TestCa ca = TestCa::Create("root");
  const std::string uri("spiffe://test/db\0x", 18);
  EXPECT_EQ(Is(ca, {.uris = {uri}}, {"spiffe://test/db"}), "bad_certificate");
  const std::string dns("a.test\0.evil.test", 17);
  EXPECT_EQ(Named(ca, {.dns = {dns}}, "a.test"), "name_mismatch");
  EXPECT_EQ(Named(ca, {.dns = {"a.test"}}, "a.test"), "");
}

TEST(SecurityT25, NameConstraintsBindEachKindOfName) {
  const TestCa root = TestCa::Create("root");
  const TestCa dns = root.Intermediate("i", {.name_constraints = "excluded;DNS:evil.test"});
  EXPECT_EQ(Serves(root, dns.Issue({.dns = {"good.test"}}).chain), "");
  EXPECT_EQ(Serves(root, dns.Issue({.dns = {"evil.test"}}).chain), "bad_certificate");
  EXPECT_EQ(Serves(root, dns.Issue({.dns = {"good.test", "www.evil.test"}}).chain),
            "bad_certificate");
  const TestCa uri = root.Intermediate("i", {.name_constraints = "permitted;URI:good.test"});
  EXPECT_EQ(Serves(root, uri.Issue({.uris = {"spiffe://good.test/a"}}).chain), "");
  EXPECT_EQ(Serves(root, uri.Issue({.uris = {"spiffe://evil.test/a"}}).chain), "bad_certificate");
  const TestCa ip =
      root.Intermediate("i", {.name_constraints = "permitted;IP:192.0.2.0/255.255.255.0"});
  EXPECT_EQ(Serves(root, ip.Issue({.ips = {{192, 0, 2, 9}}}).chain), "");
  EXPECT_EQ(Serves(root, ip.Issue({.ips = {{192, 0, 3, 9}}}).chain), "bad_certificate");
}

TEST(SecurityT25, NameConstraintsReachDown) {
  const TestCa root = TestCa::Create("root");
  const TestCa below =
      root.Intermediate("bound", {.permitted_dns = {"good.test"}}).Intermediate("below");
  EXPECT_EQ(Serves(root, below.Issue({.dns = {"a.good.test"}}).chain), "");
  EXPECT_EQ(Serves(root, below.Issue({.dns = {"evil.test"}}).chain), "bad_certificate");
}

TEST(SecurityT25, APathLengthCountsDown) {
  const TestCa root = TestCa::Create("root", {.path_length = 1});
  const TestCa one = root.Intermediate("one");
  EXPECT_EQ(Serves(root, one.Issue().chain), "");
  EXPECT_EQ(Serves(root, one.Intermediate("two").Issue().chain), "bad_certificate");
  // What an intermediate says of itself cannot widen what the one above it has said.
  const TestCa wide = root.Intermediate("one", {.path_length = 9});
  EXPECT_EQ(Serves(root, wide.Intermediate("two").Issue().chain), "bad_certificate");
}

TEST(SecurityT25, AnIssuerThatIsNoCaIssuesNothing) {
  const TestCa root = TestCa::Create("root");
  EXPECT_EQ(Serves(root, root.Intermediate("no ca", {.ca = false}).Issue().chain),
            "bad_certificate");
  EXPECT_EQ(Serves(root, root.Intermediate("v1-like", {.basic_constraints = false}).Issue().chain),
            "bad_certificate");
  EXPECT_EQ(Serves(root, root.Intermediate("ca").Issue().chain), "");
}

TEST(SecurityT25, AnIssuersUsageBindsWhatItIssues) {
  const TestCa root = TestCa::Create("root");
  const TestCa servers = root.Intermediate("servers", {.extended_key_usage = "serverAuth"});
  const Chain both = servers.Issue({.server = true, .client = true}).chain;
  EXPECT_EQ(Serves(root, both, Purpose::kTlsServer), "");
  EXPECT_EQ(Serves(root, both, Purpose::kTlsClient), "unsupported_certificate");
}

TEST(SecurityT25, OtherUsagesAreNotThisOne) {
  const TestCa root = TestCa::Create("root");
  for (const char* usage : {"codeSigning", "emailProtection", "OCSPSigning", "timeStamping"}) {
    EXPECT_EQ(Serves(root, root.Issue({.usages = usage}).chain), "unsupported_certificate")
        << usage;
  }
  EXPECT_EQ(Serves(root, root.Issue({.usages = "serverAuth,OCSPSigning"}).chain), "");
}

TEST(SecurityT25, WeakKeysAndHashesAreRefusedAnywhereOnThePath) {
  const TestCa root = TestCa::Create("root");
  for (const bool sha1 : {true, false}) {
    const std::string expected = sha1 ? "weak_certificate" : "";
    EXPECT_EQ(Serves(root, root.Issue({.sha1 = sha1}).chain), expected);
    EXPECT_EQ(Serves(root, root.Intermediate("i", {.sha1 = sha1}).Issue().chain), expected);
  }
  for (const int bits : {1024, 2048}) {
    const std::string expected = bits < 2048 ? "weak_certificate" : "";
    EXPECT_EQ(Serves(root, root.Issue({.rsa_bits = bits}).chain), expected);
    EXPECT_EQ(Serves(root, root.Intermediate("i", {.rsa_bits = bits}).Issue().chain), expected);
  }
}

TEST(SecurityT25, AnUnknownCriticalExtensionIsRefused) {
  const TestCa root = TestCa::Create("root");
  EXPECT_EQ(Serves(root, root.Issue({.unknown_critical = true}).chain), "unsupported_certificate");
  EXPECT_EQ(Serves(root, root.Issue({.unknown_critical = false}).chain), "");
}

}  // namespace
}  // namespace handfast::tls
