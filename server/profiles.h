// The configured profiles as handshakes read them.
#ifndef HANDFAST_SERVER_PROFILES_H_
#define HANDFAST_SERVER_PROFILES_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "server/config/config.h"
#include "server/handshakes/profile_interface.h"
#include "server/trust/peer_trust.h"

namespace handfast {

class Profiles final : public handshakes::ProfileSource {
 public:
  Profiles(const config::Config& config, const trust::PeerTrust& trust)
      : default_profile_(config.default_profile) {
    for (const config::Profile& profile : config.profiles) {
      auto shared = std::make_shared<handshakes::Profile>();
      shared->tls = profile.tls;
      shared->tls.certificate_authorities = trust.Subjects(profile.trust_bundle);
      shared->deadline = profile.handshake_deadline;
      shared->release_keys = profile.release_keys;
      shared->durable = profile.durable;
      shared->trust_bundle = profile.trust_bundle;
      shared->server_trust_bundle = profile.server_trust_bundle;
      shared->require_ocsp_staple = profile.require_ocsp_staple;
      by_name_[profile.tls.name] = std::move(shared);
    }
  }

  std::shared_ptr<const handshakes::Profile> Find(std::string_view name) const override {
    const auto found = by_name_.find(name.empty() ? default_profile_ : name);
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  const std::string default_profile_;
  std::map<std::string, std::shared_ptr<const handshakes::Profile>, std::less<>> by_name_;
};

}  // namespace handfast

#endif  // HANDFAST_SERVER_PROFILES_H_
