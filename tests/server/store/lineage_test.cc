#include "server/store/lineage.h"

#include <gtest/gtest.h>

#include "server/store/limits.h"

namespace handfast::store {
namespace {

constexpr handshakes::MonotonicTime kNow{std::chrono::hours(1)};

TEST(Lineage, RemembersTheHighestEpochOfItsIncarnation) {
  Lineage lineage;
  EXPECT_FALSE(lineage.Current(kNow).has_value());
  ASSERT_TRUE(lineage.Accept("a", 5));
  lineage.SawEpoch("a", 9);
  lineage.SawEpoch("a", 7);
  lineage.SawEpoch("b", 100);
  EXPECT_EQ(lineage.Current(kNow)->epoch, 9u);
  ASSERT_TRUE(lineage.Accept("a", 5)) << "as another thread does, late";
  EXPECT_EQ(lineage.Current(kNow)->epoch, 9u);
}

TEST(Lineage, WhatWasLeftIsNotAcceptedAgain) {
  Lineage lineage;
  ASSERT_TRUE(lineage.Accept("a", 5));
  lineage.Leave("a");
  EXPECT_FALSE(lineage.Current(kNow).has_value());
  EXPECT_FALSE(lineage.Accept("a", 100));
  ASSERT_TRUE(lineage.Accept("b", 1));
  lineage.Leave("a");
  EXPECT_EQ(lineage.Current(kNow)->incarnation, "b") << "a thread that is late ends nothing new";
}

TEST(Lineage, AsksForItsOwnWritesAsLongAsTheyCanLive) {
  Lineage lineage;
  ASSERT_TRUE(lineage.Accept("a", 5));
  EXPECT_EQ(lineage.Current(kNow)->mark, 0u);
  lineage.Wrote("a", 6, kNow);
  lineage.SawEpoch("a", 9);
  lineage.Wrote("b", 100, kNow);
  EXPECT_EQ(lineage.Current(kNow)->epoch, 9u);
  EXPECT_EQ(lineage.Current(kNow + kMaxTimeToLive)->mark, 6u);
  EXPECT_EQ(lineage.Current(kNow + kMaxTimeToLive + TimeToLive(1))->mark, 0u);
}

TEST(RecentGenerations, KeepsTheHighestUntilTheEntryBeginsAnew) {
  RecentGenerations recent(10);
  EXPECT_EQ(recent.Of("a"), 0u);
  recent.Saw("a", 3);
  recent.Saw("a", 2);
  EXPECT_EQ(recent.Of("a"), 3u);
  recent.Begins("a");
  EXPECT_EQ(recent.Of("a"), 1u);
}

TEST(RecentGenerations, ForgetsTheOldestPastItsCapacity) {
  RecentGenerations recent(3);
  for (const char* name : {"a", "b", "c"}) recent.Saw(name, 1);
  recent.Saw("a", 2);
  EXPECT_EQ(recent.Of("a"), 2u) << "at its capacity all are there";
  recent.Saw("d", 1);
  EXPECT_EQ(recent.Of("a"), 0u);
  for (const char* name : {"b", "c", "d"}) EXPECT_EQ(recent.Of(name), 1u) << name;
}

}  // namespace
}  // namespace handfast::store
