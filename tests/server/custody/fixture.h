// A custody over files of its own, with a wall clock that the test sets, and a way to open the
// same files again as after a restart.
#ifndef HANDFAST_TESTS_SERVER_CUSTODY_FIXTURE_H_
#define HANDFAST_TESTS_SERVER_CUSTODY_FIXTURE_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "server/access/error_details_interface.h"
#include "server/custody/custody.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::custody {

class CustodyTest : public ::testing::Test {
 protected:
  CustodyTest() {
    std::string pattern = ::testing::TempDir() + "/custody.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    options_ = {folder_ + "/custody.db", folder_ + "/custody.kek"};
  }
  ~CustodyTest() override {
    custody_.reset();
    std::filesystem::remove_all(folder_);
  }

  absl::Status TryOpen() {
    custody_.reset();
    auto opened = Custody::Open(options_, tls::SystemRandomness(), [this] { return now_; });
    if (!opened.ok()) return opened.status();
    custody_ = *std::move(opened);
    return absl::OkStatus();
  }
  Custody& Open() {
    const absl::Status status = TryOpen();
    EXPECT_TRUE(status.ok()) << status;
    return *custody_;
  }

  // Imports a leaf of `ca_` with its chain.
  ImportedKey Import(const std::string& tenant, const std::string& id,
                     const tls::test::LeafOptions& leaf, bool is_default = false) {
    return ImportLeaf(tenant, id, ca_.Issue(leaf), is_default);
  }
  ImportedKey ImportLeaf(const std::string& tenant, const std::string& id,
                         const tls::test::Leaf& leaf, bool is_default = false) {
    auto imported = custody_->ImportKey({.tenant = tenant,
                                         .key_id = id,
                                         .private_key_pem = leaf.key_pem,
                                         .certificate_chain_pem = leaf.chain_pem,
                                         .default_credential = is_default,
                                         .request_id = ""});
    EXPECT_TRUE(imported.ok()) << imported.status();
    return imported.ok() ? *std::move(imported) : ImportedKey{};
  }

  // Runs SQL on the closed database, as somebody with the file could.
  void Sql(const std::string& sql) {
    custody_.reset();
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(options_.database_path.c_str(), &database), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK)
        << sql << ": " << (error == nullptr ? "" : error);
    sqlite3_free(error);
    sqlite3_close(database);
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  std::string folder_;
  CustodyOptions options_;
  int64_t now_ = tls::test::kNow;
  tls::test::TestCa ca_ = tls::test::TestCa::Create("root").Intermediate("issuing");
  std::unique_ptr<Custody> custody_;
};

}  // namespace handfast::custody

#endif  // HANDFAST_TESTS_SERVER_CUSTODY_FIXTURE_H_
