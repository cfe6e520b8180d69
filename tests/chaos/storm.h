// Kills, stops and restarts what a fleet runs on, from a seed, while callers are at work. It
// strikes by their answers, not by time: so many answers after the last blow comes the next one.
#ifndef HANDFAST_TESTS_CHAOS_STORM_H_
#define HANDFAST_TESTS_CHAOS_STORM_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "tests/chaos/fleet.h"

namespace handfast::chaos {

struct StormOptions {
  uint64_t seed = 1;
  int blows = 20;
  // Redis too is killed and started again: a fleet whose Redis keeps what it has answered.
  bool redis = false;
};

class Storm {
 public:
  // Begins at once.
  Storm(Fleet& fleet, const StormOptions& options);
  // Waits for the last blow.
  ~Storm();
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  // A caller has got an answer.
  void Answered();
  bool over() const { return over_; }

  // When it is over.
  int kills() const { return kills_; }
  int stops() const { return stops_; }
  int redis_kills() const { return redis_kills_; }
  // Empty: whatever was killed came up again.
  const std::string& error() const { return error_; }

 private:
  void Run();
  void Strike();
  void KillOne(size_t replica);
  void KillAll();
  void StopOne(size_t replica);
  // One is killed and comes again while another is stopped.
  void KillBeside(size_t replica, size_t stopped);
  void KillRedis();
  void Restart(size_t replica);
  // Until there were from `least` to `most` more answers.
  void AwaitAnswers(uint64_t least, uint64_t most);

  Fleet& fleet_;
  const StormOptions options_;
  std::mt19937_64 random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t answers_ = 0;  // guarded by mutex_
  std::atomic<bool> over_{false};
  int kills_ = 0;
  int stops_ = 0;
  int redis_kills_ = 0;
  std::string error_;
  std::thread thread_;
};

}  // namespace handfast::chaos

#endif  // HANDFAST_TESTS_CHAOS_STORM_H_
