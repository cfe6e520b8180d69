// KeyService: the adapter between the contract and server/custody.
#ifndef HANDFAST_SERVER_RPC_KEY_SERVICE_H_
#define HANDFAST_SERVER_RPC_KEY_SERVICE_H_

#include "handfast/v1/keys.grpc.pb.h"
#include "server/custody/custody.h"
#include "server/rpc/service.h"
#include "server/rpc/unary_call.h"

namespace handfast::rpc {

class KeyService final : public Service {
 public:
  KeyService(custody::Custody& custody, const UnaryServices& unary)
      : custody_(custody), unary_(unary) {}

  grpc::Service& grpc_service() override { return service_; }
  std::string name() const override { return v1::KeyService::service_full_name(); }
  void Await(grpc::ServerCompletionQueue& queue) override;

 private:
  void AwaitKeys(grpc::ServerCompletionQueue& queue);
  void AwaitCredentials(grpc::ServerCompletionQueue& queue);
  void AwaitCredentialChanges(grpc::ServerCompletionQueue& queue);

  absl::StatusOr<v1::Key> CreateKey(const access::Principal& caller,
                                    const v1::CreateKeyRequest& request);
  absl::StatusOr<v1::ImportKeyResponse> ImportKey(const access::Principal& caller,
                                                  const v1::ImportKeyRequest& request);
  absl::StatusOr<v1::Key> GetKey(const v1::GetKeyRequest& request);
  absl::StatusOr<v1::ListKeysResponse> ListKeys(const access::Principal& caller,
                                                const v1::ListKeysRequest& request);
  absl::StatusOr<v1::Credential> CreateCredential(const access::Principal& caller,
                                                  const v1::CreateCredentialRequest& request);
  absl::StatusOr<v1::Credential> SetChain(const v1::SetCertificateChainRequest& request);
  absl::StatusOr<v1::Credential> SetOcspResponse(const v1::SetOcspResponseRequest& request);
  absl::StatusOr<v1::Credential> Activate(const v1::ActivateCredentialRequest& request);
  absl::StatusOr<v1::Credential> GetCredential(const v1::GetCredentialRequest& request);
  absl::StatusOr<v1::ListCredentialsResponse> ListCredentials(
      const access::Principal& caller, const v1::ListCredentialsRequest& request);

  v1::KeyService::AsyncService service_;
  custody::Custody& custody_;
  const UnaryServices unary_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_KEY_SERVICE_H_
