// The key exchange of a TLS 1.2 server, and where it touches the rest. Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_KEY_EXCHANGE12_H_
#define HANDFAST_TLS_ENGINE_KEY_EXCHANGE12_H_

#include "tls/engine/transition.h"

namespace handfast::tls::tls12 {

// Behind ServerHello and Certificate, which are `flight`: asks for ServerKeyExchange's signature.
Transition AskToSign(KeyExchange exchange, Bytes flight, const Credential& credential);

// True where the client encrypts a secret of its own to our key, and we have no ServerKeyExchange.
bool IsStaticRsa(const Established& negotiated);

// The premaster secret of a finite field, of either role's public value, which may come without
// leading zeros (RFC 5246 §7.4.7.2): kBadDhPublicValue.
Result<SharedSecret> DheSecret(KeyPair pair, ByteView dh_yc);

// The rest of the server's flight, and what the client says next. In server12.cc.
Transition SendFlight(KeyExchange exchange, Bytes flight, const Context& context);

}  // namespace handfast::tls::tls12

#endif  // HANDFAST_TLS_ENGINE_KEY_EXCHANGE12_H_
