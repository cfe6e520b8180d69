#include "tests/constant_time/welch.h"

#include <algorithm>
#include <cmath>

namespace handfast::constant_time {

void Moments::Add(double x) {
  count_ += 1;
  const double away = x - mean_;
  mean_ += away / count_;
  squares_ += away * (x - mean_);
}

double WelchT(const Moments& a, const Moments& b) {
  if (a.count() == 0 || b.count() == 0) return 0;
  const double error = a.variance() / a.count() + b.variance() / b.count();
  return error == 0 ? 0 : (a.mean() - b.mean()) / std::sqrt(error);
}

double LargestT(const std::vector<Sample>& samples) {
  if (samples.empty()) return 0;
  std::vector<uint64_t> sorted;
  sorted.reserve(samples.size());
  for (const Sample& sample : samples) sorted.push_back(sample.ticks);
  std::sort(sorted.begin(), sorted.end());
  double largest = 0;
  for (const double share : {0.5, 0.8, 0.95, 1.0}) {
    const auto last = static_cast<size_t>(share * static_cast<double>(sorted.size() - 1));
    const uint64_t threshold = sorted[last];
    Moments classes[2];
    for (const Sample& sample : samples) {
      if (sample.ticks <= threshold) classes[sample.second].Add(static_cast<double>(sample.ticks));
    }
    largest = std::max(largest, std::abs(WelchT(classes[0], classes[1])));
  }
  return largest;
}

}  // namespace handfast::constant_time
