// Which step RPC to call next, from what the replies say may follow. Pure: it calls nothing.
//
// A step that the service can make without more bytes goes first. Where none is held, and the peer
// may send one message or another, the first of them is tried with the bytes that come; the service
// refuses the wrong one (STEP_OUT_OF_ORDER) without harm, and the next of them is tried.
#ifndef HANDFAST_CLIENT_CORE_STEP_ORDER_H_
#define HANDFAST_CLIENT_CORE_STEP_ORDER_H_

#include <cstddef>
#include <vector>

#include "google/protobuf/repeated_field.h"
#include "handfast/v1/handshake.pb.h"

namespace handfast::client {

class StepOrder {
 public:
  // `next` of StartHandshakeResponse and of each StepResponse.
  void OnReply(const google::protobuf::RepeatedPtrField<v1::Next>& next);
  // The service refused `step()` with STEP_OUT_OF_ORDER. False: all that may follow were tried.
  [[nodiscard]] bool OnOutOfOrder();

  // The RPC to call; STEP_UNSPECIFIED where nothing may follow.
  v1::Step step() const;
  // The call needs bytes from the peer, which the service does not have yet.
  bool needs_bytes() const;

 private:
  // Best first.
  std::vector<v1::Next> next_;
  size_t tried_ = 0;
};

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_STEP_ORDER_H_
