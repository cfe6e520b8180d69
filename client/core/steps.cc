#include "client/core/steps.h"

#include <chrono>
#include <thread>
#include <utility>

#include <grpcpp/client_context.h>

#include "client/core/channel.h"
#include "client/core/released_keys.h"
#include "handfast/v1/connections.grpc.pb.h"
#include "handfast/v1/handshake.grpc.pb.h"

namespace handfast::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

// For a service that was started a moment ago.
constexpr auto kStartPatience = std::chrono::seconds(3);
// A step costs the service a signature at most; one that takes this long is lost.
constexpr auto kStepDeadline = std::chrono::seconds(3);
// With the pauses between them, which double: a service that restarts is back by then, and most
// handshakes' own deadline is not.
constexpr int kMaxAttempts = 4;
constexpr milliseconds kFirstPause{100};

using Stub = v1::HandshakeService::Stub;

struct StepRpc {
  v1::Step step;
  std::string_view name;
  grpc::Status (Stub::*method)(grpc::ClientContext*, const v1::StepRequest&, v1::StepResponse*);
};

constexpr StepRpc kStepRpcs[] = {
    {v1::STEP_CLIENT_HELLO, "ClientHello", &Stub::ClientHello},
    {v1::STEP_SERVER_HELLO, "ServerHello", &Stub::ServerHello},
    {v1::STEP_ENCRYPTED_EXTENSIONS, "EncryptedExtensions", &Stub::EncryptedExtensions},
    {v1::STEP_CERTIFICATE, "Certificate", &Stub::Certificate},
    {v1::STEP_CERTIFICATE_STATUS, "CertificateStatus", &Stub::CertificateStatus},
    {v1::STEP_SERVER_KEY_EXCHANGE, "ServerKeyExchange", &Stub::ServerKeyExchange},
    {v1::STEP_CERTIFICATE_REQUEST, "CertificateRequest", &Stub::CertificateRequest},
    {v1::STEP_SERVER_HELLO_DONE, "ServerHelloDone", &Stub::ServerHelloDone},
    {v1::STEP_CLIENT_KEY_EXCHANGE, "ClientKeyExchange", &Stub::ClientKeyExchange},
    {v1::STEP_CERTIFICATE_VERIFY, "CertificateVerify", &Stub::CertificateVerify},
    {v1::STEP_CHANGE_CIPHER_SPEC, "ChangeCipherSpec", &Stub::ChangeCipherSpec},
    {v1::STEP_NEW_SESSION_TICKET, "NewSessionTicket", &Stub::NewSessionTicket},
    {v1::STEP_FINISHED, "Finished", &Stub::Finished},
};

const StepRpc* Find(v1::Step step) {
  for (const StepRpc& rpc : kStepRpcs) {
    if (rpc.step == step) return &rpc;
  }
  return nullptr;
}

bool IsUnanswered(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ||
         status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED;
}

}  // namespace

std::string_view RpcName(v1::Step step) {
  const StepRpc* rpc = Find(step);
  return rpc == nullptr ? std::string_view() : rpc->name;
}

struct Steps::State {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<Stub> handshakes;
  std::unique_ptr<v1::ConnectionService::Stub> connections;
};

Steps::Steps(const Endpoint& endpoint) : state_(std::make_unique<State>()) {
  state_->channel = OpenChannel(endpoint);
  state_->handshakes = v1::HandshakeService::NewStub(state_->channel);
  state_->connections = v1::ConnectionService::NewStub(state_->channel);
}

Steps::~Steps() = default;

Called<v1::StartHandshakeResponse> Steps::Start(const v1::Start& start) {
  // Where this is in vain the call itself says why.
  state_->channel->WaitForConnected(system_clock::now() + kStartPatience);
  v1::StartHandshakeRequest request;
  *request.mutable_start() = start;
  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + kStepDeadline);
  Called<v1::StartHandshakeResponse> called;
  called.status = FromGrpc(state_->handshakes->StartHandshake(&context, request, &called.reply));
  return called;
}

Called<StepReply> Steps::Take(v1::Step step, const v1::StepRequest& request) {
  Called<StepReply> called;
  const StepRpc* rpc = Find(step);
  if (rpc == nullptr) {
    called.status = {RpcCode::kUnimplemented,
                     "the service asks for step " + std::to_string(step) + ", unknown here",
                     {},
                     {}};
    return called;
  }
  v1::StepResponse& response = called.reply.response;
  grpc::Status status;
  milliseconds pause = kFirstPause;
  for (int attempt = 1;; ++attempt) {
    grpc::ClientContext context;
    context.set_deadline(system_clock::now() + kStepDeadline);
    status = ((*state_->handshakes).*(rpc->method))(&context, request, &response);
    if (!IsUnanswered(status) || attempt == kMaxAttempts) break;
    // There is no event to wait for: the service may answer as it comes back, or never.
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
  called.status = FromGrpc(status);
  if (response.has_established()) called.reply.keys = TakeKeys(*response.mutable_established());
  return called;
}

RpcStatus Steps::Terminate(const std::string& connection) {
  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + kStepDeadline);
  v1::TerminateConnectionRequest request;
  request.set_name(connection);
  v1::TerminateConnectionResponse response;
  return FromGrpc(state_->connections->TerminateConnection(&context, request, &response));
}

}  // namespace handfast::client
