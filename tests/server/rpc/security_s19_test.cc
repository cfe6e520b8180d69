// S19, a drain under load, one replica: no handshake that was begun is lost, and a caller who tries
// again elsewhere when told to never fails. The control cuts everything off at once.

#include <atomic>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::test::LibsslClient;

constexpr int kCallers = 4;
constexpr int kHandshakesEach = 60;
constexpr int kHalfDone = 20;

enum class Outcome { kEstablished, kElsewhere, kLost };

// One handshake on this stream; other tags' replies do not come here.
Outcome Shake(RelayCall& call, uint64_t tag, bool& draining) {
  LibsslClient peer({});
  const tls::Bytes hello = peer.Receive({});
  v1::Start start = PlainStart();
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  start.set_from_peer(hello.data(), hello.size());
  // A stream that ends unheard has begun nothing: that is what UNAVAILABLE says.
  bool begun = false;
  call.Start(tag, start);
  while (const auto reply = call.Next()) {
    if (reply->has_drain()) {
      draining = true;
      continue;
    }
    if (reply->has_established()) return Outcome::kEstablished;
    if (reply->error().code() == grpc::StatusCode::UNAVAILABLE) return Outcome::kElsewhere;
    if (reply->outcome_case() != v1::RelayResponse::OUTCOME_NOT_SET) return Outcome::kLost;
    begun = true;
    call.FromPeer(tag, peer.Receive(tls::AsBytes(reply->to_peer())));
  }
  return begun ? Outcome::kLost : Outcome::kElsewhere;
}

struct Tally {
  std::atomic<int> established{0};
  std::atomic<int> lost{0};
  std::atomic<int> moved{0};
};

// Does its handshakes at `old_home` until it is sent to `new_home`.
void Caller(TestService& old_home, TestService& new_home, Tally& tally) {
  bool draining = false;
  auto call = std::make_unique<RelayCall>(old_home.Channel(As::kEdge));
  uint64_t tag = 0;
  for (int done = 0; done < kHandshakesEach;) {
    const Outcome outcome = Shake(*call, ++tag, draining);
    tally.established += outcome == Outcome::kEstablished;
    tally.lost += outcome == Outcome::kLost;
    done += outcome != Outcome::kElsewhere;
    if (draining || outcome == Outcome::kElsewhere) {
      ++tally.moved;
      draining = false;
      tag = 0;
      call = std::make_unique<RelayCall>(new_home.Channel(As::kEdge));
    }
  }
}

// Handshakes that are begun, and finished only when the test says so.
class HalfDone {
 public:
  explicit HalfDone(TestService& service) : call_(service.Channel(As::kEdge)) {
    for (uint64_t tag = 1; tag <= kHalfDone; ++tag) {
      peers_.push_back(std::make_unique<LibsslClient>(tls::test::LibsslOptions{}));
      const tls::Bytes hello = peers_.back()->Receive({});
      v1::Start start = PlainStart();
      start.set_from_peer(hello.data(), hello.size());
      call_.Start(tag, start);
      const auto reply = call_.Next();
      finished_.push_back(peers_.back()->Receive(tls::AsBytes(reply->to_peer())));
    }
  }
  // Until the drain is heard of, or the stream is gone.
  void AwaitDrain() {
    while (const auto reply = call_.Next()) {
      if (reply->has_drain()) return;
    }
  }
  int Finish() {
    for (uint64_t tag = 1; tag <= kHalfDone; ++tag) call_.FromPeer(tag, finished_[tag - 1]);
    int established = 0;
    while (const auto reply = call_.Next()) established += reply->has_established();
    return established;
  }

 private:
  RelayCall call_;
  std::vector<std::unique_ptr<LibsslClient>> peers_;
  std::vector<tls::Bytes> finished_;
};

struct Result {
  int lost = 0;
  int half_done_established = 0;
  int moved = 0;
  bool all_accounted = false;
};

Result DrainUnderLoad(std::chrono::milliseconds within) {
  TestService old_home;
  TestService new_home;
  HalfDone half_done(old_home);
  Tally tally;
  std::vector<std::thread> callers;
  callers.reserve(kCallers);
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back([&] { Caller(old_home, new_home, tally); });
  }
  // In the midst of it.
  while (tally.established < kCallers * kHandshakesEach / 4) std::this_thread::yield();
  std::thread drain([&] { old_home.server().Drain(within); });
  half_done.AwaitDrain();
  if (within.count() == 0) drain.join();
  Result result;
  result.half_done_established = half_done.Finish();
  if (drain.joinable()) drain.join();
  for (auto& caller : callers) caller.join();
  result.lost = tally.lost;
  result.moved = tally.moved;
  result.all_accounted = tally.established + tally.lost == kCallers * kHandshakesEach;
  EXPECT_EQ(old_home.handshakes().live(), 0u);
  return result;
}

TEST(DrainUnderLoad, LosesNothing) {
  const auto began = std::chrono::steady_clock::now();
  const Result result = DrainUnderLoad(std::chrono::seconds(50));
  EXPECT_EQ(result.lost, 0);
  EXPECT_EQ(result.half_done_established, kHalfDone);
  EXPECT_EQ(result.moved, kCallers);
  EXPECT_TRUE(result.all_accounted);
  // It ended with the last handshake, not with its time.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(40));
}

TEST(DrainUnderLoad, WithoutTimeLosesWhatWasBegun) {
  EXPECT_EQ(DrainUnderLoad(std::chrono::milliseconds(0)).half_done_established, 0);
}

}  // namespace
}  // namespace handfast::rpc::test
