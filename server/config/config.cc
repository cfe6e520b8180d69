#include "server/config/config.h"

namespace handfast::config {

const Profile* Config::FindProfile(std::string_view name) const {
  const std::string_view wanted = name.empty() ? std::string_view{default_profile} : name;
  for (const Profile& profile : profiles) {
    if (profile.tls.name == wanted) return &profile;
  }
  return nullptr;
}

}  // namespace handfast::config
