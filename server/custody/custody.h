// Custody: private keys that never leave, at rest and in use, and the credentials built on them.
// At rest: one SQLite file, each private key sealed under a key-encryption key that lives in a file
// of its own. In use: an immutable index of the active credentials, replaced as a whole on each
// change, so that handshakes read without waiting for a writer.
//
// Not here: who may call (access), the wire (rpc), retries over a network (a later store).
#ifndef HANDFAST_SERVER_CUSTODY_CUSTODY_H_
#define HANDFAST_SERVER_CUSTODY_CUSTODY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/custody/credentials_interface.h"
#include "server/custody/records.h"
#include "tls/crypto/random.h"

namespace handfast::custody {

struct CustodyOptions {
  // Created at first start with mode 0600, its folder with 0700.
  std::string database_path;
  // Created beside the database where neither is there yet; see key_encryption_key.h.
  std::string kek_path;
};

// Every method is thread-safe. Statuses carry the details of error_details_interface.h; no text
// ever holds private bytes. Besides those named: INVALID_ARGUMENT (with the field), NOT_FOUND,
// UNAVAILABLE (the database cannot be written or read).
class Custody final : public CredentialsInterface {
 public:
  using Clock = std::function<int64_t()>;  // wall clock, seconds since the epoch

  // Opens, migrates, unseals every key of an active credential. FAILED_PRECONDITION where the
  // key-encryption key is missing, readable by others, or another one than the database was sealed
  // under; DATA_LOSS where a row was tampered with; UNAVAILABLE where another process has the file.
  static absl::StatusOr<std::unique_ptr<Custody>> Open(const CustodyOptions& options,
                                                       tls::Randomness& randomness, Clock clock);
  ~Custody() override;

  // ALREADY_EXISTS where the id is taken.
  absl::StatusOr<Key> CreateKey(const CreateKeyRequest& request);
  absl::StatusOr<ImportedKey> ImportKey(const ImportKeyRequest& request);
  absl::StatusOr<Key> GetKey(std::string_view name) const;
  absl::StatusOr<KeyPage> ListKeys(std::string_view tenant, const Page& page) const;

  absl::StatusOr<Credential> CreateCredential(const CreateCredentialRequest& request);
  // FAILED_PRECONDITION where it is not pending.
  absl::StatusOr<Credential> SetCertificateChain(std::string_view name, std::string_view chain_pem);
  // FAILED_PRECONDITION without a chain, or where the leaf has expired.
  absl::StatusOr<Credential> ActivateCredential(std::string_view name);
  // What is stapled from now on, DER; empty: nothing. FAILED_PRECONDITION without a chain;
  // INVALID_ARGUMENT where the response is not a good and present one of the chain's leaf.
  absl::StatusOr<Credential> SetOcspResponse(std::string_view name, tls::ByteView response);
  absl::StatusOr<Credential> GetCredential(std::string_view name) const;
  absl::StatusOr<CredentialPage> ListCredentials(std::string_view tenant, const Page& page) const;

  tls::Chosen Choose(std::string_view tenant, const tls::Choose& question,
                     const std::string& pinned, bool refuse_unknown) const override;
  tls::PrivateKeyUsed Use(std::string_view tenant,
                          const tls::UsePrivateKey& question) const override;
  bool IsActive(std::string_view tenant, std::string_view credential) const override;

  // What is being served, of all tenants.
  std::vector<ServedCertificate> Served() const;
  // OK where the database can be read: for /readyz.
  absl::Status Check() const;

 private:
  struct State;
  explicit Custody(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_CUSTODY_H_
