// The saved form of a handshake: all that another replica needs to go on with it. It holds secrets;
// the store seals it. README.md has the layout.
#ifndef HANDFAST_SERVER_HANDSHAKES_SAVED_H_
#define HANDFAST_SERVER_HANDSHAKES_SAVED_H_

#include <optional>
#include <string>

#include "server/handshakes/clock_interface.h"
#include "server/handshakes/start.h"
#include "server/handshakes/walk.h"
#include "tls/base/bytes.h"
#include "tls/connection/connection.h"

namespace handfast::handshakes {

struct SavedHandshake {
  // Owner and resolved profile inside; without listener and tag.
  Start start;
  // Since it began, and until its deadline, at the moment of saving and of loading.
  MonotonicTime::duration age{};
  MonotonicTime::duration left{};
  std::string detail;
  tls::Bytes client_hello;
  // What its session is bound to, as it was at the start; empty: it has none.
  tls::Bytes session_binding;
  // AbortHandshake was called: the next step says so.
  bool aborted = false;
  // Nullopt: it has ended.
  std::optional<tls::Connection> connection;
  // Nullopt: it does not go by steps.
  std::optional<Walk> walk;
  // As it was sent. It may hold keys.
  tls::Bytes last_reply;
  // Of a Relay: what of the peer's stream led to that reply, and all bytes to the peer so far, of
  // which its owner may have seen any number; a few KiB.
  tls::Bytes input_digest;
  uint64_t consumed = 0;
  tls::Bytes to_peer;
};

// Spends it. `now_unix_ms`: what replicas reckon with. kInternalError where the connection cannot
// be saved.
tls::Result<tls::Bytes> Save(SavedHandshake spent, int64_t now_unix_ms);
// kDecodeError where the form is broken or of an unknown version.
tls::Result<SavedHandshake> Load(tls::ByteView saved, int64_t now_unix_ms);

}  // namespace handfast::handshakes

#endif  // HANDFAST_SERVER_HANDSHAKES_SAVED_H_
