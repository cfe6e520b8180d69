// Connections to one Redis, and a circuit-breaker before them. After a failure nobody asks for a
// short while, so that calls are answered at once instead of waiting behind dead sockets; then one
// caller at a time is the probe, and the first success lets all through again.
#ifndef HANDFAST_SERVER_STORE_REDIS_POOL_H_
#define HANDFAST_SERVER_STORE_REDIS_POOL_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "server/handshakes/clock_interface.h"
#include "server/store/redis_connection.h"

namespace handfast::store {

class CircuitBreaker {
 public:
  enum class Answer { kGo, kProbe, kNo };

  explicit CircuitBreaker(std::chrono::milliseconds interval) : interval_(interval) {}

  // kProbe: one try, and the next not before another interval.
  Answer Ask(handshakes::MonotonicTime now);
  void Failed(handshakes::MonotonicTime now);
  void Succeeded() { open_ = false; }
  // Nobody is let through.
  bool open() const { return open_; }

 private:
  const std::chrono::milliseconds interval_;
  bool open_ = false;
  handshakes::MonotonicTime probe_at_;
};

class RedisPool {
 public:
  // Connects when it is first used. The clock outlives the pool; it turns the breaker alone.
  RedisPool(RedisOptions options, const handshakes::Clock& clock);

  // As RedisConnection::Run; UNAVAILABLE at once while the breaker is open, RESOURCE_EXHAUSTED
  // where all connections stay busy for a command's timeout.
  absl::StatusOr<ScriptReply> Run(std::span<const std::string> keys,
                                  std::span<const std::string> arguments);

  // How often a connection was tried.
  uint64_t connects() const;

 private:
  // Null: one is to be opened; its place is taken already.
  absl::StatusOr<std::unique_ptr<RedisConnection>> Take();
  void PutBack(std::unique_ptr<RedisConnection> connection, uint64_t failures);
  void Fail(const absl::Status& status);
  absl::Status Tripped() const;

  const RedisOptions options_;
  const handshakes::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // All below are guarded by mutex_.
  CircuitBreaker breaker_;
  std::string last_failure_;
  std::vector<std::unique_ptr<RedisConnection>> idle_;
  size_t open_ = 0;        // idle or in use
  uint64_t failures_ = 0;  // a connection from before the last one is not kept
  uint64_t connects_ = 0;
};

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_REDIS_POOL_H_
