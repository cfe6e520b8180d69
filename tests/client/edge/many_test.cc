// A thousand connections at once, none lost.

#include <unistd.h>

#include <atomic>
#include <barrier>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/client/edge/edge_fixture.h"
#include "tests/support/net.h"

namespace handfast::test {
namespace {

constexpr int kThreads = 20;
constexpr int kEach = 50;

TEST_F(EdgeTest, AThousandAtOnceNoneLost) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address()});
  std::atomic<int> shaken{0};
  std::atomic<int> served{0};
  // All of them are open when the first byte of data goes.
  std::barrier everybody(kThreads);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::unique_ptr<TlsClient>> clients;
      for (int i = 0; i < kEach; ++i) {
        clients.push_back(
            std::make_unique<TlsClient>(edge->port(), Options(i % 2 ? 0x0303 : 0x0304)));
        if (clients.back()->ok()) ++shaken;
      }
      everybody.arrive_and_wait();
      for (int i = 0; i < kEach; ++i) {
        const std::string text = std::to_string(t) + "/" + std::to_string(i);
        TlsClient& client = *clients[static_cast<size_t>(i)];
        if (client.ok() && client.Write(text) && client.ReadExactly(text.size()) == text) ++served;
      }
      for (const auto& client : clients) {
        client->CloseWrite();
        EXPECT_EQ(client->ReadAll(), "");
        EXPECT_TRUE(client->ended_cleanly());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shaken, kThreads * kEach);
  EXPECT_EQ(served, kThreads * kEach);
  EXPECT_TRUE(
      edge->WaitForMetric("handfast_edge_connections_ended_total", "clean", kThreads * kEach));
  EXPECT_EQ(edge->Metric("handfast_edge_connections"), 0);
}

// Fifteen hundred unfinished ClientHellos at once: more than one stream takes.
TEST_F(EdgeTest, MoreHandshakesAtOnceThanAStreamTakes) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address(), "--handshake-timeout", "20"});
  std::vector<int> held;
  // Whole records that do not finish the ClientHello: the service waits for the rest.
  for (int i = 0; i < 1500; ++i) {
    held.push_back(ConnectTo(edge->port()));
    ASSERT_TRUE(SendAll(held.back(), std::string("\x16\x03\x01\x00\x05\x01\x00\x10\x00\x03", 10)));
  }
  ASSERT_TRUE(edge->WaitForMetric("handfast_edge_connections", "", 1500));
  TlsClient client(edge->port(), Options());
  EXPECT_TRUE(client.ok()) << client.error();
  for (const int fd : held) close(fd);
}

}  // namespace
}  // namespace handfast::test
