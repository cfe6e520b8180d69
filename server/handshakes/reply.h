// What a live handshake tells whoever drives it.
#ifndef HANDFAST_SERVER_HANDSHAKES_REPLY_H_
#define HANDFAST_SERVER_HANDSHAKES_REPLY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "tls/connection/connection.h"
#include "tls/engine/explain.h"

namespace handfast::handshakes {

struct Done {
  std::shared_ptr<const tls::Established> established;
  // The bundle that verified the peer; empty where it showed no certificate.
  std::string verified_by;
  // Where they were asked for and allowed. SECRET.
  std::optional<tls::ReleasedKeys> keys;
  // Where they were asked for.
  std::vector<tls::Explanation> explanations = {};
};

// The work failed.
struct Failed {
  tls::HandshakeFailure failure;
  std::string detail;
};

// The request failed: ended by its handle, no room for its private-key operation, ...
struct Stopped {
  absl::Status status;
};

// The end, as it was told before: `encoded` has it.
struct Told {};

struct Reply {
  // Send these, whatever the outcome.
  tls::Bytes to_peer;
  // Of the peer's bytes, since the start.
  uint64_t consumed = 0;
  std::vector<tls::TracedMessage> messages;
  // monostate: it goes on.
  std::variant<std::monostate, Done, Failed, Stopped, Told> outcome;

  // A reply that was sent before, as it was sent, instead of all but `to_peer` and `outcome`.
  tls::Bytes encoded;

  bool ended() const { return outcome.index() != 0; }
};

// Receives a handshake's replies, in order, each in the thread that made it. It must not call back
// into the handshake.
class ReplyListener {
 public:
  virtual ~ReplyListener() = default;
  virtual void OnReply(uint64_t tag, Reply reply) = 0;
};

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_REPLY_H_
