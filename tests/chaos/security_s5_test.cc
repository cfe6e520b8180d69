// S5, nonce reuse on fail-over or retry, over real processes. A connection whose keys stay in the
// service is its replica's alone: a replica that is killed or stopped between sealing and its reply
// takes the connection along or gives the same bytes again, and no other goes on with it.
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "tests/chaos/fleet.h"
#include "tests/server/rpc/record_call.h"
#include "tests/tls/connection/libssl_client.h"

namespace handfast::chaos {
namespace {

using grpc::StatusCode;
using rpc::test::MetadataOf;
using rpc::test::ReasonOf;
using tls::test::LibsslClient;

// Long enough to write to a socket, and too short to wait for who is stopped.
constexpr std::chrono::milliseconds kSoon{200};

class SecurityS5 : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    fleet_ = std::make_unique<Fleet>();
    ASSERT_TRUE(fleet_->Start());
  }

  std::string Connect(size_t replica, const char* profile, LibsslClient& peer) {
    v1::Start start = rpc::test::PlainStart();
    start.set_profile(profile);
    rpc::test::RelayCall call(fleet_->Channel(replica));
    const v1::RelayResponse last = rpc::test::RunHandshake(call, 1, start, peer);
    EXPECT_TRUE(last.has_established());
    return last.established().connection();
  }
  // Within this time. What a stopped replica has been sent over a connection that stood, it works
  // on when it goes on.
  static grpc::Status SealOver(const std::shared_ptr<grpc::Channel>& channel,
                               const std::string& name, uint64_t seq, const std::string& text,
                               v1::SealResponse* response,
                               std::chrono::milliseconds within = std::chrono::seconds(20)) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + within);
    v1::SealRequest request;
    request.set_connection(name);
    request.set_first_seq(seq);
    request.set_plaintext(text);
    return v1::RecordService::NewStub(channel)->Seal(&context, request, response);
  }
  grpc::Status Seal(size_t replica, const std::string& name, uint64_t seq, const std::string& text,
                    v1::SealResponse* response, As as = As::kEdge) {
    return SealOver(fleet_->Channel(replica, as), name, seq, text, response);
  }
  // Another replica's word: the record of where a connection lives is written behind the handshake.
  grpc::Status SealElsewhere(size_t replica, const std::string& name, uint64_t seq) {
    v1::SealResponse response;
    grpc::Status status;
    do {
      status = Seal(replica, name, seq, "elsewhere", &response);
    } while (status.error_code() == StatusCode::NOT_FOUND && ++looks_ < 1000);
    EXPECT_TRUE(response.to_peer().empty());
    return status;
  }

  std::unique_ptr<Fleet> fleet_;
  int looks_ = 0;
};

TEST_F(SecurityS5, AnotherReplicaSendsTheCallerToTheOwner) {
  LibsslClient peer({});
  const std::string name = Connect(0, "durable", peer);
  for (const size_t other : {size_t{1}, size_t{2}}) {
    const grpc::Status status = SealElsewhere(other, name, 0);
    EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE) << status.error_message();
    EXPECT_EQ(ReasonOf(status), "OWNER_ELSEWHERE");
    EXPECT_EQ(MetadataOf(status, "owner"), fleet_->address(0));
    // To others it does not exist, wherever they ask.
    v1::SealResponse response;
    for (const As stranger : {As::kSibling, As::kForeign}) {
      EXPECT_EQ(Seal(other, name, 0, "x", &response, stranger).error_code(), StatusCode::NOT_FOUND);
    }
  }
  v1::SealResponse sealed;
  ASSERT_TRUE(Seal(0, name, 0, "at the owner", &sealed).ok());
  EXPECT_EQ(tls::AsText(peer.Read(tls::AsBytes(sealed.to_peer()))), "at the owner");
}

TEST_F(SecurityS5, ADeadOwnersConnectionIsNobodys) {
  for (const char* profile : {"durable", "fleeting"}) {
    const bool known = std::string(profile) == "durable";
    LibsslClient peer({});
    const std::string name = Connect(0, profile, peer);
    if (known) {
      ASSERT_EQ(SealElsewhere(1, name, 0).error_code(), StatusCode::UNAVAILABLE);
    }
    v1::SealResponse sealed;
    ASSERT_TRUE(Seal(0, name, 0, "before", &sealed).ok());
    fleet_->Kill(0);
    // The reply was lost, as far as the caller knows: a retry at each of the others.
    for (const size_t other : {size_t{1}, size_t{2}}) {
      v1::SealResponse again;
      const grpc::Status status = Seal(other, name, 0, "before", &again);
      EXPECT_EQ(status.error_code(), known ? StatusCode::UNAVAILABLE : StatusCode::NOT_FOUND);
      EXPECT_TRUE(again.to_peer().empty());
    }
    // And in the owner's next life.
    ASSERT_TRUE(fleet_->Restart(0));
    v1::SealResponse again;
    EXPECT_FALSE(Seal(0, name, 0, "before", &again).ok());
    EXPECT_TRUE(again.to_peer().empty());
  }
}

// Killed at any moment of a run of calls: what was sealed and not told is never sealed by another.
TEST_F(SecurityS5, KilledBetweenSealAndReply) {
  LibsslClient peer({});
  const std::string name = Connect(0, "durable", peer);
  ASSERT_EQ(SealElsewhere(1, name, 0).error_code(), StatusCode::UNAVAILABLE);
  const auto owner = fleet_->Channel(0);
  v1::SealResponse sealed;
  ASSERT_TRUE(SealOver(owner, name, 0, "first", &sealed).ok());
  // A request that the owner has in its socket, and may or may not have sealed when it dies.
  fleet_->Stop(0);
  v1::SealResponse lost;
  EXPECT_EQ(SealOver(owner, name, 1, "second", &lost, kSoon).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  fleet_->Kill(0);
  EXPECT_EQ(SealElsewhere(1, name, 1).error_code(), StatusCode::UNAVAILABLE);
  EXPECT_EQ(SealElsewhere(2, name, 1).error_code(), StatusCode::UNAVAILABLE);
}

// The control: the owner that was only stopped still has the connection, and the retry of a call
// whose reply was lost gets one record, which the peer can read once.
TEST_F(SecurityS5, StoppedBetweenSealAndReply) {
  LibsslClient peer({});
  const std::string name = Connect(0, "durable", peer);
  const auto owner = fleet_->Channel(0);
  v1::SealResponse first;
  ASSERT_TRUE(SealOver(owner, name, 0, "first", &first).ok());
  fleet_->Stop(0);
  v1::SealResponse lost;
  EXPECT_EQ(SealOver(owner, name, 1, "second", &lost, kSoon).error_code(),
            StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(SealElsewhere(1, name, 1).error_code(), StatusCode::UNAVAILABLE)
      << "nobody takes over what is only slow";
  fleet_->Continue(0);
  v1::SealResponse second;
  v1::SealResponse again;
  ASSERT_TRUE(SealOver(owner, name, 1, "second", &second).ok());
  ASSERT_TRUE(Seal(0, name, 1, "second", &again).ok());
  EXPECT_EQ(again.SerializeAsString(), second.SerializeAsString());
  EXPECT_EQ(second.to_peer_offset(), first.to_peer().size());
  EXPECT_EQ(ReasonOf(Seal(0, name, 1, "another", &again)), "SEQUENCE_CONFLICT");
  tls::Bytes stream = tls::Copy(tls::AsBytes(first.to_peer()));
  tls::Append(stream, tls::AsBytes(second.to_peer()));
  EXPECT_EQ(tls::AsText(peer.Read(stream)), "firstsecond");
}

}  // namespace
}  // namespace handfast::chaos
