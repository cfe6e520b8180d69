// The RPCs that make steps: one adapter for all, by the table in step_response.h.
#ifndef HANDFAST_SERVER_RPC_STEP_CALLS_H_
#define HANDFAST_SERVER_RPC_STEP_CALLS_H_

#include "handfast/v1/handshake.grpc.pb.h"
#include "server/handshakes/handshakes.h"
#include "server/rpc/completion_loop.h"
#include "server/rpc/durable_calls.h"
#include "server/rpc/unary_call.h"

namespace handfast::rpc {

// All outlive the calls.
struct StepServices {
  v1::HandshakeService::AsyncService& service;
  CompletionLoop& loop;
  handshakes::Handshakes& handshakes;
  const DurableServices& durable;
};

// Asks for calls of each step RPC on `queue`, for ever.
void AwaitSteps(const StepServices& services, const UnaryServices& unary,
                grpc::ServerCompletionQueue& queue);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_STEP_CALLS_H_
