// The store that the replicas of a simulation share, and each replica's way to it, on which calls
// fail, before or after their effect, reads are stale, and the caller may crash or be overtaken.
#ifndef HANDFAST_TESTS_SIM_SIM_STORE_H_
#define HANDFAST_TESTS_SIM_SIM_STORE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "server/store/store_interface.h"
#include "tests/sim/bug.h"
#include "tests/sim/dice.h"
#include "tests/sim/moment.h"

namespace handfast::sim {

// How bad things are: each happens to one call, or action, in so many; 0: to none.
struct Weather {
  size_t store_fails = 0;
  size_t store_is_stale = 0;
  size_t overtaken = 0;  // others act while a call is at the store
  size_t crash = 0;
  size_t reply_lost = 0;
  size_t rival = 0;  // another call for the same step
  size_t store_lost = 0;
  size_t jump = 0;  // of the clock, by seconds
};

class StoreServer {
 public:
  StoreServer(const Moment& now, size_t capacity, Bug bug)
      : now_(now), capacity_(capacity), bug_(bug) {}

  absl::StatusOr<store::Value> Get(const std::string& name);
  // So many generations ago, where there is such a one.
  absl::StatusOr<store::Value> GetOld(const std::string& name, size_t ago);
  absl::Status Put(const std::string& name, tls::ByteView value, store::TimeToLive time_to_live);
  absl::StatusOr<uint64_t> Swap(const std::string& name, uint64_t generation, tls::ByteView value,
                                store::TimeToLive time_to_live);
  void Sweep();
  void SetCapacity(size_t entries) { capacity_ = entries; }
  size_t entries() const { return entries_.size(); }

  void TakeSnapshot() { snapshot_ = entries_; }
  // It is replaced, or rolled back, which is the same: nothing of another incarnation can be read.
  void Lose();
  // When that happened last; -1: never.
  int64_t lost_at_ns() const { return lost_at_ns_; }

 private:
  struct Entry {
    std::vector<tls::Bytes> generations;
    int64_t deadline_ns = 0;
  };
  Entry* Find(const std::string& name);

  const Moment& now_;
  size_t capacity_;
  const Bug bug_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Entry> snapshot_;
  int64_t lost_at_ns_ = -1;
};

class SimStore final : public store::Store {
 public:
  // `wait`: where a call is under way. It may throw.
  SimStore(StoreServer& server, Dice& dice, const Weather& weather, Bug bug,
           std::function<void()> wait)
      : server_(server), dice_(dice), weather_(weather), bug_(bug), wait_(std::move(wait)) {}

  absl::StatusOr<store::Value> Get(const store::Key& key) override;
  absl::Status Put(const store::Key& key, tls::ByteView value,
                   store::TimeToLive time_to_live) override;
  absl::StatusOr<uint64_t> CompareAndSwap(const store::Key& key, uint64_t generation,
                                          tls::ByteView value,
                                          store::TimeToLive time_to_live) override;
  absl::StatusOr<store::Value> Pop(const store::Key& key) override;

  // For Bug::kRecomputesReplies: the call under way was made before.
  bool retried = false;

 private:
  // True: the call fails here.
  bool Fails();

  StoreServer& server_;
  Dice& dice_;
  const Weather& weather_;
  const Bug bug_;
  const std::function<void()> wait_;
  std::pair<std::string, uint64_t> stale_;  // the last that was read
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_SIM_STORE_H_
