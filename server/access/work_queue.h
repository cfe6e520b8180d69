// The bounded queue behind WorkQueueInterface: in each lane one queue a tenant, served round robin
// by the lane's own threads. A tenant that floods waits for itself.
#ifndef HANDFAST_SERVER_ACCESS_WORK_QUEUE_H_
#define HANDFAST_SERVER_ACCESS_WORK_QUEUE_H_

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"

#include "server/access/work_queue_interface.h"

namespace handfast::access {

struct WorkQueueOptions {
  // Threads a lane, in the order of Lane. 0: none, and the owner calls RunOne (tests do).
  std::array<int, kLaneCount> threads = {1, 1};
  // A sleeping thread is woken when so much waits in its lane. More than 1 where others run the
  // lane's work too (RunOne) and waking costs more than a short wait.
  std::array<size_t, kLaneCount> wake_at = {1, 1};
  // Waiting pieces of work a lane. 4,096 of the general lane are about 0.4 s of one core.
  size_t max_waiting = 4096;
  size_t max_waiting_per_tenant = 1024;
};

// What a worker tells about each piece of work, for the histograms of waiting and running time.
struct WorkObservation {
  Lane lane;
  double waited_s;
  double ran_s;
};

class WorkQueue final : public WorkQueueInterface {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  // `observe` and `on_refused` may be null. The first is called on the worker thread, outside any
  // lock; the second, with the reason's name, within Submit.
  WorkQueue(WorkQueueOptions options, Clock clock,
            std::function<void(const WorkObservation&)> observe = nullptr,
            std::function<void(std::string_view)> on_refused = nullptr);
  // As Shutdown.
  ~WorkQueue() override;

  absl::Status Submit(std::string_view tenant, Lane lane, Work work) override;

  // Refuses new work, finishes what is running, and destroys what waits without running it; returns
  // when the threads have ended. Not to be called from a piece of work.
  void Shutdown();

  // Runs the next piece of work of `lane` on this thread; false where none waits.
  bool RunOne(Lane lane);

  size_t waiting(Lane lane) const;

 private:
  struct Waiting {
    Work work;
    std::chrono::steady_clock::time_point since;
  };
  struct LaneState {
    std::map<std::string, std::deque<Waiting>, std::less<>> by_tenant;
    // Tenants with waiting work, the next to be served in front.
    std::deque<std::string> turn;
    size_t waiting = 0;
    // Smoothed running time, for the retry delay.
    double mean_run_s = 0;
  };

  void RunLane(Lane lane);
  void RunAndObserve(Lane lane, Waiting next);
  // Both under the lock.
  Waiting TakeNext(LaneState& state);
  absl::Status Refuse(const LaneState& state, Lane lane, std::string_view reason) const;

  const WorkQueueOptions options_;
  const Clock clock_;
  const std::function<void(const WorkObservation&)> observe_;
  const std::function<void(std::string_view)> on_refused_;
  mutable std::mutex mutex_;  // guards lanes_ and shut_down_
  std::array<std::condition_variable, kLaneCount> work_came_;
  std::array<LaneState, kLaneCount> lanes_;
  bool shut_down_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace handfast::access

#endif  // HANDFAST_SERVER_ACCESS_WORK_QUEUE_H_
