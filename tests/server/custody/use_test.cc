// The answers to a handshake's questions, over real keys; and readers beside a writer.
#include <atomic>
#include <thread>

#include "server/custody/custody.h"
#include "tests/server/custody/fixture.h"

namespace handfast::custody {
namespace {

using tls::KeyType;
using tls::Reason;
using tls::SignatureScheme;

tls::UsePrivateKey Question(const std::string& credential, SignatureScheme scheme) {
  return {.id = 42,
          .credential = credential,
          .scheme = scheme,
          .intent = tls::Tls13ServerCertificateVerify{tls::Bytes(32, 0xab)}};
}

tls::Choose Ask(const std::string& name, std::vector<SignatureScheme> schemes) {
  const tls::SchemeSet certificates = tls::SchemeSet::Of(schemes);
  return {.id = 7,
          .server_name = name,
          .schemes = std::move(schemes),
          .certificate_schemes = certificates};
}

TEST_F(CustodyTest, SignsTheContentOfTheIntentWithEachType) {
  Open();
  for (const KeyType type : {KeyType::kRsa2048, KeyType::kEcdsaP256, KeyType::kEcdsaP384,
                             KeyType::kEcdsaP521, KeyType::kEd25519}) {
    const std::string id = "k" + std::to_string(static_cast<int>(type));
    const ImportedKey imported = Import("shop", id, {.type = type, .dns = {"a.test"}});
    const SignatureScheme scheme = tls::SchemesOf(type).front();
    const tls::UsePrivateKey question = Question(imported.credential->name, scheme);
    const tls::PrivateKeyUsed used = custody_->Use("shop", question);
    EXPECT_EQ(used.question, 42U);
    EXPECT_TRUE(tls::VerifySignature(tls::ProtocolVersion::kTls13, scheme,
                                     imported.key.public_key_der,
                                     tls::ContentToSign(question.intent), used.signature));
  }
}

// T1: what cannot be a premaster secret is answered like one. See tests/tls/crypto.
TEST_F(CustodyTest, RecoversAPremasterSecret) {
  Open();
  const ImportedKey rsa = Import("shop", "rsa", {.type = KeyType::kRsa2048, .dns = {"a.test"}});
  const ImportedKey ecdsa = Import("shop", "ecdsa", {.dns = {"b.test"}});
  const auto use = [&](const char* tenant, const std::string& credential) {
    return custody_->Use(tenant, {.id = 9,
                                  .credential = credential,
                                  .scheme = SignatureScheme::kRsaPssRsaeSha256,
                                  .intent = tls::Tls12RsaPremaster{tls::Bytes(256, 1), 0x0303}});
  };
  const tls::PrivateKeyUsed used = use("shop", rsa.credential->name);
  EXPECT_EQ(used.question, 9U);
  ASSERT_NE(used.premaster, nullptr);
  EXPECT_EQ(used.premaster->size(), 48U);
  EXPECT_TRUE(used.signature.empty());
  EXPECT_EQ(use("bank", rsa.credential->name).refusal, Reason::kPrivateKeyRefused);
  EXPECT_EQ(use("bank", rsa.credential->name).premaster, nullptr);
  EXPECT_EQ(use("shop", ecdsa.credential->name).refusal, Reason::kPrivateKeyRefused);
  EXPECT_EQ(use("shop", ecdsa.credential->name).premaster, nullptr);
}

TEST_F(CustodyTest, ChoosesAsAClientByWhatTheCertificatesSay) {
  Open();
  const tls::test::TestCa issuing = ca_.Intermediate("issuing");
  ImportLeaf("shop", "device", issuing.Issue({.server = false, .client = true}));
  Import("shop", "web", {.dns = {"a.test"}}, true);
  const auto chosen = [&](const char* tenant, std::vector<tls::Bytes> authorities) {
    tls::Choose question = Ask("a.test", {SignatureScheme::kEcdsaSecp256r1Sha256});
    question.as_client = true;
    question.certificate_authorities = std::move(authorities);
    const tls::Chosen answer = custody_->Choose(tenant, question, "", true);
    EXPECT_EQ(answer.question, 7U);
    if (answer.credential != nullptr) return answer.credential->name;
    return std::string(tls::Describe(answer.refusal).label);
  };
  const std::string device = "tenants/shop/credentials/device";
  const auto subject = [](const tls::test::TestCa& ca) {
    return tls::ReadCertificate(ca.certificate())->subject_der;
  };
  EXPECT_EQ(chosen("shop", {}), device) << "not the server's, though it is the default";
  EXPECT_EQ(chosen("shop", {subject(issuing)}), device);
  EXPECT_EQ(chosen("shop", {subject(ca_)}), device) << "the root issued the intermediate";
  EXPECT_EQ(chosen("shop", {subject(tls::test::TestCa::Create("else"))}), "no_credential");
  EXPECT_EQ(chosen("bank", {}), "no_credential") << "another tenant";
  // What the chain is signed with was read from it.
  tls::Choose question = Ask("a.test", {SignatureScheme::kEcdsaSecp256r1Sha256});
  question.as_client = true;
  question.certificate_schemes = tls::SchemeSet::Of({SignatureScheme::kRsaPssRsaeSha256});
  EXPECT_EQ(custody_->Choose("shop", question, "", true).refusal, Reason::kNoCommonSignatureScheme);
}

TEST_F(CustodyTest, RefusesToSignForOthers) {
  Open();
  const ImportedKey imported = Import("shop", "web", {.dns = {"a.test"}});
  const std::string name = imported.credential->name;
  const auto refused = [&](const char* tenant, const std::string& credential,
                           SignatureScheme scheme) {
    const tls::PrivateKeyUsed used = custody_->Use(tenant, Question(credential, scheme));
    EXPECT_TRUE(used.signature.empty());
    EXPECT_EQ(used.question, 42U);
    return used.refusal;
  };
  constexpr auto kGood = SignatureScheme::kEcdsaSecp256r1Sha256;
  EXPECT_EQ(refused("bank", name, kGood), Reason::kPrivateKeyRefused);
  EXPECT_EQ(refused("shop", "tenants/shop/credentials/other", kGood), Reason::kPrivateKeyRefused);
  EXPECT_EQ(refused("shop", name, SignatureScheme::kRsaPssRsaeSha256), Reason::kPrivateKeyRefused);
  EXPECT_EQ(refused("shop", name, SignatureScheme::kEcdsaSecp384r1Sha384),
            Reason::kPrivateKeyRefused);
  EXPECT_EQ(refused("shop", "", kGood), Reason::kPrivateKeyRefused);
}

TEST_F(CustodyTest, ChoosesWithinTheTenant) {
  Open();
  Import("shop", "web", {.dns = {"a.test"}}, true);
  constexpr auto kEcdsa = SignatureScheme::kEcdsaSecp256r1Sha256;
  const tls::Chosen chosen = custody_->Choose("shop", Ask("a.test", {kEcdsa}), "", false);
  ASSERT_NE(chosen.credential, nullptr);
  EXPECT_EQ(chosen.question, 7U);
  EXPECT_EQ(chosen.credential->chain.size(), 2U) << "leaf and intermediate";
  const tls::Chosen foreign = custody_->Choose("bank", Ask("a.test", {kEcdsa}), "", false);
  EXPECT_EQ(foreign.credential, nullptr);
  EXPECT_EQ(foreign.question, 7U);
  EXPECT_EQ(foreign.refusal, Reason::kNoCredential);
  EXPECT_EQ(custody_->Choose("bank", Ask("a.test", {kEcdsa}), "", true).refusal,
            Reason::kUnrecognizedName);
  EXPECT_EQ(custody_->Choose("bank", Ask("a.test", {kEcdsa}), "tenants/shop/credentials/web", false)
                .credential,
            nullptr);
}

TEST_F(CustodyTest, TheRsaAndTheEcdsaCredentialOfAName) {
  Open();
  Import("shop", "ecdsa", {.dns = {"a.test"}});
  Import("shop", "rsa", {.type = KeyType::kRsa2048, .dns = {"a.test"}});
  const auto name = [&](std::vector<SignatureScheme> schemes) {
    return custody_->Choose("shop", Ask("a.test", std::move(schemes)), "", false).credential->name;
  };
  EXPECT_EQ(name({SignatureScheme::kRsaPkcs1Sha256}), "tenants/shop/credentials/rsa");
  EXPECT_EQ(name({SignatureScheme::kEcdsaSecp256r1Sha256, SignatureScheme::kRsaPssRsaeSha256}),
            "tenants/shop/credentials/ecdsa");
}

TEST_F(CustodyTest, AChosenCredentialOutlivesAChange) {
  Open();
  Import("shop", "old", {.dns = {"a.test"}});
  constexpr auto kEcdsa = SignatureScheme::kEcdsaSecp256r1Sha256;
  const tls::Chosen old = custody_->Choose("shop", Ask("a.test", {kEcdsa}), "", false);
  Import("shop", "new", {.dns = {"a.test"}});
  const tls::Chosen renewed = custody_->Choose("shop", Ask("a.test", {kEcdsa}), "", false);
  EXPECT_EQ(renewed.credential->name, "tenants/shop/credentials/new");
  // A handshake that began with the old one ends with it.
  EXPECT_FALSE(custody_->Use("shop", Question(old.credential->name, kEcdsa)).signature.empty());
}

// A session must not outlive what was shown for it.
TEST_F(CustodyTest, WhatIsShownSaysWhenItEnds) {
  Open();
  const int64_t end = tls::test::kNow + 10 * tls::test::kDay;
  Import("shop", "k0", {.dns = {"a.test"}, .not_after_unix_s = end}, true);
  const tls::Chosen chosen =
      custody_->Choose("shop", Ask("a.test", {SignatureScheme::kEcdsaSecp256r1Sha256}), "", false);
  ASSERT_NE(chosen.credential, nullptr);
  EXPECT_EQ(chosen.credential->not_after_unix_s, end);
}

TEST_F(CustodyTest, ReadersDoNotWaitForAWriter) {
  Open();
  const ImportedKey first = Import("shop", "k0", {.dns = {"a.test"}}, true);
  constexpr auto kEcdsa = SignatureScheme::kEcdsaSecp256r1Sha256;
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  readers.reserve(2);
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        const tls::Chosen chosen = custody_->Choose("shop", Ask("a.test", {kEcdsa}), "", false);
        if (!chosen.credential ||
            custody_->Use("shop", Question(chosen.credential->name, kEcdsa)).signature.empty()) {
          ++wrong;
        }
      }
    });
  }
  for (int i = 1; i <= 20; ++i) Import("shop", "k" + std::to_string(i), {.dns = {"a.test"}});
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST_F(CustodyTest, TwoAtOnceWithOneRequestIdMakeOneKey) {
  Open();
  std::vector<std::string> names(4);
  std::vector<std::thread> threads;
  threads.reserve(names.size());
  for (std::string& name : names) {
    threads.emplace_back([&] {
      const auto key = custody_->CreateKey(
          {.tenant = "shop", .key_id = "", .type = KeyType::kEcdsaP256, .request_id = "r"});
      if (key.ok()) name = key->name;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(names[0].empty());
  for (const std::string& name : names) EXPECT_EQ(name, names[0]);
  EXPECT_EQ(custody_->ListKeys("shop", {})->keys.size(), 1U);
}

}  // namespace
}  // namespace handfast::custody
