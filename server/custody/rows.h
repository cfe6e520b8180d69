// The rows of custody's tables, and the SQL that reads and writes them. A row is sealed and
// unsealed here and nowhere else, so a row that was tampered with never gets further. Whoever calls
// these holds custody's lock, and for writes a transaction.
#ifndef HANDFAST_SERVER_CUSTODY_ROWS_H_
#define HANDFAST_SERVER_CUSTODY_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/custody/database.h"
#include "server/custody/key_encryption_key.h"
#include "tls/base/bytes.h"
#include "tls/crypto/random.h"

namespace handfast::custody {

struct KeyRow {
  std::string tenant;
  std::string key_id;
  int64_t version = 1;
  int64_t type = 0;  // tls::KeyType
  tls::Bytes public_key;
  bool imported = false;
  int64_t create_time = 0;
  tls::Bytes seal;
};

struct CredentialRow {
  std::string tenant;
  std::string credential_id;
  std::string key_id;
  int64_t activation = 0;  // 0: pending
  bool is_default = false;
  std::string requested_names;  // one a line
  std::string request_pem;
  std::string chain_pem;
  int64_t create_time = 0;
  tls::Bytes ocsp_response;      // DER; empty: none
  int64_t ocsp_next_update = 0;  // of that; 0: none
  tls::Bytes seal;
};

struct RequestRow {
  std::string tenant;
  std::string request_id;
  tls::Bytes digest;
  std::string resource_id;
  int64_t create_time = 0;
};

// The private key (PKCS#8) of a row, which the caller wipes. DATA_LOSS where the row was changed.
absl::StatusOr<tls::Bytes> OpenPrivateKey(const KeyEncryptionKey& kek, const KeyRow& row);

// Reading is DATA_LOSS for a row that was changed.
class Rows {
 public:
  // All three must outlive it.
  Rows(Database& database, const KeyEncryptionKey& kek, tls::Randomness& randomness)
      : database_(database), kek_(kek), randomness_(randomness) {}

  // `row.seal` is made here, from the private key.
  absl::Status InsertKey(KeyRow& row, tls::ByteView pkcs8);
  absl::StatusOr<std::optional<KeyRow>> FindKey(std::string_view tenant, std::string_view id);
  // At most `limit`, with ids after `after`, in their order.
  absl::StatusOr<std::vector<KeyRow>> ListKeys(std::string_view tenant, std::string_view after,
                                               int64_t limit);
  absl::StatusOr<int64_t> CountKeys(std::string_view tenant);

  // `row.seal` is made here. Put inserts or replaces.
  absl::Status PutCredential(CredentialRow& row);
  absl::StatusOr<std::optional<CredentialRow>> FindCredential(std::string_view tenant,
                                                              std::string_view id);
  absl::StatusOr<std::vector<CredentialRow>> ListCredentials(std::string_view tenant,
                                                             std::string_view after, int64_t limit);
  // Those in use, of one tenant or (empty) of all.
  absl::StatusOr<std::vector<CredentialRow>> ListActive(std::string_view tenant);
  absl::StatusOr<int64_t> CountCredentials(std::string_view tenant);
  absl::StatusOr<int64_t> LastActivation(std::string_view tenant);

  absl::Status InsertRequest(const RequestRow& row);
  absl::StatusOr<std::optional<RequestRow>> FindRequest(std::string_view tenant,
                                                        std::string_view request_id);
  absl::Status DeleteRequestsBefore(int64_t create_time);

 private:
  // DATA_LOSS where the row was changed.
  absl::Status CheckSeal(const KeyRow& row) const;
  absl::StatusOr<std::vector<CredentialRow>> ReadCredentials(Statement statement);

  Database& database_;
  const KeyEncryptionKey& kek_;
  tls::Randomness& randomness_;
};

// All keys of all tenants; before a key-encryption key is known.
absl::StatusOr<int64_t> CountAllKeys(Database& database);
// Nullopt where it was never written.
absl::StatusOr<std::optional<std::string>> ReadSetting(Database& database, std::string_view name);
absl::Status WriteSetting(Database& database, std::string_view name, std::string_view value);

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_ROWS_H_
