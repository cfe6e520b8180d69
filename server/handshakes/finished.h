// What is told of a handshake at its end: one log line, never held back, for admission bounds their
// number; and the metrics.
#ifndef HANDFAST_SERVER_HANDSHAKES_FINISHED_H_
#define HANDFAST_SERVER_HANDSHAKES_FINISHED_H_

#include <string_view>

#include "server/handshakes/owner_interface.h"
#include "server/observe/metrics_interface.h"
#include "tls/connection/connection.h"

namespace handfast::handshakes {

struct FinishedHandshake {
  std::string_view role;  // "server" or "client": ours, a literal
  const Owner& owner;
  const Handle& handle;
  std::string_view profile;
  std::string_view peer_address;
  // More about a failure, for people; may be empty.
  std::string_view detail;
  double duration_s = 0;
  // One of the two.
  const tls::Established* established = nullptr;
  const tls::HandshakeFailure* failure = nullptr;
  bool keys_released = false;
  // It was live nowhere, or in several places: it is counted where it ends.
  bool durable = false;
};

void Report(const FinishedHandshake& handshake, observe::MetricsInterface& metrics);

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_FINISHED_H_
