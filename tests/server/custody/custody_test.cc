// Custody's keys and credentials: what KeyService does, over a real database.
#include "server/custody/custody.h"

#include <set>

#include "tests/server/custody/fixture.h"
#include "tls/crypto/pem.h"

namespace handfast::custody {
namespace {

using access::FieldOf;
using access::ReasonOf;
using tls::KeyType;

CreateKeyRequest NewKeyRequest(const std::string& id, const std::string& request_id = "",
                               KeyType type = KeyType::kEcdsaP256) {
  return {.tenant = "shop", .key_id = id, .type = type, .request_id = request_id};
}

TEST_F(CustodyTest, CreatesEachTypeOfKey) {
  Open();
  for (const KeyType type : {KeyType::kRsa2048, KeyType::kEcdsaP256, KeyType::kEcdsaP384,
                             KeyType::kEcdsaP521, KeyType::kEd25519}) {
    const auto key = custody_->CreateKey(NewKeyRequest("", "", type));
    ASSERT_TRUE(key.ok()) << key.status();
    EXPECT_EQ(key->type, type);
    EXPECT_FALSE(key->imported);
    EXPECT_EQ(key->create_time_unix_s, now_);
    EXPECT_TRUE(key->name.starts_with("tenants/shop/keys/key-")) << key->name;
    EXPECT_EQ(custody_->GetKey(key->name)->public_key_der, key->public_key_der);
  }
}

TEST_F(CustodyTest, RefusesBadFieldsByName) {
  Open();
  const auto field = [](const absl::Status& status) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return FieldOf(status).value_or("");
  };
  CreateKeyRequest request = NewKeyRequest("Web");
  EXPECT_EQ(field(custody_->CreateKey(request).status()), "key_id");
  request = NewKeyRequest("a", std::string(65, 'r'));
  EXPECT_EQ(field(custody_->CreateKey(request).status()), "request_id");
  request = NewKeyRequest("a", "", static_cast<KeyType>(0));
  EXPECT_EQ(field(custody_->CreateKey(request).status()), "type");
  request = NewKeyRequest("a");
  request.tenant = "no/tenant";
  EXPECT_EQ(field(custody_->CreateKey(request).status()), "parent");
  EXPECT_EQ(field(custody_->GetKey("tenants/shop/credentials/a").status()), "name");
  EXPECT_EQ(field(custody_->GetCredential("x").status()), "name");
  EXPECT_EQ(field(custody_->ListKeys("shop", {.size = 1001, .token = ""}).status()), "page_size");
  EXPECT_EQ(field(custody_->ListKeys("shop", {.size = 0, .token = "zz"}).status()), "page_token");
}

TEST_F(CustodyTest, TheSameRequestAgainHasOneEffect) {
  Open();
  const auto first = custody_->CreateKey(NewKeyRequest("", "r1"));
  const auto again = custody_->CreateKey(NewKeyRequest("", "r1"));
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->name, again->name);
  EXPECT_EQ(first->public_key_der, again->public_key_der);
  EXPECT_EQ(custody_->ListKeys("shop", {})->keys.size(), 1U);

  const absl::Status other = custody_->CreateKey(NewKeyRequest("b", "r1")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(other));
  EXPECT_EQ(ReasonOf(other), "REQUEST_ID_REUSED");
  const absl::Status taken =
      custody_->CreateKey(NewKeyRequest(first->name.substr(18), "r2")).status();
  EXPECT_TRUE(absl::IsAlreadyExists(taken)) << taken;
  EXPECT_EQ(ReasonOf(taken), "KEY_EXISTS");

  CreateKeyRequest elsewhere = NewKeyRequest("", "r1");
  elsewhere.tenant = "bank";
  EXPECT_TRUE(custody_->CreateKey(elsewhere).ok()) << "request ids are each tenant's own";
}

TEST_F(CustodyTest, RequestIdsOutliveARestartAndEndAfterADay) {
  Open();
  const auto first = custody_->CreateKey(NewKeyRequest("", "r1"));
  ASSERT_TRUE(first.ok());
  Open();
  EXPECT_EQ(custody_->CreateKey(NewKeyRequest("", "r1"))->name, first->name);
  now_ += 24 * 3600 + 1;
  EXPECT_NE(custody_->CreateKey(NewKeyRequest("", "r1"))->name, first->name);
}

TEST_F(CustodyTest, AFailedRequestIsForgotten) {
  Open();
  ASSERT_TRUE(custody_->CreateKey(NewKeyRequest("taken")).ok());
  EXPECT_FALSE(custody_->CreateKey(NewKeyRequest("taken", "r1")).ok());
  EXPECT_TRUE(custody_->CreateKey(NewKeyRequest("free", "r1")).ok());
}

TEST_F(CustodyTest, ImportsAKeyWithItsChainToUse) {
  Open();
  const tls::test::Leaf leaf = ca_.Issue({.dns = {"Www.example.test", "*.api.example.test"}});
  const ImportedKey imported = ImportLeaf("shop", "web", leaf);
  EXPECT_TRUE(imported.key.imported);
  ASSERT_TRUE(imported.credential.has_value());
  EXPECT_EQ(imported.credential->name, "tenants/shop/credentials/web");
  EXPECT_EQ(imported.credential->key, "tenants/shop/keys/web");
  EXPECT_EQ(imported.credential->state, CredentialState::kActive);
  EXPECT_EQ(imported.credential->not_after_unix_s, tls::test::kNotAfter);
  EXPECT_EQ(imported.credential->dns_names,
            (std::vector<std::string>{"www.example.test", "*.api.example.test"}));
  EXPECT_TRUE(custody_->IsActive("shop", "tenants/shop/credentials/web"));
  EXPECT_FALSE(custody_->IsActive("bank", "tenants/shop/credentials/web"));
  EXPECT_EQ(custody_->GetCredential(imported.credential->name)->certificate_chain_pem,
            imported.credential->certificate_chain_pem);
}

TEST_F(CustodyTest, ImportAgainGivesTheSameReply) {
  Open();
  const tls::test::Leaf leaf = ca_.Issue({.dns = {"a.test"}, .not_after_unix_s = now_ + 100});
  const ImportKeyRequest request{.tenant = "shop",
                                 .key_id = "",
                                 .private_key_pem = leaf.key_pem,
                                 .certificate_chain_pem = leaf.chain_pem,
                                 .default_credential = true,
                                 .request_id = "r1"};
  const auto first = custody_->ImportKey(request);
  now_ += 200;  // the leaf has expired meanwhile
  const auto again = custody_->ImportKey(request);
  ASSERT_TRUE(first.ok() && again.ok()) << again.status();
  EXPECT_EQ(first->key.name, again->key.name);
  EXPECT_EQ(first->credential->certificate_chain_pem, again->credential->certificate_chain_pem);
  EXPECT_EQ(first->credential->create_time_unix_s, again->credential->create_time_unix_s);
  ImportKeyRequest changed = request;
  changed.default_credential = false;
  EXPECT_EQ(ReasonOf(custody_->ImportKey(changed).status()), "REQUEST_ID_REUSED");
}

TEST_F(CustodyTest, RefusesWhatIsNoPrivateKey) {
  Open();
  const tls::test::Leaf leaf = ca_.Issue({});
  const std::string cut = leaf.key_pem.substr(0, leaf.key_pem.size() / 2);
  for (const std::string& pem : {std::string(), std::string("-----BEGIN PRIVATE KEY-----\n"), cut,
                                 leaf.chain_pem, std::string(20'000, 'x')}) {
    const absl::Status status = custody_
                                    ->ImportKey({.tenant = "shop",
                                                 .key_id = "k",
                                                 .private_key_pem = pem,
                                                 .certificate_chain_pem = "",
                                                 .request_id = ""})
                                    .status();
    EXPECT_EQ(ReasonOf(status), "BAD_PRIVATE_KEY");
    EXPECT_EQ(FieldOf(status), "private_key_pem");
  }
  EXPECT_TRUE(custody_->ListKeys("shop", {})->keys.empty());
}

TEST_F(CustodyTest, RefusesChainsThatDoNotFit) {
  Open();
  const tls::test::Leaf leaf = ca_.Issue({.dns = {"a.test"}});
  const tls::test::Leaf other = ca_.Issue({.dns = {"a.test"}});
  const tls::test::TestCa stranger = tls::test::TestCa::Create("stranger");
  std::string many = leaf.chain_pem;
  for (int i = 0; i < 10; ++i) many += ca_.pem();
  const std::vector<std::string> chains = {
      other.chain_pem, ca_.pem() + leaf.chain_pem,
      tls::ToPem("CERTIFICATE", leaf.chain[0]) + stranger.pem(), "nothing", many};
  for (const std::string& chain : chains) {
    const absl::Status status = custody_
                                    ->ImportKey({.tenant = "shop",
                                                 .key_id = "k",
                                                 .private_key_pem = leaf.key_pem,
                                                 .certificate_chain_pem = chain,
                                                 .request_id = ""})
                                    .status();
    EXPECT_EQ(ReasonOf(status), "BAD_CHAIN") << status;
    EXPECT_EQ(FieldOf(status), "certificate_chain_pem");
  }
  EXPECT_TRUE(custody_->ListKeys("shop", {})->keys.empty()) << "the key must not stay behind";
  EXPECT_EQ(FieldOf(custody_
                        ->ImportKey({.tenant = "shop",
                                     .key_id = "k",
                                     .private_key_pem = leaf.key_pem,
                                     .certificate_chain_pem = "",
                                     .default_credential = true,
                                     .request_id = ""})
                        .status()),
            "default_credential");
}

TEST_F(CustodyTest, AnExpiredLeafIsNotActivated) {
  Open();
  const tls::test::Leaf leaf = ca_.Issue({.not_after_unix_s = now_});
  const absl::Status status = custody_
                                  ->ImportKey({.tenant = "shop",
                                               .key_id = "k",
                                               .private_key_pem = leaf.key_pem,
                                               .certificate_chain_pem = leaf.chain_pem,
                                               .request_id = ""})
                                  .status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_EQ(ReasonOf(status), "LEAF_EXPIRED");
  EXPECT_TRUE(custody_->ListKeys("shop", {})->keys.empty());
}

TEST_F(CustodyTest, WhatIsNoCertificateInAChainIsNotKept) {
  Open();
  tls::test::Leaf leaf = ca_.Issue({.dns = {"a.test"}});
  leaf.chain_pem = "a comment\n" + leaf.key_pem + leaf.chain_pem;
  const ImportedKey imported = ImportLeaf("shop", "web", leaf);
  EXPECT_EQ(imported.credential->certificate_chain_pem.find("PRIVATE"), std::string::npos);
  EXPECT_EQ(imported.credential->certificate_chain_pem.find("comment"), std::string::npos);
}

TEST_F(CustodyTest, ACredentialFromRequestToUse) {
  Open();
  const auto key = custody_->CreateKey(NewKeyRequest("web"));
  const auto pending = custody_->CreateCredential({.tenant = "shop",
                                                   .credential_id = "web-2026",
                                                   .key = key->name,
                                                   .dns_names = {"a.test", "*.a.test"},
                                                   .request_id = "r1"});
  ASSERT_TRUE(pending.ok()) << pending.status();
  EXPECT_EQ(pending->state, CredentialState::kPending);
  EXPECT_EQ(pending->dns_names, (std::vector<std::string>{"a.test", "*.a.test"}));
  EXPECT_NE(pending->certificate_request_pem.find("BEGIN CERTIFICATE REQUEST"), std::string::npos);
  EXPECT_EQ(ReasonOf(custody_->ActivateCredential(pending->name).status()), "NO_CHAIN");
  EXPECT_FALSE(custody_->IsActive("shop", pending->name));

  std::string chain;
  for (const tls::Bytes& der : ca_.Certify(key->public_key_der, {.dns = {"a.test"}})) {
    chain += tls::ToPem("CERTIFICATE", der);
  }
  const auto with_chain = custody_->SetCertificateChain(pending->name, chain);
  ASSERT_TRUE(with_chain.ok()) << with_chain.status();
  EXPECT_EQ(with_chain->state, CredentialState::kPending);
  EXPECT_EQ(with_chain->dns_names, std::vector<std::string>{"a.test"}) << "the leaf's now";

  const auto active = custody_->ActivateCredential(pending->name);
  ASSERT_TRUE(active.ok());
  EXPECT_EQ(active->state, CredentialState::kActive);
  EXPECT_TRUE(custody_->IsActive("shop", pending->name));
  now_ = tls::test::kNotAfter + 1;
  EXPECT_TRUE(custody_->ActivateCredential(pending->name).ok()) << "again changes nothing";
  EXPECT_EQ(ReasonOf(custody_->SetCertificateChain(pending->name, chain).status()),
            "CREDENTIAL_NOT_PENDING");
}

TEST_F(CustodyTest, CreateCredentialAgainGivesItsFirstReply) {
  Open();
  const auto key = custody_->CreateKey(NewKeyRequest("web"));
  const CreateCredentialRequest request{.tenant = "shop",
                                        .credential_id = "",
                                        .key = key->name,
                                        .dns_names = {"a.test"},
                                        .request_id = "r1"};
  const auto first = custody_->CreateCredential(request);
  std::string chain;
  for (const tls::Bytes& der : ca_.Certify(key->public_key_der, {.dns = {"b.test"}})) {
    chain += tls::ToPem("CERTIFICATE", der);
  }
  ASSERT_TRUE(custody_->SetCertificateChain(first->name, chain).ok());
  ASSERT_TRUE(custody_->ActivateCredential(first->name).ok());
  const auto again = custody_->CreateCredential(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->name, first->name);
  EXPECT_EQ(again->certificate_request_pem, first->certificate_request_pem);
  EXPECT_EQ(again->state, CredentialState::kPending);
  EXPECT_EQ(again->dns_names, std::vector<std::string>{"a.test"});
  EXPECT_TRUE(again->certificate_chain_pem.empty());
}

TEST_F(CustodyTest, CreateCredentialChecksItsFields) {
  Open();
  const auto key = custody_->CreateKey(NewKeyRequest("web"));
  CreateCredentialRequest request{
      .tenant = "shop", .credential_id = "c", .key = key->name, .dns_names = {}, .request_id = ""};
  for (const char* name : {"", "UPPER.test", "a..test", "-a.test", "a*.test", "a.*.test", "*.",
                           "a.test\n", "a test"}) {
    request.dns_names = {name};
    EXPECT_EQ(FieldOf(custody_->CreateCredential(request).status()), "dns_names") << name;
  }
  request.dns_names.assign(101, "a.test");
  EXPECT_EQ(FieldOf(custody_->CreateCredential(request).status()), "dns_names");
  request.dns_names.assign(100, "a.test");
  EXPECT_TRUE(custody_->CreateCredential(request).ok());
  EXPECT_EQ(ReasonOf(custody_->CreateCredential(request).status()), "CREDENTIAL_EXISTS");
  request.credential_id = "d";
  request.key = "tenants/shop/keys/unknown";
  EXPECT_TRUE(absl::IsNotFound(custody_->CreateCredential(request).status()));
  request.key = "tenants/bank/keys/web";
  EXPECT_EQ(custody_->CreateCredential(request).status(),
            access::NotFound("tenants/bank/keys/web"));
}

TEST_F(CustodyTest, UnknownAndForeignLookTheSame) {
  Open();
  EXPECT_EQ(custody_->GetKey("tenants/a/keys/x").status(), access::NotFound("tenants/a/keys/x"));
  EXPECT_EQ(custody_->GetCredential("tenants/a/credentials/x").status(),
            access::NotFound("tenants/a/credentials/x"));
  EXPECT_TRUE(absl::IsNotFound(custody_->ActivateCredential("tenants/a/credentials/x").status()));
}

TEST_F(CustodyTest, PagesAreWholeInOrderAndBound) {
  Open();
  for (const char* id : {"e", "b", "d", "a", "c"}) {
    ASSERT_TRUE(custody_->CreateKey(NewKeyRequest(id)).ok());
  }
  std::string seen;
  Page page{.size = 2, .token = ""};
  int pages = 0;
  do {
    const auto result = custody_->ListKeys("shop", page);
    ASSERT_TRUE(result.ok());
    EXPECT_LE(result->keys.size(), 2U);
    for (const Key& key : result->keys) seen += key.name.back();
    page.token = result->next_page_token;
    ++pages;
  } while (!page.token.empty());
  EXPECT_EQ(seen, "abcde");
  EXPECT_EQ(pages, 3);
  EXPECT_TRUE(custody_->ListKeys("shop", {.size = 5, .token = ""})->next_page_token.empty());
  EXPECT_TRUE(custody_->ListKeys("bank", {})->keys.empty());

  const std::string token = custody_->ListKeys("shop", {.size = 2, .token = ""})->next_page_token;
  EXPECT_FALSE(custody_->ListKeys("bank", {.size = 2, .token = token}).ok()) << "another tenant";
  EXPECT_FALSE(custody_->ListCredentials("shop", {.size = 2, .token = token}).ok());
  EXPECT_FALSE(custody_->ListKeys("shop", {.size = 2, .token = token + "00"}).ok());
}

TEST_F(CustodyTest, ListsCredentialsByName) {
  Open();
  Import("shop", "b", {.dns = {"b.test"}});
  Import("shop", "a", {.dns = {"a.test"}});
  const auto page = custody_->ListCredentials("shop", {});
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->credentials.size(), 2U);
  EXPECT_EQ(page->credentials[0].name, "tenants/shop/credentials/a");
  EXPECT_EQ(page->credentials[1].dns_names, std::vector<std::string>{"b.test"});
}

TEST_F(CustodyTest, ListsWhatIsServed) {
  Open();
  Import("shop", "a", {.dns = {"a.test"}, .not_after_unix_s = now_ + 100});
  Import("bank", "b", {.dns = {"b.test"}, .not_after_unix_s = now_ + 50});
  ASSERT_TRUE(custody_->CreateKey(NewKeyRequest("unused")).ok());
  std::set<int64_t> ends;
  for (const ServedCertificate& served : custody_->Served()) ends.insert(served.not_after_unix_s);
  EXPECT_EQ(ends, (std::set<int64_t>{now_ + 50, now_ + 100}));
}

TEST_F(CustodyTest, AllIsThereAfterARestart) {
  Open();
  const ImportedKey imported = Import("shop", "web", {.dns = {"a.test"}}, true);
  const auto created = custody_->CreateKey(NewKeyRequest("made"));
  Open();
  EXPECT_EQ(custody_->GetKey(created->name)->public_key_der, created->public_key_der);
  EXPECT_TRUE(custody_->IsActive("shop", imported.credential->name));
  EXPECT_TRUE(custody_->GetCredential(imported.credential->name)->is_default);
  EXPECT_TRUE(custody_->Check().ok());
}

}  // namespace
}  // namespace handfast::custody
