// S17, compromised and stale stores, over real processes: a Redis that is rolled back to an older
// snapshot. What was live is unknown then, and no step of it is made a second time.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "tests/chaos/midway.h"

namespace handfast::chaos {
namespace {

// With a handshake that has begun when the snapshot is taken, and has made a step since.
class SecurityS17 : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    fleet_ = std::make_unique<Fleet>();
    ASSERT_TRUE(fleet_->Start());
    v1::StartHandshakeResponse begun;
    rpc::test::StepCaller caller(fleet_->Channel(0));
    ASSERT_TRUE(caller.Start(Releasing("durable"), begun).ok());
    fleet_->redis().Do({"SAVE"});
    ClientPeer peer(fleet_->ca(), TLS1_3_VERSION);
    const tls::Bytes hello = peer.Receive({});
    step_.set_handshake(begun.handshake());
    step_.set_step(1);
    step_.set_from_peer(hello.data(), hello.size());
    ASSERT_TRUE(caller.Step("Advance", step_, made_).ok());
    ASSERT_FALSE(made_.to_peer().empty());
  }

  // That step once more.
  grpc::Status Again(size_t replica, v1::StepResponse& reply) const {
    return rpc::test::StepCaller(fleet_->Channel(replica)).Step("Advance", step_, reply);
  }
  void ExpectUnknownEverywhere() const {
    for (size_t i = 0; i < kReplicas; ++i) {
      v1::StepResponse reply;
      EXPECT_EQ(Again(i, reply).error_code(), grpc::StatusCode::NOT_FOUND) << i;
    }
  }

  std::unique_ptr<Fleet> fleet_;
  v1::StepRequest step_;
  v1::StepResponse made_;
};

TEST_F(SecurityS17, WhatWasLiveInARolledBackRedisIsUnknown) {
  v1::StepResponse again;
  ASSERT_TRUE(Again(1, again).ok());
  EXPECT_EQ(again.SerializeAsString(), made_.SerializeAsString()) << "before, it is told again";
  Midway later(*fleet_);
  later.Begin(1);
  fleet_->KillRedis();
  fleet_->RestartRedis();
  for (size_t i = 0; i < kReplicas; ++i) EXPECT_TRUE(fleet_->replica(i).WaitForReadyz(true)) << i;
  ExpectUnknownEverywhere();
  for (size_t i = 0; i < kReplicas; ++i) {
    EXPECT_EQ(later.Finish(i).error_code(), grpc::StatusCode::NOT_FOUND);
  }
  for (size_t i = 0; i < kReplicas; ++i) {
    Midway fresh(*fleet_);
    fresh.Begin(i);
    EXPECT_TRUE(fresh.Finish((i + 1) % kReplicas).ok());
    EXPECT_TRUE(fresh.reply().has_established());
  }
}

TEST_F(SecurityS17, OneReplicaThatRunsOnNoticesForAll) {
  fleet_->KillRedis();
  fleet_->Kill(1);
  fleet_->Kill(2);
  fleet_->RestartRedis();
  EXPECT_TRUE(fleet_->replica(0).WaitForReadyz(true));
  ASSERT_TRUE(fleet_->Restart(1));
  ASSERT_TRUE(fleet_->Restart(2));
  ExpectUnknownEverywhere();
}

// The control, and the limit that server/store/README.md states: what tells a roll-back is the
// memory of running replicas. With all of them started again the step is made a second time, with
// another ServerHello; what the operator has to do then makes it unknown.
TEST_F(SecurityS17, WithAllReplicasRestartedTheOperatorHasToAct) {
  fleet_->KillRedis();
  for (size_t i = 0; i < kReplicas; ++i) fleet_->Kill(i);
  fleet_->RestartRedis();
  for (size_t i = 0; i < kReplicas; ++i) ASSERT_TRUE(fleet_->Restart(i));
  v1::StepResponse again;
  ASSERT_TRUE(Again(1, again).ok());
  EXPECT_NE(again.to_peer(), made_.to_peer());
  EXPECT_EQ(fleet_->redis().Do({"DEL", "handfast/handfast/incarnation"}), "1");
  ExpectUnknownEverywhere();
}

}  // namespace
}  // namespace handfast::chaos
