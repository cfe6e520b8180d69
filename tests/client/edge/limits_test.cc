// What the edge refuses, bounds and outlives.

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "tests/client/edge/edge_fixture.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"

namespace handfast::test {
namespace {

constexpr const char* kEnded = "handfast_edge_connections_ended_total";

// Back pressure: a client that does not read stops the backend, and costs the edge no memory.
TEST_F(EdgeTest, ASlowReaderStopsItsBackendOnly) {
  constexpr size_t kOffered = 64'000'000;
  std::atomic<size_t> taken{0};
  std::atomic<bool> is_first{true};
  Server backend([&](int fd) {
    if (!is_first.exchange(false)) return;
    const std::string some(1'000'000, 'x');
    while (taken < kOffered && SendAll(fd, some)) taken += some.size();
  });
  auto edge = StartEdge({"--backend", backend.address(), "--workers", "1"});
  const int64_t before = edge->MemoryKiB();
  TlsClient client(edge->port(), Options());
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.ReadExactly(1000).size(), 1000u);
  // It stands still once what the edge forwarded stands still.
  size_t last = 0;
  for (int still = 0; still < 20;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const size_t now = taken;
    still = now == last ? still + 1 : 0;
    last = now;
  }
  EXPECT_LT(taken, kOffered);
  EXPECT_LT(edge->MemoryKiB() - before, 4096) << "one connection keeps tens of KiB";
  // The worker serves others meanwhile, and the slow one gets all in the end.
  TlsClient other(edge->port(), Options());
  EXPECT_TRUE(other.ok()) << other.error();
  other.Drop();
  EXPECT_EQ(client.ReadExactly(kOffered - 1000).size(), kOffered - 1000);
}

TEST_F(EdgeTest, RefusesMoreConnectionsThanItMay) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address(), "--max-connections", "2"});
  auto first = std::make_unique<TlsClient>(edge->port(), Options());
  TlsClient second(edge->port(), Options());
  ASSERT_TRUE(first->ok() && second.ok());
  TlsClient third(edge->port(), Options());
  EXPECT_FALSE(third.ok());
  EXPECT_EQ(edge->Metric("handfast_edge_connections_refused_total"), 1);
  first->CloseWrite();
  first.reset();
  ASSERT_TRUE(edge->WaitForMetric("handfast_edge_connections", "", 1));
  TlsClient fourth(edge->port(), Options());
  EXPECT_TRUE(fourth.ok()) << fourth.error();
}

TEST_F(EdgeTest, SilentAndHalfSpokenHandshakesEndInTime) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address(), "--handshake-timeout", "0.3"});
  const int silent = ConnectTo(edge->port());
  const int half = ConnectTo(edge->port());
  ASSERT_TRUE(SendAll(half, "\x16\x03\x01"));
  EXPECT_EQ(ReceiveAll(silent), "");
  EXPECT_EQ(ReceiveAll(half), "");
  close(silent);
  close(half);
  EXPECT_TRUE(edge->WaitForMetric(kEnded, "handshake_timeout", 2));
}

TEST_F(EdgeTest, IdleConnectionsEndAsErrorsAndBusyOnesDoNot) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address(), "--idle-timeout", "0.5"});
  TlsClient idle(edge->port(), Options());
  TlsClient busy(edge->port(), Options());
  ASSERT_TRUE(idle.ok() && busy.ok());
  for (int i = 0; i < 10; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ASSERT_TRUE(busy.Write("x"));
    ASSERT_EQ(busy.ReadExactly(1), "x") << i;
  }
  EXPECT_EQ(idle.Read(), "");
  EXPECT_FALSE(idle.ended_cleanly());
  EXPECT_EQ(edge->Metric(kEnded, "idle_timeout"), 1);
}

TEST_F(EdgeTest, WhatIsNoTlsIsClosedAndOldVersionsGetAnAlert) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address()});
  const int http = ConnectTo(edge->port());
  ASSERT_TRUE(SendAll(http, "GET / HTTP/1.1\r\nHost: www.test\r\n\r\n"));
  EXPECT_EQ(ReceiveAll(http), "");
  close(http);
  TlsClient old(edge->port(), Options(0x0302));
  EXPECT_FALSE(old.ok());
  EXPECT_EQ(backend.connections(), 0);
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_connections", "", 0));
}

TEST_F(EdgeTest, FinishesWhatItHasOnSigterm) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address(), "--drain-timeout", "20"});
  TlsClient client(edge->port(), Options());
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(HttpGet(edge->admin(), "/readyz"), "ok\n");
  edge->process().Signal(SIGTERM);
  ASSERT_TRUE(edge->process().WaitForOutput("draining", kPatience));
  EXPECT_NE(HttpGet(edge->admin(), "/readyz"), "ok\n");
  EXPECT_EQ(HttpGet(edge->admin(), "/livez"), "ok\n");
  ASSERT_TRUE(client.Write("still served"));
  EXPECT_EQ(client.ReadExactly(12), "still served");
  TlsClient late(edge->port(), Options());
  EXPECT_FALSE(late.ok());
  client.CloseWrite();
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.ended_cleanly());
  EXPECT_EQ(edge->process().WaitForExit(kPatience), 0) << edge->process().output();
}

TEST_F(EdgeTest, TheDrainIsBounded) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address(), "--drain-timeout", "0.2"});
  TlsClient client(edge->port(), Options());
  ASSERT_TRUE(client.ok()) << client.error();
  edge->process().Signal(SIGTERM);
  EXPECT_EQ(edge->process().WaitForExit(kPatience), 0);
  EXPECT_EQ(client.Read(), "");
  EXPECT_FALSE(client.ended_cleanly());
}

// ---- The service goes away.

TEST_F(EdgeTest, OutlivesItsService) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address(), "--handshake-timeout", "15"});
  TlsClient before(edge->port(), Options());
  ASSERT_TRUE(before.ok()) << before.error();
  // A handshake that is half done when the service dies cannot go on anywhere, and ends.
  const int begun = ConnectTo(edge->port());
  ASSERT_TRUE(SendAll(begun, MakeClientHello("www.test")));
  EXPECT_EQ(ReceiveExactly(begun, 3), "\x16\x03\x03") << "ServerHello";
  service_.Kill();
  bool reset = true;
  (void)ReceiveAll(begun, &reset);
  EXPECT_FALSE(reset);
  close(begun);
  // An established connection does not notice: its keys are here.
  ASSERT_TRUE(before.Write("alive"));
  EXPECT_EQ(before.ReadExactly(5), "alive");
  EXPECT_NE(HttpGet(edge->admin(), "/readyz"), "ok\n");
  // One that comes while it is away waits for its return.
  auto waiting =
      std::async(std::launch::async, [&] { return TlsClient(edge->port(), Options()).ok(); });
  ASSERT_TRUE(edge->WaitForMetric("handfast_edge_connections", "", 2));
  ASSERT_TRUE(service_.Start()) << service_.output();
  EXPECT_TRUE(waiting.get());
  TlsClient after(edge->port(), Options());
  EXPECT_TRUE(after.ok()) << after.error();
}

TEST_F(EdgeTest, NoHandshakeIsLostOverADrainingRestart) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address()});
  std::atomic<bool> stop{false};
  std::atomic<int> served{0};
  std::atomic<int> failed{0};
  std::thread load([&] {
    while (!stop) {
      TlsClient client(edge->port(), Options());
      ++(client.ok() ? served : failed);
    }
  });
  for (int round = 0; round < 2; ++round) {
    const int target = served + 10;
    while (served < target && failed == 0) std::this_thread::yield();
    EXPECT_EQ(service_.Stop(), 0);
    EXPECT_TRUE(service_.Start()) << service_.output();
  }
  const int target = served + 10;
  while (served < target && failed == 0) std::this_thread::yield();
  stop = true;
  load.join();
  EXPECT_EQ(failed, 0) << edge->process().output() << service_.output();
}

}  // namespace
}  // namespace handfast::test
