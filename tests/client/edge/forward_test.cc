// The edge end to end: bytes, ends and errors, in both directions and both versions.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <random>

#include <gtest/gtest.h>

#include "tests/client/edge/edge_fixture.h"
#include "tests/support/files.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"

namespace handfast::test {
namespace {

constexpr int kTls12 = 0x0303;
constexpr int kTls13 = 0x0304;

std::string RandomBytes(size_t size) {
  std::string bytes(size, '\0');
  std::mt19937_64 random(7);
  for (size_t i = 0; i + 8 <= size; i += 8) {
    const uint64_t word = random();
    std::memcpy(bytes.data() + i, &word, 8);
  }
  return bytes;
}

TEST_P(EdgeVersionTest, ForwardsBothWays) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(GetParam()));
  ASSERT_TRUE(client.ok()) << client.error() << edge->process().output();
  EXPECT_EQ(client.version(), GetParam() == kTls13 ? "TLSv1.3" : "TLSv1.2");
  for (const char* text : {"hello", "again", "and once more"}) {
    ASSERT_TRUE(client.Write(text));
    EXPECT_EQ(client.ReadExactly(std::strlen(text)), text);
  }
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_handshakes_total", "established", 1));
}

// The client ends first, by close_notify; the backend still answers.
TEST_P(EdgeVersionTest, ClientsCloseNotifyEndsTheBackendsInput) {
  Server backend([](int fd) {
    const std::string request = ReceiveAll(fd);
    (void)SendAll(fd, "heard " + std::to_string(request.size()));
  });
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(GetParam()));
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Write("12345"));
  client.CloseWrite();
  EXPECT_EQ(client.ReadAll(), "heard 5");
  EXPECT_TRUE(client.ended_cleanly());
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_connections_ended_total", "clean", 1));
}

// The backend ends first; the client still speaks.
TEST_P(EdgeVersionTest, BackendsEndIsCloseNotifyAndTheClientGoesOn) {
  std::promise<std::string> heard;
  Server backend([&](int fd) {
    (void)SendAll(fd, "bye");
    shutdown(fd, SHUT_WR);
    heard.set_value(ReceiveAll(fd));
  });
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(GetParam()));
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.ReadAll(), "bye");
  EXPECT_TRUE(client.ended_cleanly());
  ASSERT_TRUE(client.Write("still here"));
  client.CloseWrite();
  EXPECT_EQ(heard.get_future().get(), "still here");
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_connections_ended_total", "clean", 1));
}

// A client's end without close_notify must not look like a whole request.
TEST_P(EdgeVersionTest, TruncationReachesTheBackendAsAReset) {
  std::promise<bool> reset;
  Server backend([&](int fd) {
    bool was_reset = false;
    (void)ReceiveAll(fd, &was_reset);
    reset.set_value(was_reset);
  });
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(GetParam()));
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Write("DELETE everything-except-"));
  client.Drop();
  EXPECT_TRUE(reset.get_future().get());
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_connections_ended_total", "truncated", 1));
}

// And a broken backend must not look like a whole answer.
TEST_P(EdgeVersionTest, ABrokenBackendIsNoCloseNotify) {
  Server backend([](int fd) {
    (void)ReceiveExactly(fd, 4);
    (void)SendAll(fd, "half an ans");
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  });
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(GetParam()));
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Write("go!!"));
  (void)client.ReadAll();
  EXPECT_FALSE(client.ended_cleanly());
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_connections_ended_total", "backend_failed", 1));
}

TEST_P(EdgeVersionTest, AnUnreachableBackendIsAnAlert) {
  const int port = FreePort();
  auto edge = StartEdge({"--backend", "127.0.0.1:" + std::to_string(port)});
  TlsClient client(edge->port(), Options(GetParam()));
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_FALSE(client.ended_cleanly());
  EXPECT_NE(client.error().find("alert internal error"), std::string::npos) << client.error();
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_connections_ended_total", "backend_failed", 1));
}

// A Unix socket with a full queue refuses at once; its clients wait for room.
TEST_P(EdgeVersionTest, ABackendWithAFullQueueIsWaitedFor) {
  TempFolder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder.File("backend.sock");
  std::memcpy(address.sun_path, path.data(), path.size());
  const int backend = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(backend, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(backend, 0), 0);
  // Fills the queue.
  const int filler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  auto edge = StartEdge({"--backend", "unix:" + path});
  TlsClient client(edge->port(), Options(GetParam()));
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Write("hello"));
  ASSERT_TRUE(edge->WaitForMetric("handfast_edge_handshakes_total", "established", 1));
  close(accept(backend, nullptr, nullptr));
  const int accepted = accept(backend, nullptr, nullptr);
  char bytes[5];
  EXPECT_EQ(recv(accepted, bytes, sizeof bytes, MSG_WAITALL), 5);
  EXPECT_EQ(std::string(bytes, 5), "hello");
  for (const int fd : {accepted, filler, backend}) close(fd);
}

// 50 MB each way at once, compared byte for byte.
TEST_P(EdgeVersionTest, LargeTransfersArriveWhole) {
  const std::string sent = RandomBytes(50'000'000);
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(GetParam()));
  ASSERT_TRUE(client.ok()) << client.error();
  // libssl's object is not for two threads at once: pieces go and come in turn, far more than any
  // buffer holds being under way.
  const size_t window = 4'000'000;
  std::string received;
  for (size_t at = 0; at < sent.size(); at += 1'000'000) {
    ASSERT_TRUE(client.Write(std::string_view{sent}.substr(at, 1'000'000)));
    const size_t written = std::min(sent.size(), at + 1'000'000);
    if (written > window) received += client.ReadExactly(written - window - received.size());
  }
  client.CloseWrite();
  received += client.ReadAll();
  EXPECT_TRUE(received == sent);
  EXPECT_TRUE(client.ended_cleanly());
}

INSTANTIATE_TEST_SUITE_P(Versions, EdgeVersionTest, testing::Values(kTls12, kTls13),
                         [](const auto& version) {
                           return version.param == kTls13 ? "Tls13" : "Tls12";
                         });

// ---- One version only.

TEST_F(EdgeTest, FollowsKeyUpdatesBothWays) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(kTls13));
  ASSERT_TRUE(client.ok()) << client.error();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(client.UpdateKeys(/*request=*/i % 2 == 0)) << i;
    ASSERT_TRUE(client.Write("under new keys"));
    ASSERT_EQ(client.ReadExactly(14), "under new keys") << client.error();
  }
}

TEST_F(EdgeTest, RefusesRenegotiationAndGoesOn) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(kTls12));
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_FALSE(client.Renegotiate());
  EXPECT_NE(client.error().find("no renegotiation"), std::string::npos) << client.error();
  TlsClient next(edge->port(), Options(kTls12));
  EXPECT_TRUE(next.ok()) << "others are not harmed";
}

TEST_F(EdgeTest, AGarbledRecordIsBadRecordMacAndAResetForTheBackend) {
  std::promise<bool> reset;
  Server backend([&](int fd) {
    bool was_reset = false;
    (void)ReceiveAll(fd, &was_reset);
    reset.set_value(was_reset);
  });
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClient client(edge->port(), Options(kTls13));
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(SendAll(client.fd(), std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x')));
  EXPECT_EQ(client.Read(), "");
  EXPECT_NE(client.error().find("bad record mac"), std::string::npos) << client.error();
  EXPECT_TRUE(reset.get_future().get());
}

TEST_F(EdgeTest, CurlFetchesThroughIt) {
  Server backend([](int fd) {
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      const std::string more = ReceiveExactly(fd, 1);
      if (more.empty()) return;
      request += more;
    }
    (void)SendAll(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\na page without a length");
  });
  auto edge = StartEdge({"--backend", backend.address(), "--alpn", "http/1.1"});
  for (const std::string version : {"--tlsv1.3", "--tls-max"}) {
    std::vector<std::string> arguments = {FindProgram("curl"),
                                          "--silent",
                                          "--show-error",
                                          "--cacert",
                                          authority_.file(),
                                          "--resolve",
                                          "www.test:" + std::to_string(edge->port()) + ":127.0.0.1",
                                          version};
    if (version == "--tls-max") arguments.emplace_back("1.2");
    arguments.push_back("https://www.test:" + std::to_string(edge->port()) + "/");
    Process curl(arguments);
    EXPECT_EQ(curl.WaitForExit(kPatience), 0) << curl.output();
    EXPECT_EQ(curl.output(), "a page without a length");
  }
  EXPECT_EQ(edge->Metric("handfast_edge_handshakes_total", "established"), 2);
}

TEST_F(EdgeTest, DrawsEachHandshakeWithTrace) {
  Server backend(Echo);
  auto edge = StartEdge({"--backend", backend.address(), "--trace"});
  TlsClient client(edge->port(), Options(kTls13));
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(edge->process().WaitForOutput("= established: TLSv1.3", kPatience));
  const std::string output = edge->process().output();
  size_t at = 0;
  for (const char* rung : {"|-- ClientHello -", "- ServerHello --|", "- EncryptedExtensions * --|",
                           "- Certificate * --|", "- CertificateVerify * --|", "- Finished * --|",
                           "|-- Finished * -"}) {
    at = output.find(rung, at);
    ASSERT_NE(at, std::string::npos) << rung << "\n" << output;
  }
}

}  // namespace
}  // namespace handfast::test
