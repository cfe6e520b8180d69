#include "server/access/work_queue.h"

#include <algorithm>
#include <utility>

#include "server/access/error_details_interface.h"

namespace handfast::access {
namespace {

// The retry delay is what the queue would take to empty, within these bounds: sooner is a busy
// loop, later outlives most overloads.
constexpr int64_t kMinRetryMs = 10;
constexpr int64_t kMaxRetryMs = 1000;

// Weight of the newest running time in the mean: the last hundred pieces of work count.
constexpr double kSmoothing = 0.02;

double SecondsBetween(std::chrono::steady_clock::time_point from,
                      std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

size_t Index(Lane lane) { return static_cast<size_t>(lane); }

}  // namespace

WorkQueue::WorkQueue(WorkQueueOptions options, Clock clock,
                     std::function<void(const WorkObservation&)> observe,
                     std::function<void(std::string_view)> on_refused)
    : options_(options),
      clock_(std::move(clock)),
      observe_(std::move(observe)),
      on_refused_(std::move(on_refused)) {
  for (const Lane lane : {Lane::kGeneral, Lane::kRsa}) {
    for (int i = 0; i < options_.threads[Index(lane)]; ++i) {
      threads_.emplace_back([this, lane] { RunLane(lane); });
    }
  }
}

WorkQueue::~WorkQueue() { Shutdown(); }

absl::Status WorkQueue::Submit(std::string_view tenant, Lane lane, Work work) {
  const auto now = clock_();
  const std::lock_guard lock(mutex_);
  if (shut_down_) {
    return WithReason(absl::UnavailableError("the service is shutting down"), "SHUTTING_DOWN");
  }
  LaneState& state = lanes_[Index(lane)];
  if (state.waiting >= options_.max_waiting) return Refuse(state, lane, "QUEUE_LIMIT");
  auto found = state.by_tenant.find(tenant);
  if (found != state.by_tenant.end() && found->second.size() >= options_.max_waiting_per_tenant) {
    return Refuse(state, lane, "TENANT_QUEUE_LIMIT");
  }
  if (found == state.by_tenant.end()) {
    found = state.by_tenant.emplace(std::string(tenant), std::deque<Waiting>()).first;
    state.turn.emplace_back(tenant);
  }
  found->second.push_back({std::move(work), now});
  ++state.waiting;
  if (state.waiting >= options_.wake_at[Index(lane)]) work_came_[Index(lane)].notify_one();
  return absl::OkStatus();
}

absl::Status WorkQueue::Refuse(const LaneState& state, Lane lane, std::string_view reason) const {
  if (on_refused_) on_refused_(reason);
  const int threads = std::max(1, options_.threads[Index(lane)]);
  const double empty_ms = static_cast<double>(state.waiting) * state.mean_run_s * 1000 / threads;
  const int64_t retry_ms = std::clamp(static_cast<int64_t>(empty_ms), kMinRetryMs, kMaxRetryMs);
  absl::Status status = absl::ResourceExhaustedError("too much work waits already");
  return WithRetryDelayMs(WithReason(std::move(status), reason), retry_ms);
}

WorkQueue::Waiting WorkQueue::TakeNext(LaneState& state) {
  std::string tenant = std::move(state.turn.front());
  state.turn.pop_front();
  const auto found = state.by_tenant.find(tenant);
  Waiting next = std::move(found->second.front());
  found->second.pop_front();
  --state.waiting;
  if (found->second.empty()) {
    state.by_tenant.erase(found);
  } else {
    state.turn.push_back(std::move(tenant));
  }
  return next;
}

void WorkQueue::RunLane(Lane lane) {
  for (;;) {
    Waiting next;
    {
      std::unique_lock lock(mutex_);
      LaneState& state = lanes_[Index(lane)];
      work_came_[Index(lane)].wait(lock, [&] { return shut_down_ || state.waiting > 0; });
      if (shut_down_) return;
      next = TakeNext(state);
    }
    RunAndObserve(lane, std::move(next));
  }
}

bool WorkQueue::RunOne(Lane lane) {
  Waiting next;
  {
    const std::lock_guard lock(mutex_);
    LaneState& state = lanes_[Index(lane)];
    if (state.waiting == 0) return false;
    next = TakeNext(state);
  }
  RunAndObserve(lane, std::move(next));
  return true;
}

void WorkQueue::RunAndObserve(Lane lane, Waiting next) {
  const auto started = clock_();
  next.work();
  next.work = nullptr;  // what it holds goes before the next piece is taken
  const double ran_s = SecondsBetween(started, clock_());
  {
    const std::lock_guard lock(mutex_);
    double& mean = lanes_[Index(lane)].mean_run_s;
    mean = mean == 0 ? ran_s : mean + kSmoothing * (ran_s - mean);
  }
  if (observe_) observe_({lane, SecondsBetween(next.since, started), ran_s});
}

void WorkQueue::Shutdown() {
  std::array<LaneState, kLaneCount> dropped;
  {
    const std::lock_guard lock(mutex_);
    if (!shut_down_) {
      shut_down_ = true;
      std::swap(dropped, lanes_);
      for (std::condition_variable& came : work_came_) came.notify_all();
    }
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

size_t WorkQueue::waiting(Lane lane) const {
  const std::lock_guard lock(mutex_);
  return lanes_[Index(lane)].waiting;
}

}  // namespace handfast::access
