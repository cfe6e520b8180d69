// From ClientHello to the choice: what the two version's moves take over from the shared start.
// Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_SERVER_HELLO_PHASE_H_
#define HANDFAST_TLS_ENGINE_SERVER_HELLO_PHASE_H_

#include "tls/engine/negotiation.h"
#include "tls/engine/transition.h"
#include "tls/wire/client_hello_extensions.h"

namespace handfast::tls {

// What a second ClientHello must repeat (RFC 8446 §4.1.2): a digest over all but the extensions
// that may change.
Digest Fingerprint(const ClientHello& hello);

namespace tls13 {
// After the choice: the server's flight, or a HelloRetryRequest. `credential` is null where the
// offer's session is resumed.
Transition Begin(AwaitChoice state, Offer13 offer, std::shared_ptr<const Credential> credential,
                 const Context& context);
}  // namespace tls13

namespace tls12 {
Transition Begin(AwaitChoice state, const Offer12& offer,
                 const std::shared_ptr<const Credential>& credential, const Context& context);
}  // namespace tls12

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_SERVER_HELLO_PHASE_H_
