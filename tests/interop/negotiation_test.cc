// What the matrix leaves at its default: suites, a HelloRetryRequest, ALPN, and that the clients do
// verify the server, without which no cell of the matrix would mean much.
#include <algorithm>
#include <cctype>

#include <gtest/gtest.h>

#include "tests/interop/cell.h"
#include "tests/interop/clients.h"
#include "tests/interop/pki.h"

namespace handfast::tls::test {
namespace {

#define SKIP_WITHOUT(stack)                                                \
  if (const std::string package = MissingPackage(stack); !package.empty()) \
  GTEST_SKIP() << package << " is not installed"

std::string Identifier(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return text;
}

void ExpectGood(const Outcome& outcome, Stack stack) {
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.established());
  EXPECT_EQ(outcome.server.trouble, "");
  EXPECT_TRUE(outcome.client_content(stack));
}

struct SuiteCase {
  CipherSuite suite;
  const char* name;  // OpenSSL's
  KeyType key;
};

constexpr SuiteCase kSuites[] = {
    {CipherSuite::kTlsAes128GcmSha256, "TLS_AES_128_GCM_SHA256", KeyType::kEcdsaP256},
    {CipherSuite::kTlsAes256GcmSha384, "TLS_AES_256_GCM_SHA384", KeyType::kEcdsaP256},
    {CipherSuite::kTlsChaCha20Poly1305Sha256, "TLS_CHACHA20_POLY1305_SHA256", KeyType::kEcdsaP256},
    {CipherSuite::kEcdheEcdsaAes128GcmSha256, "ECDHE-ECDSA-AES128-GCM-SHA256", KeyType::kEcdsaP256},
    {CipherSuite::kEcdheEcdsaAes256GcmSha384, "ECDHE-ECDSA-AES256-GCM-SHA384", KeyType::kEcdsaP256},
    {CipherSuite::kEcdheEcdsaChaCha20Poly1305Sha256, "ECDHE-ECDSA-CHACHA20-POLY1305",
     KeyType::kEcdsaP256},
    {CipherSuite::kEcdheRsaAes128GcmSha256, "ECDHE-RSA-AES128-GCM-SHA256", KeyType::kRsa2048},
    {CipherSuite::kEcdheRsaAes256GcmSha384, "ECDHE-RSA-AES256-GCM-SHA384", KeyType::kRsa2048},
    {CipherSuite::kEcdheRsaChaCha20Poly1305Sha256, "ECDHE-RSA-CHACHA20-POLY1305",
     KeyType::kRsa2048},
};

class SuiteTest : public testing::TestWithParam<SuiteCase> {};

TEST_P(SuiteTest, OfOpenssl) {
  SKIP_WITHOUT(Stack::kOpenssl);
  const SuiteCase& param = GetParam();
  Errand errand{.stack = Stack::kOpenssl, .version = ProtocolVersion::kTls12};
  if (std::string_view(param.name).starts_with("TLS_")) errand.version = ProtocolVersion::kTls13;
  errand.suites = param.name;
  const Outcome outcome = RunClient(errand, ServerKit::For(ServerLeaf(param.key)));
  ExpectGood(outcome, errand.stack);
  ASSERT_TRUE(outcome.established());
  EXPECT_EQ(Name(outcome.server.established->cipher_suite), Name(param.suite));
}

INSTANTIATE_TEST_SUITE_P(All, SuiteTest, testing::ValuesIn(kSuites),
                         [](const auto& info) { return Identifier(info.param.name); });

// RFC 8446 §4.1.4: the client's share is for a group that the profile has not.
struct RetryCase {
  Stack stack;
  NamedGroup first;
  NamedGroup second;
};

class RetryTest : public testing::TestWithParam<RetryCase> {};

TEST_P(RetryTest, HelloRetryRequest) {
  SKIP_WITHOUT(GetParam().stack);
  const Errand errand{.stack = GetParam().stack,
                      .version = ProtocolVersion::kTls13,
                      .groups = {GetParam().first, GetParam().second}};
  const Outcome outcome =
      RunClient(errand, ServerKit::For(ServerLeaf(KeyType::kEcdsaP256), ModernProfile()));
  ExpectGood(outcome, errand.stack);
  ASSERT_TRUE(outcome.established());
  EXPECT_EQ(outcome.server.client_hellos, 2);
  EXPECT_EQ(Name(outcome.server.established->group), Name(GetParam().second));
}

std::vector<RetryCase> RetryCases() {
  std::vector<RetryCase> cases;
  for (Stack stack : kClients) {
    if (Lacking({stack, ProtocolVersion::kTls13, KeyType::kEcdsaP256, Auth::kNone, Way::kRetry})) {
      continue;
    }
    for (NamedGroup first : {NamedGroup::kSecp384r1, NamedGroup::kSecp521r1}) {
      // JSSE would bring a share for X25519 as well.
      if (stack != Stack::kJsse) cases.push_back({stack, first, NamedGroup::kX25519});
      cases.push_back({stack, first, NamedGroup::kSecp256r1});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, RetryTest, testing::ValuesIn(RetryCases()), [](const auto& info) {
  return std::string(Name(info.param.stack)) + "_" + Identifier(Name(info.param.first)) + "_" +
         Identifier(Name(info.param.second));
});

struct StackCase {
  Stack stack;
  ProtocolVersion version;
};

std::string NameOfStackCase(const testing::TestParamInfo<StackCase>& info) {
  return std::string(Name(info.param.stack)) + "_" + Identifier(Name(info.param.version));
}

std::vector<StackCase> StackCases() {
  std::vector<StackCase> cases;
  for (Stack stack : kClients) {
    for (ProtocolVersion version : kVersions) {
      if (Lacking({stack, version, KeyType::kEcdsaP256, Auth::kNone}) == nullptr) {
        cases.push_back({stack, version});
      }
    }
  }
  return cases;
}

// RFC 7301 §3.2. tstclnt has no option for it.
class AlpnTest : public testing::TestWithParam<StackCase> {
 protected:
  Outcome RunWith(const std::string& ours) const {
    const Errand errand{
        .stack = GetParam().stack, .version = GetParam().version, .alpn = "http/1.1"};
    ServeOptions options;
    options.connection.alpn = {"something-else/1", ours};
    ServerKit kit = ServerKit::For(ServerLeaf(KeyType::kEcdsaP256));
    Accommodate(errand.stack, kit.profile);
    return RunClient(errand, kit, options);
  }
};

TEST_P(AlpnTest, OursThatTheClientOffers) {
  SKIP_WITHOUT(GetParam().stack);
  const Outcome outcome = RunWith("http/1.1");
  ExpectGood(outcome, GetParam().stack);
  ASSERT_TRUE(outcome.established());
  EXPECT_EQ(outcome.server.established->alpn, "http/1.1");
}

TEST_P(AlpnTest, NoneInCommon) {
  SKIP_WITHOUT(GetParam().stack);
  const Outcome outcome = RunWith("something-else/2");
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.server.failure.has_value());
  EXPECT_EQ(outcome.server.failure->reason, Reason::kNoCommonProtocol);
  EXPECT_EQ(outcome.server.failure->alert, 120);  // no_application_protocol
  EXPECT_NE(outcome.exit_code.value_or(0), 0);
}

std::vector<StackCase> AlpnCases() {
  std::vector<StackCase> cases = StackCases();
  std::erase_if(cases, [](const StackCase& param) { return param.stack == Stack::kNss; });
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, AlpnTest, testing::ValuesIn(AlpnCases()), NameOfStackCase);

// RFC 5746 §3.6: what Accommodate lets pass is refused by default.
TEST(WolfsslTest, WithoutRenegotiationInfo) {
  SKIP_WITHOUT(Stack::kWolfssl);
  const Outcome outcome = RunClient({.stack = Stack::kWolfssl, .version = ProtocolVersion::kTls12},
                                    ServerKit::For(ServerLeaf(KeyType::kEcdsaP256)));
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.server.failure.has_value());
  EXPECT_EQ(outcome.server.failure->reason, Reason::kRenegotiationInfoRequired);
}

// The negative controls of the whole matrix: each client refuses a server that it should not trust.
class VerificationTest : public testing::TestWithParam<StackCase> {
 protected:
  void ExpectRefused(const Leaf& leaf) const {
    const Errand errand{.stack = GetParam().stack, .version = GetParam().version};
    ServerKit kit = ServerKit::For(leaf);
    Accommodate(errand.stack, kit.profile);
    const Outcome outcome = RunClient(errand, kit);
    SCOPED_TRACE(outcome.ToText());
    EXPECT_NE(outcome.exit_code.value_or(0), 0);
    EXPECT_FALSE(outcome.client_content(GetParam().stack));
    // Some judge the server only when the handshake is over, but none tells it anything.
    EXPECT_EQ(outcome.server.request, "");
    EXPECT_TRUE(outcome.established() || outcome.server.failure->reason == Reason::kPeerAlert);
  }
};

TEST_P(VerificationTest, UnknownAuthority) {
  SKIP_WITHOUT(GetParam().stack);
  static const TestCa stranger = TestCa::Create("stranger");
  ExpectRefused(stranger.Issue({.dns = {kServerName}}));
}

TEST_P(VerificationTest, AnotherName) {
  SKIP_WITHOUT(GetParam().stack);
  ExpectRefused(Root().Issue({.dns = {"other.test"}}));
}

INSTANTIATE_TEST_SUITE_P(All, VerificationTest, testing::ValuesIn(StackCases()), NameOfStackCase);

}  // namespace
}  // namespace handfast::tls::test
