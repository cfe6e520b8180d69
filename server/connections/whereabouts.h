// Where a kept connection lives, for replicas that are asked and do not have it: a small record in
// the store, under its owner's tenant. It holds no key: nobody takes a connection over.
#ifndef HANDFAST_SERVER_CONNECTIONS_WHEREABOUTS_H_
#define HANDFAST_SERVER_CONNECTIONS_WHEREABOUTS_H_

#include <chrono>
#include <mutex>
#include <string>

#include "absl/status/status.h"

#include "server/access/work_queue_interface.h"
#include "server/handshakes/owner_interface.h"
#include "server/store/store_interface.h"

namespace handfast::connections {

class Whereabouts {
 public:
  // Both outlive it. `work`: where it waits for the store.
  Whereabouts(store::Store& store, access::WorkQueueInterface& work) : store_(store), work_(work) {}

  // This replica's, as callers reach it; before the first connection.
  void SetAddress(std::string address);

  // That the connection is here, for as long as it may live; and that it has ended. Neither waits.
  // Where the store is away the record is missing, or stays: others then say that they do not know
  // the connection, or send its owner to where it was.
  void Publish(const handshakes::Owner& owner, const handshakes::Handle& handle,
               std::chrono::seconds lives);
  void Withdraw(const handshakes::Owner& owner, const handshakes::Handle& handle);

  // Waits for the store. Never OK:
  //   UNAVAILABLE (OWNER_ELSEWHERE)    with the other replica's address as the metadata `owner`;
  //   UNAVAILABLE (STORE_UNAVAILABLE)  with a retry delay;
  //   NOT_FOUND                        unknown, ended, this replica's own, or somebody else's.
  absl::Status Find(const handshakes::Owner& owner, const handshakes::Handle& handle);

 private:
  std::string address() const;

  store::Store& store_;
  access::WorkQueueInterface& work_;
  mutable std::mutex mutex_;
  std::string address_;  // guarded by mutex_
};

}  // namespace handfast::connections

#endif  // HANDFAST_SERVER_CONNECTIONS_WHEREABOUTS_H_
