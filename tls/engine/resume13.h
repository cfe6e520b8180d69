// TLS 1.3 resumption as the server sees it (RFC 8446 §2.2, §4.2.11 and §4.6.1): which of the peer's
// sessions is taken, and the tickets that a finished handshake leaves behind. Internal to the
// engine.
#ifndef HANDFAST_TLS_ENGINE_RESUME13_H_
#define HANDFAST_TLS_ENGINE_RESUME13_H_

#include <optional>
#include <vector>

#include "tls/engine/context.h"
#include "tls/engine/established.h"
#include "tls/engine/key_schedule.h"
#include "tls/engine/session.h"
#include "tls/engine/transcript.h"
#include "tls/wire/client_hello_extensions.h"

namespace handfast::tls::tls13 {

// True where the peer can resume with a fresh key exchange, the one mode that we take.
bool OffersPskDheKe(const ClientHelloExtensions& extensions);

// The first of the peer's sessions that opens and fits; nullopt where none does. kBadBinder where
// its binder is wrong. `suites` are the common ones.
Result<std::optional<OfferedSession>> ChooseSession(const ClientHelloExtensions& extensions,
                                                    ByteView client_hello,
                                                    const std::string& server_name,
                                                    const std::vector<CipherSuite>& suites,
                                                    const Context& context);

// Finds the session in a second ClientHello, where it may have another index and must have a
// binder over the whole transcript so far: kChangedClientHello, kBadBinder.
Result<void> FindAgain(const ClientHelloExtensions& extensions, ByteView client_hello,
                       const Transcript& so_far, const Context& context, OfferedSession& session);

// The NewSessionTicket messages of a finished handshake; empty where there are none.
// `transcript_hash` up to the client's Finished.
Result<Bytes> IssueTickets(const Established& negotiated, const MainSecret& main,
                           const Digest& transcript_hash, const Context& context);

}  // namespace handfast::tls::tls13

#endif  // HANDFAST_TLS_ENGINE_RESUME13_H_
