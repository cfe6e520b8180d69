// One step of a handshake that its owner walks message by message: what is asked, what comes of it.
#ifndef HANDFAST_SERVER_HANDSHAKES_STEP_H_
#define HANDFAST_SERVER_HANDSHAKES_STEP_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "server/handshakes/reply.h"
#include "tls/base/bytes.h"
#include "tls/connection/stepwise.h"

namespace handfast::handshakes {

// Of the peer's bytes that wait for their steps: twice what one call may bring.
inline constexpr size_t kMaxHeldForSteps = size_t{128} * 1024;
// How long the last reply can be had again after the end. It may hold keys.
inline constexpr std::chrono::seconds kLastReplyKept{10};

struct StepCall {
  // The message that the step is named for; nullopt: as many as can be taken.
  std::optional<tls::MessageName> message;
  // 1 for the first.
  uint32_t number = 0;
  tls::ByteView from_peer;
  bool peer_closed = false;
};

struct NextStep {
  tls::MessageName message;
  bool ours = false;
  // The whole message is here, or what ends the handshake in its place.
  bool held = false;
};

struct StepReply {
  uint32_t number = 0;
  Reply reply;
  bool need_more = false;
  // Empty at the end.
  std::vector<NextStep> next;
  // Where the handshake is done: the peer's bytes that follow it.
  tls::Bytes unconsumed;
};

// The reply, which the same call gets again, or why the step was not made. Called once, perhaps in
// another thread, with the handshake's lock held: it must not call back. Where the service ends
// first, it is destroyed instead.
using StepDone = std::function<void(const absl::StatusOr<std::shared_ptr<const StepReply>>&)>;

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_STEP_H_
