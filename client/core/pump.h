// Moves one handshake's bytes between a transport and the relay. It has neither: what came from
// one side goes in, what the other must be told comes out. It keeps the peer's bytes until the
// service has used them up, so that what follows the handshake, the first records, is not lost.
#ifndef HANDFAST_CLIENT_CORE_PUMP_H_
#define HANDFAST_CLIENT_CORE_PUMP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tls/base/bytes.h"

namespace handfast::client {

// The longest legal flight (a client's certificate chain, 64 KiB) with room for first records. A
// peer that sends more before the handshake is over must wait.
constexpr size_t kMaxHeldBytes = size_t{128} * 1024;

class Pump {
 public:
  enum class Action : uint8_t { kNothing, kStart, kSend, kPeerClosed, kResume };
  // What to tell the relay. `bytes` are views into the pump, good until its next call.
  struct ToRelay {
    Action action = Action::kNothing;
    tls::ByteView bytes;
  };

  // Bytes from the peer. The handshake starts with the first whole record, or with bytes that are
  // no TLS record (the service says what is wrong with them): a slow or silent peer costs the
  // service nothing.
  ToRelay OnTransport(tls::ByteView bytes);

  // The peer's transport ended, or was reset. kNothing: the service knows nothing to be told.
  ToRelay OnTransportEnd();

  // The service has used up so many bytes in all. False: it claims what was never sent.
  [[nodiscard]] bool OnConsumed(uint64_t consumed);

  // A reply came, after OnConsumed: with the handshake's name, where it bears one, and so many
  // bytes for the peer. kSend, with what is to be sent again, for the first one after a kResume.
  ToRelay OnReply(std::string_view handshake, size_t to_peer);

  // To go on elsewhere, where the service refused or went away: a kStart with all that came, where
  // the peer has heard nothing yet; a kResume of handshake(), of whose bytes seen() came, where it
  // has: that succeeds under a durable profile. Else kNothing.
  ToRelay Restart();
  const std::string& handshake() const { return handshake_; }
  uint64_t seen() const { return seen_; }

  // False: read no more from the transport until more is consumed.
  bool wants_bytes() const { return held_.size() < kMaxHeldBytes && !ended_; }
  bool started() const { return started_; }

  // What the service did not use, once the handshake is done; the pump is empty then.
  tls::Bytes TakeRest();

 private:
  tls::Bytes held_;
  uint64_t consumed_ = 0;  // where held_ begins in the peer's stream
  std::string handshake_;
  uint64_t seen_ = 0;
  bool started_ = false;
  bool resuming_ = false;
  bool ended_ = false;
};

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_PUMP_H_
