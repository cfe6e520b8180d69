#include "client/core/endpoint.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "client/core/rpc_status.h"

namespace handfast::client {
namespace {

Endpoint At(const std::string& address) {
  Endpoint endpoint;
  endpoint.address = address;
  return endpoint;
}

class EndpointTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"HANDFAST_ENDPOINT", "HANDFAST_STATE_DIR", "HANDFAST_TLS_CERT",
                             "HANDFAST_TLS_KEY", "HANDFAST_TLS_CA", "HANDFAST_TLS_SERVER_NAME"}) {
      unsetenv(name);
    }
  }
};

TEST_F(EndpointTest, IsTheSocketOfAServiceWithoutConfiguration) {
  setenv("HANDFAST_STATE_DIR", "/tmp/state", 1);
  Endpoint endpoint;
  FillFromEnvironment(endpoint);
  EXPECT_EQ(endpoint.address, "unix:/tmp/state/handfast.sock");
  EXPECT_TRUE(endpoint.is_unix());
  EXPECT_EQ(Check(endpoint), std::nullopt);
}

TEST_F(EndpointTest, WhatIsGivenGoesBeforeTheEnvironment) {
  setenv("HANDFAST_ENDPOINT", "unix:/elsewhere", 1);
  setenv("HANDFAST_TLS_CA", "/env.pem", 1);
  Endpoint endpoint;
  endpoint.address = "unix:/given";
  FillFromEnvironment(endpoint);
  EXPECT_EQ(endpoint.address, "unix:/given");
  EXPECT_EQ(endpoint.ca_file, "/env.pem");
}

TEST_F(EndpointTest, SaysWhatIsWrong) {
  EXPECT_NE(Check(At("unix:")), std::nullopt);
  EXPECT_NE(Check(At("nowhere")), std::nullopt);
  EXPECT_NE(Check(At(":443")), std::nullopt);
  EXPECT_NE(Check(At("host:443"))->find("--tls-cert"), std::string::npos);
  Endpoint unreadable = At("host:443");
  unreadable.certificate_file = "/no/such.pem";
  unreadable.key_file = "/no/such.key";
  unreadable.ca_file = "/no/ca.pem";
  EXPECT_EQ(Check(unreadable), "cannot read /no/such.pem");
}

TEST(RpcStatusTest, CodesHaveTheirCanonicalNames) {
  EXPECT_EQ(CodeName(RpcCode::kUnavailable), "UNAVAILABLE");
  EXPECT_EQ(CodeName(RpcCode::kUnauthenticated), "UNAUTHENTICATED");
  EXPECT_EQ(CodeName(static_cast<RpcCode>(99)), "CODE_99");
}

}  // namespace
}  // namespace handfast::client
