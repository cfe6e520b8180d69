#include "tests/sim/records_world.h"

#include <algorithm>
#include <cstdio>

#include "server/observe/log.h"
#include "tests/sim/conversation.h"

namespace handfast::sim {
namespace {

constexpr int kStormy = 60;
constexpr int kCalm = 40;

}  // namespace

RecordsWorld::RecordsWorld(uint64_t seed, RecordBug bug, bool print)
    : bug_(bug),
      print_(print),
      dice_(seed),
      // Fair, bad, foul.
      trouble_(dice_.OneIn(3) ? 0 : 2 + dice_.Below(8)),
      owner_(std::make_unique<connections::Connections>(clock_, connections::Limits{})) {
  observe::SetLogLevel(observe::Level::kError);
  const size_t count = 1 + dice_.Below(3);
  for (size_t i = 0; i < count; ++i) {
    conversations_.push_back(std::make_unique<Conversation>(*this, i));
  }
}

RecordsWorld::~RecordsWorld() = default;

void RecordsWorld::Say(const std::string& what) {
  if (!print_) return;
  std::printf("%8lld ms %s\n", static_cast<long long>(now_.ns / 1'000'000), what.c_str());
}

void RecordsWorld::Crash() {
  Say("the owner crashes");
  ++lives_;
  owner_ = std::make_unique<connections::Connections>(clock_, connections::Limits{});
  if (bug_ != RecordBug::kTakesOver) return;
  for (auto& conversation : conversations_) conversation->OnCrash();
}

void RecordsWorld::Act() {
  ++actions_;
  now_.Pass(std::chrono::milliseconds(dice_.Below(60)));
  if (trouble_ != 0 && dice_.OneIn(80)) {
    Say("the clock jumps");
    now_.Pass(std::chrono::seconds(1 + dice_.Below(15)));
  }
  if (trouble_ != 0 && dice_.OneIn(200)) Crash();
  owner_->EndOld();
  std::vector<Conversation*> open;
  for (auto& conversation : conversations_) {
    if (!conversation->ended()) open.push_back(conversation.get());
  }
  if (!open.empty()) open[dice_.Below(open.size())]->Act();
}

RecordsWorld::Result RecordsWorld::Run() {
  const auto ended = [](const auto& conversation) { return conversation->ended(); };
  const auto goes_on = [&] {
    return violation_.empty() && !std::ranges::all_of(conversations_, ended);
  };
  const int count = static_cast<int>(conversations_.size());
  for (int i = 0; i < kStormy * count && goes_on(); ++i) Act();
  Say("calm");
  trouble_ = 0;
  for (int i = 0; i < kCalm && goes_on(); ++i) {
    for (auto& conversation : conversations_) {
      if (violation_.empty() && !conversation->ended()) conversation->Wind();
    }
  }
  if (goes_on()) Violated("a conversation does not end");
  if (violation_.empty() && owner_->size() != 0) Violated("connections are left");
  if (!violation_.empty()) Say("VIOLATION: " + violation_);
  Result result{.violation = violation_, .ends = {}, .actions = actions_};
  for (const auto& conversation : conversations_) ++result.ends[conversation->how()];
  return result;
}

}  // namespace handfast::sim
