// The tables, version by version. A migration is applied once, in order, each in a transaction with
// its entry in schema_migrations; released ones are never edited, only followed.
#ifndef HANDFAST_SERVER_CUSTODY_SCHEMA_H_
#define HANDFAST_SERVER_CUSTODY_SCHEMA_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/custody/database.h"

namespace handfast::custody {

// The version that this build reads and writes.
int64_t NewestSchema();

// Brings the database to NewestSchema. FAILED_PRECONDITION where it is newer than this build.
absl::Status Migrate(Database& database, int64_t now_unix_s);

// 0 for an empty database.
absl::StatusOr<int64_t> SchemaVersion(Database& database);

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_SCHEMA_H_
