// The simulation's time, and a replica's view of it.
#ifndef HANDFAST_TESTS_SIM_MOMENT_H_
#define HANDFAST_TESTS_SIM_MOMENT_H_

#include <chrono>
#include <cstdint>

#include "server/handshakes/clock_interface.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::sim {

struct Moment {
  int64_t ns = 0;
  void Pass(std::chrono::milliseconds time) { ns += std::chrono::nanoseconds(time).count(); }
};

// Its monotonic clock began when it did; its wall clock is off by up to half a second.
class SimClock final : public handshakes::Clock {
 public:
  SimClock(const Moment& now, int64_t began_ns, int64_t skew_ms, bool stands_still)
      : now_(now),
        began_ns_(began_ns),
        skew_ms_(skew_ms),
        stands_at_(now.ns),
        still_(stands_still) {}

  handshakes::MonotonicTime Now() const override {
    return handshakes::MonotonicTime(std::chrono::nanoseconds(ns() + began_ns_));
  }
  int64_t UnixSeconds() const override { return UnixMilliseconds() / 1000; }
  int64_t UnixMilliseconds() const override {
    return tls::test::kNow * 1000 + ns() / 1'000'000 + skew_ms_;
  }

 private:
  int64_t ns() const { return still_ ? stands_at_ : now_.ns; }
  const Moment& now_;
  const int64_t began_ns_;
  const int64_t skew_ms_;
  const int64_t stands_at_;
  const bool still_;
};

}  // namespace handfast::sim

#endif  // HANDFAST_TESTS_SIM_MOMENT_H_
