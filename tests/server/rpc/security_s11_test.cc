// S11, what one caller may ask of gRPC itself: each limit and one more. Other callers live on, and
// so does the caller, if perhaps on a new connection.

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

TEST(CallersLimits, AHundredStreamsOnAConnection) {
  TestService service;
  auto channel = service.Channel(As::kEdge);
  std::vector<std::unique_ptr<RelayCall>> calls;
  for (int i = 0; i < 100; ++i) {
    calls.push_back(std::make_unique<RelayCall>(channel));
    calls.back()->Start(1, PlainStart());
    ASSERT_TRUE(calls.back()->Next());
  }
  // One more is not refused: it waits its turn at the caller's end.
  EXPECT_EQ(Check(channel, 0, std::chrono::milliseconds(300)).error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Check(service.Channel(As::kEdge)).ok());  // others have connections of their own
  calls.pop_back();
  EXPECT_TRUE(Check(channel).ok());
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
