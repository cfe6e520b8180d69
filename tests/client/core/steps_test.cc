// The calls of one step each, against a service that answers as it is told.

#include "client/core/steps.h"

#include <memory>
#include <mutex>
#include <vector>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include "handfast/v1/handshake.grpc.pb.h"
#include "tests/support/files.h"

namespace handfast::client {
namespace {

using grpc::Status;
using grpc::StatusCode;

// Answers the RPCs that the test calls; `statuses` go first, one a call.
class FakeService final : public v1::HandshakeService::Service {
 public:
  Status ClientHello(grpc::ServerContext* /*context*/, const v1::StepRequest* request,
                     v1::StepResponse* response) override {
    return Answer(*request, *response);
  }
  Status Finished(grpc::ServerContext* /*context*/, const v1::StepRequest* request,
                  v1::StepResponse* response) override {
    auto& established = *response->mutable_established();
    established.set_cipher_suite_id(0x1301);
    established.mutable_traffic_secrets()->set_write_secret(std::string(32, 'w'));
    established.mutable_traffic_secrets()->set_read_secret(std::string(32, 'r'));
    return Answer(*request, *response);
  }

  std::vector<Status> statuses;
  std::vector<std::string> requests;  // serialised

 private:
  Status Answer(const v1::StepRequest& request, v1::StepResponse& response) {
    const std::lock_guard lock(mutex_);
    requests.push_back(request.SerializeAsString());
    response.set_step(request.step());
    const size_t call = requests.size() - 1;
    return call < statuses.size() ? statuses[call] : Status::OK;
  }

  std::mutex mutex_;
};

class StepsTest : public testing::Test {
 protected:
  StepsTest() {
    endpoint_.address = "unix:" + folder_.File("service.sock");
    grpc::ServerBuilder builder;
    builder.AddListeningPort(endpoint_.address, grpc::experimental::LocalServerCredentials(UDS));
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    request_.set_handshake("handshakes/x");
    request_.set_step(7);
    request_.set_from_peer("bytes");
  }
  ~StepsTest() override { server_->Shutdown(); }

  test::TempFolder folder_;
  Endpoint endpoint_;
  FakeService service_;
  std::unique_ptr<grpc::Server> server_;
  v1::StepRequest request_;
};

TEST(StepRpcTest, EachStepOfTheContractHasTheRpcOfItsName) {
  const auto* steps = v1::Step_descriptor();
  const auto* service = steps->file()->FindServiceByName("HandshakeService");
  EXPECT_EQ(RpcName(v1::STEP_UNSPECIFIED), "");
  EXPECT_EQ(RpcName(static_cast<v1::Step>(99)), "");
  for (int i = 1; i < steps->value_count(); ++i) {
    const std::string name(RpcName(static_cast<v1::Step>(steps->value(i)->number())));
    const auto* method = service->FindMethodByName(name);
    ASSERT_NE(method, nullptr) << steps->value(i)->name();
    EXPECT_EQ(method->input_type()->name(), "StepRequest") << name;
    // STEP_CLIENT_HELLO and ClientHello: the same letters.
    std::string letters;
    for (const char c : steps->value(i)->name().substr(5)) {
      if (c != '_') letters += static_cast<char>(tolower(c));
    }
    std::string lower;
    for (const char c : name) lower += static_cast<char>(tolower(c));
    EXPECT_EQ(lower, letters);
  }
}

TEST_F(StepsTest, WhatIsNotAnsweredIsAskedAgainInTheSameWords) {
  service_.statuses = {{StatusCode::UNAVAILABLE, "away"}, {StatusCode::DEADLINE_EXCEEDED, "late"}};
  const auto called = Steps(endpoint_).Take(v1::STEP_CLIENT_HELLO, request_);
  ASSERT_TRUE(called.status.ok()) << called.status.message;
  EXPECT_EQ(called.reply.response.step(), 7u);
  ASSERT_EQ(service_.requests.size(), 3u);
  for (const std::string& request : service_.requests) {
    EXPECT_EQ(request, request_.SerializeAsString());
  }
}

TEST_F(StepsTest, ItGivesUpAfterAFewAttempts) {
  service_.statuses.assign(100, Status(StatusCode::UNAVAILABLE, "away"));
  const auto called = Steps(endpoint_).Take(v1::STEP_CLIENT_HELLO, request_);
  EXPECT_EQ(called.status.code, RpcCode::kUnavailable);
  EXPECT_EQ(service_.requests.size(), 4u);
}

TEST_F(StepsTest, ARefusalIsNotAskedAgain) {
  for (const StatusCode code : {StatusCode::FAILED_PRECONDITION, StatusCode::ABORTED,
                                StatusCode::NOT_FOUND, StatusCode::RESOURCE_EXHAUSTED}) {
    service_.requests.clear();
    service_.statuses = {{code, "no"}};
    const auto called = Steps(endpoint_).Take(v1::STEP_CLIENT_HELLO, request_);
    EXPECT_EQ(static_cast<int>(called.status.code), static_cast<int>(code));
    EXPECT_EQ(service_.requests.size(), 1u);
  }
}

TEST_F(StepsTest, KeysAreTakenOutOfTheReply) {
  const auto called = Steps(endpoint_).Take(v1::STEP_FINISHED, request_);
  ASSERT_TRUE(called.status.ok()) << called.status.message;
  ASSERT_TRUE(called.reply.response.has_established());
  EXPECT_FALSE(called.reply.response.established().has_traffic_secrets());
  EXPECT_EQ(called.reply.response.SerializeAsString().find("wwww"), std::string::npos);
  EXPECT_TRUE(std::holds_alternative<ReleasedKeys13>(called.reply.keys));
}

TEST_F(StepsTest, AStepThatThisClientDoesNotKnowIsNotCalled) {
  const auto called = Steps(endpoint_).Take(static_cast<v1::Step>(99), request_);
  EXPECT_EQ(called.status.code, RpcCode::kUnimplemented);
  EXPECT_TRUE(service_.requests.empty());
}

}  // namespace
}  // namespace handfast::client
