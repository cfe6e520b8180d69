// Time, brought in so that tests can turn the clock: monotonic for durations, wall for validity.
#ifndef HANDFAST_SERVER_HANDSHAKES_CLOCK_INTERFACE_H_
#define HANDFAST_SERVER_HANDSHAKES_CLOCK_INTERFACE_H_

#include <chrono>
#include <cstdint>

namespace handfast::handshakes {

using MonotonicTime = std::chrono::steady_clock::time_point;

inline double Seconds(MonotonicTime::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonotonicTime Now() const = 0;
  // Seconds since the epoch.
  virtual int64_t UnixSeconds() const = 0;
  // What replicas go by together; their clocks should agree within a second.
  virtual int64_t UnixMilliseconds() const { return UnixSeconds() * 1000; }
};

class SystemClock final : public Clock {
 public:
  MonotonicTime Now() const override { return std::chrono::steady_clock::now(); }
  int64_t UnixSeconds() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
  }
  int64_t UnixMilliseconds() const override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  }
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_CLOCK_INTERFACE_H_
