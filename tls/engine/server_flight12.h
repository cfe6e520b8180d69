// What the full and the abbreviated TLS 1.2 handshake of a server share. Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_SERVER_FLIGHT12_H_
#define HANDFAST_TLS_ENGINE_SERVER_FLIGHT12_H_

#include "tls/engine/transition.h"

namespace handfast::tls::tls12 {

// RFC 8446 §4.1.3: where the profile has TLS 1.3 too.
void MarkDowngrade(const Profile& profile, HelloRandom& random);

// `client_hello`: the whole message.
HelloRandom ClientRandomOf(ByteView client_hello);

bool EncryptsThenMacs(const Established& negotiated, const Offer12& offer);

// What a ServerHello says besides what was negotiated.
struct ServerHelloSays {
  bool certificate_status = false;  // one will follow
  bool new_session_ticket = false;  // one will follow
  ByteView session_id = {};
};
bool AppendServerHello(const Hello& hello, const Offer12& offer, const Profile& profile,
                       const ServerHelloSays& says, Bytes& out);

}  // namespace handfast::tls::tls12

#endif  // HANDFAST_TLS_ENGINE_SERVER_FLIGHT12_H_
