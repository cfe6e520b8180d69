// Resource names: `tenants/{t}`, `tenants/{t}/keys/{k}`, `tenants/{t}/credentials/{c}`.
#ifndef HANDFAST_SERVER_CUSTODY_NAMES_H_
#define HANDFAST_SERVER_CUSTODY_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

namespace handfast::custody {

// An id of a tenant, a key or a credential: 1 to 63 of a-z, 0-9 and '-', beginning with a letter.
// 63 is a DNS label's length: ids can stand in host names and in Kubernetes labels.
inline constexpr size_t kMaxIdSize = 63;
bool IsId(std::string_view text);

struct ResourceName {
  std::string tenant;
  std::string id;
};

// Nullopt where the text is no such name.
std::optional<std::string> ParseTenantName(std::string_view name);
std::optional<ResourceName> ParseKeyName(std::string_view name);
std::optional<ResourceName> ParseCredentialName(std::string_view name);

std::string KeyName(std::string_view tenant, std::string_view id);
std::string CredentialName(std::string_view tenant, std::string_view id);

}  // namespace handfast::custody

#endif  // HANDFAST_SERVER_CUSTODY_NAMES_H_
