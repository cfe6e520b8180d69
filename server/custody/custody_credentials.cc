// Credentials: opened for a key, given their chain, activated, stapled to, found, listed.
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/custody/custody_state.h"
#include "server/custody/names.h"
#include "server/custody/validation.h"
#include "server/observe/log.h"
#include "tls/crypto/pem.h"

namespace handfast::custody {
namespace {

absl::Status NotPending() {
  return access::WithReason(
      absl::FailedPreconditionError("the credential is active: its chain stays as it is"),
      "CREDENTIAL_NOT_PENDING");
}

absl::Status NoChain() {
  return access::WithReason(
      absl::FailedPreconditionError("the credential has no chain yet: set it first"), "NO_CHAIN");
}

absl::StatusOr<CredentialRow> ReadRow(Rows& rows, const ResourceName& name) {
  absl::StatusOr<std::optional<CredentialRow>> row = rows.FindCredential(name.tenant, name.id);
  if (!row.ok()) return row.status();
  if (!*row) return access::NotFound(CredentialName(name.tenant, name.id));
  return **std::move(row);
}

absl::StatusOr<ResourceName> ReadName(std::string_view name) {
  std::optional<ResourceName> parsed = ParseCredentialName(name);
  if (!parsed) return access::InvalidField("name", "must be tenants/{t}/credentials/{c}");
  return *std::move(parsed);
}

// As CreateCredential answered when it made the row, whatever has become of it since.
absl::StatusOr<Credential> AsCreated(CredentialRow row) {
  row.activation = 0;
  row.chain_pem.clear();
  row.ocsp_response.clear();
  row.ocsp_next_update = 0;
  return ToCredential(row);
}

}  // namespace

absl::Status Custody::State::CheckFreeCredential(std::string_view tenant, std::string_view id) {
  const absl::StatusOr<std::optional<CredentialRow>> taken = rows.FindCredential(tenant, id);
  if (!taken.ok()) return taken.status();
  if (taken->has_value()) {
    return access::WithReason(absl::AlreadyExistsError("the tenant has a credential of this id"),
                              "CREDENTIAL_EXISTS");
  }
  const absl::StatusOr<int64_t> count = rows.CountCredentials(tenant);
  if (!count.ok()) return count.status();
  if (*count < kMaxCredentialsPerTenant) return absl::OkStatus();
  return access::WithReason(
      absl::ResourceExhaustedError("the tenant has as many credentials as it may have"),
      "CREDENTIAL_LIMIT");
}

absl::Status Custody::State::StoreCredential(CredentialRow& row, std::string_view request_id,
                                             tls::ByteView digest) {
  absl::StatusOr<std::shared_ptr<const tls::PrivateKey>> key = PrivateKeyOf(row.tenant, row.key_id);
  if (!key.ok()) return key.status();
  tls::Result<tls::Bytes> request = (*key)->CertificateRequest("", SplitLines(row.requested_names));
  if (!request.ok()) return absl::InternalError("the certificate request could not be made");
  row.request_pem = tls::ToPem("CERTIFICATE REQUEST", *request);

  absl::StatusOr<Transaction> transaction = Transaction::Begin(database);
  if (!transaction.ok()) return transaction.status();
  if (row.credential_id.empty()) {
    absl::StatusOr<std::string> id = NewId("credential-");
    if (!id.ok()) return id.status();
    row.credential_id = *std::move(id);
  }
  absl::Status status = CheckFreeCredential(row.tenant, row.credential_id);
  if (status.ok()) status = rows.PutCredential(row);
  if (status.ok()) status = Remember(row.tenant, request_id, digest, row.credential_id);
  if (!status.ok()) return status;
  return transaction->Commit();
}

absl::StatusOr<Credential> Custody::CreateCredential(const CreateCredentialRequest& request) {
  absl::Status status =
      FirstError({CheckTenant(request.tenant), CheckNewId("credential_id", request.credential_id),
                  CheckDnsNames(request.dns_names), CheckRequestId(request.request_id)});
  if (!status.ok()) return status;
  const std::optional<ResourceName> key = ParseKeyName(request.key);
  if (!key) return access::InvalidField("key", "must be tenants/{t}/keys/{k}");
  if (key->tenant != request.tenant) return access::NotFound(request.key);

  CredentialRow row;
  row.tenant = request.tenant;
  row.credential_id = request.credential_id;
  row.key_id = key->id;
  row.is_default = request.default_credential;
  row.requested_names = JoinLines(request.dns_names);
  row.create_time = state_->clock();
  RowBinding summary("CreateCredential");
  summary.Add(request.credential_id).Add(row.key_id).Add(row.requested_names);
  summary.Add(int64_t{row.is_default});
  const tls::Bytes digest = DigestOf(summary);

  const std::lock_guard lock(state_->mutex);
  const absl::StatusOr<std::optional<std::string>> earlier =
      state_->Earlier(request.tenant, request.request_id, digest);
  if (!earlier.ok()) return earlier.status();
  if (*earlier) {
    absl::StatusOr<CredentialRow> made = ReadRow(state_->rows, {request.tenant, **earlier});
    if (!made.ok()) return made.status();
    return AsCreated(*std::move(made));
  }
  status = state_->StoreCredential(row, request.request_id, digest);
  if (!status.ok()) return status;
  observe::Log(
      observe::Level::kInfo, "custody", "credential created",
      {{"tenant", row.tenant}, {"credential", CredentialName(row.tenant, row.credential_id)}});
  return ToCredential(row);
}

absl::StatusOr<Credential> Custody::SetCertificateChain(std::string_view name,
                                                        std::string_view chain_pem) {
  const absl::StatusOr<ResourceName> parsed = ReadName(name);
  if (!parsed.ok()) return parsed.status();
  const std::lock_guard lock(state_->mutex);
  absl::StatusOr<CredentialRow> row = ReadRow(state_->rows, *parsed);
  if (!row.ok()) return row.status();
  if (row->activation > 0) return NotPending();
  const absl::StatusOr<std::optional<KeyRow>> key = state_->rows.FindKey(row->tenant, row->key_id);
  if (!key.ok()) return key.status();
  if (!*key) return access::NotFound(KeyName(row->tenant, row->key_id));
  absl::StatusOr<Chain> chain = ReadChain(chain_pem, (*key)->public_key);
  if (!chain.ok()) return chain.status();
  row->chain_pem = std::move(chain->pem);
  row->ocsp_response.clear();  // it was the earlier leaf's
  row->ocsp_next_update = 0;
  absl::Status status = state_->rows.PutCredential(*row);
  if (!status.ok()) return status;
  return ToCredential(*row);
}

absl::StatusOr<Credential> Custody::ActivateCredential(std::string_view name) {
  const absl::StatusOr<ResourceName> parsed = ReadName(name);
  if (!parsed.ok()) return parsed.status();
  const std::lock_guard lock(state_->mutex);
  absl::StatusOr<CredentialRow> row = ReadRow(state_->rows, *parsed);
  if (!row.ok()) return row.status();
  absl::StatusOr<Credential> credential = ToCredential(*row);
  if (!credential.ok() || row->activation > 0) return credential;
  if (row->chain_pem.empty()) return NoChain();
  const absl::StatusOr<int64_t> last = state_->rows.LastActivation(row->tenant);
  absl::Status status =
      FirstError({CheckNotExpired(credential->not_after_unix_s, state_->clock()), last.status()});
  if (!status.ok()) return status;

  row->activation = *last + 1;
  absl::StatusOr<std::shared_ptr<const TenantIndex>> index = state_->TenantIndexWith(*row);
  if (!index.ok()) return index.status();
  status = state_->rows.PutCredential(*row);
  if (!status.ok()) return status;
  state_->Publish(row->tenant, *std::move(index));
  observe::Log(observe::Level::kInfo, "custody", "credential activated",
               {{"tenant", row->tenant}, {"credential", credential->name}});
  credential->state = CredentialState::kActive;
  return credential;
}

absl::StatusOr<Credential> Custody::SetOcspResponse(std::string_view name, tls::ByteView response) {
  const absl::StatusOr<ResourceName> parsed = ReadName(name);
  if (!parsed.ok()) return parsed.status();
  const std::lock_guard lock(state_->mutex);
  absl::StatusOr<CredentialRow> row = ReadRow(state_->rows, *parsed);
  if (!row.ok()) return row.status();
  if (row->chain_pem.empty()) return NoChain();
  const absl::StatusOr<Chain> chain = ParseStoredChain(row->chain_pem);
  if (!chain.ok()) return chain.status();
  const absl::StatusOr<int64_t> next_update =
      response.empty() ? 0 : CheckOcspResponse(response, *chain, state_->clock());
  if (!next_update.ok()) return next_update.status();
  row->ocsp_response = tls::Copy(response);
  row->ocsp_next_update = *next_update;

  absl::StatusOr<std::shared_ptr<const TenantIndex>> index = nullptr;
  if (row->activation > 0) index = state_->TenantIndexWith(*row);
  if (!index.ok()) return index.status();
  absl::Status status = state_->rows.PutCredential(*row);
  if (!status.ok()) return status;
  if (*index != nullptr) state_->Publish(row->tenant, *std::move(index));
  observe::Log(observe::Level::kInfo, "custody", "OCSP response set",
               {{"tenant", row->tenant},
                {"credential", CredentialName(row->tenant, row->credential_id)},
                {"next_update_unix_s", row->ocsp_next_update}});
  return ToCredential(*row);
}

absl::StatusOr<Credential> Custody::GetCredential(std::string_view name) const {
  const absl::StatusOr<ResourceName> parsed = ReadName(name);
  if (!parsed.ok()) return parsed.status();
  const std::lock_guard lock(state_->mutex);
  absl::StatusOr<CredentialRow> row = ReadRow(state_->rows, *parsed);
  if (!row.ok()) return row.status();
  return ToCredential(*row);
}

absl::StatusOr<CredentialPage> Custody::ListCredentials(std::string_view tenant,
                                                        const Page& page) const {
  const absl::StatusOr<uint32_t> size = PageSize(page.size);
  const absl::StatusOr<std::string> after = ReadPageToken("credentials", tenant, page.token);
  absl::Status status = FirstError({CheckTenant(tenant), size.status(), after.status()});
  if (!status.ok()) return status;
  const std::lock_guard lock(state_->mutex);
  absl::StatusOr<std::vector<CredentialRow>> rows =
      state_->rows.ListCredentials(tenant, *after, int64_t{*size} + 1);
  if (!rows.ok()) return rows.status();
  CredentialPage result;
  if (rows->size() > *size) {
    rows->pop_back();
    result.next_page_token = PageToken("credentials", tenant, rows->back().credential_id);
  }
  for (const CredentialRow& row : *rows) {
    absl::StatusOr<Credential> credential = ToCredential(row);
    if (!credential.ok()) return credential.status();
    result.credentials.push_back(*std::move(credential));
  }
  return result;
}

}  // namespace handfast::custody
