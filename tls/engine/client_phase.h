// What the parts of the client share. Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_CLIENT_PHASE_H_
#define HANDFAST_TLS_ENGINE_CLIENT_PHASE_H_

#include "tls/engine/transition.h"
#include "tls/wire/messages.h"

namespace handfast::tls {

namespace client {
// Why an extension of the server's is refused that this message must not hold.
Reason NotOffered(ExtensionType type, const Extensions& offered);
}  // namespace client

namespace client13 {
// From a ServerHello that was checked to its keys. `share`: the server's public key. The state's
// session, where it has one, is resumed.
Transition Continue(client::WaitServerHello state, const Received<ServerHello>& received,
                    ByteView share);
}  // namespace client13

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_CLIENT_PHASE_H_
