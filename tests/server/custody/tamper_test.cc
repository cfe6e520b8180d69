// Who can write the database but has no key-encryption key: every change is found. And what a
// crash at any moment leaves.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "server/custody/key_encryption_key.h"
#include "tests/server/custody/fixture.h"
#include "tests/tls/crypto/test_revocation.h"

namespace handfast::custody {
namespace {

class Tamper : public CustodyTest {
 protected:
  Tamper() {
    Open();
    const tls::test::Leaf one = ca_.Issue({.dns = {"one.test"}});
    ImportLeaf("shop", "one", one);
    EXPECT_TRUE(custody_
                    ->SetOcspResponse("tenants/shop/credentials/one",
                                      tls::test::MakeOcsp(ca_, one.chain[0]))
                    .ok());
    Import("shop", "two", {.dns = {"two.test"}});
    Import("bank", "one", {.dns = {"bank.test"}});
    custody_.reset();
    std::filesystem::copy(options_.database_path, folder_ + "/good.db");
  }
  // Opening fails as tampered with after this SQL; then the database is as before.
  void ExpectFound(const std::string& sql) {
    Sql("PRAGMA foreign_keys = OFF; " + sql);
    const absl::Status status = TryOpen();
    EXPECT_TRUE(absl::IsDataLoss(status)) << sql << ": " << status;
    custody_.reset();
    std::filesystem::remove(options_.database_path + "-wal");
    std::filesystem::copy(folder_ + "/good.db", options_.database_path,
                          std::filesystem::copy_options::overwrite_existing);
  }
};

TEST_F(Tamper, TheCopyItselfOpens) { EXPECT_TRUE(TryOpen().ok()); }

TEST_F(Tamper, EachFieldOfAKey) {
  const std::string where = " WHERE tenant = 'shop' AND key_id = 'one'";
  ExpectFound("UPDATE keys SET version = 2" + where);
  ExpectFound("UPDATE keys SET type = 7" + where);
  ExpectFound("UPDATE keys SET public_key = x'00'" + where);
  ExpectFound("UPDATE keys SET imported = 0" + where);
  ExpectFound("UPDATE keys SET create_time = create_time + 1" + where);
  ExpectFound("UPDATE keys SET seal = x''" + where);
  ExpectFound("UPDATE keys SET seal = substr(seal, 1, length(seal) - 1)" + where);
  ExpectFound("UPDATE keys SET key_id = 'three'" + where +
              "; UPDATE credentials SET key_id = 'three' WHERE tenant = 'shop' AND key_id = 'one'");
}

TEST_F(Tamper, EachByteOfASeal) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(options_.database_path.c_str(), &database), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, "SELECT length(seal) FROM keys WHERE tenant='shop' AND key_id='one'",
                     -1, &statement, nullptr);
  ASSERT_EQ(sqlite3_step(statement), SQLITE_ROW);
  const int size = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(database);
  ASSERT_GT(size, 28);
  // SQLite cannot flip a bit of a blob in place, so a byte is replaced by two candidates of which
  // one at least differs from it. Every byte of a seal is tried in at_rest_test; here, each kind.
  for (const int at : {1, 12, 13, size / 2, size - 15, size}) {
    for (const char* byte : {"x'00'", "x'ff'"}) {
      Sql("UPDATE keys SET seal = CAST(substr(seal, 1, " + std::to_string(at - 1) + ") || " + byte +
          " || substr(seal, " + std::to_string(at + 1) +
          ") AS BLOB) WHERE tenant = 'shop' AND key_id = 'one'");
    }
    EXPECT_TRUE(absl::IsDataLoss(TryOpen())) << at;
    custody_.reset();
    std::filesystem::copy(folder_ + "/good.db", options_.database_path,
                          std::filesystem::copy_options::overwrite_existing);
  }
}

TEST_F(Tamper, TwoRowsSwapped) {
  ExpectFound(
      "UPDATE keys SET seal = (SELECT b.seal FROM keys b WHERE b.tenant = keys.tenant"
      " AND b.key_id <> keys.key_id) WHERE tenant = 'shop'");
  ExpectFound(
      "UPDATE keys SET tenant = 'x' WHERE tenant = 'shop' AND key_id = 'one';"
      "UPDATE keys SET tenant = 'shop' WHERE tenant = 'bank';"
      "UPDATE keys SET tenant = 'bank' WHERE tenant = 'x'");
  ExpectFound(
      "UPDATE credentials SET key_id = CASE key_id WHEN 'one' THEN 'two' ELSE 'one' END"
      " WHERE tenant = 'shop'");
}

TEST_F(Tamper, EachFieldOfACredential) {
  const std::string where = " WHERE tenant = 'shop' AND credential_id = 'one'";
  ExpectFound("UPDATE credentials SET activation = 9" + where);
  ExpectFound("UPDATE credentials SET is_default = 1" + where);
  ExpectFound("UPDATE credentials SET requested_names = 'x'" + where);
  ExpectFound("UPDATE credentials SET request_pem = 'x'" + where);
  ExpectFound(
      "UPDATE credentials SET chain_pem = (SELECT chain_pem FROM credentials"
      " WHERE credential_id = 'two')" +
      where);
  ExpectFound("UPDATE credentials SET create_time = 0" + where);
  ExpectFound("UPDATE credentials SET ocsp_response = x'00'" + where);
  ExpectFound("UPDATE credentials SET ocsp_next_update = ocsp_next_update + 1" + where);
  ExpectFound("UPDATE credentials SET ocsp_response = x''" + where);
  ExpectFound("UPDATE credentials SET ocsp_response = x'', ocsp_next_update = 0" + where);
  const std::string without = " WHERE tenant = 'shop' AND credential_id = 'two'";
  ExpectFound("UPDATE credentials SET ocsp_response = x'00'" + without);
  ExpectFound("UPDATE credentials SET ocsp_next_update = 1" + without);
  ExpectFound("UPDATE credentials SET credential_id = 'three'" + where);
  ExpectFound(
      "UPDATE credentials SET seal = (SELECT seal FROM credentials"
      " WHERE credential_id = 'two')" +
      where);
}

TEST_F(Tamper, AKeyThatIsNotInUseToo) {
  Open();
  ASSERT_TRUE(custody_
                  ->CreateKey({.tenant = "shop",
                               .key_id = "idle",
                               .type = tls::KeyType::kEd25519,
                               .request_id = ""})
                  .ok());
  Sql("UPDATE keys SET public_key = (SELECT public_key FROM keys WHERE tenant = 'bank')"
      " WHERE key_id = 'idle'");
  Open();
  EXPECT_TRUE(absl::IsDataLoss(custody_->GetKey("tenants/shop/keys/idle").status()));
  EXPECT_TRUE(absl::IsDataLoss(custody_->ListKeys("shop", {}).status()));
}

TEST_F(Tamper, NamesTheRowAndNoContent) {
  Sql("UPDATE keys SET version = 2 WHERE tenant = 'shop' AND key_id = 'one'");
  const absl::Status status = TryOpen();
  EXPECT_NE(status.message().find("tenants/shop/keys/one"), std::string::npos) << status;
}

TEST_F(Tamper, AnotherKeyEncryptionKeyIsSaidToBeOne) {
  std::filesystem::rename(options_.kek_path, folder_ + "/right.kek");
  absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(access::ReasonOf(status), "KEK_MISSING");
  EXPECT_FALSE(std::filesystem::exists(options_.kek_path)) << "none must be made in its place";

  ASSERT_TRUE(KeyEncryptionKey::Create(options_.kek_path, tls::SystemRandomness()).ok());
  status = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(access::ReasonOf(status), "KEK_MISMATCH");

  std::filesystem::rename(folder_ + "/right.kek", options_.kek_path);
  EXPECT_TRUE(TryOpen().ok()) << "put back, all is well";
}

using Crash = CustodyTest;

TEST_F(Crash, WhatWasAcknowledgedIsThereAfterAKill) {
  int acknowledgements[2];
  ASSERT_EQ(pipe(acknowledgements), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(acknowledgements[0]);
    Open();
    for (int i = 0;; ++i) {
      const std::string id = "k" + std::to_string(i);
      const auto key = custody_->CreateKey(
          {.tenant = "shop", .key_id = id, .type = tls::KeyType::kEd25519, .request_id = id});
      const char ok = key.ok() ? '+' : '-';
      if (write(acknowledgements[1], &ok, 1) != 1) _exit(1);
    }
  }
  close(acknowledgements[1]);
  constexpr int kAcknowledged = 25;
  for (int i = 0; i < kAcknowledged; ++i) {
    char ok = 0;
    ASSERT_EQ(read(acknowledgements[0], &ok, 1), 1);
    ASSERT_EQ(ok, '+');
  }
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  close(acknowledgements[0]);
  Open();
  const auto page = custody_->ListKeys("shop", {.size = 1000, .token = ""});
  ASSERT_TRUE(page.ok());
  EXPECT_GE(page->keys.size(), static_cast<size_t>(kAcknowledged));
  // Each stands with its request id, or neither does.
  for (const Key& key : page->keys) {
    const std::string id = key.name.substr(key.name.rfind('/') + 1);
    const auto again = custody_->CreateKey(
        {.tenant = "shop", .key_id = id, .type = tls::KeyType::kEd25519, .request_id = id});
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->public_key_der, key.public_key_der);
  }
}

}  // namespace
}  // namespace handfast::custody
