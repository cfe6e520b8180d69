// Where a finished handshake leaves its connection.
#ifndef HANDFAST_SERVER_HANDSHAKES_ESTABLISHED_INTERFACE_H_
#define HANDFAST_SERVER_HANDSHAKES_ESTABLISHED_INTERFACE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/handshakes/clock_interface.h"
#include "server/handshakes/owner_interface.h"
#include "tls/connection/connection.h"

namespace handfast::handshakes {

struct EstablishedConnection {
  Handle handle;
  std::shared_ptr<const Owner> owner;
  std::shared_ptr<const tls::Established> established;
  // The bundle that verified the peer; empty where it showed no certificate.
  std::string verified_by;
  MonotonicTime established_at;
  // As a client of TLS 1.3: takes each session that the server gives, and never waits. Empty: they
  // are not kept.
  std::function<void(tls::Session spent)> keep_session = nullptr;
  // Nullopt: its keys were released. Else it holds them.
  std::optional<tls::Connection> kept;
  // Its handshake could go on at any replica, so its owner may be looked for at any.
  bool durable = false;
  // The profile allows that keys leave.
  bool may_release = false;
};

class EstablishedConnections {
 public:
  virtual ~EstablishedConnections() = default;
  // Asked before a handshake begins, so that no peer finishes one in vain.
  virtual bool HasRoom(const std::string& tenant, bool keys_released) const = 0;
  virtual void Add(EstablishedConnection connection) = 0;
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_ESTABLISHED_INTERFACE_H_
