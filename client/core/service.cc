#include "client/core/service.h"

#include <chrono>
#include <vector>

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "client/core/channel.h"
#include "handfast/v1/keys.grpc.pb.h"
#include "tls/base/secret.h"

namespace handfast::client {
namespace {

using std::chrono::system_clock;

// A 4096-bit RSA key takes a second or two to make, more on a busy machine.
constexpr auto kCallDeadline = std::chrono::seconds(30);
constexpr auto kHealthDeadline = std::chrono::seconds(5);
// For a service that was started a moment ago.
constexpr auto kStartPatience = std::chrono::seconds(3);

// Of grpc.health.v1: HealthCheckRequest.service and HealthCheckResponse.status are field 1.
constexpr char kHealthTag = 0x0a;
constexpr uint8_t kStatusTag = 0x08;
constexpr uint8_t kServing = 1;
// Service names are short; one byte of length is enough up to here.
constexpr size_t kMaxServiceName = 127;

}  // namespace

struct Service::State {
  template <class Request, class Reply, class Method>
  Called<Reply> Call(Method method, const Request& request) {
    // Where this is in vain the call itself says why.
    channel->WaitForConnected(system_clock::now() + kStartPatience);
    grpc::ClientContext context;
    context.set_deadline(system_clock::now() + kCallDeadline);
    Called<Reply> called;
    called.status = FromGrpc(((*keys).*method)(&context, request, &called.reply));
    return called;
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::KeyService::Stub> keys;
};

Service::Service(const Endpoint& endpoint) : state_(std::make_unique<State>()) {
  state_->channel = OpenChannel(endpoint);
  state_->keys = v1::KeyService::NewStub(state_->channel);
}

Service::~Service() = default;

Called<v1::Key> Service::CreateKey(const v1::CreateKeyRequest& request) {
  return state_->Call<v1::CreateKeyRequest, v1::Key>(&v1::KeyService::Stub::CreateKey, request);
}

Called<v1::ImportKeyResponse> Service::ImportKey(v1::ImportKeyRequest request) {
  auto called = state_->Call<v1::ImportKeyRequest, v1::ImportKeyResponse>(
      &v1::KeyService::Stub::ImportKey, request);
  std::string& secret = *request.mutable_private_key_pem();
  tls::Wipe({reinterpret_cast<uint8_t*>(secret.data()), secret.size()});
  return called;
}

Called<v1::Key> Service::GetKey(const v1::GetKeyRequest& request) {
  return state_->Call<v1::GetKeyRequest, v1::Key>(&v1::KeyService::Stub::GetKey, request);
}

Called<v1::ListKeysResponse> Service::ListKeys(const v1::ListKeysRequest& request) {
  return state_->Call<v1::ListKeysRequest, v1::ListKeysResponse>(&v1::KeyService::Stub::ListKeys,
                                                                 request);
}

Called<v1::Credential> Service::CreateCredential(const v1::CreateCredentialRequest& request) {
  return state_->Call<v1::CreateCredentialRequest, v1::Credential>(
      &v1::KeyService::Stub::CreateCredential, request);
}

Called<v1::Credential> Service::SetCertificateChain(const v1::SetCertificateChainRequest& request) {
  return state_->Call<v1::SetCertificateChainRequest, v1::Credential>(
      &v1::KeyService::Stub::SetCertificateChain, request);
}

Called<v1::Credential> Service::SetOcspResponse(const v1::SetOcspResponseRequest& request) {
  return state_->Call<v1::SetOcspResponseRequest, v1::Credential>(
      &v1::KeyService::Stub::SetOcspResponse, request);
}

Called<v1::Credential> Service::ActivateCredential(const v1::ActivateCredentialRequest& request) {
  return state_->Call<v1::ActivateCredentialRequest, v1::Credential>(
      &v1::KeyService::Stub::ActivateCredential, request);
}

Called<v1::Credential> Service::GetCredential(const v1::GetCredentialRequest& request) {
  return state_->Call<v1::GetCredentialRequest, v1::Credential>(
      &v1::KeyService::Stub::GetCredential, request);
}

Called<v1::ListCredentialsResponse> Service::ListCredentials(
    const v1::ListCredentialsRequest& request) {
  return state_->Call<v1::ListCredentialsRequest, v1::ListCredentialsResponse>(
      &v1::KeyService::Stub::ListCredentials, request);
}

// By hand: the system has no health.proto to generate from, and two fields need none.
Called<bool> Service::Serving(const std::string& service_name) {
  Called<bool> called{};
  if (service_name.size() > kMaxServiceName) {
    called.status = {RpcCode::kInvalidArgument, "the service's name is too long", {}, {}};
    return called;
  }
  std::string bytes;
  if (!service_name.empty()) {
    bytes = std::string{kHealthTag, static_cast<char>(service_name.size())} + service_name;
  }
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;

  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + kHealthDeadline);
  grpc::CompletionQueue queue;
  grpc::GenericStub stub(state_->channel);
  const auto rpc = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  grpc::Status status;
  rpc->StartCall();
  rpc->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  (void)queue.Next(&tag, &ok);
  called.status = FromGrpc(status);
  grpc::Slice answer;
  if (status.ok() && response.DumpToSingleSlice(&answer).ok()) {
    called.reply =
        answer.size() == 2 && answer.begin()[0] == kStatusTag && answer.begin()[1] == kServing;
  }
  return called;
}

}  // namespace handfast::client
