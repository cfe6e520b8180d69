// A handshake by steps as a test drives it: any RPC by its name, and whole walks with libssl as the
// peer.
#ifndef HANDFAST_TESTS_SERVER_RPC_STEP_CALL_H_
#define HANDFAST_TESTS_SERVER_RPC_STEP_CALL_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "handfast/v1/handshake.grpc.pb.h"
#include "tls/base/bytes.h"

namespace handfast::rpc::test {

// The RPCs that make steps, as the contract lists them.
const std::vector<std::string>& StepRpcs();

class StepCaller {
 public:
  // `prepare` sees the context of each call.
  explicit StepCaller(std::shared_ptr<grpc::Channel> channel,
                      std::function<void(grpc::ClientContext&)> prepare = nullptr)
      : stub_(v1::HandshakeService::NewStub(channel)), prepare_(std::move(prepare)) {}

  grpc::Status Start(const v1::Start& start, v1::StartHandshakeResponse& response);
  // `rpc`: one of StepRpcs().
  grpc::Status Step(const std::string& rpc, const v1::StepRequest& request,
                    v1::StepResponse& response);
  grpc::Status Get(const std::string& handshake, v1::Handshake& response);
  grpc::Status Abort(const std::string& handshake);

 private:
  void Prepare(grpc::ClientContext& context) const;

  std::unique_ptr<v1::HandshakeService::Stub> stub_;
  std::function<void(grpc::ClientContext&)> prepare_;
};

// "ServerHello" for STEP_SERVER_HELLO.
std::string RpcOf(v1::Step step);
// For the next step: that of the held message of those that may follow, else of the first of them.
std::string NextRpc(const std::vector<v1::Next>& next);

// One handshake, step after step.
class Walk {
 public:
  // The status of the start is `started()`.
  Walk(std::shared_ptr<grpc::Channel> channel, const v1::Start& start);

  const grpc::Status& started() const { return started_; }
  const std::string& handshake() const { return response_.handshake(); }
  StepCaller& caller() { return caller_; }

  // The request of the next step.
  v1::StepRequest Request(const tls::Bytes& from_peer = {}) const;
  // Makes it. An OK reply becomes `last()`, and what may follow is its `next`.
  grpc::Status Step(const std::string& rpc, const tls::Bytes& from_peer = {});
  grpc::Status Step(const std::string& rpc, const v1::StepRequest& request);
  const v1::StepResponse& last() const { return last_; }
  uint32_t steps() const { return steps_; }
  std::string NextRpc() const { return test::NextRpc(next_); }
  bool NextIsOurs() const {
    return !next_.empty() && next_[0].sender() == v1::HandshakeMessage::SERVICE;
  }
  bool ended() const { return last_.outcome_case() != v1::StepResponse::OUTCOME_NOT_SET; }

  // To its end: what `peer` answers to bytes of ours, an empty answer for none. Each step is asked
  // for twice, and must answer the same bytes. The names of the RPCs that made a step, in order.
  std::vector<std::string> Run(const std::function<tls::Bytes(tls::ByteView)>& peer,
                               tls::Bytes first = {});

 private:
  StepCaller caller_;
  v1::StartHandshakeResponse response_;
  grpc::Status started_;
  v1::StepResponse last_;
  std::vector<v1::Next> next_;
  uint32_t steps_ = 0;
};

}  // namespace handfast::rpc::test

#endif  // HANDFAST_TESTS_SERVER_RPC_STEP_CALL_H_
