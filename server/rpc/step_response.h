// A step's reply as the contract has it, and the one table of what steps are called.
#ifndef HANDFAST_SERVER_RPC_STEP_RESPONSE_H_
#define HANDFAST_SERVER_RPC_STEP_RESPONSE_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "handfast/v1/handshake.pb.h"
#include "server/handshakes/owner_interface.h"
#include "server/handshakes/step.h"

namespace handfast::rpc {

struct StepName {
  // The RPC: "ClientHello".
  const char* rpc = "";
  v1::Step step = v1::STEP_UNSPECIFIED;
  // Nullopt: Advance.
  std::optional<tls::MessageName> message;
};

// Every RPC that makes steps.
inline constexpr size_t kStepRpcs = 14;
std::span<const StepName, kStepRpcs> StepNames();

void Show(const std::vector<handshakes::NextStep>& next,
          google::protobuf::RepeatedPtrField<v1::Next>& into);

// The same reply gives the same bytes. Keys enter here, where it has any.
v1::StepResponse ToProto(const handshakes::Handle& handle, const handshakes::StepReply& reply);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_STEP_RESPONSE_H_
