// Everything that can happen to handshakes at once, from several threads: each ends exactly once.
// For the thread sanitizer.

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/access/work_queue.h"
#include "server/observe/log.h"
#include "tests/server/handshakes/fake_backends.h"
#include "tests/tls/connection/libssl_client.h"

namespace handfast::handshakes::test {
namespace {

using tls::test::LibsslClient;

constexpr int kThreads = 4;
constexpr int kEach = 60;

TEST(HandshakeRace, EachEndsOnce) {
  observe::SetLogLevel(observe::Level::kError);
  Backends backends;
  auto replies = std::make_shared<Replies>();
  Handshakes table(backends.services);
  std::vector<std::shared_ptr<Handshake>> all;
  all.reserve(size_t{kThreads} * kEach);
  for (int i = 0; i < kThreads * kEach; ++i) {
    all.push_back(*table.Begin(backends.NewStart(replies, static_cast<uint64_t>(i))));
  }
  LibsslClient peer({});
  const tls::Bytes hello = peer.Receive({});
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<uint32_t>(t));  // NOLINT: the same in every run
      for (int i = 0; i < kThreads * kEach; ++i) {
        Handshake& handshake = *all[(i + t * kEach) % all.size()];
        switch (random() % 5) {
          case 0:
            handshake.FromPeer(hello);
            break;
          case 1:
            handshake.Stop(absl::AbortedError("test"));
            break;
          case 2:
            handshake.Describe();
            table.Find(*backends.owner, handshake.handle());
            break;
          case 3:
            handshake.PeerClosed();
            break;
          default:
            handshake.FromPeer({hello.data(), hello.size() / 2});
        }
      }
    });
  }
  threads.emplace_back([&] {
    while (!over) {
      backends.clock.Advance(kReapInterval);
      table.Reap();
      std::this_thread::yield();
    }
  });
  for (int t = 0; t < kThreads; ++t) threads[t].join();
  for (auto& handshake : all) handshake->GiveUp(tls::Reason::kHandshakeAborted);
  over = true;
  threads.back().join();
  EXPECT_EQ(table.live(), 0u);
  EXPECT_EQ(backends.admission.live, 0);
  EXPECT_EQ(replies->ended, kThreads * kEach);
  EXPECT_EQ(backends.metrics.finished, kThreads * kEach);
}

// Answers of the RSA lane against the deadline.
TEST(HandshakeRace, ALateSignatureAndADeadline) {
  observe::SetLogLevel(observe::Level::kError);
  Backends backends(tls::KeyType::kRsa2048);
  access::WorkQueueOptions options;
  options.threads = {0, 2};
  access::WorkQueue work(options, [] { return std::chrono::steady_clock::now(); });
  const Services services{.clock = backends.clock,
                          .randomness = tls::SystemRandomness(),
                          .credentials = backends.key,
                          .trust = backends.trust,
                          .admission = backends.admission,
                          .work = work,
                          .connections = backends.connections,
                          .metrics = backends.metrics,
                          .saved = backends.saved,
                          .sessions = backends.no_sessions};
  auto replies = std::make_shared<Replies>();
  Handshakes table(services);
  LibsslClient peer({});
  const tls::Bytes hello = peer.Receive({});
  for (int round = 0; round < 40; ++round) {
    auto handshake = *table.Begin(backends.NewStart(replies));
    handshake->FromPeer(hello);
    std::thread deadline([&] {
      backends.clock.Advance(std::chrono::seconds(20));
      table.Reap();
    });
    deadline.join();
  }
  work.Shutdown();
  EXPECT_EQ(table.live(), 0u);
  EXPECT_EQ(replies->ended, 40);
}

}  // namespace
}  // namespace handfast::handshakes::test
