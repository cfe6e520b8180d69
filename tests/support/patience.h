// How long tests wait for what should take no time.
#ifndef HANDFAST_TESTS_SUPPORT_PATIENCE_H_
#define HANDFAST_TESTS_SUPPORT_PATIENCE_H_

#include <chrono>

namespace handfast::test {

// Far longer than anything takes on a machine that is not stuck.
constexpr std::chrono::milliseconds kPatience{20000};

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_PATIENCE_H_
