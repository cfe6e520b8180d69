// What stands behind Custody: the database under a lock, and the published index beside it. Shared
// by the files that implement Custody's methods, and by nothing else.
#ifndef HANDFAST_SERVER_CUSTODY_CUSTODY_STATE_H_
#define HANDFAST_SERVER_CUSTODY_CUSTODY_STATE_H_

#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/custody/custody.h"
#include "server/custody/database.h"
#include "server/custody/index.h"
#include "server/custody/key_encryption_key.h"
#include "server/custody/rows.h"
#include "server/custody/sealing.h"

namespace handfast::custody {

// A repeated request within a day finds its first reply; request ids are then forgotten.
inline constexpr int64_t kRequestLifetimeS = int64_t{24} * 3600;
// What the lists, the index and start-up are measured with (performance.md, P14).
inline constexpr int64_t kMaxKeysPerTenant = 100'000;
inline constexpr int64_t kMaxCredentialsPerTenant = 100'000;

// A key that is about to be stored, besides its private bytes.
struct NewKey {
  KeyRow row;
  std::optional<CredentialRow> credential;
  int64_t leaf_not_after_unix_s = 0;
  std::string request_id;
  tls::Bytes digest;
};

struct Custody::State {
  State(Database opened, KeyEncryptionKey key, tls::Randomness& entropy, Clock wall)
      : database(std::move(opened)),
        kek(std::move(key)),
        randomness(entropy),
        clock(std::move(wall)),
        rows(database, kek, randomness),
        published(std::make_shared<const Index>()) {}

  // --- Reading, without the lock.

  // The index as of now: valid, and unchanged, as long as it is held.
  std::shared_ptr<const Index> Snapshot() const;
  // Null where the tenant has nothing active.
  std::shared_ptr<const TenantIndex> Tenant(std::string_view tenant) const;

  // --- Writing. These, and those on request_id but NewId, are called under the lock.

  // Publishes what the database holds; at start.
  absl::Status LoadAll();
  // The tenant's index with this credential, new or in place of what it was.
  absl::StatusOr<std::shared_ptr<const TenantIndex>> TenantIndexWith(const CredentialRow& row);
  void Publish(std::string_view tenant, std::shared_ptr<const TenantIndex> index);
  absl::StatusOr<ActiveCredential> Activate(const CredentialRow& row);
  // NOT_FOUND where there is no such key; one that is in use is shared.
  absl::StatusOr<std::shared_ptr<const tls::PrivateKey>> PrivateKeyOf(std::string_view tenant,
                                                                      std::string_view key_id);

  // Stores key, credential and request id in one transaction and publishes the credential; or,
  // where the same request has done so before, reads back into `key` what it stored.
  absl::Status StoreOnce(NewKey& key, tls::ByteView pkcs8);
  absl::Status InsertNew(NewKey& key, tls::ByteView pkcs8);
  // Chooses the id where none was given, and checks that it is free.
  absl::Status ClaimKeyId(KeyRow& row);
  // ALREADY_EXISTS where it is taken, RESOURCE_EXHAUSTED where there is no room for one more.
  absl::Status CheckFreeCredential(std::string_view tenant, std::string_view id);
  absl::Status ReadBack(NewKey& key, std::string_view id);

  // Makes the certificate request, and stores a pending credential and its request id. NOT_FOUND
  // where there is no such key.
  absl::Status StoreCredential(CredentialRow& row, std::string_view request_id,
                               tls::ByteView digest);

  // --- request_id.

  // The id of the resource that the same request made before; nullopt: it is new. INVALID_ARGUMENT
  // where another request bore this id.
  absl::StatusOr<std::optional<std::string>> Earlier(std::string_view tenant,
                                                     std::string_view request_id,
                                                     tls::ByteView digest);
  absl::Status Remember(std::string_view tenant, std::string_view request_id, tls::ByteView digest,
                        std::string_view resource_id);

  // `prefix` and 16 random hex digits.
  absl::StatusOr<std::string> NewId(std::string_view prefix);

  mutable std::mutex mutex;  // guards database and rows
  Database database;
  const KeyEncryptionKey kek;
  tls::Randomness& randomness;
  const Clock clock;
  Rows rows;
  // Touched by std::atomic_load and std::atomic_store alone. (std::atomic<std::shared_ptr> of
  // libstdc++ 12 lets go of its lock bit with relaxed order in load: a race that TSan finds.)
  std::shared_ptr<const Index> published;
};

// SHA-256, to tell a repeated request from another one; private bytes have no part in it.
tls::Bytes DigestOf(const RowBinding& request);

absl::Status FirstError(std::initializer_list<absl::Status> statuses);

// FAILED_PRECONDITION where a leaf that ends then is of no use any more.
absl::Status CheckNotExpired(int64_t not_after_unix_s, int64_t now_unix_s);

// Rows as resources.
absl::StatusOr<Credential> ToCredential(const CredentialRow& row);
Key ToKey(const KeyRow& row);

// The names of a row, which holds one a line.
std::vector<std::string> SplitLines(std::string_view text);
std::string JoinLines(const std::vector<std::string>& lines);

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_CUSTODY_STATE_H_
