// The step RPCs for a program that waits for each: StartHandshake, then one call for each message
// of the handshake. The caller moves the bytes; which call is next stands in each reply
// (step_order.h).
#ifndef HANDFAST_CLIENT_CORE_STEPS_H_
#define HANDFAST_CLIENT_CORE_STEPS_H_

#include <memory>
#include <string>
#include <string_view>

#include "client/core/endpoint.h"
#include "client/core/record_layer.h"
#include "client/core/rpc_status.h"
#include "handfast/v1/handshake.pb.h"

namespace handfast::client {

// The RPC that makes a step: "ClientHello". Empty for STEP_UNSPECIFIED and unknown numbers.
std::string_view RpcName(v1::Step step);

// What came of a step. `response` has no keys any more: they are here, if they were released.
struct StepReply {
  v1::StepResponse response;
  ReleasedKeys keys;
};

class Steps {
 public:
  explicit Steps(const Endpoint& endpoint);
  ~Steps();
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

  // Waits for a service that was started a moment ago. Not tried again: each call that arrives
  // begins a handshake of its own.
  Called<v1::StartHandshakeResponse> Start(const v1::Start& start);
  // Makes a step by the RPC of `step`. Where no answer comes (UNAVAILABLE, DEADLINE_EXCEEDED) the
  // same request goes out again, a few times: the contract has it that a step is made once.
  Called<StepReply> Take(v1::Step step, const v1::StepRequest& request);
  // The connection is over: the service forgets it, and the keys where they stayed there.
  RpcStatus Terminate(const std::string& connection);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_STEPS_H_
