// Opening custody, and the answers to a handshake's questions. Keys and credentials are made in
// custody_keys.cc and custody_credentials.cc.
#include "server/custody/custody.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/access/error_details_interface.h"
#include "server/custody/custody_state.h"
#include "server/custody/schema.h"
#include "server/observe/log.h"
#include "tls/engine/use_private_key.h"

namespace handfast::custody {
namespace {

constexpr std::string_view kKekIdSetting = "key_encryption_key_id";

// Folders that are missing are made for the owner alone.
absl::Status MakeFolderOf(const std::string& file) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  std::error_code error;
  if (folder.empty() || std::filesystem::exists(folder, error)) return absl::OkStatus();
  std::filesystem::create_directories(folder.parent_path(), error);
  if (!error && mkdir(folder.c_str(), 0700) == 0) return absl::OkStatus();
  const int code = error ? error.value() : errno;
  return absl::ErrnoToStatus(code, absl::StrCat("cannot make ", folder.string()));
}

absl::Status KekMissing(const CustodyOptions& options, int64_t keys) {
  return access::WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "key-encryption key file ", options.kek_path, " is missing, but ", options.database_path,
          " holds ", keys, " private key(s) sealed under it: put the file back from its backup")),
      "KEK_MISSING");
}

absl::Status KekIsAnother(const CustodyOptions& options, const std::string& wanted,
                          const std::string& found) {
  return access::WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          options.database_path, " was sealed under key-encryption key ", wanted, "; ",
          options.kek_path, " holds ", found, ": put the right file back from its backup")),
      "KEK_MISMATCH");
}

// The key under which the database is sealed; made, and noted in the database, at first start.
absl::StatusOr<KeyEncryptionKey> TakeKek(const CustodyOptions& options, Database& database,
                                         tls::Randomness& randomness) {
  absl::StatusOr<std::optional<std::string>> noted = ReadSetting(database, kKekIdSetting);
  if (!noted.ok()) return noted.status();
  const absl::StatusOr<int64_t> keys = CountAllKeys(database);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<std::optional<KeyEncryptionKey>> kek = KeyEncryptionKey::Load(options.kek_path);
  if (!kek.ok()) return kek.status();
  if (!kek->has_value()) {
    if (*keys > 0) return KekMissing(options, *keys);
    absl::Status status = MakeFolderOf(options.kek_path);
    if (!status.ok()) return status;
    absl::StatusOr<KeyEncryptionKey> made = KeyEncryptionKey::Create(options.kek_path, randomness);
    if (!made.ok()) return made.status();
    observe::Log(observe::Level::kInfo, "custody", "key-encryption key made",
                 {{"file", options.kek_path}, {"kek_id", made->id()}});
    *kek = *std::move(made);
  }
  if (*keys > 0 && *noted != (*kek)->id()) {
    return KekIsAnother(options, noted->value_or("(none)"), (*kek)->id());
  }
  if (*noted != (*kek)->id()) {
    absl::Status status = WriteSetting(database, kKekIdSetting, (*kek)->id());
    if (!status.ok()) return status;
  }
  return **std::move(kek);
}

}  // namespace

Custody::Custody(std::unique_ptr<State> state) : state_(std::move(state)) {}
Custody::~Custody() = default;

absl::StatusOr<std::unique_ptr<Custody>> Custody::Open(const CustodyOptions& options,
                                                       tls::Randomness& randomness, Clock clock) {
  absl::Status status = MakeFolderOf(options.database_path);
  if (!status.ok()) return status;
  absl::StatusOr<Database> database = Database::Open(options.database_path);
  if (!database.ok()) return database.status();
  status = Migrate(*database, clock());
  if (!status.ok()) return status;
  absl::StatusOr<KeyEncryptionKey> kek = TakeKek(options, *database, randomness);
  if (!kek.ok()) return kek.status();
  auto state =
      std::make_unique<State>(*std::move(database), *std::move(kek), randomness, std::move(clock));
  {
    const std::lock_guard lock(state->mutex);
    status = state->LoadAll();
  }
  if (!status.ok()) return status;
  return std::unique_ptr<Custody>(new Custody(std::move(state)));
}

tls::Chosen Custody::Choose(std::string_view tenant, const tls::Choose& question,
                            const std::string& pinned, bool refuse_unknown) const {
  tls::Chosen chosen;
  if (const std::shared_ptr<const TenantIndex> index = state_->Tenant(tenant)) {
    chosen = index->Choose(question, pinned, refuse_unknown, state_->clock());
  } else if (!question.as_client && refuse_unknown && pinned.empty() &&
             !question.server_name.empty()) {
    chosen.refusal = tls::Reason::kUnrecognizedName;
  }
  chosen.question = question.id;
  return chosen;
}

tls::PrivateKeyUsed Custody::Use(std::string_view tenant,
                                 const tls::UsePrivateKey& question) const {
  const std::shared_ptr<const TenantIndex> index = state_->Tenant(tenant);
  const ActiveCredential* active = index ? index->Find(question.credential) : nullptr;
  if (active == nullptr) {
    return {.question = question.id, .signature = {}, .refusal = tls::Reason::kPrivateKeyRefused};
  }
  return tls::Use(*active->key, question);
}

bool Custody::IsActive(std::string_view tenant, std::string_view credential) const {
  const std::shared_ptr<const TenantIndex> index = state_->Tenant(tenant);
  return index != nullptr && index->Find(credential) != nullptr;
}

std::vector<ServedCertificate> Custody::Served() const {
  std::vector<ServedCertificate> served;
  const std::shared_ptr<const Index> index = state_->Snapshot();
  for (const auto& [tenant, credentials] : *index) {
    for (const ActiveCredential& active : credentials->credentials()) {
      served.push_back({active.credential->name, active.not_after_unix_s});
    }
  }
  return served;
}

absl::Status Custody::Check() const {
  const std::lock_guard lock(state_->mutex);
  // One row at most: a table of a hundred thousand keys must not make a probe late.
  Statement any = state_->database.Prepare("SELECT 1 FROM keys LIMIT 1");
  return any.Step().status();
}

}  // namespace handfast::custody
