// What the parts of the client share. Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_CLIENT_PHASE_H_
#define HANDFAST_TLS_ENGINE_CLIENT_PHASE_H_

#include "tls/engine/transition.h"
#include "tls/wire/messages.h"

namespace handfast::tls {

namespace client {
// Why an extension of the server's is refused that this message must not hold.
Reason NotOffered(ExtensionType type, const Extensions& offered);

// What we show to a server that asked for a certificate: the answer's credential where its key has
// one of `schemes` and its chain is signed with no other than `certificate_schemes`, as they were
// asked, else none.
Identity IdentityFrom(const Chosen& answer, const std::vector<SignatureScheme>& schemes,
                      SchemeSet certificate_schemes);

// RFC 8446 §4.2.11.2: fills in the binder, the last bytes of the message, over all that comes
// before the list of binders. `so_far`: what came before the message.
void Bind(const Session& session, Transcript so_far, Bytes& message);

// An ALPN answer (RFC 7301 §3.1): kDecodeError, kProtocolNotOffered.
Result<void> ReadAlpn(ByteView body, const std::vector<std::string>& offered,
                      Established& negotiated);
// A record_size_limit answer (RFC 8449); `content_type`: it counts one byte more, as in TLS 1.3.
Result<void> ReadLimit(ByteView body, const Profile& profile, bool content_type,
                       Established& negotiated);
}  // namespace client

namespace client13 {
// From a ServerHello that was checked to its keys. `share`: the server's public key. The state's
// session, where it has one, is resumed.
Transition Continue(client::WaitServerHello state, const Received<ServerHello>& received,
                    ByteView share);
}  // namespace client13

namespace client12 {
// From a ServerHello without supported_versions. `ours`: the ClientHello that it answers.
Transition Continue(client::WaitServerHello state, const Received<ServerHello>& received,
                    const ClientHello& ours, const Context& context);
// From what both sides gave to the exchange: our flight, or the question that it needs.
Transition SendFlight(Handshake handshake, KeyExchange exchange, const Identity& identity,
                      const Context& context);
// Once the master secret is known and our part is said: what the server says next.
Transition AwaitServer(Ending ending, std::vector<Effect> effects);
}  // namespace client12

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_CLIENT_PHASE_H_
