// What the relay has to say to one event loop: replies in order, and a file descriptor that wakes
// the loop. Filled by the relay's thread, emptied by the loop's.
#ifndef HANDFAST_CLIENT_CORE_RELAY_INBOX_H_
#define HANDFAST_CLIENT_CORE_RELAY_INBOX_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "client/core/record_layer.h"
#include "client/core/rpc_status.h"
#include "google/protobuf/repeated_field.h"
#include "handfast/v1/handshake.pb.h"

namespace handfast::client {

// The handshake is done. `info` has no keys any more: they are here, if they were released.
struct EstablishedHandshake {
  std::unique_ptr<v1::Established> info;
  ReleasedKeys keys;
};

struct RelayReply {
  // What Relay::Start was given.
  uint64_t key = 0;
  // In its first reply: by what it can be resumed; empty where it cannot be.
  std::string handshake;
  // Send these to the peer, in order, whatever the outcome.
  std::string to_peer;
  // Of the bytes that were sent for this handshake: how many are used up.
  uint64_t consumed = 0;
  // With tracing: the messages that passed.
  google::protobuf::RepeatedPtrField<v1::HandshakeMessage> messages;
  // Anything but monostate ends the handshake, and is the last reply of its key. RpcStatus: the
  // request failed, not the work.
  std::variant<std::monostate, EstablishedHandshake, v1::Failure, RpcStatus> outcome;
};

class RelayInbox {
 public:
  RelayInbox();
  ~RelayInbox();
  RelayInbox(const RelayInbox&) = delete;
  RelayInbox& operator=(const RelayInbox&) = delete;

  // Becomes readable when replies arrive in the empty inbox. Watch it edge-triggered: Take() does
  // not read from it.
  int fd() const { return fd_; }

  // Adds all replies to `out`, in order.
  void Take(std::vector<RelayReply>& out);

  // For the relay, from any thread.
  void Put(RelayReply reply);

 private:
  const int fd_;
  std::mutex mutex_;
  bool woken_ = false;
  std::vector<RelayReply> replies_;
};

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_RELAY_INBOX_H_
