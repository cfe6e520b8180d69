// What the two halves of the TLS 1.2 server share. Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_CLIENT_AUTH12_H_
#define HANDFAST_TLS_ENGINE_CLIENT_AUTH12_H_

#include "tls/engine/profile.h"
#include "tls/engine/transition.h"

namespace handfast::tls::tls12 {

bool AppendCertificateRequest(const Profile& profile, Bytes& out);

// All that the client's keys prove is in: its ChangeCipherSpec is due.
Transition AwaitChangeCipherSpec(ClientFlight flight);

}  // namespace handfast::tls::tls12

#endif  // HANDFAST_TLS_ENGINE_CLIENT_AUTH12_H_
