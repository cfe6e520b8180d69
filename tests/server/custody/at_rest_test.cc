// Sealing, the key-encryption key's file, the database's file, and the schema's versions.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "server/custody/schema.h"
#include "server/custody/sealing.h"
#include "tests/server/custody/fixture.h"

namespace handfast::custody {
namespace {

KeyEncryptionKey Kek(uint8_t fill) {
  return KeyEncryptionKey(*tls::AeadKey::From(tls::Bytes(kKekSize, fill)));
}

TEST(Sealing, OpensWhatItSealed) {
  const KeyEncryptionKey kek = Kek(1);
  const RowBinding row = RowBinding("t").Add("shop").Add(int64_t{7});
  const tls::Bytes secret = tls::Copy(tls::AsBytes("a private key"));
  const auto sealed = SealRow(kek, tls::SystemRandomness(), row, secret);
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(sealed->size(), secret.size() + 28);
  const auto opened = OpenRow(kek, row, *sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(*opened, secret);
}

TEST(Sealing, RefusesEachFlippedByteAndEachLength) {
  const KeyEncryptionKey kek = Kek(1);
  const RowBinding row("t");
  const auto sealed = SealRow(kek, tls::SystemRandomness(), row, tls::AsBytes("secret"));
  ASSERT_TRUE(sealed.ok());
  for (size_t i = 0; i < sealed->size(); ++i) {
    tls::Bytes changed = *sealed;
    changed[i] ^= 1;
    EXPECT_TRUE(absl::IsDataLoss(OpenRow(kek, row, changed).status())) << i;
  }
  for (size_t size = 0; size < sealed->size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(OpenRow(kek, row, {sealed->data(), size}).status())) << size;
  }
  EXPECT_TRUE(absl::IsDataLoss(OpenRow(Kek(2), row, *sealed).status())) << "another key";
}

TEST(Sealing, FieldsDoNotRunIntoEachOther) {
  EXPECT_NE(tls::ToHex(RowBinding("t").Add("ab").Add("c").bytes()),
            tls::ToHex(RowBinding("t").Add("a").Add("bc").bytes()));
  EXPECT_NE(tls::ToHex(RowBinding("t").Add("").bytes()), tls::ToHex(RowBinding("t").bytes()));
}

TEST(Sealing, NeverTheSameTwice) {
  const KeyEncryptionKey kek = Kek(1);
  const auto a = SealRow(kek, tls::SystemRandomness(), RowBinding("t"), tls::AsBytes("secret"));
  const auto b = SealRow(kek, tls::SystemRandomness(), RowBinding("t"), tls::AsBytes("secret"));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NE(*a, *b);
}

using KekFile = CustodyTest;

TEST_F(KekFile, IsMadePrivateAndReadBack) {
  const auto made = KeyEncryptionKey::Create(options_.kek_path, tls::SystemRandomness());
  ASSERT_TRUE(made.ok()) << made.status();
  struct stat info {};
  ASSERT_EQ(stat(options_.kek_path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  const auto loaded = KeyEncryptionKey::Load(options_.kek_path);
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_EQ((*loaded)->id(), made->id());
  EXPECT_EQ(made->id().size(), 16U);
  EXPECT_EQ(ReadFile(options_.kek_path).find(made->id()), std::string::npos)
      << "the id must not be a part of the key";
  EXPECT_FALSE(std::filesystem::exists(options_.kek_path + ".new"));
}

TEST_F(KekFile, IsNeverReplaced) {
  ASSERT_TRUE(KeyEncryptionKey::Create(options_.kek_path, tls::SystemRandomness()).ok());
  const std::string before = ReadFile(options_.kek_path);
  EXPECT_FALSE(KeyEncryptionKey::Create(options_.kek_path, tls::SystemRandomness()).ok());
  EXPECT_EQ(ReadFile(options_.kek_path), before);
}

TEST_F(KekFile, IsAbsentRatherThanWrongWhereThereIsNone) {
  const auto loaded = KeyEncryptionKey::Load(options_.kek_path);
  ASSERT_TRUE(loaded.ok());
  EXPECT_FALSE(loaded->has_value());
}

TEST_F(KekFile, IsRefusedWhereOthersReachIt) {
  ASSERT_TRUE(KeyEncryptionKey::Create(options_.kek_path, tls::SystemRandomness()).ok());
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601, 0666}) {
    ASSERT_EQ(chmod(options_.kek_path.c_str(), mode), 0);
    const absl::Status status = KeyEncryptionKey::Load(options_.kek_path).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << std::oct << mode;
    EXPECT_NE(status.message().find("chmod 600"), std::string::npos) << status;
    EXPECT_FALSE(TryOpen().ok()) << "custody must not start";
  }
  ASSERT_EQ(chmod(options_.kek_path.c_str(), 0400), 0);
  EXPECT_TRUE(KeyEncryptionKey::Load(options_.kek_path).ok());
}

TEST_F(KekFile, IsRefusedWhereItIsMangled) {
  ASSERT_TRUE(KeyEncryptionKey::Create(options_.kek_path, tls::SystemRandomness()).ok());
  const std::string good = ReadFile(options_.kek_path);
  std::string no_hex = good;
  no_hex[20] = 'g';
  for (const std::string& bad : {std::string(), good.substr(1), good.substr(0, good.size() - 1),
                                 good + "\n", no_hex, std::string(good.size(), 'x')}) {
    std::ofstream(options_.kek_path, std::ios::trunc | std::ios::binary) << bad;
    const absl::Status status = KeyEncryptionKey::Load(options_.kek_path).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status));
    if (bad.size() > 40) {
      EXPECT_EQ(static_cast<std::string>(status.message()).find(bad.substr(20, 20)),
                std::string::npos)
          << "no part of a key in a message";
    }
  }
}

TEST_F(KekFile, MustBeARegularFile) {
  ASSERT_EQ(mkdir(options_.kek_path.c_str(), 0700), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(KeyEncryptionKey::Load(options_.kek_path).status()));
}

using DatabaseFile = CustodyTest;

TEST_F(DatabaseFile, IsPrivateWithAllThatStandsBesideIt) {
  Open();
  ASSERT_TRUE(
      custody_
          ->CreateKey(
              {.tenant = "a", .key_id = "k", .type = tls::KeyType::kEcdsaP256, .request_id = ""})
          .ok());
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    struct stat info {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U) << entry.path();
  }
}

TEST_F(DatabaseFile, ItsFolderIsMadePrivate) {
  options_ = {folder_ + "/deep/er/custody.db", folder_ + "/deep/er/custody.kek"};
  Open();
  struct stat info {};
  ASSERT_EQ(stat((folder_ + "/deep/er").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST_F(DatabaseFile, IsRefusedWhereOthersReachIt) {
  Open();
  custody_.reset();
  ASSERT_EQ(chmod(options_.database_path.c_str(), 0644), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(TryOpen()));
}

TEST_F(DatabaseFile, BelongsToOneAtATime) {
  Open();
  const auto second = Custody::Open(options_, tls::SystemRandomness(), [this] { return now_; });
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
  EXPECT_NE(second.status().message().find("another process"), std::string::npos);
}

TEST_F(DatabaseFile, GarbageIsDataLoss) {
  std::ofstream(options_.database_path) << std::string(5000, 'g');
  chmod(options_.database_path.c_str(), 0600);
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
}

using Schema = CustodyTest;

TEST_F(Schema, MigratesOnceAndNotesIt) {
  auto database = Database::Open(options_.database_path);
  ASSERT_TRUE(database.ok());
  ASSERT_TRUE(Migrate(*database, 1234).ok());
  ASSERT_TRUE(Migrate(*database, 5678).ok());
  EXPECT_EQ(*SchemaVersion(*database), NewestSchema());
  Statement statement =
      database->Prepare("SELECT count(*), min(apply_time) FROM schema_migrations");
  ASSERT_TRUE(*statement.Step());
  EXPECT_EQ(statement.Number(0), NewestSchema());
  EXPECT_EQ(statement.Number(1), 1234);
}

TEST_F(Schema, ADatabaseOfVersion1IsTakenOver) {
  Open();
  Import("shop", "web", {.dns = {"a.test"}});
  Sql("ALTER TABLE credentials DROP COLUMN ocsp_response;"
      "ALTER TABLE credentials DROP COLUMN ocsp_next_update;"
      "DELETE FROM schema_migrations WHERE version > 1");
  const absl::Status status = TryOpen();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(custody_->IsActive("shop", "tenants/shop/credentials/web"));
  EXPECT_EQ(custody_->GetCredential("tenants/shop/credentials/web")->ocsp_next_update_unix_s, 0);
}

TEST_F(Schema, NewerThanThisBuildIsRefused) {
  Open();
  Sql("INSERT INTO schema_migrations VALUES (99, 0)");
  const absl::Status status = TryOpen();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_NE(status.message().find("schema 99"), std::string::npos);
}

TEST_F(Schema, AnUnfinishedTransactionLeavesNothing) {
  auto database = Database::Open(options_.database_path);
  ASSERT_TRUE(Migrate(*database, 0).ok());
  {
    auto transaction = Transaction::Begin(*database);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(database->Execute("INSERT INTO settings VALUES ('a', 'b')").ok());
  }
  Statement statement = database->Prepare("SELECT count(*) FROM settings");
  ASSERT_TRUE(*statement.Step());
  EXPECT_EQ(statement.Number(0), 0);
}

TEST_F(Schema, BrokenStatementsFailAtTheirStep) {
  auto database = Database::Open(options_.database_path);
  EXPECT_FALSE(database->Prepare("SELECT nonsense FROM nowhere").Bind("x").Step().ok());
  EXPECT_FALSE(database->Prepare("SELECT 1").Bind("one parameter too many").Step().ok());
}

}  // namespace
}  // namespace handfast::custody
