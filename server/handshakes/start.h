// What a handshake is begun with.
#ifndef HANDFAST_SERVER_HANDSHAKES_START_H_
#define HANDFAST_SERVER_HANDSHAKES_START_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/handshakes/owner_interface.h"
#include "server/handshakes/profile_interface.h"
#include "server/handshakes/reply.h"

namespace handfast::handshakes {

// Which side of TLS is ours.
enum class Role : uint8_t { kServer, kClient };

struct Start {
  Role role = Role::kServer;
  std::shared_ptr<const Owner> owner;
  std::shared_ptr<const Profile> profile;
  // By its name; empty: chosen.
  std::string credential;
  std::vector<std::string> alpn;
  // As a client: the DNS name, in lower case, that the server is asked for and must bear.
  std::string server_name;
  bool release_keys = false;
  // Whether the owner's role lets keys out.
  bool owner_may_release = false;
  // Zero, or more than the profile's: the profile's.
  std::chrono::milliseconds deadline{0};
  // For the log.
  std::string peer_address;
  bool trace = false;
  // As a server: say why each value was chosen.
  bool explain = false;
  // Its owner walks it step by step: there is no listener.
  bool by_steps = false;
  // How replies are kept, where the profile is durable.
  std::function<tls::Bytes(const Handle& handle, const Reply& reply)> encode;
  std::shared_ptr<ReplyListener> listener;
  uint64_t tag = 0;
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_START_H_
