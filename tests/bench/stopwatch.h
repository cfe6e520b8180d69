// Time of short spans of one thread. The clock is the processor's time-stamp counter: a span of a
// few microseconds would drown in a system call. A span that the scheduler interrupted comes out
// long; medians over many handshakes leave such spans out.
#ifndef HANDFAST_TESTS_BENCH_STOPWATCH_H_
#define HANDFAST_TESTS_BENCH_STOPWATCH_H_

#include <x86intrin.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

namespace handfast::bench {

// CPU time of this thread.
inline double ThreadMicros() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

// Ticks of the counter in a microsecond, measured once.
inline double TicksPerMicro() {
  static const double ticks = [] {
    constexpr double kSpanMicros = 50'000;
    const double from = ThreadMicros();
    const uint64_t start = __rdtsc();
    while (ThreadMicros() - from < kSpanMicros) {
    }
    return static_cast<double>(__rdtsc() - start) / (ThreadMicros() - from);
  }();
  return ticks;
}

// Adds up the spans between its pairs of Start and Stop.
class Stopwatch {
 public:
  void Start() { started_ = __rdtsc(); }
  void Stop() { total_ += __rdtsc() - started_; }
  double micros() const { return static_cast<double>(total_) / TicksPerMicro(); }

 private:
  uint64_t started_ = 0;
  uint64_t total_ = 0;
};

inline double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace handfast::bench

#endif  // HANDFAST_TESTS_BENCH_STOPWATCH_H_
