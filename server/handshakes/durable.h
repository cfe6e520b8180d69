// Handshakes of durable profiles, step by step: between two steps they are in the store alone, and
// any replica makes the next one. A step is computed here and then swapped in; whoever loses the
// swap reads what the winner said. Nothing is said, logged or kept before the swap is won.
#ifndef HANDFAST_SERVER_HANDSHAKES_DURABLE_H_
#define HANDFAST_SERVER_HANDSHAKES_DURABLE_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "server/handshakes/handshake.h"
#include "server/handshakes/saved_handshakes.h"

namespace handfast::handshakes {

// The reply in the form that callers get: what is kept is what was sent.
using EncodeStep = std::function<tls::Bytes(const Handle& handle, const StepReply& reply)>;

// All calls wait for the store, and for private-key operations. Of all: UNAVAILABLE where the store
// cannot be reached, with a retry delay; the call can be made again, here or elsewhere.
class DurableHandshakes {
 public:
  // Both outlive it.
  DurableHandshakes(const Services& services, SavedHandshakes& saved)
      : services_(services), saved_(saved) {}

  struct Started {
    Handle handle;
    std::vector<NextStep> next;
  };
  // By steps, under a durable profile. Statuses as CheckStart, and RESOURCE_EXHAUSTED.
  absl::StatusOr<Started> Begin(Start start, tls::ByteView from_peer);

  // The encoded reply, which the caller wipes. Statuses as Handshake::TakeStep.
  absl::StatusOr<tls::Bytes> TakeStep(const Owner& owner, const Handle& handle,
                                      const StepCall& call, const EncodeStep& encode);

  // NOT_FOUND where it has ended.
  absl::StatusOr<Status> Describe(const Owner& owner, const Handle& handle);
  // The next step says that it failed.
  absl::Status Abort(const Owner& owner, const Handle& handle);

 private:
  class Visit;
  absl::StatusOr<SavedHandshakes::Found> Find(const Owner& owner, const Handle& handle);
  absl::StatusOr<uint64_t> Swap(const Owner& owner, const Handle& handle, uint64_t generation,
                                SavedHandshake next);

  const Services& services_;
  SavedHandshakes& saved_;
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_DURABLE_H_
