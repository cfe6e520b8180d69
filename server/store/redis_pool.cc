#include "server/store/redis_pool.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace handfast::store {

using handshakes::MonotonicTime;

CircuitBreaker::Answer CircuitBreaker::Ask(MonotonicTime now) {
  if (!open_) return Answer::kGo;
  if (now < probe_at_) return Answer::kNo;
  probe_at_ = now + interval_;
  return Answer::kProbe;
}

void CircuitBreaker::Failed(MonotonicTime now) {
  open_ = true;
  probe_at_ = now + interval_;
}

RedisPool::RedisPool(RedisOptions options, const handshakes::Clock& clock)
    : options_(std::move(options)), clock_(clock), breaker_(options_.probe_interval) {}

absl::Status RedisPool::Tripped() const {
  return absl::UnavailableError(
      absl::StrCat(last_failure_, " (tried again every ", options_.probe_interval.count(), " ms)"));
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisPool::Take() {
  std::unique_lock lock(mutex_);
  const CircuitBreaker::Answer answer = breaker_.Ask(clock_.Now());
  if (answer == CircuitBreaker::Answer::kNo) return Tripped();
  // The probe does not wait: those that hold the connections may be waiting for a dead Redis.
  if (answer == CircuitBreaker::Answer::kGo) {
    const bool ready = changed_.wait_for(lock, options_.command_timeout, [this] {
      return breaker_.open() || !idle_.empty() || open_ < options_.connections;
    });
    if (breaker_.open()) return Tripped();
    if (!ready) {
      return absl::ResourceExhaustedError(
          absl::StrCat("store: ", Describe(options_), ": all ", options_.connections,
                       " connections are busy: try again, or allow more"));
    }
  }
  while (!idle_.empty()) {
    std::unique_ptr<RedisConnection> connection = std::move(idle_.back());
    idle_.pop_back();
    // One that Redis closed meanwhile, as when it was restarted, is no outage.
    if (connection->IsAlive()) return connection;
    --open_;
  }
  ++open_;
  ++connects_;
  return nullptr;
}

void RedisPool::PutBack(std::unique_ptr<RedisConnection> connection, uint64_t failures) {
  std::lock_guard lock(mutex_);
  breaker_.Succeeded();
  if (failures == failures_) {
    idle_.push_back(std::move(connection));
  } else {
    --open_;
  }
  changed_.notify_one();
}

void RedisPool::Fail(const absl::Status& status) {
  std::lock_guard lock(mutex_);
  open_ -= 1 + idle_.size();
  idle_.clear();
  ++failures_;
  breaker_.Failed(clock_.Now());
  last_failure_ = static_cast<std::string>(status.message());
  changed_.notify_all();
}

absl::StatusOr<ScriptReply> RedisPool::Run(std::span<const std::string> keys,
                                           std::span<const std::string> arguments) {
  uint64_t failures = 0;
  {
    std::lock_guard lock(mutex_);
    failures = failures_;
  }
  absl::StatusOr<std::unique_ptr<RedisConnection>> connection = Take();
  if (!connection.ok()) return connection.status();
  if (*connection == nullptr) {
    connection = RedisConnection::Open(options_);
    if (!connection.ok()) {
      Fail(connection.status());
      return connection.status();
    }
  }
  absl::StatusOr<ScriptReply> reply = (*connection)->Run(keys, arguments);
  if (absl::IsUnavailable(reply.status())) {
    Fail(reply.status());
  } else {
    PutBack(*std::move(connection), failures);
  }
  return reply;
}

uint64_t RedisPool::connects() const {
  std::lock_guard lock(mutex_);
  return connects_;
}

}  // namespace handfast::store
