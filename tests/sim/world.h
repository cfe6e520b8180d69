// One run: replicas, the store, and callers with their peers, in one thread and from one seed.
//
// A call into a replica is made at once; where it waits for the store, others may act in between,
// whole calls deep. So what overtakes a call ends before it, which is as good as any order: calls
// meet in the store alone, and of two that cross there one may be said to have begun first.
#ifndef HANDFAST_TESTS_SIM_WORLD_H_
#define HANDFAST_TESTS_SIM_WORLD_H_

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/replica.h"

namespace handfast::sim {

class Exchange;

struct Result {
  std::string violation;  // empty: none
  uint64_t trace = 0;     // its hash
  std::map<std::string, int> ends;
  int actions = 0;
};

class World {
 public:
  World(uint64_t seed, Bug bug, bool print);
  ~World();

  Result Run();

  // ---- For the exchanges.

  Dice& dice() { return dice_; }
  Ledger& ledger() { return ledger_; }
  const Moment& now() const { return now_; }
  const Weather& weather() const { return weather_; }
  bool reads_may_be_stale() const { return may_be_stale_; }
  Bug bug() const { return bug_; }
  int64_t store_lost_at_ns() const { return server_.lost_at_ns(); }

  size_t replicas() const { return replicas_.size(); }
  Replica& replica(size_t i) { return *replicas_[i]; }
  bool IsUp(size_t i) const { return !replicas_[i]->doomed; }
  // Calls `call` with a replica that is up. False: it crashed meanwhile.
  template <class Call>
  bool At(size_t i, Call call);

  void Say(const std::string& what);
  static std::string Digest(tls::ByteView bytes);

 private:
  void Act();
  void Wait(size_t i);
  void Crashes(size_t i);
  void Starts(size_t i);
  void Passes(std::chrono::milliseconds time);
  bool AllEnded() const;
  void CheckAllIsGone();

  const Bug bug_;
  const bool print_;
  Dice dice_;
  Weather weather_;
  const bool may_be_stale_;
  Moment now_;
  Ledger ledger_;
  StoreServer server_;
  TwoKeys keys_;
  // One for each life of a replica: a call that a crash cut off still holds its handshake for a
  // moment, which gives back to it.
  std::deque<handshakes::test::CountedAdmission> admissions_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;
  uint64_t trace_ = 0xcbf29ce484222325;
  int actions_ = 0;
  int depth_ = 0;
};

template <class Call>
bool World::At(size_t i, Call call) {
  Replica& replica = *replicas_[i];
  ++replica.active;
  bool crashed = false;
  try {
    call(replica);
  } catch (const Crash&) {
    crashed = true;
  }
  --replica.active;
  if (replica.doomed && replica.active == 0) Crashes(i);
  return !crashed;
}

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_WORLD_H_
