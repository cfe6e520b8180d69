// All open Relay streams: to send them elsewhere, when the service goes away or they grow old.
#ifndef HANDFAST_SERVER_RPC_RELAY_STREAMS_H_
#define HANDFAST_SERVER_RPC_RELAY_STREAMS_H_

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "server/handshakes/clock_interface.h"
#include "server/rpc/relay_stream.h"

namespace handfast::rpc {

class RelayStreams {
 public:
  // False: draining, the stream must not go on.
  bool Add(std::shared_ptr<RelayStream> stream) {
    std::lock_guard lock(mutex_);
    if (draining_) return false;
    RelayStream* const key = stream.get();
    streams_[key] = std::move(stream);
    return true;
  }

  void Remove(RelayStream* stream) {
    std::shared_ptr<RelayStream> last;  // destroyed after the lock is let go
    std::lock_guard lock(mutex_);
    if (auto found = streams_.find(stream); found != streams_.end()) {
      last = std::move(found->second);
      streams_.erase(found);
    }
  }

  // Those there are, and from now on every new one.
  void DrainAll() {
    {
      std::lock_guard lock(mutex_);
      draining_ = true;
    }
    DrainOlderThan(handshakes::MonotonicTime::max());
  }

  // So that load spreads over replicas that came later.
  void DrainOlderThan(handshakes::MonotonicTime accepted) {
    std::vector<std::shared_ptr<RelayStream>> old;
    {
      std::lock_guard lock(mutex_);
      for (auto& [key, stream] : streams_) {
        if (stream->accepted_at() < accepted) old.push_back(stream);
      }
    }
    for (auto& stream : old) stream->Drain();
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return streams_.size();
  }

 private:
  mutable std::mutex mutex_;
  bool draining_ = false;
  absl::flat_hash_map<RelayStream*, std::shared_ptr<RelayStream>> streams_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_RELAY_STREAMS_H_
