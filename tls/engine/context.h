// Context: all that Step reads and that is not in the state. Bringing it in makes each run
// repeatable.
#ifndef HANDFAST_TLS_ENGINE_CONTEXT_H_
#define HANDFAST_TLS_ENGINE_CONTEXT_H_

#include <cstdint>

#include "tls/crypto/random.h"
#include "tls/engine/profile.h"
#include "tls/engine/ticket.h"

namespace handfast::tls {

struct Context {
  const Profile& profile;
  Randomness& randomness;
  // Null: no session is issued or resumed.
  const TicketKeys* ticket_keys = nullptr;
  // What a ticket is bound to besides its name; see ticket.h.
  ByteView session_binding = {};
  int64_t now_unix_s = 0;
  // TLS 1.2 sessions that go by an id are kept: see TakeSession. An id is given to who takes no
  // tickets.
  bool keeps_sessions = false;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_CONTEXT_H_
