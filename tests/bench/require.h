// A bench that cannot measure says why and ends.
#ifndef HANDFAST_TESTS_BENCH_REQUIRE_H_
#define HANDFAST_TESTS_BENCH_REQUIRE_H_

#include <cstdio>
#include <cstdlib>

namespace handfast::bench {

inline void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "bench: not true: %s\n", what);
  std::exit(1);
}

}  // namespace handfast::bench

#endif  // HANDFAST_TESTS_BENCH_REQUIRE_H_
