// Which credential a handshake gets: exact name, wildcard, default; by the peer's algorithms; by
// activation.
#include "server/custody/index.h"

#include <utility>

#include <gtest/gtest.h>

namespace handfast::custody {
namespace {

using tls::Reason;
using tls::SignatureScheme;

constexpr SignatureScheme kEcdsa = SignatureScheme::kEcdsaSecp256r1Sha256;
constexpr SignatureScheme kPss = SignatureScheme::kRsaPssRsaeSha256;
constexpr SignatureScheme kPkcs1 = SignatureScheme::kRsaPkcs1Sha256;

constexpr int64_t kNow = 1000;
int64_t next_activation = 1;

ActiveCredential Active(const std::string& name, std::vector<std::string> dns_names,
                        std::vector<SignatureScheme> schemes, bool is_default = false) {
  auto credential = std::make_shared<tls::Credential>();
  credential->name = name;
  credential->schemes = std::move(schemes);
  return {.credential = std::move(credential),
          .key = nullptr,
          .key_id = name,
          .dns_names = std::move(dns_names),
          .is_default = is_default,
          .activation = next_activation++,
          .not_after_unix_s = kNow};
}

ActiveCredential Expired(ActiveCredential active) {
  active.not_after_unix_s = kNow - 1;
  return active;
}

ActiveCredential Stapled(ActiveCredential active, int64_t next_update_unix_s) {
  auto stapled = std::make_shared<tls::Credential>(*active.credential);
  stapled->ocsp_response = {1, 2, 3};
  active.unstapled = std::exchange(active.credential, std::move(stapled));
  active.ocsp_next_update_unix_s = next_update_unix_s;
  return active;
}

// Its chain is signed with this.
ActiveCredential SignedWith(ActiveCredential active, SignatureScheme scheme) {
  auto credential = std::make_shared<tls::Credential>(*active.credential);
  credential->signatures = tls::SchemeSet::Of({scheme});
  active.credential = std::move(credential);
  return active;
}

tls::Choose Ask(const std::string& server_name, std::vector<SignatureScheme> schemes) {
  return {.id = 1, .server_name = server_name, .schemes = std::move(schemes)};
}

std::string Chosen(const TenantIndex& index, const std::string& server_name,
                   std::vector<SignatureScheme> schemes = {kEcdsa, kPss},
                   const std::string& pinned = "", bool refuse_unknown = false) {
  const tls::Chosen chosen =
      index.Choose(Ask(server_name, std::move(schemes)), pinned, refuse_unknown, kNow);
  if (chosen.credential) return chosen.credential->name;
  return std::string(tls::Describe(chosen.refusal).label);
}

std::string Label(Reason reason) { return std::string(tls::Describe(reason).label); }

TEST(TenantIndex, ExactBeforeWildcardBeforeDefault) {
  const TenantIndex index({Active("default", {"other.test"}, {kEcdsa}, true),
                           Active("wild", {"*.example.test"}, {kEcdsa}),
                           Active("exact", {"www.example.test"}, {kEcdsa})});
  EXPECT_EQ(Chosen(index, "www.example.test"), "exact");
  EXPECT_EQ(Chosen(index, "api.example.test"), "wild");
  EXPECT_EQ(Chosen(index, "example.test"), "default") << "a wildcard is a label, not none";
  EXPECT_EQ(Chosen(index, "a.b.example.test"), "default") << "nor two";
  EXPECT_EQ(Chosen(index, ".example.test"), "default") << "nor an empty one";
  EXPECT_EQ(Chosen(index, "test"), "default");
  EXPECT_EQ(Chosen(index, ""), "default");
  EXPECT_EQ(Chosen(index, "other.test"), "default") << "by its name";
  EXPECT_EQ(Chosen(index, "*.example.test"), "wild") << "a peer's asterisk is a label";
}

// What is chosen where the peer can check ECDSA keys, and takes this in certificates.
std::string ChosenFor(const TenantIndex& index, tls::ProtocolVersion version, SignatureScheme taken,
                      const std::string& pinned = "", bool as_client = false) {
  tls::Choose question = Ask("www.example.test", {kEcdsa, kPss});
  question.version = version;
  question.certificate_schemes = tls::SchemeSet::Of({taken});
  question.as_client = as_client;
  const tls::Chosen chosen = index.Choose(question, pinned, /*refuse_unknown=*/false, kNow);
  return chosen.credential ? chosen.credential->name
                           : std::string(tls::Describe(chosen.refusal).label);
}

constexpr auto kTls12 = tls::ProtocolVersion::kTls12;
constexpr auto kTls13 = tls::ProtocolVersion::kTls13;

// RFC 8446 §4.4.2.2: "All certificates provided by the server MUST be signed by a signature
// algorithm advertised by the client if it is able to provide such a chain".
TEST(TenantIndex, AChainThatThePeerTakesComesFirst) {
  const std::vector<std::string> www = {"www.example.test"};
  const TenantIndex index({
      SignedWith(Active("wild", {"*.example.test"}, {kEcdsa}), kPss),
      SignedWith(Active("rsa", www, {kEcdsa}), kPkcs1),
      SignedWith(Expired(Active("old", www, {kEcdsa})), kPss),
      SignedWith(Active("latest", www, {kEcdsa}), kEcdsa),
  });
  for (const auto version : {kTls12, kTls13}) {
    EXPECT_EQ(ChosenFor(index, version, kEcdsa), "latest");
    EXPECT_EQ(ChosenFor(index, version, kPkcs1), "rsa") << "not the latest, but it is taken";
    EXPECT_EQ(ChosenFor(index, version, kPss), "wild") << "a wildcard in time is taken";
  }
}

// RFC 8446 §4.4.2.2: "If the server cannot produce a certificate chain that is signed only via the
// indicated supported algorithms, then it SHOULD continue"; RFC 5246 §7.4.2 has no such sentence.
TEST(TenantIndex, WithoutSuchAChainTls13GoesOn) {
  const auto ed25519 = SignatureScheme::kEd25519;
  const std::vector<std::string> www = {"www.example.test"};
  const TenantIndex index({SignedWith(Active("one", www, {kEcdsa}), kPkcs1),
                           SignedWith(Expired(Active("old", www, {kEcdsa})), kPss)});
  EXPECT_EQ(ChosenFor(index, kTls13, ed25519), "one");
  EXPECT_EQ(ChosenFor(index, kTls13, kPss), "one") << "one in time, before one that is taken";
  EXPECT_EQ(ChosenFor(index, kTls13, ed25519, "one"), "one");
  const std::string refused = Label(Reason::kNoCommonSignatureScheme);
  EXPECT_EQ(ChosenFor(index, kTls12, ed25519), refused);
  EXPECT_EQ(ChosenFor(index, kTls12, ed25519, "one"), refused);
  EXPECT_EQ(ChosenFor(index, kTls12, kPss), "old");
  EXPECT_EQ(ChosenFor(index, kTls12, kPkcs1, "one"), "one") << "the control";
}

// RFC 8446 §4.4.2.3, RFC 5246 §7.4.4: a client shows none that is signed otherwise.
TEST(TenantIndex, AsAClientNoOtherChainIsShown) {
  ActiveCredential rsa = SignedWith(Active("rsa", {}, {kEcdsa}), kPkcs1);
  ActiveCredential pss = SignedWith(Active("pss", {}, {kEcdsa}), kPss);
  rsa.for_clients = pss.for_clients = true;
  const TenantIndex index({rsa, pss});
  for (const auto version : {kTls12, kTls13}) {
    for (const char* pinned : {"", "rsa"}) {
      EXPECT_EQ(ChosenFor(index, version, kPkcs1, pinned, true), "rsa");
      EXPECT_EQ(ChosenFor(index, version, kEcdsa, pinned, true),
                Label(Reason::kNoCommonSignatureScheme));
    }
    EXPECT_EQ(ChosenFor(index, version, kPss, "", true), "pss");
  }
}

TEST(TenantIndex, PartialWildcardsMatchNothing) {
  const TenantIndex index({Active("partial", {"w*.example.test"}, {kEcdsa})});
  EXPECT_EQ(Chosen(index, "www.example.test"), Label(Reason::kNoCredential));
}

TEST(TenantIndex, AlgorithmsComeFirst) {
  const TenantIndex index({Active("rsa-exact", {"www.example.test"}, {kPss, kPkcs1}),
                           Active("ecdsa-wild", {"*.example.test"}, {kEcdsa}),
                           Active("rsa-default", {}, {kPss, kPkcs1}, true)});
  EXPECT_EQ(Chosen(index, "www.example.test", {kEcdsa}), "ecdsa-wild");
  EXPECT_EQ(Chosen(index, "www.example.test", {kPkcs1}), "rsa-exact");
  EXPECT_EQ(Chosen(index, "api.example.test", {kPkcs1}), "rsa-default");
  EXPECT_EQ(Chosen(index, "api.example.test", {SignatureScheme::kEd25519}),
            Label(Reason::kNoCommonSignatureScheme));
  EXPECT_EQ(Chosen(index, "", {}), Label(Reason::kNoCommonSignatureScheme));
}

TEST(TenantIndex, BetweenEqualsThePeersBestSchemeDecides) {
  const TenantIndex index(
      {Active("rsa", {"a.test"}, {kPss, kPkcs1}), Active("ecdsa", {"a.test"}, {kEcdsa})});
  EXPECT_EQ(Chosen(index, "a.test", {kPss, kEcdsa}), "rsa");
  EXPECT_EQ(Chosen(index, "a.test", {kEcdsa, kPss}), "ecdsa");
}

TEST(TenantIndex, BetweenEqualSchemesTheLatestActivationDecides) {
  const TenantIndex index(
      {Active("old", {"a.test"}, {kEcdsa}, true), Active("new", {"a.test"}, {kEcdsa}, true)});
  EXPECT_EQ(Chosen(index, "a.test"), "new");
  EXPECT_EQ(Chosen(index, "unknown.test"), "new");
}

TEST(TenantIndex, AnExpiredCertificateGivesWayToAllOfItsName) {
  const std::string name = "www.example.test";
  const auto ecdsa = [&] { return Active("ecdsa", {name}, {kEcdsa}); };
  const auto rsa = [&] { return Active("rsa", {name}, {kPss}); };
  EXPECT_EQ(Chosen(TenantIndex({ecdsa(), rsa()}), name), "ecdsa") << "the control";
  EXPECT_EQ(Chosen(TenantIndex({Expired(ecdsa()), rsa()}), name), "rsa");
  EXPECT_EQ(Chosen(TenantIndex({Expired(ecdsa()), rsa()}), name, {kEcdsa}), "ecdsa")
      << "the peer can read no other";
  EXPECT_EQ(Chosen(TenantIndex({Expired(ecdsa()), Active("wild", {"*.example.test"}, {kEcdsa}),
                                Active("default", {}, {kEcdsa}, true)}),
                   name),
            "wild");
  EXPECT_EQ(Chosen(TenantIndex({Expired(ecdsa()), Active("default", {}, {kEcdsa}, true)}), name),
            "ecdsa")
      << "the default bears another name";
}

TEST(TenantIndex, PinnedMeansThatOne) {
  const TenantIndex index({Active("tenants/t/credentials/a", {"a.test"}, {kEcdsa}),
                           Active("tenants/t/credentials/b", {"b.test"}, {kPss})});
  EXPECT_EQ(Chosen(index, "b.test", {kEcdsa, kPss}, "tenants/t/credentials/a"),
            "tenants/t/credentials/a");
  EXPECT_EQ(Chosen(index, "b.test", {kPss}, "tenants/t/credentials/a"),
            Label(Reason::kNoCommonSignatureScheme));
  EXPECT_EQ(Chosen(index, "b.test", {kPss}, "tenants/u/credentials/a"),
            Label(Reason::kNoCredential));
  EXPECT_EQ(Chosen(index, "x.test", {kEcdsa}, "tenants/t/credentials/a", true),
            "tenants/t/credentials/a")
      << "the caller chose; the name is not looked at";
}

TEST(TenantIndex, RefusesUnknownNamesWhereAsked) {
  const TenantIndex index({Active("a", {"a.test"}, {kPss}), Active("d", {}, {kEcdsa}, true)});
  EXPECT_EQ(Chosen(index, "b.test", {kEcdsa}, "", true), Label(Reason::kUnrecognizedName));
  EXPECT_EQ(Chosen(index, "a.test", {kEcdsa}, "", true), Label(Reason::kNoCommonSignatureScheme));
  EXPECT_EQ(Chosen(index, "", {kEcdsa}, "", true), "d") << "no name is no unknown name";
}

// ---- The client role.

ActiveCredential Client(const std::string& name, std::vector<SignatureScheme> schemes,
                        std::vector<std::string> issuers = {"root"}) {
  ActiveCredential active = Active(name, {}, std::move(schemes));
  active.for_clients = true;
  active.issuers = std::move(issuers);
  return active;
}

std::string ChosenAsClient(const TenantIndex& index, const std::vector<std::string>& authorities,
                           std::vector<SignatureScheme> schemes = {kEcdsa, kPss},
                           const std::string& pinned = "") {
  tls::Choose question = Ask("db.test", std::move(schemes));
  question.as_client = true;
  for (const std::string& authority : authorities) {
    question.certificate_authorities.push_back(tls::Copy(tls::AsBytes(authority)));
  }
  // refuse_unknown is about the names that a server is asked for.
  const tls::Chosen chosen = index.Choose(question, pinned, /*refuse_unknown=*/true, kNow);
  if (chosen.credential) return chosen.credential->name;
  return std::string(tls::Describe(chosen.refusal).label);
}

TEST(TenantIndexAsClient, ChoosesByTheIssuersAlongTheChain) {
  const TenantIndex index(
      {Client("a", {kEcdsa}, {"issuing a", "root a"}), Client("b", {kEcdsa}, {"root b"})});
  EXPECT_EQ(ChosenAsClient(index, {"root a"}), "a");
  EXPECT_EQ(ChosenAsClient(index, {"issuing a"}), "a");
  EXPECT_EQ(ChosenAsClient(index, {"root b"}), "b");
  EXPECT_EQ(ChosenAsClient(index, {"root c", "root b", "root b"}), "b");
  EXPECT_EQ(ChosenAsClient(index, {"root a", "root b"}), "b") << "the latest activation";
  EXPECT_EQ(ChosenAsClient(index, {}), "b") << "any authority";
  EXPECT_EQ(ChosenAsClient(index, {"root c"}), Label(Reason::kNoCredential));
  EXPECT_EQ(ChosenAsClient(index, {"root"}), Label(Reason::kNoCredential)) << "whole names alone";
}

TEST(TenantIndexAsClient, ThenByTheServersBestScheme) {
  const TenantIndex index({Client("ecdsa", {kEcdsa}), Client("rsa", {kPss, kPkcs1})});
  EXPECT_EQ(ChosenAsClient(index, {"root"}, {kEcdsa, kPss}), "ecdsa");
  EXPECT_EQ(ChosenAsClient(index, {"root"}, {kPss, kEcdsa}), "rsa");
  EXPECT_EQ(ChosenAsClient(index, {"root"}, {SignatureScheme::kEd25519}),
            Label(Reason::kNoCommonSignatureScheme));
}

TEST(TenantIndexAsClient, PresentsNoServersAndNoExpiredCertificateUnasked) {
  const TenantIndex servers({Active("web", {"db.test"}, {kEcdsa}, true)});
  EXPECT_EQ(ChosenAsClient(servers, {}), Label(Reason::kNoCredential))
      << "neither by name nor as the default";
  EXPECT_EQ(Chosen(servers, "db.test"), "web") << "the control: the server role";
  const TenantIndex old({Client("new", {kEcdsa}), Expired(Client("old", {kEcdsa}))});
  EXPECT_EQ(ChosenAsClient(old, {}), "new");
  EXPECT_EQ(ChosenAsClient(TenantIndex({Expired(Client("old", {kEcdsa}))}), {}),
            Label(Reason::kNoCredential));
}

TEST(TenantIndexAsClient, PinnedMeansThatOneWhereItFits) {
  const TenantIndex index({Client("a", {kEcdsa}, {"root a"}), Client("b", {kEcdsa}, {"root b"})});
  EXPECT_EQ(ChosenAsClient(index, {"root a"}, {kEcdsa}, "a"), "a");
  EXPECT_EQ(ChosenAsClient(index, {}, {kEcdsa}, "a"), "a");
  EXPECT_EQ(ChosenAsClient(index, {"root b"}, {kEcdsa}, "a"), Label(Reason::kNoCredential))
      << "and no other in its place";
  EXPECT_EQ(ChosenAsClient(index, {"root a"}, {kPss}, "a"),
            Label(Reason::kNoCommonSignatureScheme));
  EXPECT_EQ(ChosenAsClient(index, {}, {kEcdsa}, "c"), Label(Reason::kNoCredential));
}

TEST(TenantIndex, EmptyHasNoCredential) {
  const TenantIndex index({});
  EXPECT_EQ(Chosen(index, "a.test"), Label(Reason::kNoCredential));
  EXPECT_EQ(Chosen(index, "a.test", {kEcdsa}, "", true), Label(Reason::kUnrecognizedName));
  EXPECT_EQ(index.Find("x"), nullptr);
  EXPECT_EQ(index.FindKey("x"), nullptr);
}

TEST(TenantIndex, AResponseIsShownUntilItsNextUpdate) {
  const auto stapled_at = [](const ActiveCredential& active) {
    const TenantIndex index({active});
    const tls::Chosen chosen = index.Choose(Ask("a.test", {kEcdsa}), "", false, kNow);
    EXPECT_EQ(chosen.credential->name, "a");
    return !chosen.credential->ocsp_response.empty();
  };
  const auto active = [] { return Active("a", {"a.test"}, {kEcdsa}); };
  EXPECT_FALSE(stapled_at(active()));
  EXPECT_TRUE(stapled_at(Stapled(active(), kNow + 1)));
  EXPECT_TRUE(stapled_at(Stapled(active(), kNow)));
  EXPECT_FALSE(stapled_at(Stapled(active(), kNow - 1)));
}

}  // namespace
}  // namespace handfast::custody
