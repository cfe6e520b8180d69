#include "server/custody/schema.h"

#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"

namespace handfast::custody {
namespace {

// Times are seconds since the epoch. `seal` is nonce, ciphertext and tag (sealing.h): of the
// private key's PKCS#8 in `keys`, of nothing but the row in `credentials`.
constexpr const char* kMigrations[] = {
    // 1
    "CREATE TABLE settings ("
    "  name TEXT PRIMARY KEY,"
    "  value TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE keys ("
    "  tenant TEXT NOT NULL,"
    "  key_id TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  type INTEGER NOT NULL,"
    "  public_key BLOB NOT NULL,"
    "  imported INTEGER NOT NULL,"
    "  create_time INTEGER NOT NULL,"
    "  seal BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, key_id)"
    ") STRICT, WITHOUT ROWID;"

    // `activation` counts a tenant's activations; 0 while the credential is pending.
    "CREATE TABLE credentials ("
    "  tenant TEXT NOT NULL,"
    "  credential_id TEXT NOT NULL,"
    "  key_id TEXT NOT NULL,"
    "  activation INTEGER NOT NULL,"
    "  is_default INTEGER NOT NULL,"
    "  requested_names TEXT NOT NULL,"
    "  request_pem TEXT NOT NULL,"
    "  chain_pem TEXT NOT NULL,"
    "  create_time INTEGER NOT NULL,"
    "  seal BLOB NOT NULL,"
    "  PRIMARY KEY (tenant, credential_id),"
    "  FOREIGN KEY (tenant, key_id) REFERENCES keys (tenant, key_id)"
    ") STRICT, WITHOUT ROWID;"

    // What was done under a request_id; `digest` is of the request, without private bytes.
    "CREATE TABLE requests ("
    "  tenant TEXT NOT NULL,"
    "  request_id TEXT NOT NULL,"
    "  digest BLOB NOT NULL,"
    "  resource_id TEXT NOT NULL,"
    "  create_time INTEGER NOT NULL,"
    "  PRIMARY KEY (tenant, request_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX requests_by_time ON requests (create_time);",

    // 2. Empty and 0 where none is set: the seal is then as before (rows.cc).
    "ALTER TABLE credentials ADD COLUMN ocsp_response BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE credentials ADD COLUMN ocsp_next_update INTEGER NOT NULL DEFAULT 0;",
};

absl::Status Apply(Database& database, int64_t version, int64_t now_unix_s) {
  absl::StatusOr<Transaction> transaction = Transaction::Begin(database);
  if (!transaction.ok()) return transaction.status();
  absl::Status status = database.Execute(kMigrations[version - 1]);
  if (!status.ok()) return status;
  status = database.Prepare("INSERT INTO schema_migrations (version, apply_time) VALUES (?, ?)")
               .Bind(version)
               .Bind(now_unix_s)
               .Run();
  if (!status.ok()) return status;
  return transaction->Commit();
}

}  // namespace

int64_t NewestSchema() { return std::ssize(kMigrations); }

absl::StatusOr<int64_t> SchemaVersion(Database& database) {
  Statement statement = database.Prepare("SELECT coalesce(max(version), 0) FROM schema_migrations");
  absl::StatusOr<bool> row = statement.Step();
  if (!row.ok()) return row.status();
  return statement.Number(0);
}

absl::Status Migrate(Database& database, int64_t now_unix_s) {
  absl::Status status = database.Execute(
      "CREATE TABLE IF NOT EXISTS schema_migrations ("
      "  version INTEGER PRIMARY KEY,"
      "  apply_time INTEGER NOT NULL"
      ") STRICT;");
  if (!status.ok()) return status;
  const absl::StatusOr<int64_t> found = SchemaVersion(database);
  if (!found.ok()) return found.status();
  if (*found > NewestSchema()) {
    return absl::FailedPreconditionError(
        absl::StrCat("custody database has schema ", *found, ", newer than the ", NewestSchema(),
                     " that this build knows: run the build that wrote it, or a newer one"));
  }
  for (int64_t version = *found + 1; version <= NewestSchema(); ++version) {
    status = Apply(database, version, now_unix_s);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace handfast::custody
