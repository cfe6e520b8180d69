// S5, nonce reuse on fail-over or retry, in process: replicas that share a store, and what one that
// does not have a connection says of it. (Killed and stopped replicas: tests/chaos. Every key and
// nonce under faults: tests/sim.)
#include <gtest/gtest.h>

#include "handfast/v1/connections.grpc.pb.h"
#include "tests/server/rpc/record_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using grpc::StatusCode;
using tls::test::LibsslClient;

class S5_NonceReuse : public testing::Test {
 protected:
  S5_NonceReuse()
      : store_(clock_, {.entries = 1000, .bytes = size_t{16} << 20}),
        owner_({.store = &store_}),
        other_({.store = &store_, .replica_of = &owner_}) {}

  std::string Connect(const char* profile, LibsslClient& peer) {
    v1::Start start = PlainStart();
    start.set_profile(profile);
    RelayCall call(owner_.Channel(As::kEdge));
    return RunHandshake(call, 1, start, peer).established().connection();
  }
  grpc::Status SealAtOther(const std::string& name, As caller = As::kEdge) {
    v1::SealResponse response;
    const grpc::Status status =
        RecordCaller(other_.Channel(caller)).Seal(name, 0, tls::AsBytes("x"), &response);
    EXPECT_TRUE(response.to_peer().empty());
    return status;
  }
  // The record of where it lives is written behind the handshake.
  grpc::Status SealAtOtherOnceKnown(const std::string& name) {
    grpc::Status status = SealAtOther(name);
    for (int i = 0; i < 1000 && status.error_code() == StatusCode::NOT_FOUND; ++i) {
      status = SealAtOther(name);
    }
    return status;
  }

  ManualClock clock_;
  store::MemoryStore store_;
  TestService owner_;
  TestService other_;
  LibsslClient peer_{{}};
};

TEST_F(S5_NonceReuse, TheOwnerAloneSealsAndOthersSayWhoItIs) {
  const std::string name = Connect("durable", peer_);
  const grpc::Status status = SealAtOtherOnceKnown(name);
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "OWNER_ELSEWHERE");
  EXPECT_EQ(MetadataOf(status, "owner"), "unix:" + owner_.SocketPath(As::kEdge));
  for (const As stranger : {As::kSibling, As::kForeign}) {
    EXPECT_EQ(SealAtOther(name, stranger).error_code(), StatusCode::NOT_FOUND);
  }
  ProtectCall stream(other_.Channel(As::kEdge));
  v1::ProtectRequest request;
  request.set_connection(name);
  request.set_plaintext("x");
  stream.Send(request);
  EXPECT_FALSE(stream.Next());
  EXPECT_EQ(ReasonOf(stream.Finish()), "OWNER_ELSEWHERE");
  // The control.
  v1::SealResponse sealed;
  ASSERT_TRUE(
      RecordCaller(owner_.Channel(As::kEdge)).Seal(name, 0, tls::AsBytes("x"), &sealed).ok());
  EXPECT_EQ(tls::AsText(peer_.Read(tls::AsBytes(sealed.to_peer()))), "x");
}

TEST_F(S5_NonceReuse, WhatHasEndedIsNowhere) {
  const std::string name = Connect("durable", peer_);
  ASSERT_EQ(SealAtOtherOnceKnown(name).error_code(), StatusCode::UNAVAILABLE);
  grpc::ClientContext context;
  v1::TerminateConnectionRequest request;
  request.set_name(name);
  v1::TerminateConnectionResponse response;
  ASSERT_TRUE(v1::ConnectionService::NewStub(owner_.Channel(As::kEdge))
                  ->TerminateConnection(&context, request, &response)
                  .ok());
  grpc::Status status = SealAtOther(name);
  for (int i = 0; i < 1000 && status.error_code() != StatusCode::NOT_FOUND; ++i) {
    status = SealAtOther(name);
  }
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  v1::SealResponse sealed;
  EXPECT_EQ(RecordCaller(owner_.Channel(As::kEdge))
                .Seal(name, 0, tls::AsBytes("x"), &sealed)
                .error_code(),
            StatusCode::NOT_FOUND);
}

TEST_F(S5_NonceReuse, OfOtherProfilesNobodyElseKnows) {
  LibsslClient durable({});
  const std::string known = Connect("durable", durable);
  const std::string name = Connect("intermediate", peer_);
  ASSERT_EQ(SealAtOtherOnceKnown(known).error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(SealAtOther(name).error_code(), StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace handfast::rpc::test
