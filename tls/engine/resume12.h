// TLS 1.2 resumption as the server sees it (RFC 5246 §7.3, RFC 5077, RFC 7627 §5.3). Internal to
// the engine.
#ifndef HANDFAST_TLS_ENGINE_RESUME12_H_
#define HANDFAST_TLS_ENGINE_RESUME12_H_

#include <optional>
#include <string>

#include "tls/engine/context.h"
#include "tls/engine/transition.h"
#include "tls/wire/client_hello_extensions.h"

namespace handfast::tls::tls12 {

// The session of the peer's ticket where it opens and fits; nullopt where it does not.
// kExtendedMasterSecretRequired where the hello lacks the extension that the session was made with.
Result<std::optional<Session>> SessionOfTicket(const ClientHelloExtensions& extensions,
                                               const std::string& server_name, const Offer12& offer,
                                               const Context& context);

// The same of a session that the caller kept by its id.
Result<std::optional<Session>> SessionOfCaller(const Session& kept, const Hello& hello,
                                               const Offer12& offer, const Context& context);

// How a full handshake's session may be resumed later. An id is drawn where one is needed.
Result<Resumable> PlanResumption(const Offer12& offer, const Context& context);

// The abbreviated handshake, from the ServerHello to our Finished.
Transition Resume(AwaitChoice state, Offer12 offer, Session session, const Context& context);

// The NewSessionTicket message, its ticket empty where none can be made after all (RFC 5077 §3.3).
Result<Bytes> IssueTicket(const Established& negotiated, const MasterSecret& master,
                          const Context& context);

// The session that goes by its id; nullopt where there is none.
std::optional<Session> SessionToKeep(const Established& negotiated, MasterSecret master,
                                     Bytes session_id, const Context& context);

}  // namespace handfast::tls::tls12

#endif  // HANDFAST_TLS_ENGINE_RESUME12_H_
