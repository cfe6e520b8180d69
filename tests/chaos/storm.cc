#include "tests/chaos/storm.h"

#include <chrono>

namespace handfast::chaos {
namespace {

// Where callers get no answers because of the blow itself, it ends by this.
constexpr std::chrono::milliseconds kLongestBlow{2000};

}  // namespace

Storm::Storm(Fleet& fleet, const StormOptions& options)
    : fleet_(fleet), options_(options), random_(options.seed), thread_([this] { Run(); }) {}

Storm::~Storm() { thread_.join(); }

void Storm::Answered() {
  const std::lock_guard lock(mutex_);
  ++answers_;
  changed_.notify_all();
}

void Storm::AwaitAnswers(uint64_t least, uint64_t most) {
  std::unique_lock lock(mutex_);
  const uint64_t until = answers_ + least + random_() % (most - least + 1);
  (void)changed_.wait_for(lock, kLongestBlow, [&] { return answers_ >= until; });
}

void Storm::Run() {
  for (int i = 0; i < options_.blows && error_.empty(); ++i) {
    AwaitAnswers(10, 60);
    Strike();
  }
  over_ = true;
}

void Storm::Strike() {
  const size_t replica = random_() % kReplicas;
  const size_t other = (replica + 1 + random_() % (kReplicas - 1)) % kReplicas;
  const uint64_t kind = random_() % 10;
  if (options_.redis && kind < 4) return KillRedis();
  if (kind < 5) return KillOne(replica);
  if (kind < 7) return StopOne(replica);
  if (kind < 9) return KillBeside(replica, other);
  KillAll();
}

void Storm::Restart(size_t replica) {
  if (!fleet_.Restart(replica)) error_ = "a replica that was killed did not come up again";
}

void Storm::KillOne(size_t replica) {
  ++kills_;
  fleet_.Kill(replica);
  AwaitAnswers(0, 40);
  Restart(replica);
}

void Storm::KillAll() {
  for (size_t i = 0; i < kReplicas; ++i) {
    ++kills_;
    fleet_.Kill(i);
  }
  for (size_t i = 0; i < kReplicas; ++i) Restart(i);
}

void Storm::StopOne(size_t replica) {
  ++stops_;
  fleet_.Stop(replica);
  AwaitAnswers(10, 60);
  fleet_.Continue(replica);
}

void Storm::KillBeside(size_t replica, size_t stopped) {
  ++stops_;
  ++kills_;
  fleet_.Stop(stopped);
  AwaitAnswers(1, 10);
  fleet_.Kill(replica);
  AwaitAnswers(1, 10);
  Restart(replica);
  fleet_.Continue(stopped);
}

void Storm::KillRedis() {
  ++redis_kills_;
  fleet_.KillRedis();
  fleet_.RestartRedis();
}

}  // namespace handfast::chaos
