#include "server/custody/custody_state.h"

#include <algorithm>
#include <array>
#include <map>

#include "absl/strings/str_cat.h"

#include "server/access/error_details_interface.h"
#include "server/custody/names.h"
#include "server/custody/validation.h"
#include "tls/base/secret.h"
#include "tls/crypto/hash.h"
#include "tls/crypto/x509.h"

namespace handfast::custody {

std::shared_ptr<const Index> Custody::State::Snapshot() const {
  return std::atomic_load(&published);
}

std::shared_ptr<const TenantIndex> Custody::State::Tenant(std::string_view tenant) const {
  const std::shared_ptr<const Index> index = Snapshot();
  const auto found = index->find(tenant);
  return found == index->end() ? nullptr : found->second;
}

absl::StatusOr<std::shared_ptr<const tls::PrivateKey>> Custody::State::PrivateKeyOf(
    std::string_view tenant, std::string_view key_id) {
  if (const std::shared_ptr<const TenantIndex> index = Tenant(tenant)) {
    if (std::shared_ptr<const tls::PrivateKey> key = index->FindKey(key_id)) return key;
  }
  absl::StatusOr<std::optional<KeyRow>> row = rows.FindKey(tenant, key_id);
  if (!row.ok()) return row.status();
  if (!*row) return access::NotFound(KeyName(tenant, key_id));
  absl::StatusOr<tls::Bytes> pkcs8 = OpenPrivateKey(kek, **row);
  if (!pkcs8.ok()) return pkcs8.status();
  tls::Result<tls::PrivateKey> key = tls::PrivateKey::FromPkcs8(*pkcs8);
  tls::Wipe(*pkcs8);
  if (!key.ok()) {
    return absl::DataLossError(absl::StrCat(KeyName(tenant, key_id), " does not parse"));
  }
  return std::make_shared<const tls::PrivateKey>(*std::move(key));
}

namespace {

int64_t EndOf(const std::vector<tls::Bytes>& chain) {
  int64_t end = INT64_MAX;
  for (const tls::Bytes& der : chain) {
    const tls::Result<tls::CertificateInfo> certificate = tls::ReadCertificate(der);
    // What no longer parses was read when it came: no session is to rest on it.
    end = std::min(end, certificate.ok() ? certificate->not_after_unix_s : 0);
  }
  return end;
}

}  // namespace

absl::StatusOr<ActiveCredential> Custody::State::Activate(const CredentialRow& row) {
  absl::StatusOr<std::shared_ptr<const tls::PrivateKey>> key = PrivateKeyOf(row.tenant, row.key_id);
  if (!key.ok()) return key.status();
  // That it fits the key was checked before the row was sealed.
  absl::StatusOr<Chain> chain = ParseStoredChain(row.chain_pem);
  const std::string name = CredentialName(row.tenant, row.credential_id);
  if (!chain.ok()) return absl::DataLossError(absl::StrCat(name, ": ", chain.status().message()));
  const std::span<const tls::SignatureScheme> schemes = tls::SchemesOf((*key)->type());
  std::vector<std::string> issuers;
  for (const tls::Bytes& certificate : chain->certificates) {
    const tls::Result<tls::Bytes> issuer = tls::IssuerOf(certificate);
    if (issuer.ok()) issuers.emplace_back(tls::AsText(*issuer));
  }
  auto credential = std::make_shared<tls::Credential>();
  credential->name = name;
  credential->chain = std::move(chain->certificates);
  credential->signatures = tls::SignaturesOf(credential->chain);
  credential->not_after_unix_s = EndOf(credential->chain);
  credential->schemes.assign(schemes.begin(), schemes.end());
  std::shared_ptr<const tls::Credential> unstapled;
  if (!row.ocsp_response.empty()) {
    unstapled = std::make_shared<const tls::Credential>(*credential);
    credential->ocsp_response = row.ocsp_response;
  }
  return ActiveCredential{
      .credential = std::move(credential),
      .key = *std::move(key),
      .key_id = row.key_id,
      .dns_names = std::move(chain->leaf.dns_names),
      .is_default = row.is_default,
      .activation = row.activation,
      .not_after_unix_s = chain->leaf.not_after_unix_s,
      .for_clients = chain->leaf.for_clients,
      .issuers = std::move(issuers),
      .ocsp_next_update_unix_s = row.ocsp_next_update,
      .unstapled = std::move(unstapled),
  };
}

absl::StatusOr<std::shared_ptr<const TenantIndex>> Custody::State::TenantIndexWith(
    const CredentialRow& row) {
  absl::StatusOr<ActiveCredential> active = Activate(row);
  if (!active.ok()) return active.status();
  std::vector<ActiveCredential> credentials;
  if (const std::shared_ptr<const TenantIndex> before = Tenant(row.tenant)) {
    credentials = before->credentials();
    std::erase_if(credentials, [&](const ActiveCredential& other) {
      return other.credential->name == active->credential->name;
    });
  }
  credentials.push_back(*std::move(active));
  return std::make_shared<const TenantIndex>(std::move(credentials));
}

absl::Status Custody::State::LoadAll() {
  absl::StatusOr<std::vector<CredentialRow>> active_rows = rows.ListActive({});
  if (!active_rows.ok()) return active_rows.status();
  std::map<std::string, std::vector<ActiveCredential>> by_tenant;
  for (const CredentialRow& row : *active_rows) {
    absl::StatusOr<ActiveCredential> active = Activate(row);
    if (!active.ok()) return active.status();
    by_tenant[row.tenant].push_back(*std::move(active));
  }
  auto index = std::make_shared<Index>();
  for (auto& [tenant, credentials] : by_tenant) {
    index->emplace(tenant, std::make_shared<const TenantIndex>(std::move(credentials)));
  }
  std::atomic_store(&published, std::shared_ptr<const Index>(std::move(index)));
  return absl::OkStatus();
}

void Custody::State::Publish(std::string_view tenant, std::shared_ptr<const TenantIndex> index) {
  auto next = std::make_shared<Index>(*Snapshot());
  next->insert_or_assign(std::string(tenant), std::move(index));
  std::atomic_store(&published, std::shared_ptr<const Index>(std::move(next)));
}

absl::StatusOr<std::optional<std::string>> Custody::State::Earlier(std::string_view tenant,
                                                                   std::string_view request_id,
                                                                   tls::ByteView digest) {
  if (request_id.empty()) return std::optional<std::string>();
  absl::StatusOr<std::optional<RequestRow>> row = rows.FindRequest(tenant, request_id);
  if (!row.ok()) return row.status();
  if (!*row || (*row)->create_time < clock() - kRequestLifetimeS) {
    return std::optional<std::string>();
  }
  if (!tls::Equal((*row)->digest, digest)) {
    return access::InvalidField("request_id", "was used for another request", "REQUEST_ID_REUSED");
  }
  return std::optional<std::string>((*row)->resource_id);
}

absl::Status Custody::State::Remember(std::string_view tenant, std::string_view request_id,
                                      tls::ByteView digest, std::string_view resource_id) {
  if (request_id.empty()) return absl::OkStatus();
  absl::Status status = rows.DeleteRequestsBefore(clock() - kRequestLifetimeS);
  if (!status.ok()) return status;
  return rows.InsertRequest({std::string(tenant), std::string(request_id), tls::Copy(digest),
                             std::string(resource_id), clock()});
}

absl::StatusOr<std::string> Custody::State::NewId(std::string_view prefix) {
  std::array<uint8_t, 8> random{};
  if (!randomness.Fill(random).ok()) return absl::InternalError("no randomness for an id");
  return std::string(prefix).append(tls::ToHex(random));
}

tls::Bytes DigestOf(const RowBinding& request) {
  const tls::Digest digest = tls::Hash(tls::HashAlgorithm::kSha256, request.bytes());
  return tls::Copy(digest.view());
}

absl::Status FirstError(std::initializer_list<absl::Status> statuses) {
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckNotExpired(int64_t not_after_unix_s, int64_t now_unix_s) {
  if (not_after_unix_s > now_unix_s) return absl::OkStatus();
  return access::WithReason(absl::FailedPreconditionError("the leaf certificate has expired"),
                            "LEAF_EXPIRED");
}

Key ToKey(const KeyRow& row) {
  return {.name = KeyName(row.tenant, row.key_id),
          .type = static_cast<tls::KeyType>(row.type),
          .public_key_der = row.public_key,
          .create_time_unix_s = row.create_time,
          .imported = row.imported};
}

absl::StatusOr<Credential> ToCredential(const CredentialRow& row) {
  Credential credential{
      .name = CredentialName(row.tenant, row.credential_id),
      .key = KeyName(row.tenant, row.key_id),
      .state = row.activation > 0 ? CredentialState::kActive : CredentialState::kPending,
      .certificate_chain_pem = row.chain_pem,
      .dns_names = SplitLines(row.requested_names),
      .is_default = row.is_default,
      .certificate_request_pem = row.request_pem,
      .not_after_unix_s = 0,
      .create_time_unix_s = row.create_time,
      .ocsp_next_update_unix_s = row.ocsp_next_update,
  };
  if (row.chain_pem.empty()) return credential;
  absl::StatusOr<Chain> chain = ParseStoredChain(row.chain_pem);
  if (!chain.ok()) {
    return absl::DataLossError(absl::StrCat(credential.name, ": ", chain.status().message()));
  }
  credential.dns_names = std::move(chain->leaf.dns_names);
  credential.not_after_unix_s = chain->leaf.not_after_unix_s;
  return credential;
}

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text.append(line).push_back('\n');
  return text;
}

}  // namespace handfast::custody
