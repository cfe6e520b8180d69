// Path validation: each way in which a chain can be wrong, and the reason that it gives.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "tests/tls/crypto/test_ca.h"
#include "tests/tls/crypto/test_revocation.h"
#include "tls/crypto/x509.h"

namespace handfast::tls {
namespace {

using test::CaOptions;
using test::kDay;
using test::kNow;
using test::Leaf;
using test::LeafOptions;
using test::TestCa;
using Chain = std::vector<Bytes>;

constexpr TrustParameters kServer = {.purpose = Purpose::kTlsServer, .now_unix_s = kNow};
constexpr TrustParameters kClient = {.purpose = Purpose::kTlsClient, .now_unix_s = kNow};

// "" where the chain is trusted.
std::string Judge(const TestCa& root, const Chain& chain,
                  const TrustParameters& parameters = kServer) {
  const TrustBundle::Verdict verdict = root.Bundle().Verify(chain, parameters);
  EXPECT_EQ(verdict.reason.has_value(), !verdict.detail.empty());
  EXPECT_EQ(ERR_peek_error(), 0u);
  return verdict.reason ? std::string(Describe(*verdict.reason).label) : "";
}

TEST(Trust, TakesAGoodChain) {
  for (KeyType type : {KeyType::kEcdsaP256, KeyType::kEcdsaP384, KeyType::kEcdsaP521,
                       KeyType::kRsa2048, KeyType::kEd25519}) {
    const TestCa root = TestCa::Create("root", {.type = type});
    EXPECT_EQ(Judge(root, root.Issue({.type = type}).chain), "") << Name(type);
    EXPECT_EQ(Judge(root, root.Intermediate("i", {.type = type}).Issue({.type = type}).chain), "")
        << Name(type);
  }
}

TEST(Trust, MindsTheTime) {
  const TestCa root = TestCa::Create("root");
  EXPECT_EQ(Judge(root, root.Issue({.not_after_unix_s = kNow - 1}).chain), "certificate_expired");
  EXPECT_EQ(Judge(root, root.Issue({.not_before_unix_s = kNow + 1}).chain), "certificate_expired");
  EXPECT_EQ(
      Judge(root, root.Issue({.not_before_unix_s = kNow, .not_after_unix_s = kNow + 1}).chain), "");
  const TestCa old = root.Intermediate("old", {.not_after_unix_s = kNow - kDay});
  EXPECT_EQ(Judge(root, old.Issue().chain), "certificate_expired");
  TrustParameters then = kServer;
  then.now_unix_s = kNow - 2 * kDay;
  EXPECT_EQ(Judge(root, old.Issue().chain, then), "");
  EXPECT_EQ(root.Bundle().Verify(root.Issue({.not_after_unix_s = kNow - 1}).chain, kServer).detail,
            "certificate has expired (depth 0)");
}

// What rests on a chain ends with the first certificate of the path that was found.
TEST(Trust, SaysWhenThePathEnds) {
  const TestCa root = TestCa::Create("root", {.not_after_unix_s = kNow + 300});
  const TestCa issuing = root.Intermediate("issuing", {.not_after_unix_s = kNow + 200});
  const Leaf leaf = issuing.Issue({.not_after_unix_s = kNow + 100});
  const auto end = [](const TestCa& of, const Chain& chain) {
    return of.Bundle().Verify(chain, kServer).not_after_unix_s;
  };
  EXPECT_EQ(end(root, leaf.chain), kNow + 100);
  EXPECT_EQ(end(root, issuing.Issue().chain), kNow + 200);
  EXPECT_EQ(end(root, root.Issue().chain), kNow + 300);
  Chain more = root.Issue().chain;
  more.push_back(leaf.chain[0]);
  EXPECT_EQ(end(root, more), kNow + 300) << "what is not on the path does not matter";
}

TEST(Trust, ABundlesDigestIsThatOfItsRoots) {
  const TestCa one = TestCa::Create("root");
  const TestCa other = TestCa::Create("root");
  const auto digest = [](const std::string& pem) {
    return ToHex(TrustBundle::FromPem(pem)->digest().view());
  };
  EXPECT_EQ(digest(one.pem()), digest("# a comment\n" + one.pem()));
  EXPECT_NE(digest(one.pem()), digest(other.pem()));
  EXPECT_NE(digest(one.pem()), digest(one.pem() + other.pem()));
}

TEST(Trust, MindsThePurpose) {
  const TestCa root = TestCa::Create("root");
  const Chain server = root.Issue({.server = true, .client = false}).chain;
  const Chain client = root.Issue({.server = false, .client = true}).chain;
  const Chain both = root.Issue({.server = true, .client = true}).chain;
  const Chain neither = root.Issue({.server = false, .client = false}).chain;
  const Chain any = root.Issue({.extended_key_usage = false}).chain;
  EXPECT_EQ(Judge(root, server, kServer), "");
  EXPECT_EQ(Judge(root, server, kClient), "unsupported_certificate");
  EXPECT_EQ(Judge(root, client, kClient), "");
  EXPECT_EQ(Judge(root, client, kServer), "unsupported_certificate");
  for (const TrustParameters& parameters : {kServer, kClient}) {
    EXPECT_EQ(Judge(root, both, parameters), "");
    EXPECT_EQ(Judge(root, neither, parameters), "unsupported_certificate");
    EXPECT_EQ(Judge(root, any, parameters), "");
  }
}

// RFC 5280 §4.2.1.3: a key for agreement alone signs no CertificateVerify.
TEST(Trust, AClientsKeyIsForSignatures) {
  const TestCa root = TestCa::Create("root");
  LeafOptions options = {.server = false, .client = true};
  for (const char* usage : {"digitalSignature", "digitalSignature,keyAgreement"}) {
    options.key_usage = usage;
    EXPECT_EQ(Judge(root, root.Issue(options).chain, kClient), "") << usage;
  }
  options.key_usage = "keyAgreement";
  EXPECT_EQ(Judge(root, root.Issue(options).chain, kClient), "unsupported_certificate");
}

TEST(Trust, KnowsItsRootsAlone) {
  const TestCa root = TestCa::Create("root");
  const TestCa stranger = TestCa::Create("stranger");
  EXPECT_EQ(Judge(root, stranger.Issue().chain), "unknown_ca");
  EXPECT_EQ(Judge(root, stranger.Intermediate("i").Issue().chain), "unknown_ca");
  // The stranger's root sent along is still a stranger's.
  Chain with_root = stranger.Issue().chain;
  with_root.push_back(stranger.certificate());
  EXPECT_EQ(Judge(root, with_root), "unknown_ca");
  EXPECT_EQ(Judge(root, {stranger.certificate()}), "unknown_ca");
  // A missing intermediate is not fetched.
  EXPECT_EQ(Judge(root, {root.Intermediate("i").Issue().chain[0]}), "unknown_ca");
}

TEST(Trust, ARootsNameIsNotItsKey) {
  const TestCa root = TestCa::Create("root");
  const TestCa impostor = TestCa::Create("root");
  EXPECT_NE(Judge(root, impostor.Issue().chain), "");
}

TEST(Trust, AnIntermediateIsNoAnchor) {
  const TestCa root = TestCa::Create("root");
  const TestCa issuing = root.Intermediate("issuing");
  const Result<TrustBundle> bundle = TrustBundle::FromPem(issuing.pem());
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ(bundle->Verify(issuing.Issue().chain, kServer).reason, Reason::kUnknownCa);
}

TEST(Trust, OnlyCasIssue) {
  const TestCa root = TestCa::Create("root");
  EXPECT_EQ(Judge(root, root.Intermediate("no ca", {.ca = false}).Issue().chain),
            "bad_certificate");
  // Key usage says so, basicConstraints is not there.
  EXPECT_EQ(Judge(root, root.Intermediate("usage", {.basic_constraints = false}).Issue().chain),
            "bad_certificate");
}

TEST(Trust, MindsThePathLength) {
  const TestCa root = TestCa::Create("root");
  const TestCa last = root.Intermediate("last", {.path_length = 0});
  EXPECT_EQ(Judge(root, last.Issue().chain), "");
  EXPECT_EQ(Judge(root, last.Intermediate("one more").Issue().chain), "bad_certificate");
}

TEST(Trust, MindsNameConstraints) {
  const TestCa root = TestCa::Create("root");
  const TestCa bound = root.Intermediate("bound", {.permitted_dns = {"good.test"}});
  EXPECT_EQ(Judge(root, bound.Issue({.dns = {"a.good.test"}}).chain), "");
  EXPECT_EQ(Judge(root, bound.Issue({.dns = {"a.good.test", "evil.test"}}).chain),
            "bad_certificate");
}

TEST(Trust, RefusesWeakAlgorithms) {
  const TestCa root = TestCa::Create("root");
  const TestCa rsa_root = TestCa::Create("rsa root", {.type = KeyType::kRsa2048});
  EXPECT_EQ(Judge(root, root.Issue({.sha1 = true}).chain), "weak_certificate");
  EXPECT_EQ(Judge(rsa_root, rsa_root.Issue({.sha1 = true}).chain), "weak_certificate");
  EXPECT_EQ(Judge(root, root.Intermediate("i", {.sha1 = true}).Issue().chain), "weak_certificate");
  EXPECT_EQ(Judge(root, root.Issue({.rsa_bits = 1024}).chain), "weak_certificate");
  EXPECT_EQ(Judge(root, root.Intermediate("i", {.rsa_bits = 1024}).Issue().chain),
            "weak_certificate");
  // A root's signature of itself proves nothing, so its hash does not count; its key does.
  const TestCa sha1_root = TestCa::Create("root", {.sha1 = true});
  EXPECT_EQ(Judge(sha1_root, sha1_root.Issue().chain), "");
  const TestCa weak_root = TestCa::Create("root", {.rsa_bits = 1024});
  EXPECT_EQ(Judge(weak_root, weak_root.Issue().chain), "weak_certificate");
}

TEST(Trust, RefusesUnknownCriticalExtensions) {
  const TestCa root = TestCa::Create("root");
  EXPECT_EQ(Judge(root, root.Issue({.unknown_critical = true}).chain), "unsupported_certificate");
}

TestCa Deep(const TestCa& root, int intermediates) {
  TestCa ca = root;
  for (int i = 0; i < intermediates; ++i) ca = ca.Intermediate("level " + std::to_string(i));
  return ca;
}

TEST(Trust, MindsTheDepth) {
  const TestCa root = TestCa::Create("root");
  for (int depth : {0, 1, 4}) {
    TrustParameters parameters = kServer;
    parameters.max_depth = depth;
    EXPECT_EQ(Judge(root, Deep(root, depth).Issue().chain, parameters), "") << depth;
    EXPECT_EQ(Judge(root, Deep(root, depth + 1).Issue().chain, parameters), "bad_certificate")
        << depth;
  }
}

TEST(Trust, ADepthBombIsRefusedBeforeItIsParsed) {
  const TestCa root = TestCa::Create("root");
  const Chain good = root.Issue().chain;
  Chain bomb = good;
  bomb.resize(2048, good[0]);
  EXPECT_EQ(Judge(root, bomb), "bad_certificate");
  Chain broken = good;
  broken.resize(17, Bytes(10, 1));
  EXPECT_EQ(root.Bundle().Verify(broken, kServer).detail,
            "the chain has more than 16 certificates");
}

TEST(Trust, BearsExtraneousCertificatesInAnyOrder) {
  const TestCa root = TestCa::Create("root");
  const Chain chain = Deep(root, 2).Issue().chain;
  Chain shuffled = {chain[0], TestCa::Create("stranger").certificate(), chain[2], chain[1],
                    root.certificate()};
  EXPECT_EQ(Judge(root, shuffled), "");
}

TEST(Trust, RefusesWhatDoesNotParse) {
  const TestCa root = TestCa::Create("root");
  const Chain good = root.Intermediate("i").Issue().chain;
  EXPECT_EQ(Judge(root, {}), "bad_certificate");
  EXPECT_EQ(Judge(root, {Bytes()}), "bad_certificate");
  EXPECT_EQ(Judge(root, {good[0], Bytes(10, 1)}), "bad_certificate");
  Bytes longer = good[0];
  longer.push_back(0);
  EXPECT_EQ(Judge(root, {longer, good[1]}), "bad_certificate");
}

TEST(Trust, AForgedSignatureIsFound) {
  const TestCa root = TestCa::Create("root");
  Chain chain = root.Issue().chain;
  chain[0].back() ^= 1;
  EXPECT_EQ(Judge(root, chain), "bad_certificate");
}

TEST(Trust, ABundleHoldsManyRoots) {
  const TestCa one = TestCa::Create("one");
  const TestCa two = TestCa::Create("two");
  const Result<TrustBundle> bundle = TrustBundle::FromPem(one.pem() + two.pem() + one.pem());
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ(bundle->subjects().size(), 3u);
  EXPECT_FALSE(bundle->Verify(one.Issue().chain, kServer).reason);
  EXPECT_FALSE(bundle->Verify(two.Issue().chain, kServer).reason);
  EXPECT_EQ(TrustBundle::FromPem("").reason(), Reason::kBadCertificate);
  EXPECT_EQ(TrustBundle::FromPem(one.Issue().key_pem).reason(), Reason::kBadCertificate);
}

// One store serves all calls: none may leave anything to the next.
TEST(Trust, CallsAreIndependent) {
  const TestCa root = TestCa::Create("root");
  const TrustBundle bundle = root.Bundle();
  const Chain server = root.Issue().chain;
  const Chain expired = root.Issue({.not_after_unix_s = kNow - 1}).chain;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(bundle.Verify(server, kServer).reason);
    EXPECT_EQ(bundle.Verify(server, kClient).reason, Reason::kUnsupportedCertificate);
    EXPECT_EQ(bundle.Verify(expired, kServer).reason, Reason::kCertificateExpired);
  }
}

TEST(Trust, ManyThreadsShareABundle) {
  const TestCa root = TestCa::Create("root");
  const TrustBundle bundle = root.Bundle();
  const Chain good = root.Intermediate("i").Issue().chain;
  const Chain expired = root.Issue({.not_after_unix_s = kNow - 1}).chain;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        right += !bundle.Verify(good, kServer).reason &&
                 bundle.Verify(expired, kServer).reason == Reason::kCertificateExpired;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 4 * 20);
}

// RFC 6066 §8: what a server stapled counts, on its issuer's word; RFC 7633: the leaf may demand
// it.
TEST(Trust, MindsAServersOcspResponse) {
  using Status = test::OcspOptions::Status;
  const TestCa root = TestCa::Create("root");
  const TestCa issuing = root.Intermediate("issuing");
  const Leaf leaf = issuing.Issue();
  const auto judge = [&](const Chain& chain, const Bytes& response, bool require = false) {
    TrustParameters parameters = kServer;
    parameters.ocsp_response = response;
    parameters.require_ocsp_response = require;
    return Judge(root, chain, parameters);
  };
  const Bytes good = MakeOcsp(issuing, leaf.chain[0]);
  EXPECT_EQ(judge(leaf.chain, good, true), "");
  EXPECT_EQ(judge(leaf.chain, {}), "");
  EXPECT_EQ(judge(leaf.chain, {}, true), "no_ocsp_response");
  EXPECT_EQ(judge(leaf.chain, MakeOcsp(issuing, leaf.chain[0], {.status = Status::kRevoked})),
            "certificate_revoked");
  EXPECT_EQ(judge(leaf.chain, MakeOcsp(root, leaf.chain[0])), "bad_ocsp_response");
  const Leaf promising = issuing.Issue({.must_staple = true});
  EXPECT_EQ(judge(promising.chain, {}), "no_ocsp_response");
  EXPECT_EQ(judge(promising.chain, MakeOcsp(issuing, promising.chain[0])), "");
  EXPECT_EQ(judge(promising.chain, good), "bad_ocsp_response") << "another's will not do";
  // A client is asked for none.
  TrustParameters client = kClient;
  client.require_ocsp_response = true;
  EXPECT_EQ(Judge(root, issuing.Issue({.client = true, .must_staple = true}).chain, client), "");
}

}  // namespace
}  // namespace handfast::tls
