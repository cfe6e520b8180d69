// Who may call what: every RPC by every role, and the edges of names and tenants.
#include "server/access/policy.h"

#include <set>

#include <gtest/gtest.h>

#include "server/access/error_details_interface.h"
#include "server/access/rules.h"

namespace handfast::access {
namespace {

constexpr char kNobody[] = "spiffe://example.org/nobody";
constexpr char kCallerName[] = "spiffe://example.org/edge";
constexpr char kOperatorName[] = "spiffe://example.org/admin";
constexpr char kBoth[] = "unix:/run/handfast.sock";

Policy TestPolicy() {
  return *Policy::Create({
      {.name = kNobody, .tenant = "shop"},
      {.name = kCallerName, .tenant = "shop", .caller = true, .release_keys = true},
      {.name = kOperatorName, .tenant = "shop", .operator_role = true},
      {.name = kBoth, .tenant = "bank", .caller = true, .operator_role = true},
  });
}

TEST(Policy, EveryMethodByEveryRole) {
  const Policy policy = TestPolicy();
  for (const Rule& rule : Rules()) {
    SCOPED_TRACE(rule.method);
    const bool any = rule.need == Need::kAuthenticated;
    const bool caller = any || rule.need == Need::kCaller;
    const bool operator_role = any || rule.need == Need::kOperator;
    EXPECT_EQ(policy.Authorize(kNobody, rule.method).ok(), any);
    EXPECT_EQ(policy.Authorize(kCallerName, rule.method).ok(), caller);
    EXPECT_EQ(policy.Authorize(kOperatorName, rule.method).ok(), operator_role);
    EXPECT_TRUE(policy.Authorize(kBoth, rule.method).ok());
    // Without a principal that is configured there is nothing, not even health.
    for (const char* stranger : {"", "spiffe://example.org/other", "SPIFFE://example.org/edge",
                                 "spiffe://example.org/edge/", "spiffe://example.org/edge "}) {
      EXPECT_TRUE(absl::IsUnauthenticated(policy.Authorize(stranger, rule.method).status()));
    }
  }
}

TEST(Policy, SaysWhatIsMissing) {
  const Policy policy = TestPolicy();
  const absl::Status status =
      policy.Authorize(kCallerName, "/handfast.v1.KeyService/CreateKey").status();
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_EQ(ReasonOf(status), "ROLE_REQUIRED");
  EXPECT_EQ(status.message(), "this method needs the role operator");
  EXPECT_EQ(ReasonOf(policy.Authorize("who", "/handfast.v1.KeyService/CreateKey").status()),
            "UNKNOWN_PRINCIPAL");
}

TEST(Policy, DeniesWhatHasNoRule) {
  const Policy policy = TestPolicy();
  for (const char* method :
       {"/handfast.v1.KeyService/ExportKey", "", "/", "handfast.v1.KeyService/GetKey",
        "/handfast.v1.KeyService/getkey", "/handfast.v1.KeyService/GetKey/",
        "/grpc.channelz.v1.Channelz/GetServers"}) {
    const absl::Status status = policy.Authorize(kBoth, method).status();
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << method;
    EXPECT_EQ(ReasonOf(status), "NO_RULE");
  }
}

TEST(Policy, GivesTheCallerItsTenantAndGrants) {
  const auto caller = TestPolicy().Authorize(kCallerName, "/handfast.v1.HandshakeService/Relay");
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->tenant, "shop");
  EXPECT_TRUE(caller->release_keys);
  EXPECT_FALSE(caller->operator_role);
}

TEST(Policy, AnotherTenantsResourceIsNotFound) {
  const Policy policy = TestPolicy();
  constexpr char kMethod[] = "/handfast.v1.KeyService/GetKey";
  EXPECT_TRUE(policy.Authorize(kOperatorName, kMethod, "tenants/shop/keys/a").ok());
  EXPECT_TRUE(policy.Authorize(kOperatorName, kMethod, "tenants/shop").ok());
  for (const char* foreign : {"tenants/bank/keys/a", "tenants/bank", "tenants/sho", "tenants/shop2",
                              "tenants/Shop/keys/a", "tenants/shop./keys/a"}) {
    const absl::Status status = policy.Authorize(kOperatorName, kMethod, foreign).status();
    EXPECT_TRUE(absl::IsNotFound(status)) << foreign;
    EXPECT_EQ(status, NotFound(foreign)) << "unknown and foreign must look the same";
  }
}

TEST(Policy, WhatIsNoResourceNameIsRefused) {
  const Policy policy = TestPolicy();
  constexpr char kMethod[] = "/handfast.v1.KeyService/GetKey";
  for (const char* name : {"", "shop", "tenants", "tenants/", "tenants//keys/a", "/tenants/shop"}) {
    const absl::Status status = policy.Authorize(kOperatorName, kMethod, name, "parent").status();
    EXPECT_EQ(status.message().substr(0, 8), "parent: ") << status.message();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
  }
}

TEST(Policy, TheRoleIsAskedForBeforeTheResource) {
  // Whoever lacks the role learns nothing about names.
  const absl::Status status =
      TestPolicy()
          .Authorize(kCallerName, "/handfast.v1.KeyService/GetKey", "tenants/bank/keys/a")
          .status();
  EXPECT_TRUE(absl::IsPermissionDenied(status));
}

TEST(Policy, RefusesPrincipalsThatMakeNoSense) {
  EXPECT_FALSE(Policy::Create({{.name = "", .tenant = "a"}}).ok());
  EXPECT_FALSE(Policy::Create({{.name = "a", .tenant = ""}}).ok());
  EXPECT_FALSE(Policy::Create({{.name = "a", .tenant = "a"}, {.name = "a", .tenant = "b"}}).ok());
}

TEST(Policy, WithoutPrincipalsNobodyCalls) {
  const auto policy = Policy::Create({});
  ASSERT_TRUE(policy.ok());
  EXPECT_TRUE(
      absl::IsUnauthenticated(policy->Authorize("", "/grpc.health.v1.Health/Check").status()));
}

TEST(Rules, NameEachMethodOnce) {
  std::set<std::string_view> seen;
  for (const Rule& rule : Rules()) {
    EXPECT_TRUE(seen.insert(rule.method).second) << rule.method;
    EXPECT_EQ(FindRule(rule.method), &rule);
  }
}

TEST(Rules, KeysAreTheOperatorsAlone) {
  for (const Rule& rule : Rules()) {
    if (rule.method.find("KeyService") != std::string_view::npos) {
      EXPECT_EQ(rule.need, Need::kOperator) << rule.method;
    }
  }
}

}  // namespace
}  // namespace handfast::access
