// The table of saved handshakes: one in the store, by its owner's tenant and its handle.
#ifndef HANDFAST_SERVER_HANDSHAKES_SAVED_HANDSHAKES_H_
#define HANDFAST_SERVER_HANDSHAKES_SAVED_HANDSHAKES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/handshakes/saved.h"
#include "server/store/store_interface.h"

namespace handfast::handshakes {

// All calls wait for the store. Statuses of all are for callers of the contract: NOT_FOUND, also
// where what is there is not what was put there; UNAVAILABLE with the reason STORE_UNAVAILABLE and
// a retry delay, also where the store refuses this service, or a newer release wrote what is there;
// RESOURCE_EXHAUSTED likewise with STORE_FULL.
class SavedHandshakes {
 public:
  // Both outlive it.
  SavedHandshakes(const Clock& clock, store::Store& store) : clock_(clock), store_(store) {}

  struct Found {
    SavedHandshake saved;
    uint64_t generation = 0;
  };
  absl::StatusOr<Found> Find(const Owner& owner, const Handle& handle);

  // What is to be put or swapped in, with its time to live.
  struct Sealable {
    tls::Bytes bytes;  // to be wiped
    store::TimeToLive time_to_live{};
    ~Sealable() { tls::Wipe(bytes); }
  };
  // INTERNAL where it cannot be saved.
  absl::StatusOr<std::unique_ptr<Sealable>> Prepare(SavedHandshake spent) const;

  // The generation: 1.
  absl::StatusOr<uint64_t> Put(const Owner& owner, const Handle& handle, const Sealable& first);
  // The new generation. ABORTED where another call was quicker.
  absl::StatusOr<uint64_t> Swap(const Owner& owner, const Handle& handle, uint64_t generation,
                                const Sealable& next);

 private:
  const Clock& clock_;
  store::Store& store_;
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_SAVED_HANDSHAKES_H_
