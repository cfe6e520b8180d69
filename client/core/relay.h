// The Relay RPC as a thin client uses it: handshakes are started and fed from any thread, replies
// come to the inbox of the event loop that owns the handshake. Many handshakes share one long-lived
// stream; when a stream fails, drains or is full, the next handshake opens another.
#ifndef HANDFAST_CLIENT_CORE_RELAY_H_
#define HANDFAST_CLIENT_CORE_RELAY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/core/endpoint.h"
#include "client/core/relay_inbox.h"
#include "tls/base/bytes.h"

namespace handfast::client {

class RelayStream;

// The contract's limit for one stream; another is opened beyond it.
constexpr size_t kMaxHandshakesPerStream = 1024;
// The contract's limit for one message; more goes in several.
constexpr size_t kMaxFromPeerBytes = size_t{64} << 10;
// 16,384 handshakes at once: far beyond it the service, not the stream, is what is missing.
constexpr size_t kMaxStreams = 16;

// See v1.Start; the role is always the server's.
struct StartOptions {
  std::string profile;
  std::string credential;
  std::vector<std::string> alpn;
  bool release_keys = false;
  uint32_t deadline_ms = 0;
  bool trace = false;
};

// One handshake in the relay; copies name the same one.
class RelayHandle {
 public:
  RelayHandle() = default;
  explicit operator bool() const { return stream_ != nullptr; }

 private:
  friend class Relay;
  RelayHandle(std::shared_ptr<RelayStream> stream, uint64_t tag)
      : stream_(std::move(stream)), tag_(tag) {}
  std::shared_ptr<RelayStream> stream_;
  uint64_t tag_ = 0;
};

class Relay {
 public:
  explicit Relay(const Endpoint& endpoint);
  // Ends all handshakes; their last replies (UNAVAILABLE) may still reach the inboxes, which must
  // outlive the relay.
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Begins a handshake with the peer's first bytes, which may be empty. Its replies carry `key`.
  // While the service is away it waits for its return; the owner has the deadline. Where no stream
  // has room the first reply is RESOURCE_EXHAUSTED and the handle is empty. `options` are copied.
  RelayHandle Start(RelayInbox& inbox, uint64_t key, const StartOptions& options,
                    std::string_view peer_address, tls::ByteView from_peer);

  // Goes on with a handshake whose stream was lost, where its profile is durable: `handshake` is
  // RelayReply's, and so many bytes of its replies' `to_peer` came. Send nothing before the first
  // reply; then all that it did not consume. Else as Start.
  RelayHandle Resume(RelayInbox& inbox, uint64_t key, const std::string& handshake,
                     uint64_t bytes_seen);

  // Each does nothing where the handshake has ended, or the handle is empty.
  void Send(const RelayHandle& handle, tls::ByteView from_peer);
  void PeerClosed(const RelayHandle& handle);
  // Gives up; no reply follows any more.
  void Abort(const RelayHandle& handle);

  // Tells the service that a connection whose keys were released is over; nobody waits for the
  // answer. Of very many in a second it says nothing: the service forgets them by itself, later.
  void Terminate(const std::string& connection);

  // True while the service can be reached, as far as is known.
  bool healthy() const;

 private:
  struct State;
  RelayHandle StartOne(RelayInbox& inbox, uint64_t key, const v1::RelayRequest& request);
  std::unique_ptr<State> state_;
};

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_RELAY_H_
