// The store in memory: its bounds, its clock, and what its deadlines cost.
#include <string>

#include "tests/server/store/backends.h"

namespace handfast::store::test {
namespace {

struct Small {
  explicit Small(const MemoryStore::Limits& limits) : store(clock, limits) {}
  absl::Status Put(const std::string& handle, std::string_view text, milliseconds time) {
    return store.Put({"shop", handle}, tls::AsBytes(text), time);
  }
  std::string Get(const std::string& handle) { return Show(store.Get({"shop", handle})); }

  ManualClock clock;
  MemoryStore store;
};

size_t Weight(size_t handle_size, size_t value_size) {
  const std::string handle(handle_size, 'h');
  return MemoryStore::BytesOf({"shop", handle}, value_size);
}

TEST(MemoryStore, TakesAsManyEntriesAsItsLimitAndNoMore) {
  Small small({.entries = 3, .bytes = 1 << 20});
  for (const char* handle : {"1", "2", "3"}) ASSERT_TRUE(small.Put(handle, "a", seconds(9)).ok());
  const absl::Status full = small.Put("4", "a", seconds(9));
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_EQ(full.message(),
            "store in memory: it holds 3 entries, its limit: wait until some expire, or raise the "
            "limit");
  EXPECT_EQ(small.Get("4"), "NOT_FOUND");
  EXPECT_EQ(small.Get("1"), "a (1)") << "nothing makes way for another";
  ASSERT_TRUE(small.store.Pop({"shop", "2"}).ok());
  EXPECT_TRUE(small.Put("4", "a", seconds(9)).ok());
}

TEST(MemoryStore, TakesAsManyBytesAsItsLimitAndNoMore) {
  Small small({.entries = 100, .bytes = 2 * Weight(1, 10)});
  ASSERT_TRUE(small.Put("1", std::string(10, 'a'), seconds(9)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(small.Put("2", std::string(11, 'a'), seconds(9))));
  EXPECT_EQ(small.store.bytes(), Weight(1, 10)) << "a refused one weighs nothing";
  EXPECT_EQ(small.store.entries(), 1u);
  EXPECT_TRUE(small.Put("2", std::string(10, 'a'), seconds(9)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(small.Put("3", "", seconds(9))));
}

TEST(MemoryStore, ASwapThatDoesNotFitLeavesTheOldValue) {
  Small small({.entries = 100, .bytes = Weight(1, 10)});
  ASSERT_TRUE(small.Put("1", std::string(10, 'a'), seconds(9)).ok());
  const auto swap = [&](uint64_t generation, size_t size) {
    return small.store
        .CompareAndSwap({"shop", "1"}, generation, tls::AsBytes(std::string(size, 'b')), seconds(9))
        .status();
  };
  EXPECT_TRUE(absl::IsResourceExhausted(swap(1, 11)));
  EXPECT_EQ(small.Get("1"), "aaaaaaaaaa (1)");
  EXPECT_TRUE(swap(1, 4).ok());
  EXPECT_EQ(small.store.bytes(), Weight(1, 4));
  EXPECT_TRUE(swap(2, 10).ok());
  EXPECT_EQ(small.store.bytes(), Weight(1, 10));
}

TEST(MemoryStore, WhatLeavesWeighsNothing) {
  Small small({.entries = 100, .bytes = 1 << 20});
  for (const char* handle : {"1", "2", "3"}) ASSERT_TRUE(small.Put(handle, "a", seconds(9)).ok());
  ASSERT_TRUE(small.store.Pop({"shop", "1"}).ok());
  small.clock.Advance(seconds(9));
  EXPECT_EQ(small.Get("2"), "NOT_FOUND");
  EXPECT_EQ(small.store.entries(), 1u) << "found to be expired: gone; the third is not seen yet";
  small.clock.Advance(seconds(2));
  small.store.Sweep();
  EXPECT_EQ(small.store.entries(), 0u);
  EXPECT_EQ(small.store.bytes(), 0u);
}

TEST(MemoryStore, ExpiresToTheInstant) {
  Small small({.entries = 100, .bytes = 1 << 20});
  ASSERT_TRUE(small.Put("1", "a", milliseconds(1500)).ok());
  small.clock.Advance(milliseconds(1500) - std::chrono::nanoseconds(1));
  small.store.Sweep();
  EXPECT_EQ(small.Get("1"), "a (1)");
  small.clock.Advance(std::chrono::nanoseconds(1));
  EXPECT_EQ(small.Get("1"), "NOT_FOUND");
}

TEST(MemoryStore, ASwapStartsTheTimeAnew) {
  Small small({.entries = 100, .bytes = 1 << 20});
  ASSERT_TRUE(small.Put("1", "a", seconds(10)).ok());
  ASSERT_TRUE(small.Put("2", "a", seconds(10)).ok());
  small.clock.Advance(seconds(9));
  ASSERT_TRUE(small.store.CompareAndSwap({"shop", "1"}, 1, tls::AsBytes("b"), seconds(10)).ok());
  small.clock.Advance(seconds(9));
  small.store.Sweep();
  EXPECT_EQ(small.Get("1"), "b (2)");
  EXPECT_EQ(small.Get("2"), "NOT_FOUND") << "the control: it was not swapped";
}

TEST(MemoryStore, AFullStoreMakesRoomOfWhatHasExpired) {
  Small small({.entries = 2, .bytes = 1 << 20});
  ASSERT_TRUE(small.Put("1", "a", seconds(10)).ok());
  ASSERT_TRUE(small.Put("2", "a", seconds(1000)).ok());
  small.clock.Advance(seconds(12));
  EXPECT_TRUE(small.Put("3", "a", seconds(10)).ok());
  EXPECT_EQ(small.Get("2"), "a (1)");
  EXPECT_TRUE(absl::IsResourceExhausted(small.Put("4", "a", seconds(10))));
}

// What deadlines cost is counted, not timed: a look a slot, and one a timer that is due.
TEST(MemoryStore, DeadlinesCostTheSameHoweverManyAreSet) {
  constexpr uint64_t kShards = 16;
  for (const uint64_t count : {uint64_t{100}, uint64_t{20'000}}) {
    Small small({.entries = count, .bytes = SIZE_MAX});
    for (uint64_t i = 0; i < count; ++i) {
      ASSERT_TRUE(small.Put(std::to_string(i), "a", seconds(600)).ok());
    }
    EXPECT_EQ(small.store.deadline_work(), 0u) << "to set one looks at no other";
    small.clock.Advance(seconds(1));
    small.store.Sweep();
    EXPECT_EQ(small.store.deadline_work(), kShards) << "nor does a second in which none is due";
    ASSERT_TRUE(small.store.Pop({"shop", "1"}).ok());
    EXPECT_EQ(small.store.deadline_work(), kShards) << "nor does cancelling one";
    small.clock.Advance(seconds(600));
    small.store.Sweep();
    EXPECT_EQ(small.store.entries(), 0u);
    EXPECT_EQ(small.store.deadline_work(), kShards * 601 + count - 1) << "each looked at once";
  }
}

// The longest deadline is farther than a turn of the wheel, and is looked at once a turn: a number
// that does not depend on how many there are. This is also the control of the count above.
TEST(MemoryStore, TheFarthestDeadlineIsLookedAtOnceATurn) {
  constexpr uint64_t kShards = 16;
  constexpr uint64_t kDays = 7 * 24 * 3600;
  Small small({.entries = 10, .bytes = 1 << 20});
  ASSERT_TRUE(small.Put("1", "a", seconds(kDays)).ok());
  for (uint64_t second = 0; second <= kDays; second += 512) {
    small.clock.Advance(seconds(512));
    small.store.Sweep();
  }
  EXPECT_EQ(small.store.entries(), 0u);
  const uint64_t slots = kShards * 512 * (kDays / 512 + 1);
  EXPECT_GT(small.store.deadline_work(), slots + 1);
  EXPECT_LE(small.store.deadline_work(), slots + kDays / 1024 + 1);
}

}  // namespace
}  // namespace handfast::store::test
