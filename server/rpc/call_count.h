// How many calls gRPC or we still hold. A completion queue may be shut down only when there is
// none: whoever starts an operation on it afterwards aborts the process.
#ifndef HANDFAST_SERVER_RPC_CALL_COUNT_H_
#define HANDFAST_SERVER_RPC_CALL_COUNT_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace handfast::rpc {

class CallCount {
 public:
  void Add() {
    std::lock_guard lock(mutex_);
    ++calls_;
  }
  void Remove() {
    std::lock_guard lock(mutex_);
    if (--calls_ == 0) none_.notify_all();
  }
  // After the server's shutdown, which ends them all. The queues must still be polled.
  void WaitForNone() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return calls_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  size_t calls_ = 0;
};

// Counts as long as it is there.
class Counted {
 public:
  explicit Counted(CallCount& calls) : calls_(calls) { calls_.Add(); }
  ~Counted() { calls_.Remove(); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  CallCount& calls_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_CALL_COUNT_H_
