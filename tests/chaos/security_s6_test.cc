// S6, fixation, guessing and cross-tenant use of handles, over real processes: a durable handshake
// is its owner's at every replica, and of different steps at once exactly one is made.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/chaos/midway.h"

namespace handfast::chaos {
namespace {

using rpc::test::ReasonOf;
using rpc::test::StepCaller;

class SecurityS6 : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
    fleet_ = std::make_unique<Fleet>();
    ASSERT_TRUE(fleet_->Start());
  }

  // All that can be tried with a handle.
  std::vector<std::string> TryAll(size_t replica, As as, v1::StepRequest request) const {
    StepCaller caller(fleet_->Channel(replica, as));
    v1::StepResponse reply;
    v1::Handshake view;
    std::vector<std::string> words;
    for (const grpc::Status& status :
         {caller.Get(request.handshake(), view), caller.Step("Advance", request, reply),
          caller.Abort(request.handshake())}) {
      words.push_back(std::to_string(status.error_code()) + " " + ReasonOf(status) + " " +
                      status.error_message());
    }
    return words;
  }

  // Each at another replica, all at once.
  std::array<grpc::Status, kReplicas> AllAtOnce(
      const std::array<v1::StepRequest, kReplicas>& requests) const {
    std::array<grpc::Status, kReplicas> statuses;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kReplicas; ++i) {
      threads.emplace_back([&, i] {
        v1::StepResponse reply;
        statuses[i] = StepCaller(fleet_->Channel(i)).Step("Advance", requests[i], reply);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return statuses;
  }

  std::unique_ptr<Fleet> fleet_;
};

TEST_F(SecurityS6, AStrangersHandleLooksLikeNoneAtEveryReplica) {
  Midway midway(*fleet_);
  midway.Begin(0);
  v1::StepRequest unknown = midway.next();
  unknown.set_handshake("handshakes/" + std::string(32, '0'));
  for (size_t i = 0; i < kReplicas; ++i) {
    const std::vector<std::string> none = TryAll(i, As::kEdge, unknown);
    for (const As stranger : {As::kSibling, As::kForeign}) {
      EXPECT_EQ(TryAll(i, stranger, midway.next()), none);
      EXPECT_EQ(TryAll(i, stranger, unknown), none);
    }
  }
  EXPECT_TRUE(midway.Finish(1).ok()) << "nobody's tries have touched it";
  EXPECT_TRUE(midway.reply().has_established());
}

TEST_F(SecurityS6, OfDifferentStepsAtOnceExactlyOneIsMade) {
  for (int round = 0; round < 10; ++round) {
    Midway midway(*fleet_);
    midway.Begin(0);
    std::array<v1::StepRequest, kReplicas> requests;
    for (size_t i = 0; i < kReplicas; ++i) {
      requests[i] = midway.next();
      // An alert (RFC 8446 §6) of its own behind the same bytes: each is another input.
      requests[i].mutable_from_peer()->append(i, '\x15');
    }
    const auto statuses = AllAtOnce(requests);
    const auto won = std::count_if(statuses.begin(), statuses.end(),
                                   [](const grpc::Status& status) { return status.ok(); });
    EXPECT_EQ(won, 1) << round;
    for (const grpc::Status& status : statuses) {
      if (!status.ok()) {
        EXPECT_EQ(ReasonOf(status), "STEP_CONFLICT");
      }
    }
  }
}

// The control: where they do not differ there is no conflict, and all are answered.
TEST_F(SecurityS6, OfTheSameStepAtOnceAllAreAnswered) {
  Midway midway(*fleet_);
  midway.Begin(0);
  std::array<v1::StepRequest, kReplicas> requests;
  requests.fill(midway.next());
  for (const grpc::Status& status : AllAtOnce(requests)) {
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
}

}  // namespace
}  // namespace handfast::chaos
