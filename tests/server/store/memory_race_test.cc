// The store in memory under many threads, for the thread sanitizer; and that nothing is counted
// twice or lost.
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/store/memory_store.h"

namespace handfast::store {
namespace {

using std::chrono::seconds;

class SteppingClock final : public handshakes::Clock {
 public:
  handshakes::MonotonicTime Now() const override {
    return handshakes::MonotonicTime(std::chrono::milliseconds(++now_ms_));
  }
  int64_t UnixSeconds() const override { return 0; }

 private:
  mutable std::atomic<int64_t> now_ms_{0};
};

constexpr int kThreads = 4;
constexpr int kRounds = 2000;

TEST(MemoryStoreRace, AllOperationsAtOnce) {
  const SteppingClock clock;
  constexpr MemoryStore::Limits kLimits{.entries = 40, .bytes = 40'000};
  MemoryStore store(clock, kLimits);
  std::atomic<int> puts{0};
  std::atomic<int> pops{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string handle = std::to_string((i * 7 + thread) % 64);
        const Key key{"shop", handle};
        const tls::Bytes value(static_cast<size_t>(i % 50), 'v');
        // A time that all of this test's readings of the clock do not reach.
        if (store.Put(key, value, seconds(3600)).ok()) ++puts;
        const auto got = store.Get(key);
        if (got.ok()) (void)store.CompareAndSwap(key, got->generation, value, seconds(3600));
        if (i % 3 == 0 && store.Pop(key).ok()) ++pops;
        if (i % 64 == 0) store.Sweep();
        EXPECT_LE(store.entries(), kLimits.entries);
        EXPECT_LE(store.bytes(), kLimits.bytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(static_cast<size_t>(puts - pops), store.entries());
  EXPECT_GT(pops.load(), 0);
  for (int i = 0; i < 64; ++i) (void)store.Pop({"shop", std::to_string(i)});
  EXPECT_EQ(store.entries(), 0u);
  EXPECT_EQ(store.bytes(), 0u);
}

TEST(MemoryStoreRace, ExpiryMeetsEveryOperation) {
  const SteppingClock clock;
  MemoryStore store(clock, {.entries = 1000, .bytes = 1 << 20});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string handle = std::to_string(i % 16);
        const Key key{"shop", handle};
        (void)store.Put(key, tls::AsBytes("v"), std::chrono::milliseconds(5));
        (void)store.CompareAndSwap(key, 1, tls::AsBytes("w"), std::chrono::milliseconds(5));
        (void)store.Get(key);
        if (i % 8 == 0) store.Sweep();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 16; ++i) (void)store.Pop({"shop", std::to_string(i)});
  EXPECT_EQ(store.entries(), 0u);
  EXPECT_EQ(store.bytes(), 0u);
}

}  // namespace
}  // namespace handfast::store
