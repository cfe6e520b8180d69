// The admin port over a real socket: its pages, its refusals, and where it binds.
#include "server/observe/admin_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace handfast::observe {
namespace {

// Sends bytes, returns all that comes until the end.
std::string Exchange(uint16_t port, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string reply;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size())) {
    shutdown(fd, SHUT_WR);
    char buffer[4096];
    for (ssize_t got; (got = recv(fd, buffer, sizeof(buffer), 0)) > 0;) {
      reply.append(buffer, static_cast<size_t>(got));
    }
  }
  close(fd);
  return reply;
}

std::string Get(uint16_t port, const std::string& path, const std::string& method = "GET") {
  return Exchange(port, method + " " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
}

// One server for all: the library takes a second or two to stop.
class AdminServerTest : public ::testing::Test {
 protected:
  static std::unique_ptr<AdminServer> Start() {
    auto started = AdminServer::Start({.host = "127.0.0.1", .port = 0},
                                      {.metrics = [] { return std::string("a_metric 1\n"); },
                                       .live = [] { return live_; },
                                       .ready = [] { return ready_; }});
    EXPECT_TRUE(started.ok()) << started.status();
    return started.ok() ? *std::move(started) : nullptr;
  }
  static void SetUpTestSuite() { server_ = Start(); }
  static void TearDownTestSuite() { server_.reset(); }
  AdminServerTest() { live_ = ready_ = absl::OkStatus(); }

  static inline absl::Status live_;
  static inline absl::Status ready_;
  static inline std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, ServesItsPages) {
  const std::string metrics = Get(server_->port(), "/metrics");
  EXPECT_TRUE(metrics.starts_with("HTTP/1.1 200 OK\r\n")) << metrics;
  EXPECT_NE(metrics.find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  EXPECT_TRUE(metrics.ends_with("\r\n\r\na_metric 1\n"));
  EXPECT_TRUE(Get(server_->port(), "/livez").ends_with("ok\n"));
  EXPECT_TRUE(Get(server_->port(), "/readyz").ends_with("ok\n"));
}

TEST_F(AdminServerTest, SaysWhyItIsNotWell) {
  ready_ = absl::UnavailableError("draining");
  const std::string ready = Get(server_->port(), "/readyz");
  EXPECT_TRUE(ready.starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(ready.ends_with("draining\n"));
  EXPECT_TRUE(Get(server_->port(), "/livez").starts_with("HTTP/1.1 200 ")) << "not the same";
  live_ = absl::DeadlineExceededError("no answer from itself");
  EXPECT_TRUE(Get(server_->port(), "/livez").starts_with("HTTP/1.1 503 "));
}

TEST_F(AdminServerTest, IsReadOnly) {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT"}) {
    EXPECT_FALSE(Get(server_->port(), "/metrics", method).starts_with("HTTP/1.1 200")) << method;
  }
  const std::string post = Get(server_->port(), "/metrics", "POST");
  EXPECT_TRUE(post.starts_with("HTTP/1.1 405 ")) << post;
  EXPECT_NE(post.find("Allow: GET, HEAD\r\n"), std::string::npos);
}

TEST_F(AdminServerTest, HeadHasNoBody) {
  const std::string head = Get(server_->port(), "/metrics", "HEAD");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(head.find("Content-Length: 11\r\n"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST_F(AdminServerTest, HasNothingElse) {
  for (const char* path : {"/", "/metrics/", "/metricsx", "/../etc/passwd", "/%2e%2e/etc/passwd",
                           "/debug/pprof", "/metrics%00"}) {
    EXPECT_FALSE(Get(server_->port(), path).starts_with("HTTP/1.1 200")) << path;
  }
  EXPECT_TRUE(Get(server_->port(), "/metrics?name=x").starts_with("HTTP/1.1 200"))
      << "Prometheus may send parameters";
}

TEST_F(AdminServerTest, SurvivesWhatIsNoHttp) {
  Exchange(server_->port(), std::string(100, '\xff') + "\r\n\r\n");
  Exchange(server_->port(), "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n");
  Exchange(server_->port(), "");
  EXPECT_TRUE(Get(server_->port(), "/livez").starts_with("HTTP/1.1 200"));
}

TEST_F(AdminServerTest, AnAddressInUseIsAnError) {
  const auto second = AdminServer::Start({.host = "127.0.0.1", .port = server_->port()}, {});
  EXPECT_TRUE(absl::IsUnavailable(second.status()));
  EXPECT_NE(second.status().message().find(std::to_string(server_->port())), std::string::npos);
}

TEST_F(AdminServerTest, StopsListening) {
  std::unique_ptr<AdminServer> server = Start();
  const uint16_t port = server->port();
  EXPECT_NE(Get(port, "/livez"), "");
  server.reset();
  EXPECT_EQ(Get(port, "/livez"), "");
}

}  // namespace
}  // namespace handfast::observe
