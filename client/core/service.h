// The service's calls that answer at once, for programs that wait for them: keys, credentials and
// health. Handshakes go through relay.h and steps.h.
#ifndef HANDFAST_CLIENT_CORE_SERVICE_H_
#define HANDFAST_CLIENT_CORE_SERVICE_H_

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "client/core/endpoint.h"
#include "client/core/rpc_status.h"
#include "handfast/v1/keys.pb.h"

namespace handfast::client {

class Service {
 public:
  explicit Service(const Endpoint& endpoint);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  Called<v1::Key> CreateKey(const v1::CreateKeyRequest& request);
  // The private key's bytes in `request` are wiped when the call is done.
  Called<v1::ImportKeyResponse> ImportKey(v1::ImportKeyRequest request);
  Called<v1::Key> GetKey(const v1::GetKeyRequest& request);
  Called<v1::ListKeysResponse> ListKeys(const v1::ListKeysRequest& request);
  Called<v1::Credential> CreateCredential(const v1::CreateCredentialRequest& request);
  Called<v1::Credential> SetCertificateChain(const v1::SetCertificateChainRequest& request);
  Called<v1::Credential> SetOcspResponse(const v1::SetOcspResponseRequest& request);
  Called<v1::Credential> ActivateCredential(const v1::ActivateCredentialRequest& request);
  Called<v1::Credential> GetCredential(const v1::GetCredentialRequest& request);
  Called<v1::ListCredentialsResponse> ListCredentials(const v1::ListCredentialsRequest& request);

  // grpc.health.v1 of one service, or of all where the name is empty: true is SERVING.
  Called<bool> Serving(const std::string& service_name);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_SERVICE_H_
