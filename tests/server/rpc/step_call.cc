#include "tests/server/rpc/step_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <gtest/gtest.h>

namespace handfast::rpc::test {
namespace {

using Stub = v1::HandshakeService::Stub;
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const v1::StepRequest&,
                                      v1::StepResponse*);

const std::vector<std::pair<std::string, Method>>& Methods() {
  static const std::vector<std::pair<std::string, Method>> methods = {
      {"ClientHello", &Stub::ClientHello},
      {"ServerHello", &Stub::ServerHello},
      {"EncryptedExtensions", &Stub::EncryptedExtensions},
      {"Certificate", &Stub::Certificate},
      {"CertificateStatus", &Stub::CertificateStatus},
      {"ServerKeyExchange", &Stub::ServerKeyExchange},
      {"CertificateRequest", &Stub::CertificateRequest},
      {"ServerHelloDone", &Stub::ServerHelloDone},
      {"ClientKeyExchange", &Stub::ClientKeyExchange},
      {"CertificateVerify", &Stub::CertificateVerify},
      {"ChangeCipherSpec", &Stub::ChangeCipherSpec},
      {"NewSessionTicket", &Stub::NewSessionTicket},
      {"Finished", &Stub::Finished},
      {"Advance", &Stub::Advance},
  };
  return methods;
}

// More than any handshake has.
constexpr int kMostSteps = 60;

// Longer than any test, so that a hang is a failure and not a wait for ever.
constexpr std::chrono::seconds kPatience{60};

}  // namespace

const std::vector<std::string>& StepRpcs() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, method] : Methods()) all.push_back(name);
    return all;
  }();
  return names;
}

std::string RpcOf(v1::Step step) {
  const int number = static_cast<int>(step);
  return number == 0 ? "" : StepRpcs().at(static_cast<size_t>(number) - 1);
}

void StepCaller::Prepare(grpc::ClientContext& context) const {
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  if (prepare_) prepare_(context);
}

std::string NextRpc(const std::vector<v1::Next>& next) {
  const auto held = std::find_if(next.begin(), next.end(), [](const auto& n) { return n.held(); });
  if (held != next.end()) return RpcOf(held->step());
  return next.empty() ? "" : RpcOf(next[0].step());
}

grpc::Status StepCaller::Start(const v1::Start& start, v1::StartHandshakeResponse& response) {
  grpc::ClientContext context;
  Prepare(context);
  v1::StartHandshakeRequest request;
  *request.mutable_start() = start;
  return stub_->StartHandshake(&context, request, &response);
}

grpc::Status StepCaller::Step(const std::string& rpc, const v1::StepRequest& request,
                              v1::StepResponse& response) {
  const auto found = std::find_if(Methods().begin(), Methods().end(),
                                  [&](const auto& method) { return method.first == rpc; });
  if (found == Methods().end()) {
    ADD_FAILURE() << "no RPC is called " << rpc;
    return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, rpc);
  }
  grpc::ClientContext context;
  Prepare(context);
  return (stub_.get()->*found->second)(&context, request, &response);
}

grpc::Status StepCaller::Get(const std::string& handshake, v1::Handshake& response) {
  grpc::ClientContext context;
  Prepare(context);
  v1::GetHandshakeRequest request;
  request.set_name(handshake);
  return stub_->GetHandshake(&context, request, &response);
}

grpc::Status StepCaller::Abort(const std::string& handshake) {
  grpc::ClientContext context;
  Prepare(context);
  v1::AbortHandshakeRequest request;
  v1::AbortHandshakeResponse response;
  request.set_name(handshake);
  return stub_->AbortHandshake(&context, request, &response);
}

Walk::Walk(std::shared_ptr<grpc::Channel> channel, const v1::Start& start)
    : caller_(std::move(channel)), started_(caller_.Start(start, response_)) {
  next_.assign(response_.next().begin(), response_.next().end());
}

v1::StepRequest Walk::Request(const tls::Bytes& from_peer) const {
  v1::StepRequest request;
  request.set_handshake(handshake());
  request.set_step(steps_ + 1);
  request.set_from_peer(from_peer.data(), from_peer.size());
  return request;
}

grpc::Status Walk::Step(const std::string& rpc, const tls::Bytes& from_peer) {
  return Step(rpc, Request(from_peer));
}

grpc::Status Walk::Step(const std::string& rpc, const v1::StepRequest& request) {
  v1::StepResponse response;
  grpc::Status status = caller_.Step(rpc, request, response);
  if (!status.ok()) return status;
  EXPECT_EQ(response.step(), request.step());
  steps_ = response.step();
  next_.assign(response.next().begin(), response.next().end());
  last_ = std::move(response);
  return status;
}

std::vector<std::string> Walk::Run(const std::function<tls::Bytes(tls::ByteView)>& peer,
                                   tls::Bytes first) {
  std::vector<std::string> made;
  tls::Bytes from_peer = std::move(first);
  for (int i = 0; i < kMostSteps && !ended(); ++i) {
    const std::string rpc = NextRpc();
    const v1::StepRequest request = Request(std::exchange(from_peer, {}));
    const grpc::Status status = Step(rpc, request);
    if (!status.ok()) {
      ADD_FAILURE() << rpc << ": " << status.error_message();
      return made;
    }
    v1::StepResponse again;
    EXPECT_TRUE(caller_.Step(rpc, request, again).ok()) << rpc;
    EXPECT_EQ(again.SerializeAsString(), last_.SerializeAsString()) << rpc;
    if (!last_.need_more()) made.push_back(rpc);
    if (!last_.to_peer().empty()) tls::Append(from_peer, peer(tls::AsBytes(last_.to_peer())));
    if (last_.need_more() && from_peer.empty()) {
      ADD_FAILURE() << "the peer has no more to say before " << rpc;
      return made;
    }
  }
  EXPECT_TRUE(ended());
  return made;
}

}  // namespace handfast::rpc::test
