// The arithmetic of the t-tests, on numbers whose answer is known.
#include "tests/constant_time/welch.h"

#include <gtest/gtest.h>

namespace handfast::constant_time {
namespace {

Moments Of(const std::vector<double>& values) {
  Moments moments;
  for (double value : values) moments.Add(value);
  return moments;
}

TEST(Moments, AreThoseOfTheTextbook) {
  const Moments moments = Of({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_DOUBLE_EQ(moments.mean(), 5);
  EXPECT_NEAR(moments.variance(), 32.0 / 7, 1e-12);
  EXPECT_EQ(Of({3}).variance(), 0);
}

TEST(WelchT, OfTwoSmallSamples) {
  // Means 3 and 6, variances 2.5 and 10, five each: -3 / sqrt(2.5).
  EXPECT_NEAR(WelchT(Of({1, 2, 3, 4, 5}), Of({2, 4, 6, 8, 10})), -1.897366596, 1e-9);
  EXPECT_EQ(WelchT(Of({}), Of({1, 2})), 0);
  EXPECT_EQ(WelchT(Of({1, 1}), Of({1, 1})), 0);
}

std::vector<Sample> Samples(uint64_t slower) {
  std::vector<Sample> samples;
  for (uint64_t i = 0; i < 2000; ++i) {
    const bool second = i % 2 == 1;
    // Noise that is the same for both classes, and now and then an interrupt.
    samples.push_back(
        {second, 100 + i / 2 % 7 + (i / 2 % 50 == 0 ? 100000 : 0) + (second ? slower : 0)});
  }
  return samples;
}

TEST(LargestT, FindsADifferenceBelowTheNoise) {
  EXPECT_LT(LargestT(Samples(0)), 0.1);
  EXPECT_GT(LargestT(Samples(1)), 4.5);
  EXPECT_EQ(LargestT({}), 0);
}

}  // namespace
}  // namespace handfast::constant_time
