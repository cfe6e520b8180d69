// Welch's t-test: do two classes of measurements have one mean?
#ifndef HANDFAST_TESTS_CONSTANT_TIME_WELCH_H_
#define HANDFAST_TESTS_CONSTANT_TIME_WELCH_H_

#include <cstdint>
#include <vector>

namespace handfast::constant_time {

struct Sample {
  bool second = false;  // the class
  uint64_t ticks = 0;
};

// Mean and variance in one pass (Welford).
class Moments {
 public:
  void Add(double x);
  double count() const { return count_; }
  double mean() const { return mean_; }
  // Of the sample, by n - 1; 0 for fewer than two.
  double variance() const { return count_ < 2 ? 0 : squares_ / (count_ - 1); }

 private:
  double count_ = 0;
  double mean_ = 0;
  double squares_ = 0;
};

// 0 where a class is empty or nothing varies.
double WelchT(const Moments& a, const Moments& b);

// The largest |t| over the whole sample and over what is left below several thresholds: an
// interrupt in the middle of a measurement hides a difference, so the slowest are left out. The
// thresholds come from both classes together.
double LargestT(const std::vector<Sample>& samples);

}  // namespace handfast::constant_time

#endif  // HANDFAST_TESTS_CONSTANT_TIME_WELCH_H_
