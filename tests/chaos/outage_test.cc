// What callers see while Redis is away, and how all heals by itself when it is back: the table of
// server/store/README.md, of real processes.
#include <csignal>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "handfast/v1/connections.grpc.pb.h"
#include "tests/chaos/midway.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/support/net.h"

namespace handfast::chaos {
namespace {

using rpc::test::DetailsOf;
using rpc::test::ReasonOf;
using rpc::test::RelayCall;
using rpc::test::RetryDelayMs;
using rpc::test::RunHandshake;
using tls::test::LibsslClient;

// Whole by Relay, at this replica.
v1::RelayResponse Relay(Fleet& fleet, size_t replica, const std::string& profile) {
  RelayCall call(fleet.Channel(replica));
  LibsslClient peer({.trusted_pem = fleet.ca().pem()});
  return RunHandshake(call, 1, Releasing(profile), peer);
}

void ExpectStoreUnavailable(const grpc::Status& status) {
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  EXPECT_EQ(ReasonOf(status), "STORE_UNAVAILABLE");
  EXPECT_GT(RetryDelayMs(DetailsOf(status)), 0);
}

class Outage : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    fleet_ = std::make_unique<Fleet>();
    ASSERT_TRUE(fleet_->Start());
    for (size_t i = 0; i < kReplicas; ++i) pids_[i] = fleet_->replica(i).pid();
  }
  // All replicas see it, without having been started again.
  void ExpectReady(bool ready) {
    for (size_t i = 0; i < kReplicas; ++i) {
      EXPECT_TRUE(fleet_->replica(i).WaitForReadyz(ready)) << i;
      EXPECT_EQ(fleet_->replica(i).pid(), pids_[i]);
      EXPECT_NE(test::HttpGet(fleet_->replica(i).admin(), "/livez").find("ok"), std::string::npos);
    }
  }
  // What callers see of durable handshakes while the store is away.
  void ExpectAllUnavailable(Midway& midway) {
    for (size_t i = 0; i < kReplicas; ++i) {
      rpc::test::StepCaller caller(fleet_->Channel(i));
      v1::StartHandshakeResponse begun;
      v1::Handshake view;
      ExpectStoreUnavailable(caller.Start(Releasing("durable"), begun));
      ExpectStoreUnavailable(caller.Get(midway.handshake(), view));
      ExpectStoreUnavailable(caller.Abort(midway.handshake()));
      ExpectStoreUnavailable(midway.Finish(i));
      EXPECT_EQ(ReasonOf(Relay(*fleet_, i, "durable").error()), "STORE_UNAVAILABLE");
      EXPECT_TRUE(Relay(*fleet_, i, "fleeting").has_established()) << "what needs no store goes on";
    }
  }
  void ExpectNewOnesWork() {
    for (size_t i = 0; i < kReplicas; ++i) {
      Midway midway(*fleet_);
      midway.Begin(i);
      EXPECT_TRUE(midway.Finish((i + 1) % kReplicas).ok());
      EXPECT_TRUE(midway.reply().has_established());
    }
  }

  std::unique_ptr<Fleet> fleet_;
  pid_t pids_[kReplicas] = {};
};

TEST_F(Outage, OfARedisThatPersistedCostsNoHandshake) {
  ExpectReady(true);
  Midway midway(*fleet_);
  midway.Begin(0);
  fleet_->redis().Do({"SAVE"});
  fleet_->KillRedis();
  ExpectAllUnavailable(midway);
  ExpectReady(false);
  fleet_->RestartRedis();
  ExpectReady(true);
  EXPECT_TRUE(midway.Finish(1).ok());
  EXPECT_TRUE(midway.reply().has_established());
  ExpectNewOnesWork();
}

TEST_F(Outage, OfARedisThatCameBackEmptyCostsWhatWasLive) {
  Midway midway(*fleet_);
  midway.Begin(0);
  fleet_->KillRedis();
  fleet_->RestartRedis();
  ExpectReady(true);
  for (size_t i = 0; i < kReplicas; ++i) {
    EXPECT_EQ(midway.Finish(i).error_code(), grpc::StatusCode::NOT_FOUND);
  }
  ExpectNewOnesWork();
}

TEST_F(Outage, OfARedisThatHangsIsToldAndHeals) {
  Midway midway(*fleet_);
  midway.Begin(0);
  fleet_->redis().Signal(SIGSTOP);
  ExpectReady(false);
  ExpectAllUnavailable(midway);
  fleet_->redis().Signal(SIGCONT);
  ExpectReady(true);
  EXPECT_TRUE(midway.Finish(2).ok());
  EXPECT_TRUE(midway.reply().has_established());
}

TEST_F(Outage, OfARedisThatRefusesUsCostsNoHandshake) {
  Midway midway(*fleet_);
  midway.Begin(0);
  ASSERT_EQ(fleet_->redis().Do({"ACL", "SETUSER", "default", "-@scripting"}), "OK");
  ExpectAllUnavailable(midway);
  ExpectReady(false);
  ASSERT_EQ(fleet_->redis().Do({"ACL", "SETUSER", "default", "+@scripting"}), "OK");
  ExpectReady(true);
  EXPECT_TRUE(midway.Finish(1).ok());
  EXPECT_TRUE(midway.reply().has_established());
}

TEST_F(Outage, OfAFullRedisIsTheStoresLimit) {
  Midway midway(*fleet_);
  midway.Begin(0);
  ASSERT_EQ(fleet_->redis().Do({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  for (size_t i = 0; i < kReplicas; ++i) {
    v1::StartHandshakeResponse begun;
    for (const grpc::Status& status :
         {rpc::test::StepCaller(fleet_->Channel(i)).Start(Releasing("durable"), begun),
          midway.Finish(i)}) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
      EXPECT_EQ(ReasonOf(status), "STORE_FULL") << status.error_message();
      EXPECT_GT(RetryDelayMs(DetailsOf(status)), 0);
    }
  }
  ExpectReady(true);
  ASSERT_EQ(fleet_->redis().Do({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  EXPECT_TRUE(midway.Finish(1).ok());
  EXPECT_TRUE(midway.reply().has_established());
}

// A connection whose keys stayed in the service is its replica's alone. What is asked of others, or
// of the same one once it was killed, is unknown: nobody takes it over, and nobody is sent there.
TEST_F(Outage, OfAReplicaEndsTheConnectionsWhoseKeysItHad) {
  v1::Start start = Releasing("durable");
  start.clear_key_release();
  Midway midway(*fleet_, start);
  midway.Begin(0);
  ASSERT_TRUE(midway.Finish(1).ok());
  ASSERT_TRUE(midway.reply().has_established());
  EXPECT_FALSE(midway.reply().established().has_traffic_secrets());
  const std::string name = midway.reply().established().connection();
  const auto get = [&](size_t replica) {
    grpc::ClientContext context;
    v1::GetConnectionRequest request;
    request.set_name(name);
    v1::Connection connection;
    return v1::ConnectionService::NewStub(fleet_->Channel(replica))
        ->GetConnection(&context, request, &connection)
        .error_code();
  };
  EXPECT_EQ(get(1), grpc::StatusCode::OK);
  EXPECT_EQ(get(0), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(get(2), grpc::StatusCode::NOT_FOUND);
  fleet_->Kill(1);
  EXPECT_EQ(get(0), grpc::StatusCode::NOT_FOUND);
  ASSERT_TRUE(fleet_->Restart(1));
  for (size_t i = 0; i < kReplicas; ++i) EXPECT_EQ(get(i), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace handfast::chaos
