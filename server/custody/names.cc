#include "server/custody/names.h"

#include <algorithm>

namespace handfast::custody {
namespace {

constexpr std::string_view kTenants = "tenants/";

// Takes `part` off the front of `text`; false where it does not begin so.
bool Skip(std::string_view& text, std::string_view part) {
  if (!text.starts_with(part)) return false;
  text.remove_prefix(part.size());
  return true;
}

// An id at the front of `text`, up to '/' or the end; empty where it is none.
std::string_view TakeId(std::string_view& text) {
  const std::string_view id = text.substr(0, text.find('/'));
  text.remove_prefix(id.size());
  return IsId(id) ? id : std::string_view();
}

std::optional<ResourceName> Parse(std::string_view name, std::string_view collection) {
  if (!Skip(name, kTenants)) return std::nullopt;
  const std::string_view tenant = TakeId(name);
  if (tenant.empty() || !Skip(name, collection)) return std::nullopt;
  const std::string_view id = TakeId(name);
  if (id.empty() || !name.empty()) return std::nullopt;
  return ResourceName{std::string(tenant), std::string(id)};
}

std::string Join(std::string_view tenant, std::string_view collection, std::string_view id) {
  std::string name(kTenants);
  name.append(tenant).append(collection).append(id);
  return name;
}

constexpr std::string_view kKeys = "/keys/";
constexpr std::string_view kCredentials = "/credentials/";

bool IsLetter(char c) { return c >= 'a' && c <= 'z'; }
bool IsIdCharacter(char c) { return IsLetter(c) || (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

bool IsId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdSize && IsLetter(text.front()) &&
         std::all_of(text.begin(), text.end(), IsIdCharacter);
}

std::optional<std::string> ParseTenantName(std::string_view name) {
  if (!Skip(name, kTenants) || !IsId(name)) return std::nullopt;
  return std::string(name);
}

std::optional<ResourceName> ParseKeyName(std::string_view name) { return Parse(name, kKeys); }

std::optional<ResourceName> ParseCredentialName(std::string_view name) {
  return Parse(name, kCredentials);
}

std::string KeyName(std::string_view tenant, std::string_view id) {
  return Join(tenant, kKeys, id);
}

std::string CredentialName(std::string_view tenant, std::string_view id) {
  return Join(tenant, kCredentials, id);
}

}  // namespace handfast::custody
