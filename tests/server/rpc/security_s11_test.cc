// S11, what one caller may ask of gRPC itself: each limit and one more. Other callers live on, and
// so does the caller, if perhaps on a new connection. Each has its negative control: a service with
// that limit loosened, in which the same is let through.

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

grpc::Status Check(const std::shared_ptr<grpc::Channel>& channel, size_t metadata_bytes = 0,
                   std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + patience);
  if (metadata_bytes > 0) context.AddMetadata("x-padding", std::string(metadata_bytes, 'x'));
  HealthCheckResponse response;
  return Health::NewStub(channel)->Check(&context, HealthCheckRequest(), &response);
}

std::vector<std::unique_ptr<RelayCall>> HundredStreams(
    const std::shared_ptr<grpc::Channel>& channel) {
  std::vector<std::unique_ptr<RelayCall>> calls;
  for (int i = 0; i < 100; ++i) {
    calls.push_back(std::make_unique<RelayCall>(channel));
    calls.back()->Start(1, PlainStart());
    EXPECT_TRUE(calls.back()->Next());
  }
  return calls;
}

TEST(CallersLimits, MetadataOfEightKiB) {
  TestService service;
  auto channel = service.Channel(As::kEdge);
  auto other = service.Channel(As::kEdge);
  RelayCall others_call(other);
  others_call.Start(1, PlainStart());
  ASSERT_TRUE(others_call.Next());
  EXPECT_TRUE(Check(channel, 7000).ok());  // the control: the same with less
  EXPECT_EQ(Check(channel, 9000).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  // gRPC 1.51 may close the connection of who did it, and a call that this overtakes is lost.
  grpc::Status after = Check(channel);
  if (after.error_code() == grpc::StatusCode::UNAVAILABLE) after = Check(channel);
  EXPECT_TRUE(after.ok()) << after.error_message();
  EXPECT_TRUE(Check(other).ok());
  ASSERT_TRUE(others_call.FromPeer(1, {'G', 'E', 'T', ' '}));
  EXPECT_TRUE(others_call.Next());
}

TEST(CallersLimits, MetadataOfEightKiB_Control) {
  TestService loose({.limits = {.metadata_bytes = 32 * 1024}});
  EXPECT_TRUE(Check(loose.Channel(As::kEdge), 9000).ok());
}

TEST(CallersLimits, AHundredStreamsOnAConnection) {
  TestService service;
  auto channel = service.Channel(As::kEdge);
  std::vector<std::unique_ptr<RelayCall>> calls = HundredStreams(channel);
  // One more is not refused: it waits its turn at the caller's end.
  EXPECT_EQ(Check(channel, 0, std::chrono::milliseconds(300)).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Check(service.Channel(As::kEdge)).ok());  // others have connections of their own
  calls.pop_back();
  EXPECT_TRUE(Check(channel).ok());
}

TEST(CallersLimits, AHundredStreamsOnAConnection_Control) {
  TestService loose({.limits = {.streams = 101}});
  auto channel = loose.Channel(As::kEdge);
  std::vector<std::unique_ptr<RelayCall>> calls = HundredStreams(channel);
  EXPECT_TRUE(Check(channel).ok());
}

// What a message over the limit does to its stream.
grpc::StatusCode AfterALongMessage(const CallLimits& limits) {
  TestService service({.limits = limits});
  RelayCall call(service.Channel(As::kEdge));
  call.Start(1, PlainStart());
  if (!call.Next()) return grpc::StatusCode::UNKNOWN;
  call.FromPeer(1, tls::Bytes(size_t{300} * 1024));
  call.HalfClose();
  while (call.Next()) {
  }
  return call.Finish().error_code();
}

TEST(CallersLimits, MessagesOf256KiB) {
  EXPECT_EQ(AfterALongMessage({}), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(AfterALongMessage({.receive_bytes = 1 << 20}), grpc::StatusCode::OK)
      << "the control: the contract's own limit refuses it, and the stream lives on";
}

// A connection on which nothing is ever said.
class SilentConnection {
 public:
  explicit SilentConnection(const TestService& service)
      : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = service.SocketPath(As::kEdge);
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~SilentConnection() { close(fd_); }
  // The service may say its settings before it closes.
  bool ClosedWithin(std::chrono::milliseconds patience) const {
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    char bytes[256];
    while (poll(&ready, 1, static_cast<int>(patience.count())) == 1) {
      if (read(fd_, bytes, sizeof bytes) <= 0) return true;
    }
    return false;
  }

 private:
  const int fd_;
};

TEST(CallersLimits, ASilentConnectionIsClosed) {
  TestService strict({.limits = {.handshake = std::chrono::milliseconds(100)}});
  TestService loose({.limits = {.handshake = std::chrono::hours(1)}});
  SilentConnection on_strict(strict);
  SilentConnection on_loose(loose);
  EXPECT_TRUE(on_strict.ClosedWithin(std::chrono::seconds(20)));
  EXPECT_FALSE(on_loose.ClosedWithin(std::chrono::milliseconds(0))) << "the control";
  EXPECT_TRUE(Check(strict.Channel(As::kEdge)).ok());
}

// A caller that pings all the time.
std::shared_ptr<grpc::Channel> PingingChannel(const TestService& service) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 20);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return grpc::CreateCustomChannel("unix:" + service.SocketPath(As::kEdge),
                                   grpc::experimental::LocalCredentials(UDS), arguments);
}

TEST(CallersLimits, PingsAreSpaced) {
  TestService strict;
  TestService loose({.limits = {.least_ping_interval = std::chrono::milliseconds(1)}});
  RelayCall on_strict(PingingChannel(strict));
  RelayCall on_loose(PingingChannel(loose));
  for (RelayCall* call : {&on_strict, &on_loose}) {
    call->Start(1, PlainStart());
    ASSERT_TRUE(call->Next());
  }
  EXPECT_FALSE(on_strict.Next()) << "sent away";
  EXPECT_FALSE(on_strict.Finish().ok());
  ASSERT_TRUE(on_loose.FromPeer(1, {'G', 'E', 'T', ' '}));
  EXPECT_TRUE(on_loose.Next()) << "the control";
}

TEST(CallersLimits, AnOldConnectionIsSentAway) {
  TestService strict({.limits = {.connection_age = std::chrono::milliseconds(200)}});
  TestService loose;
  auto on_strict = strict.Channel(As::kEdge);
  auto on_loose = loose.Channel(As::kEdge);
  RelayCall live(on_strict);
  live.Start(1, PlainStart());
  ASSERT_TRUE(live.Next());
  ASSERT_TRUE(Check(on_loose).ok());
  // GOAWAY takes the channel off the connection.
  EXPECT_TRUE(on_strict->WaitForStateChange(
      GRPC_CHANNEL_READY, std::chrono::system_clock::now() + std::chrono::seconds(20)));
  EXPECT_EQ(on_loose->GetState(false), GRPC_CHANNEL_READY) << "the control";
  ASSERT_TRUE(live.FromPeer(1, {'G', 'E', 'T', ' '}));
  EXPECT_TRUE(live.Next()) << "what is live ends in peace";
  EXPECT_TRUE(Check(on_strict).ok()) << "on a new connection";
}

TEST(CallersLimits, AsManyConnectionsAsAreAllowed) {
  TestService service({.max_connections = 8});
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < 8; ++i) {
    channels.push_back(service.Channel(As::kEdge));
    ASSERT_TRUE(Check(channels.back()).ok());
  }
  EXPECT_EQ(Check(service.Channel(As::kEdge)).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Check(channels[0]).ok());
  TestService loose({.max_connections = 9});  // the control
  std::vector<std::shared_ptr<grpc::Channel>> nine;
  for (int i = 0; i < 9; ++i) {
    nine.push_back(loose.Channel(As::kEdge));
    EXPECT_TRUE(Check(nine.back()).ok());
  }
  channels.clear();
  // Room again, as soon as gRPC has closed them.
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  HealthCheckResponse response;
  EXPECT_TRUE(Health::NewStub(service.Channel(As::kEdge))
                  ->Check(&context, HealthCheckRequest(), &response)
                  .ok());
}

}  // namespace
}  // namespace handfast::rpc::test
