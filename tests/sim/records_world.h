// One run of the records of connections whose keys stay in the service: the replica that owns them
// and another one, callers whose requests and replies are lost, late or come twice, crashes of the
// owner, and clocks that jump. In one thread and from one seed.
#ifndef HANDFAST_TESTS_SIM_RECORDS_WORLD_H_
#define HANDFAST_TESTS_SIM_RECORDS_WORLD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/connections/connections.h"
#include "tests/sim/dice.h"
#include "tests/sim/moment.h"

namespace handfast::sim {

// What can be planted around the tables, to see that the simulation finds it.
enum class RecordBug {
  kNone,
  // Where the owner crashed, another replica goes on with the connection as it once was saved.
  kTakesOver,
  // A retry is made anew.
  kRetriesAnew,
  // A record that was told is told with another content, under the same number.
  kForgetsTheInput,
};

class Conversation;

class RecordsWorld {
 public:
  struct Result {
    std::string violation;  // empty: none
    std::map<std::string, int> ends;
    int actions = 0;
  };

  RecordsWorld(uint64_t seed, RecordBug bug, bool print);
  ~RecordsWorld();

  Result Run();

  // ---- For the conversations.

  Dice& dice() { return dice_; }
  const Moment& now() const { return now_; }
  RecordBug bug() const { return bug_; }
  // One in so many; 0: never.
  size_t trouble() const { return trouble_; }
  connections::Connections& owner() { return *owner_; }
  connections::Connections& other() { return other_; }
  uint64_t lives() const { return lives_; }
  void Violated(const std::string& what) {
    if (violation_.empty()) violation_ = what;
  }
  void Say(const std::string& what);

 private:
  void Act();
  void Crash();

  const RecordBug bug_;
  const bool print_;
  Dice dice_;
  size_t trouble_;
  Moment now_;
  SimClock clock_{now_, 3'600'000'000'000, 0, /*stands_still=*/false};
  std::unique_ptr<connections::Connections> owner_;
  connections::Connections other_{clock_, {}};
  uint64_t lives_ = 1;
  std::vector<std::unique_ptr<Conversation>> conversations_;
  std::string violation_;
  int actions_ = 0;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_RECORDS_WORLD_H_
