#include "server/access/policy.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/access/error_details_interface.h"
#include "server/access/rules.h"

namespace handfast::access {
namespace {

constexpr std::string_view kTenants = "tenants/";

// The tenant in "tenants/{t}" or "tenants/{t}/..."; nullopt where the text is neither.
std::optional<std::string_view> TenantOf(std::string_view resource) {
  if (!resource.starts_with(kTenants)) return std::nullopt;
  resource.remove_prefix(kTenants.size());
  const std::string_view tenant = resource.substr(0, resource.find('/'));
  if (tenant.empty()) return std::nullopt;
  return tenant;
}

bool Grants(const Principal& principal, Need need) {
  switch (need) {
    case Need::kAuthenticated:
      return true;
    case Need::kCaller:
      return principal.caller;
    case Need::kOperator:
      return principal.operator_role;
  }
  return false;
}

}  // namespace

absl::StatusOr<Policy> Policy::Create(std::vector<Principal> principals) {
  Policy policy;
  for (Principal& principal : principals) {
    if (principal.name.empty() || principal.tenant.empty()) {
      return absl::InvalidArgumentError("a principal needs a name and a tenant");
    }
    std::string name = principal.name;
    if (!policy.principals_.emplace(name, std::move(principal)).second) {
      return absl::InvalidArgumentError(absl::StrCat("principal ", name, " is named twice"));
    }
  }
  return policy;
}

absl::StatusOr<Principal> Policy::Authorize(std::string_view principal,
                                            std::string_view method) const {
  const auto found = principals_.find(principal);
  if (principal.empty() || found == principals_.end()) {
    return WithReason(absl::UnauthenticatedError("the caller is no configured principal"),
                      "UNKNOWN_PRINCIPAL");
  }
  const Rule* rule = FindRule(method);
  if (rule == nullptr) {
    return WithReason(absl::PermissionDeniedError("nobody may call this method"), "NO_RULE");
  }
  if (!Grants(found->second, rule->need)) {
    const char* role = rule->need == Need::kOperator ? "operator" : "caller";
    return WithReason(
        absl::PermissionDeniedError(absl::StrCat("this method needs the role ", role)),
        "ROLE_REQUIRED");
  }
  return found->second;
}

absl::StatusOr<Principal> Policy::Authorize(std::string_view principal, std::string_view method,
                                            std::string_view resource,
                                            std::string_view field) const {
  absl::StatusOr<Principal> caller = Authorize(principal, method);
  if (!caller.ok()) return caller;
  const std::optional<std::string_view> tenant = TenantOf(resource);
  if (!tenant) return InvalidField(field, "is no name of a tenant or of what a tenant owns");
  if (*tenant != caller->tenant) return NotFound(resource);
  return caller;
}

}  // namespace handfast::access
