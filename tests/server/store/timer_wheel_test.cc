#include "server/store/timer_wheel.h"

#include <map>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace handfast::store {
namespace {

struct Named : TimerWheel::Timer {
  int name = 0;
};

std::vector<int> Fired(TimerWheel& wheel, uint64_t now) {
  std::vector<int> names;
  wheel.Advance(
      now, [&](TimerWheel::Timer& timer) { names.push_back(static_cast<Named&>(timer).name); });
  return names;
}

TEST(TimerWheel, FiresAtItsTickAndOnce) {
  TimerWheel wheel(100);
  Named timer;
  timer.name = 1;
  wheel.Set(timer, 103);
  EXPECT_TRUE(Fired(wheel, 102).empty());
  EXPECT_EQ(Fired(wheel, 103), std::vector<int>{1});
  EXPECT_TRUE(Fired(wheel, 5000).empty());
}

TEST(TimerWheel, WhatIsLateFiresAtTheNextTick) {
  TimerWheel wheel(100);
  Named timer;
  wheel.Set(timer, 7);
  EXPECT_TRUE(Fired(wheel, 100).empty());
  EXPECT_EQ(Fired(wheel, 101).size(), 1u);
}

TEST(TimerWheel, CancelsAndMoves) {
  TimerWheel wheel(0);
  Named timer;
  wheel.Set(timer, 5);
  wheel.Set(timer, 10);
  EXPECT_TRUE(Fired(wheel, 9).empty());
  timer.Cancel();
  timer.Cancel();
  EXPECT_TRUE(Fired(wheel, 100).empty());
  {
    Named gone;
    wheel.Set(gone, 150);
  }
  EXPECT_TRUE(Fired(wheel, 200).empty());
}

TEST(TimerWheel, TurnsMoreThanOnceForWhatIsFar) {
  TimerWheel wheel(0);
  Named timer;
  wheel.Set(timer, 5000);
  for (uint64_t now = 1; now < 5000; now += 7) ASSERT_TRUE(Fired(wheel, now).empty());
  EXPECT_EQ(Fired(wheel, 5000).size(), 1u);
}

TEST(TimerWheel, APauseLosesNothing) {
  TimerWheel wheel(0);
  std::vector<Named> timers(3000);
  for (size_t i = 0; i < timers.size(); ++i) wheel.Set(timers[i], i + 1);
  EXPECT_EQ(Fired(wheel, 1'000'000).size(), timers.size());
}

TEST(TimerWheel, MayBeSetWhileItFires) {
  TimerWheel wheel(0);
  Named timer;
  wheel.Set(timer, 1);
  int fired = 0;
  for (uint64_t now = 1; now <= 10; ++now) {
    wheel.Advance(now, [&](TimerWheel::Timer& due) {
      ++fired;
      wheel.Set(due, now + 2);
    });
  }
  EXPECT_EQ(fired, 5);
}

// Against a sorted map, in random order.
TEST(TimerWheel, AgreesWithAMap) {
  std::mt19937 random(1);  // NOLINT: the same in every run
  TimerWheel wheel(0);
  std::vector<std::unique_ptr<Named>> timers;
  std::map<int, uint64_t> model;
  uint64_t now = 0;
  for (int round = 0; round < 20'000; ++round) {
    const uint32_t action = random() % 4;
    if (action == 0) {
      timers.push_back(std::make_unique<Named>());
      timers.back()->name = static_cast<int>(timers.size()) - 1;
      const uint64_t tick = now + 1 + random() % 3000;
      wheel.Set(*timers.back(), tick);
      model[timers.back()->name] = tick;
    } else if (action == 1 && !timers.empty()) {
      Named& timer = *timers[random() % timers.size()];
      timer.Cancel();
      model.erase(timer.name);
    } else {
      now += random() % 20;
      for (int name : Fired(wheel, now)) {
        ASSERT_TRUE(model.count(name) && model[name] <= now);
        model.erase(name);
      }
      for (auto& [name, tick] : model) ASSERT_GT(tick, now);
    }
  }
}

}  // namespace
}  // namespace handfast::store
