#include "client/core/step_order.h"

#include <initializer_list>

#include <gtest/gtest.h>

namespace handfast::client {
namespace {

using Following = google::protobuf::RepeatedPtrField<v1::Next>;

struct Step {
  v1::Step step;
  bool held;
};

Following Next(std::initializer_list<Step> steps) {
  Following next;
  for (const Step& step : steps) {
    next.Add()->set_step(step.step);
    next.rbegin()->set_held(step.held);
  }
  return next;
}

TEST(StepOrderTest, NothingMayFollowAtFirstAndAtTheEnd) {
  StepOrder order;
  EXPECT_EQ(order.step(), v1::STEP_UNSPECIFIED);
  EXPECT_FALSE(order.needs_bytes());
  order.OnReply(Next({{v1::STEP_FINISHED, true}}));
  order.OnReply(Next({}));
  EXPECT_EQ(order.step(), v1::STEP_UNSPECIFIED);
  EXPECT_FALSE(order.OnOutOfOrder());
}

TEST(StepOrderTest, WhatIsHeldGoesFirstAndNeedsNoBytes) {
  StepOrder order;
  order.OnReply(Next({{v1::STEP_CERTIFICATE_REQUEST, false}, {v1::STEP_CERTIFICATE, true}}));
  EXPECT_EQ(order.step(), v1::STEP_CERTIFICATE);
  EXPECT_FALSE(order.needs_bytes());
  order.OnReply(Next({{v1::STEP_CERTIFICATE_VERIFY, false}}));
  EXPECT_EQ(order.step(), v1::STEP_CERTIFICATE_VERIFY);
  EXPECT_TRUE(order.needs_bytes());
}

TEST(StepOrderTest, WhatIsRefusedIsFollowedByTheOthersInTurn) {
  StepOrder order;
  const Following next = Next({{v1::STEP_CERTIFICATE_STATUS, false},
                               {v1::STEP_SERVER_KEY_EXCHANGE, false},
                               {v1::STEP_SERVER_HELLO_DONE, false}});
  order.OnReply(next);
  EXPECT_EQ(order.step(), v1::STEP_CERTIFICATE_STATUS);
  EXPECT_TRUE(order.OnOutOfOrder());
  EXPECT_EQ(order.step(), v1::STEP_SERVER_KEY_EXCHANGE);
  EXPECT_TRUE(order.needs_bytes());
  EXPECT_TRUE(order.OnOutOfOrder());
  EXPECT_EQ(order.step(), v1::STEP_SERVER_HELLO_DONE);
  EXPECT_FALSE(order.OnOutOfOrder()) << "all were tried";
  EXPECT_EQ(order.step(), v1::STEP_UNSPECIFIED);
  EXPECT_FALSE(order.OnOutOfOrder());
  order.OnReply(next);
  EXPECT_EQ(order.step(), v1::STEP_CERTIFICATE_STATUS) << "a reply begins anew";
}

}  // namespace
}  // namespace handfast::client
