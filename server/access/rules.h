// The table of what each RPC needs. A build step (check_rules.cc) compares it with the contract's
// descriptors: an RPC without a rule, or a rule without its RPC, fails the build.
#ifndef HANDFAST_SERVER_ACCESS_RULES_H_
#define HANDFAST_SERVER_ACCESS_RULES_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace handfast::access {

enum class Need : uint8_t {
  kAuthenticated,  // any configured principal
  kCaller,
  kOperator,
};

struct Rule {
  // "/handfast.v1.KeyService/CreateKey".
  std::string_view method;
  Need need;
};

// Of the contract, and of the services around it (health, reflection, channelz).
std::span<const Rule> Rules();

// Null: no rule, and so nobody may call it.
const Rule* FindRule(std::string_view method);

}  // namespace handfast::access

#endif  // HANDFAST_SERVER_ACCESS_RULES_H_
