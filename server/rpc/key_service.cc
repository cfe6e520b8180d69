#include "server/rpc/key_service.h"

#include "server/access/error_details_interface.h"
#include "server/rpc/key_view.h"
#include "server/rpc/wipe_text.h"

// A method asked for by its generated RequestX.
#define HANDFAST_ASK(rpc)                                                   \
  [this](auto* context, auto* request, auto* writer, auto* on, void* tag) { \
    service_.Request##rpc(context, request, writer, on, on, tag);           \
  }

namespace handfast::rpc {
namespace {

template <class Record>
auto ToProtoOr(const absl::StatusOr<Record>& record) -> absl::StatusOr<decltype(ToProto(*record))> {
  if (!record.ok()) return record.status();
  return ToProto(*record);
}

const auto kParent = [](const auto& request) -> const std::string& { return request.parent(); };
const auto kName = [](const auto& request) -> const std::string& { return request.name(); };

}  // namespace

void KeyService::Await(grpc::ServerCompletionQueue& queue) {
  AwaitKeys(queue);
  AwaitCredentials(queue);
  AwaitCredentialChanges(queue);
}

void KeyService::AwaitKeys(grpc::ServerCompletionQueue& queue) {
  AwaitUnary<v1::CreateKeyRequest, v1::Key>(
      unary_,
      {.name = "/handfast.v1.KeyService/CreateKey",
       .ask = HANDFAST_ASK(CreateKey),
       .serve = [this](const auto& caller,
                       const auto& request) { return CreateKey(caller, request); },
       .resource = kParent,
       .resource_field = "parent",
       .blocks = true},
      queue);
  AwaitUnary<v1::ImportKeyRequest, v1::ImportKeyResponse>(
      unary_,
      {.name = "/handfast.v1.KeyService/ImportKey",
       .ask = HANDFAST_ASK(ImportKey),
       .serve = [this](const auto& caller,
                       const auto& request) { return ImportKey(caller, request); },
       .resource = kParent,
       .resource_field = "parent",
       .blocks = true,
       .wipe = [](auto& request) { WipeText(*request.mutable_private_key_pem()); }},
      queue);
  AwaitUnary<v1::GetKeyRequest, v1::Key>(
      unary_,
      {.name = "/handfast.v1.KeyService/GetKey",
       .ask = HANDFAST_ASK(GetKey),
       .serve = [this](const auto&, const auto& request) { return GetKey(request); },
       .resource = kName,
       .blocks = true},
      queue);
  AwaitUnary<v1::ListKeysRequest, v1::ListKeysResponse>(
      unary_,
      {.name = "/handfast.v1.KeyService/ListKeys",
       .ask = HANDFAST_ASK(ListKeys),
       .serve = [this](const auto& caller,
                       const auto& request) { return ListKeys(caller, request); },
       .resource = kParent,
       .resource_field = "parent",
       .blocks = true},
      queue);
}

void KeyService::AwaitCredentials(grpc::ServerCompletionQueue& queue) {
  AwaitUnary<v1::CreateCredentialRequest, v1::Credential>(
      unary_,
      {.name = "/handfast.v1.KeyService/CreateCredential",
       .ask = HANDFAST_ASK(CreateCredential),
       .serve = [this](const auto& caller,
                       const auto& request) { return CreateCredential(caller, request); },
       .resource = kParent,
       .resource_field = "parent",
       .blocks = true},
      queue);
  AwaitUnary<v1::GetCredentialRequest, v1::Credential>(
      unary_,
      {.name = "/handfast.v1.KeyService/GetCredential",
       .ask = HANDFAST_ASK(GetCredential),
       .serve = [this](const auto&, const auto& request) { return GetCredential(request); },
       .resource = kName,
       .blocks = true},
      queue);
  AwaitUnary<v1::ListCredentialsRequest, v1::ListCredentialsResponse>(
      unary_,
      {.name = "/handfast.v1.KeyService/ListCredentials",
       .ask = HANDFAST_ASK(ListCredentials),
       .serve = [this](const auto& caller,
                       const auto& request) { return ListCredentials(caller, request); },
       .resource = kParent,
       .resource_field = "parent",
       .blocks = true},
      queue);
}

void KeyService::AwaitCredentialChanges(grpc::ServerCompletionQueue& queue) {
  AwaitUnary<v1::SetCertificateChainRequest, v1::Credential>(
      unary_,
      {.name = "/handfast.v1.KeyService/SetCertificateChain",
       .ask = HANDFAST_ASK(SetCertificateChain),
       .serve = [this](const auto&, const auto& request) { return SetChain(request); },
       .resource = kName,
       .blocks = true},
      queue);
  AwaitUnary<v1::ActivateCredentialRequest, v1::Credential>(
      unary_,
      {.name = "/handfast.v1.KeyService/ActivateCredential",
       .ask = HANDFAST_ASK(ActivateCredential),
       .serve = [this](const auto&, const auto& request) { return Activate(request); },
       .resource = kName,
       .blocks = true},
      queue);
  AwaitUnary<v1::SetOcspResponseRequest, v1::Credential>(
      unary_,
      {.name = "/handfast.v1.KeyService/SetOcspResponse",
       .ask = HANDFAST_ASK(SetOcspResponse),
       .serve = [this](const auto&, const auto& request) { return SetOcspResponse(request); },
       .resource = kName,
       .blocks = true},
      queue);
}

// The caller's tenant is the resource's: that was checked before.

absl::StatusOr<v1::Key> KeyService::CreateKey(const access::Principal& caller,
                                              const v1::CreateKeyRequest& request) {
  const auto type = ToKeyType(request.type());
  if (!type) return access::InvalidField("type", "must be one of KeyType's values");
  return ToProtoOr(custody_.CreateKey({.tenant = caller.tenant,
                                       .key_id = request.key_id(),
                                       .type = *type,
                                       .request_id = request.request_id()}));
}

absl::StatusOr<v1::ImportKeyResponse> KeyService::ImportKey(const access::Principal& caller,
                                                            const v1::ImportKeyRequest& request) {
  auto imported = custody_.ImportKey({.tenant = caller.tenant,
                                      .key_id = request.key_id(),
                                      .private_key_pem = request.private_key_pem(),
                                      .certificate_chain_pem = request.certificate_chain_pem(),
                                      .default_credential = request.default_credential(),
                                      .request_id = request.request_id()});
  return ToProtoOr(imported);
}

absl::StatusOr<v1::Key> KeyService::GetKey(const v1::GetKeyRequest& request) {
  return ToProtoOr(custody_.GetKey(request.name()));
}

absl::StatusOr<v1::ListKeysResponse> KeyService::ListKeys(const access::Principal& caller,
                                                          const v1::ListKeysRequest& request) {
  return ToProtoOr(custody_.ListKeys(caller.tenant,
                                     {.size = request.page_size(), .token = request.page_token()}));
}

absl::StatusOr<v1::Credential> KeyService::CreateCredential(
    const access::Principal& caller, const v1::CreateCredentialRequest& request) {
  return ToProtoOr(custody_.CreateCredential(
      {.tenant = caller.tenant,
       .credential_id = request.credential_id(),
       .key = request.key(),
       .dns_names = {request.dns_names().begin(), request.dns_names().end()},
       .default_credential = request.default_credential(),
       .request_id = request.request_id()}));
}

absl::StatusOr<v1::Credential> KeyService::SetChain(const v1::SetCertificateChainRequest& request) {
  return ToProtoOr(custody_.SetCertificateChain(request.name(), request.certificate_chain_pem()));
}

absl::StatusOr<v1::Credential> KeyService::SetOcspResponse(
    const v1::SetOcspResponseRequest& request) {
  const std::string& der = request.ocsp_response();
  return ToProtoOr(custody_.SetOcspResponse(request.name(), tls::AsBytes(der)));
}

absl::StatusOr<v1::Credential> KeyService::Activate(const v1::ActivateCredentialRequest& request) {
  return ToProtoOr(custody_.ActivateCredential(request.name()));
}

absl::StatusOr<v1::Credential> KeyService::GetCredential(const v1::GetCredentialRequest& request) {
  return ToProtoOr(custody_.GetCredential(request.name()));
}

absl::StatusOr<v1::ListCredentialsResponse> KeyService::ListCredentials(
    const access::Principal& caller, const v1::ListCredentialsRequest& request) {
  return ToProtoOr(custody_.ListCredentials(
      caller.tenant, {.size = request.page_size(), .token = request.page_token()}));
}

}  // namespace handfast::rpc

#undef HANDFAST_ASK
