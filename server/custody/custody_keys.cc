// Keys: made, imported, found, listed.
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/custody/custody_state.h"
#include "server/custody/names.h"
#include "server/custody/validation.h"
#include "server/observe/log.h"
#include "tls/base/secret.h"

namespace handfast::custody {
namespace {

void LogNewKey(const NewKey& key) {
  observe::Log(observe::Level::kInfo, "custody", key.row.imported ? "key imported" : "key created",
               {{"tenant", key.row.tenant},
                {"key", KeyName(key.row.tenant, key.row.key_id)},
                {"key_type", tls::Name(static_cast<tls::KeyType>(key.row.type))},
                {"with_credential", key.credential.has_value()}});
}

}  // namespace

absl::Status Custody::State::ClaimKeyId(KeyRow& row) {
  const absl::StatusOr<int64_t> count = rows.CountKeys(row.tenant);
  if (!count.ok()) return count.status();
  if (*count >= kMaxKeysPerTenant) {
    return access::WithReason(
        absl::ResourceExhaustedError("the tenant has as many keys as it may have"), "KEY_LIMIT");
  }
  if (row.key_id.empty()) {
    absl::StatusOr<std::string> id = NewId("key-");
    if (!id.ok()) return id.status();
    row.key_id = *std::move(id);
  }
  const absl::StatusOr<std::optional<KeyRow>> taken = rows.FindKey(row.tenant, row.key_id);
  if (!taken.ok()) return taken.status();
  if (!taken->has_value()) return absl::OkStatus();
  return access::WithReason(absl::AlreadyExistsError("the tenant has a key of this id"),
                            "KEY_EXISTS");
}

absl::Status Custody::State::InsertNew(NewKey& key, tls::ByteView pkcs8) {
  absl::Status status = ClaimKeyId(key.row);
  if (status.ok()) status = rows.InsertKey(key.row, pkcs8);
  if (status.ok() && key.credential) {
    CredentialRow& credential = *key.credential;
    credential.key_id = credential.credential_id = key.row.key_id;
    const absl::StatusOr<int64_t> last = rows.LastActivation(key.row.tenant);
    status = FirstError({CheckNotExpired(key.leaf_not_after_unix_s, clock()), last.status(),
                         CheckFreeCredential(credential.tenant, credential.credential_id)});
    if (!status.ok()) return status;
    credential.activation = *last + 1;
    status = rows.PutCredential(credential);
  }
  if (!status.ok()) return status;
  return Remember(key.row.tenant, key.request_id, key.digest, key.row.key_id);
}

absl::Status Custody::State::StoreOnce(NewKey& key, tls::ByteView pkcs8) {
  const absl::StatusOr<std::optional<std::string>> earlier =
      Earlier(key.row.tenant, key.request_id, key.digest);
  if (!earlier.ok()) return earlier.status();
  if (*earlier) return ReadBack(key, **earlier);

  absl::StatusOr<Transaction> transaction = Transaction::Begin(database);
  if (!transaction.ok()) return transaction.status();
  absl::Status status = InsertNew(key, pkcs8);
  if (!status.ok()) return status;
  absl::StatusOr<std::shared_ptr<const TenantIndex>> index = nullptr;
  if (key.credential) index = TenantIndexWith(*key.credential);
  if (!index.ok()) return index.status();
  status = transaction->Commit();
  if (!status.ok()) return status;
  if (*index) Publish(key.row.tenant, *std::move(index));
  LogNewKey(key);
  return absl::OkStatus();
}

absl::Status Custody::State::ReadBack(NewKey& key, std::string_view id) {
  absl::StatusOr<std::optional<KeyRow>> row = rows.FindKey(key.row.tenant, id);
  if (!row.ok()) return row.status();
  if (!*row) return access::NotFound(KeyName(key.row.tenant, id));
  key.row = **std::move(row);
  if (!key.credential) return absl::OkStatus();
  absl::StatusOr<std::optional<CredentialRow>> credential = rows.FindCredential(key.row.tenant, id);
  if (!credential.ok()) return credential.status();
  if (!*credential) return access::NotFound(CredentialName(key.row.tenant, id));
  key.credential = **std::move(credential);
  return absl::OkStatus();
}

absl::StatusOr<Key> Custody::CreateKey(const CreateKeyRequest& request) {
  absl::Status status =
      FirstError({CheckTenant(request.tenant), CheckNewId("key_id", request.key_id),
                  CheckKeyType(request.type), CheckRequestId(request.request_id)});
  if (!status.ok()) return status;
  RowBinding summary("CreateKey");
  summary.Add(request.key_id).Add(static_cast<int64_t>(request.type));
  NewKey made;
  made.row.tenant = request.tenant;
  made.request_id = request.request_id;
  made.digest = DigestOf(summary);
  {
    const std::lock_guard lock(state_->mutex);
    const absl::StatusOr<std::optional<std::string>> earlier =
        state_->Earlier(request.tenant, request.request_id, made.digest);
    if (!earlier.ok()) return earlier.status();
    if (*earlier) {
      status = state_->ReadBack(made, **earlier);
      if (!status.ok()) return status;
      return ToKey(made.row);
    }
  }
  // Without the lock: an RSA-4096 key can take seconds.
  tls::Result<tls::PrivateKey> key = tls::PrivateKey::Generate(request.type);
  if (!key.ok()) return absl::InternalError("the key could not be generated");
  made.row.key_id = request.key_id;
  made.row.type = static_cast<int64_t>(request.type);
  made.row.public_key = key->PublicKeyDer();
  made.row.create_time = state_->clock();
  tls::Bytes pkcs8 = key->ToPkcs8();
  {
    const std::lock_guard lock(state_->mutex);
    status = state_->StoreOnce(made, pkcs8);
  }
  tls::Wipe(pkcs8);
  if (!status.ok()) return status;
  return ToKey(made.row);
}

absl::StatusOr<ImportedKey> Custody::ImportKey(const ImportKeyRequest& request) {
  absl::Status status =
      FirstError({CheckTenant(request.tenant), CheckNewId("key_id", request.key_id),
                  CheckRequestId(request.request_id)});
  if (!status.ok()) return status;
  if (request.default_credential && request.certificate_chain_pem.empty()) {
    return access::InvalidField("default_credential", "needs a certificate chain");
  }
  absl::StatusOr<tls::PrivateKey> key = ReadPrivateKey(request.private_key_pem);
  if (!key.ok()) return key.status();

  NewKey made;
  made.row.tenant = request.tenant;
  made.row.key_id = request.key_id;
  made.row.type = static_cast<int64_t>(key->type());
  made.row.public_key = key->PublicKeyDer();
  made.row.imported = true;
  made.row.create_time = state_->clock();
  made.request_id = request.request_id;
  if (!request.certificate_chain_pem.empty()) {
    absl::StatusOr<Chain> chain = ReadChain(request.certificate_chain_pem, made.row.public_key);
    if (!chain.ok()) return chain.status();
    made.leaf_not_after_unix_s = chain->leaf.not_after_unix_s;
    CredentialRow& credential = made.credential.emplace();
    credential.tenant = request.tenant;
    credential.is_default = request.default_credential;
    credential.chain_pem = std::move(chain->pem);
    credential.create_time = made.row.create_time;
  }
  RowBinding summary("ImportKey");
  summary.Add(request.key_id).Add(made.row.public_key);
  if (made.credential) {
    summary.Add(made.credential->chain_pem).Add(int64_t{made.credential->is_default});
  }
  made.digest = DigestOf(summary);

  tls::Bytes pkcs8 = key->ToPkcs8();
  {
    const std::lock_guard lock(state_->mutex);
    status = state_->StoreOnce(made, pkcs8);
  }
  tls::Wipe(pkcs8);
  if (!status.ok()) return status;
  ImportedKey imported{ToKey(made.row), std::nullopt};
  if (made.credential) {
    absl::StatusOr<Credential> credential = ToCredential(*made.credential);
    if (!credential.ok()) return credential.status();
    imported.credential = *std::move(credential);
  }
  return imported;
}

absl::StatusOr<Key> Custody::GetKey(std::string_view name) const {
  const std::optional<ResourceName> parsed = ParseKeyName(name);
  if (!parsed) return access::InvalidField("name", "must be tenants/{t}/keys/{k}");
  const std::lock_guard lock(state_->mutex);
  const absl::StatusOr<std::optional<KeyRow>> row =
      state_->rows.FindKey(parsed->tenant, parsed->id);
  if (!row.ok()) return row.status();
  if (!*row) return access::NotFound(name);
  return ToKey(**row);
}

absl::StatusOr<KeyPage> Custody::ListKeys(std::string_view tenant, const Page& page) const {
  const absl::StatusOr<uint32_t> size = PageSize(page.size);
  const absl::StatusOr<std::string> after = ReadPageToken("keys", tenant, page.token);
  absl::Status status = FirstError({CheckTenant(tenant), size.status(), after.status()});
  if (!status.ok()) return status;
  const std::lock_guard lock(state_->mutex);
  // One more than the page shows whether there is a next one.
  absl::StatusOr<std::vector<KeyRow>> rows =
      state_->rows.ListKeys(tenant, *after, int64_t{*size} + 1);
  if (!rows.ok()) return rows.status();
  KeyPage result;
  if (rows->size() > *size) {
    rows->pop_back();
    result.next_page_token = PageToken("keys", tenant, rows->back().key_id);
  }
  for (const KeyRow& row : *rows) result.keys.push_back(ToKey(row));
  return result;
}

}  // namespace handfast::custody
