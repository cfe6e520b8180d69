// Steps of the same handshakes from several threads at once, with all that can end them: each call
// is answered once, and of those that want the same step to be different ones exactly one is made.
// For the thread sanitizer.
#include <atomic>
#include <latch>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/access/work_queue.h"
#include "tests/server/handshakes/step_calls.h"

namespace handfast::handshakes::test {
namespace {

using tls::Bytes;
using tls::test::LibsslClient;

constexpr int kThreads = 4;
constexpr int kHandshakes = 40;

// An answer, however late: counted, and seen to come once.
struct Ticket {
  std::atomic<int> answers{0};
};

class StepsRace : public StepCalls {
 protected:
  explicit StepsRace(tls::KeyType type = tls::KeyType::kEcdsaP256) : StepCalls(type) {
    LibsslClient peer({});
    hello_ = peer.Receive({});
    for (int i = 0; i < kHandshakes; ++i) all_.push_back(Begin());
  }
  Bytes hello_;
  std::vector<std::shared_ptr<Handshake>> all_;
};

// S6: in parallel exactly one wins.
TEST_F(StepsRace, OfDifferentFirstStepsOneIsMade) {
  for (auto& handshake : all_) {
    std::latch go(kThreads);
    std::atomic<int> made{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        // Two of the calls are the same one.
        const Bytes bytes(hello_.begin(), hello_.end() - t / 2);
        go.arrive_and_wait();
        const Answered answer = Call(*handshake, {kClientHello, 1, bytes, false});
        if (answer.ok()) ++made;
        if (ReasonOf(answer) == "STEP_CONFLICT") ++refused;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 2) << "one step, asked for twice";
    EXPECT_EQ(refused, 2);
    EXPECT_EQ(handshake->Describe()->step, 1u);
  }
}

// The control: without a number to swap, as Relay has it, each of them is taken, and the second
// ClientHello is one too many.
TEST_F(StepsRace, WithoutNumbersAllWouldBeTaken) {
  auto replies = std::make_shared<Replies>();
  auto handshake = *table_->Begin(backends_.NewStart(replies));
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) threads.emplace_back([&] { handshake->FromPeer(hello_); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(replies->ended, 1);
}

class StepsChaos : public StepsRace {
 protected:
  StepsChaos() : StepsRace(tls::KeyType::kRsa2048) {}
};

TEST_F(StepsChaos, EachCallIsAnsweredOnce) {
  std::vector<std::unique_ptr<Ticket>> tickets[kThreads];
  std::atomic<int> over{0};
  std::vector<std::thread> threads;
  threads.reserve(kThreads + 2);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<uint32_t>(t));  // NOLINT: the same in every run
      for (int i = 0; i < kThreads * kHandshakes; ++i) {
        Handshake& handshake = *all_[static_cast<size_t>(i + t * 7) % all_.size()];
        const auto ask = [&](const StepCall& call) {
          tickets[t].push_back(std::make_unique<Ticket>());
          handshake.TakeStep(
              call, [ticket = tickets[t].back().get()](const Answered&) { ++ticket->answers; });
        };
        switch (random() % 6) {
          case 0:
          case 1:
            ask({kClientHello, 1, hello_, false});
            break;
          case 2:
            ask({kServerHello, 2, {}, false});
            break;
          case 3:
            ask({std::nullopt, 2, {}, true});
            break;
          case 4:
            handshake.Describe();
            table_->Find(*backends_.owner, handshake.handle());
            break;
          default:
            if (random() % 8 == 0) handshake.Stop(absl::AbortedError("test"));
        }
      }
      ++over;
    });
  }
  // The lane of RSA, and the clock.
  threads.emplace_back([&] {
    while (over < kThreads || backends_.work.RunOne()) {
      backends_.work.RunOne();
      std::this_thread::yield();
    }
  });
  threads.emplace_back([&] {
    while (over < kThreads) {
      backends_.clock.Advance(std::chrono::milliseconds(1));
      table_->Reap();
      std::this_thread::yield();
    }
  });
  for (std::thread& thread : threads) thread.join();
  ReapAfter(std::chrono::seconds(30));
  while (backends_.work.RunOne()) {
  }
  size_t calls = 0;
  for (const auto& of_thread : tickets) {
    for (const auto& ticket : of_thread) EXPECT_EQ(ticket->answers, 1);
    calls += of_thread.size();
  }
  EXPECT_GT(calls, size_t{kThreads} * kHandshakes);
  ExpectAllGivenBack();
  EXPECT_EQ(backends_.metrics.finished, kHandshakes);
  // And nothing lingers for ever.
  ReapAfter(kLastReplyKept + std::chrono::seconds(1));
  for (auto& handshake : all_) EXPECT_FALSE(Known(handshake->handle()));
}

}  // namespace
}  // namespace handfast::handshakes::test
