// What both versions' servers ask of a session before it is resumed, and put into a new one.
// Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_RESUMPTION_H_
#define HANDFAST_TLS_ENGINE_RESUMPTION_H_

#include <string>

#include "tls/engine/context.h"
#include "tls/engine/established.h"
#include "tls/engine/session.h"

namespace handfast::tls {

// True where the session is of this version and name, still in time, and as much authenticated as
// the profile asks. Suites are the caller's business.
bool MayResume(const Session& session, ProtocolVersion version, const std::string& server_name,
               const Context& context);

// Seconds that a session of this connection has; 0: none.
uint32_t LifetimeOf(const Established& negotiated, const Context& context);

Session NewSession(const Established& negotiated, HashSecret psk, uint32_t lifetime,
                   int64_t now_unix_s);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_RESUMPTION_H_
