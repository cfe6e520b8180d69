// A profile as the service knows it: the engine's policy and what the service adds to it.
#ifndef HANDFAST_SERVER_HANDSHAKES_PROFILE_INTERFACE_H_
#define HANDFAST_SERVER_HANDSHAKES_PROFILE_INTERFACE_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "tls/engine/profile.h"

namespace handfast::handshakes {

struct Profile {
  tls::Profile tls;
  // The longest that a handshake may take.
  std::chrono::milliseconds deadline{10'000};
  // Whether record keys may be handed out, where the caller's role allows it too.
  bool release_keys = false;
  // The bundle that verifies clients, by name; empty where client_auth is none.
  std::string trust_bundle;
  // The bundle that verifies servers; empty: there is no client role.
  std::string server_trust_bundle;
  // In the client role: a server without a stapled OCSP response is refused.
  bool require_ocsp_staple = false;
  // Its handshakes are kept in the store, from where any replica goes on with them.
  bool durable = false;
};

class ProfileSource {
 public:
  virtual ~ProfileSource() = default;
  // Empty `name`: the default profile. Null: there is no such one. A reload gives later callers
  // another value; those who hold one keep it.
  virtual std::shared_ptr<const Profile> Find(std::string_view name) const = 0;
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_PROFILE_INTERFACE_H_
