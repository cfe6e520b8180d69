#include "server/custody/rows.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "server/custody/sealing.h"
#include "tls/base/secret.h"

namespace handfast::custody {
namespace {

constexpr std::string_view kSelectKeys =
    "SELECT tenant, key_id, version, type, public_key, imported, create_time, seal FROM keys ";
constexpr std::string_view kSelectCredentials =
    "SELECT tenant, credential_id, key_id, activation, is_default, requested_names, request_pem, "
    "chain_pem, create_time, seal, ocsp_response, ocsp_next_update FROM credentials ";

std::string Join(std::string_view select, std::string_view where) {
  return std::string(select).append(where);
}

// Which row it is, for people; ids are no secret.
absl::Status Tampered(std::string_view what, std::string_view tenant, std::string_view id) {
  const auto view = [](std::string_view text) {
    return absl::string_view(text.data(), text.size());
  };
  return absl::DataLossError(absl::StrCat("custody database: tenants/", view(tenant), "/",
                                          view(what), "/", view(id),
                                          " is not as it was sealed: the row was changed"));
}

RowBinding Bind(const KeyRow& row) {
  RowBinding binding("handfast custody keys v1");
  binding.Add(row.tenant).Add(row.key_id).Add(row.version).Add(row.type).Add(row.public_key);
  binding.Add(int64_t{row.imported}).Add(row.create_time);
  return binding;
}

RowBinding Bind(const CredentialRow& row) {
  // A row without a response is sealed as it was before there were any, so that those need no new
  // seal; to add or remove one without the key changes the binding all the same.
  const bool stapled = !row.ocsp_response.empty() || row.ocsp_next_update != 0;
  RowBinding binding(stapled ? "handfast custody credentials v2"
                             : "handfast custody credentials v1");
  binding.Add(row.tenant).Add(row.credential_id).Add(row.key_id).Add(row.activation);
  binding.Add(int64_t{row.is_default}).Add(row.requested_names).Add(row.request_pem);
  binding.Add(row.chain_pem).Add(row.create_time);
  if (stapled) binding.Add(row.ocsp_response).Add(row.ocsp_next_update);
  return binding;
}

KeyRow ReadKey(const Statement& statement) {
  KeyRow row;
  row.tenant = statement.Text(0);
  row.key_id = statement.Text(1);
  row.version = statement.Number(2);
  row.type = statement.Number(3);
  row.public_key = statement.Blob(4);
  row.imported = statement.Number(5) != 0;
  row.create_time = statement.Number(6);
  row.seal = statement.Blob(7);
  return row;
}

CredentialRow ReadCredential(const Statement& statement) {
  CredentialRow row;
  row.tenant = statement.Text(0);
  row.credential_id = statement.Text(1);
  row.key_id = statement.Text(2);
  row.activation = statement.Number(3);
  row.is_default = statement.Number(4) != 0;
  row.requested_names = statement.Text(5);
  row.request_pem = statement.Text(6);
  row.chain_pem = statement.Text(7);
  row.create_time = statement.Number(8);
  row.seal = statement.Blob(9);
  row.ocsp_response = statement.Blob(10);
  row.ocsp_next_update = statement.Number(11);
  return row;
}

// The only row's first column.
absl::StatusOr<int64_t> ReadNumber(Statement statement) {
  absl::StatusOr<bool> row = statement.Step();
  if (!row.ok()) return row.status();
  return *row ? statement.Number(0) : 0;
}

}  // namespace

absl::StatusOr<tls::Bytes> OpenPrivateKey(const KeyEncryptionKey& kek, const KeyRow& row) {
  absl::StatusOr<tls::Bytes> pkcs8 = OpenRow(kek, Bind(row), row.seal);
  if (absl::IsDataLoss(pkcs8.status())) return Tampered("keys", row.tenant, row.key_id);
  return pkcs8;
}

absl::Status Rows::CheckSeal(const KeyRow& row) const {
  absl::StatusOr<tls::Bytes> pkcs8 = OpenPrivateKey(kek_, row);
  if (pkcs8.ok()) tls::Wipe(*pkcs8);
  return pkcs8.status();
}

absl::Status Rows::InsertKey(KeyRow& row, tls::ByteView pkcs8) {
  absl::StatusOr<tls::Bytes> seal = SealRow(kek_, randomness_, Bind(row), pkcs8);
  if (!seal.ok()) return seal.status();
  row.seal = *std::move(seal);
  return database_
      .Prepare(
          "INSERT INTO keys (tenant, key_id, version, type, public_key, imported, create_time,"
          " seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(row.tenant)
      .Bind(row.key_id)
      .Bind(row.version)
      .Bind(row.type)
      .Bind(row.public_key)
      .Bind(int64_t{row.imported})
      .Bind(row.create_time)
      .Bind(row.seal)
      .Run();
}

absl::StatusOr<std::optional<KeyRow>> Rows::FindKey(std::string_view tenant, std::string_view id) {
  Statement statement = database_.Prepare(Join(kSelectKeys, "WHERE tenant = ? AND key_id = ?"));
  absl::StatusOr<bool> row = statement.Bind(tenant).Bind(id).Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<KeyRow>();
  KeyRow key = ReadKey(statement);
  absl::Status status = CheckSeal(key);
  if (!status.ok()) return status;
  return std::optional<KeyRow>(std::move(key));
}

absl::StatusOr<std::vector<KeyRow>> Rows::ListKeys(std::string_view tenant, std::string_view after,
                                                   int64_t limit) {
  Statement statement = database_.Prepare(
      Join(kSelectKeys, "WHERE tenant = ? AND key_id > ? ORDER BY key_id LIMIT ?"));
  statement.Bind(tenant).Bind(after).Bind(limit);
  std::vector<KeyRow> rows;
  for (;;) {
    absl::StatusOr<bool> row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return rows;
    KeyRow key = ReadKey(statement);
    absl::Status status = CheckSeal(key);
    if (!status.ok()) return status;
    rows.push_back(std::move(key));
  }
}

absl::StatusOr<int64_t> Rows::CountKeys(std::string_view tenant) {
  Statement statement = database_.Prepare("SELECT count(*) FROM keys WHERE tenant = ?");
  statement.Bind(tenant);
  return ReadNumber(std::move(statement));
}

absl::Status Rows::PutCredential(CredentialRow& row) {
  absl::StatusOr<tls::Bytes> seal = SealRow(kek_, randomness_, Bind(row), {});
  if (!seal.ok()) return seal.status();
  row.seal = *std::move(seal);
  return database_
      .Prepare(
          "INSERT OR REPLACE INTO credentials (tenant, credential_id, key_id, activation,"
          " is_default, requested_names, request_pem, chain_pem, create_time, seal,"
          " ocsp_response, ocsp_next_update) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(row.tenant)
      .Bind(row.credential_id)
      .Bind(row.key_id)
      .Bind(row.activation)
      .Bind(int64_t{row.is_default})
      .Bind(row.requested_names)
      .Bind(row.request_pem)
      .Bind(row.chain_pem)
      .Bind(row.create_time)
      .Bind(row.seal)
      .Bind(row.ocsp_response)
      .Bind(row.ocsp_next_update)
      .Run();
}

absl::StatusOr<std::vector<CredentialRow>> Rows::ReadCredentials(Statement statement) {
  std::vector<CredentialRow> rows;
  for (;;) {
    absl::StatusOr<bool> more = statement.Step();
    if (!more.ok()) return more.status();
    if (!*more) return rows;
    CredentialRow row = ReadCredential(statement);
    if (!OpenRow(kek_, Bind(row), row.seal).ok()) {
      return Tampered("credentials", row.tenant, row.credential_id);
    }
    rows.push_back(std::move(row));
  }
}

absl::StatusOr<std::optional<CredentialRow>> Rows::FindCredential(std::string_view tenant,
                                                                  std::string_view id) {
  Statement statement =
      database_.Prepare(Join(kSelectCredentials, "WHERE tenant = ? AND credential_id = ?"));
  statement.Bind(tenant).Bind(id);
  absl::StatusOr<std::vector<CredentialRow>> rows = ReadCredentials(std::move(statement));
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return std::optional<CredentialRow>();
  return std::optional<CredentialRow>(std::move(rows->front()));
}

absl::StatusOr<std::vector<CredentialRow>> Rows::ListCredentials(std::string_view tenant,
                                                                 std::string_view after,
                                                                 int64_t limit) {
  Statement statement = database_.Prepare(Join(
      kSelectCredentials, "WHERE tenant = ? AND credential_id > ? ORDER BY credential_id LIMIT ?"));
  statement.Bind(tenant).Bind(after).Bind(limit);
  return ReadCredentials(std::move(statement));
}

absl::StatusOr<std::vector<CredentialRow>> Rows::ListActive(std::string_view tenant) {
  Statement statement = database_.Prepare(
      Join(kSelectCredentials, "WHERE activation > 0 AND (?1 = '' OR tenant = ?1)"));
  statement.Bind(tenant);
  return ReadCredentials(std::move(statement));
}

absl::StatusOr<int64_t> Rows::CountCredentials(std::string_view tenant) {
  Statement statement = database_.Prepare("SELECT count(*) FROM credentials WHERE tenant = ?");
  statement.Bind(tenant);
  return ReadNumber(std::move(statement));
}

absl::StatusOr<int64_t> Rows::LastActivation(std::string_view tenant) {
  Statement statement =
      database_.Prepare("SELECT coalesce(max(activation), 0) FROM credentials WHERE tenant = ?");
  statement.Bind(tenant);
  return ReadNumber(std::move(statement));
}

absl::Status Rows::InsertRequest(const RequestRow& row) {
  return database_
      .Prepare(
          "INSERT INTO requests (tenant, request_id, digest, resource_id, create_time)"
          " VALUES (?, ?, ?, ?, ?)")
      .Bind(row.tenant)
      .Bind(row.request_id)
      .Bind(row.digest)
      .Bind(row.resource_id)
      .Bind(row.create_time)
      .Run();
}

absl::StatusOr<std::optional<RequestRow>> Rows::FindRequest(std::string_view tenant,
                                                            std::string_view request_id) {
  Statement statement = database_.Prepare(
      "SELECT tenant, request_id, digest, resource_id, create_time FROM requests"
      " WHERE tenant = ? AND request_id = ?");
  absl::StatusOr<bool> found = statement.Bind(tenant).Bind(request_id).Step();
  if (!found.ok()) return found.status();
  if (!*found) return std::optional<RequestRow>();
  return std::optional<RequestRow>({statement.Text(0), statement.Text(1), statement.Blob(2),
                                    statement.Text(3), statement.Number(4)});
}

absl::Status Rows::DeleteRequestsBefore(int64_t create_time) {
  return database_.Prepare("DELETE FROM requests WHERE create_time < ?").Bind(create_time).Run();
}

absl::StatusOr<int64_t> CountAllKeys(Database& database) {
  return ReadNumber(database.Prepare("SELECT count(*) FROM keys"));
}

absl::StatusOr<std::optional<std::string>> ReadSetting(Database& database, std::string_view name) {
  Statement statement = database.Prepare("SELECT value FROM settings WHERE name = ?");
  absl::StatusOr<bool> row = statement.Bind(name).Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<std::string>();
  return std::optional<std::string>(statement.Text(0));
}

absl::Status WriteSetting(Database& database, std::string_view name, std::string_view value) {
  return database.Prepare("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)")
      .Bind(name)
      .Bind(value)
      .Run();
}

}  // namespace handfast::custody
