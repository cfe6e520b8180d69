#include "tests/sim/world.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "server/observe/log.h"
#include "tests/sim/exchange.h"

namespace handfast::sim {
namespace {

using std::chrono::milliseconds;

constexpr size_t kReplicas = 3;
// An exchange that nothing bad happens to takes about 15 actions.
constexpr int kStormy = 60;
constexpr int kCalm = 150;
constexpr int kMaxDepth = 2;

Weather Forecast(Dice& dice) {
  // Fair, bad, foul.
  const size_t factor = std::array<size_t, 3>{0, 4, 1}[dice.Below(3)];
  const auto rate = [&](size_t one_in) { return dice.OneIn(3) ? 0 : one_in * factor; };
  return {.store_fails = rate(10),
          .store_is_stale = rate(12),
          .overtaken = rate(5),
          .crash = rate(25),
          .reply_lost = rate(5),
          .rival = rate(6),
          .store_lost = rate(150),
          .jump = rate(60)};
}

uint64_t Hash(uint64_t hash, tls::ByteView bytes) {
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

}  // namespace

World::World(uint64_t seed, Bug bug, bool print)
    : bug_(bug),
      print_(print),
      dice_(seed),
      weather_(Forecast(dice_)),
      may_be_stale_(weather_.store_is_stale != 0),
      server_(now_, dice_.OneIn(8) ? 2 : 100, bug),
      keys_(ServerKitOf(), ClientKitOf()),
      replicas_(kReplicas) {
  observe::SetLogLevel(observe::Level::kError);
  for (size_t i = 0; i < kReplicas; ++i) Starts(i);
  const size_t exchanges = 1 + dice_.Below(3);
  for (size_t i = 0; i < exchanges; ++i) exchanges_.push_back(Exchange::Draw(*this, i));
}

World::~World() = default;

void World::Say(const std::string& what) {
  trace_ = Hash(trace_, tls::AsBytes(what));
  if (!print_) return;
  std::printf("%8lld ms %*s%s\n", static_cast<long long>(now_.ns / 1'000'000), depth_ * 2, "",
              what.c_str());
}

std::string World::Digest(tls::ByteView bytes) {
  char text[40];
  std::snprintf(text, sizeof text, "%zu:%08llx", bytes.size(),
                static_cast<unsigned long long>(Hash(0xcbf29ce484222325, bytes) & 0xffffffff));
  return text;
}

void World::Starts(size_t i) {
  const uint64_t entropy = dice_.Next();
  const auto began_ns = static_cast<int64_t>(1 + dice_.Below(1000)) * 3'600'000'000'000;
  const auto skew_ms = static_cast<int64_t>(dice_.Below(1000)) - 500;
  replicas_[i] = std::make_unique<Replica>(now_, entropy, began_ns, skew_ms, bug_, keys_, ledger_,
                                           server_, dice_, weather_, admissions_.emplace_back(),
                                           [this, i] { Wait(i); });
}

void World::Crashes(size_t i) {
  Say("replica " + std::to_string(i) + " crashes");
  for (auto& exchange : exchanges_) exchange->OnCrash(i);
  Starts(i);
}

void World::Wait(size_t i) {
  if (depth_ < kMaxDepth && dice_.OneIn(weather_.overtaken)) {
    ++depth_;
    for (size_t acts = 1 + dice_.Below(4); acts > 0; --acts) Act();
    --depth_;
  }
  if (dice_.OneIn(weather_.crash)) replicas_[i]->doomed = true;
  if (replicas_[i]->doomed) throw Crash();
}

void World::Passes(milliseconds time) {
  now_.Pass(time);
  if (bug_ == Bug::kIgnoresDeadlines) return;
  // One that is in the middle of a call holds its handshake's lock: the reaper would wait.
  for (size_t i = 0; i < replicas_.size(); ++i) {
    if (replicas_[i]->active == 0) replicas_[i]->table.Reap();
  }
}

void World::Act() {
  ++actions_;
  if (dice_.OneIn(4)) Passes(milliseconds(dice_.Below(60)));
  if (dice_.OneIn(weather_.jump)) {
    Say("the clock jumps");
    Passes(milliseconds(1000 + dice_.Below(11'000)));
  }
  if (dice_.OneIn(weather_.store_lost)) {
    Say("the store is rolled back");
    server_.Lose();
  } else if (bug_ == Bug::kRestoresSnapshots && dice_.OneIn(10)) {
    server_.TakeSnapshot();
  }
  if (const size_t i = dice_.Below(replicas_.size());
      replicas_[i]->active == 0 && dice_.OneIn(weather_.crash)) {
    Crashes(i);
  }
  std::vector<Exchange*> open;
  for (auto& exchange : exchanges_) {
    if (!exchange->ended()) open.push_back(exchange.get());
  }
  if (!open.empty()) open[dice_.Below(open.size())]->Act();
}

bool World::AllEnded() const {
  return std::ranges::all_of(exchanges_, [](const auto& exchange) { return exchange->ended(); });
}

Result World::Run() {
  const auto goes_on = [&] { return ledger_.violation().empty() && !AllEnded(); };
  const int count = static_cast<int>(exchanges_.size());
  for (int i = 0; i < kStormy * count && goes_on(); ++i) Act();
  // The storm is over: whatever is left has to come to an end.
  Say("calm");
  weather_ = {};
  server_.SetCapacity(SIZE_MAX);
  for (int i = 0; i < kCalm * count && goes_on(); ++i) Act();
  if (goes_on()) ledger_.Violated("an exchange does not end");
  if (ledger_.violation().empty()) CheckAllIsGone();
  Result result{.violation = ledger_.violation(), .trace = trace_, .ends = {}, .actions = actions_};
  if (!result.violation.empty()) Say("VIOLATION: " + result.violation);
  for (const auto& exchange : exchanges_) ++result.ends[exchange->how()];
  return result;
}

// After the deadlines, and the time for which last replies are kept.
void World::CheckAllIsGone() {
  for (int i = 0; i < 500; ++i) Passes(milliseconds(50));
  for (auto& exchange : exchanges_) exchange->HearOut();
  server_.Sweep();
  if (server_.entries() != 0) ledger_.Violated("entries are left in the store");
  for (const auto& replica : replicas_) {
    if (replica->table.live() != 0) ledger_.Violated("handshakes are left in a table");
    if (replica->admission.live != 0) ledger_.Violated("admissions are not given back");
  }
}

}  // namespace handfast::sim
