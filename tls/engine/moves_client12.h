// Every legal move of a TLS 1.2 client after the ServerHello. RFC 5246 §7.3, RFC 5077 §3.
#ifndef HANDFAST_TLS_ENGINE_MOVES_CLIENT12_H_
#define HANDFAST_TLS_ENGINE_MOVES_CLIENT12_H_

#include "tls/engine/transition.h"
#include "tls/wire/messages.h"

namespace handfast::tls::client12 {

using tls12::AnyServerKeyExchange;
using tls12::Certificate;
using tls12::CertificateRequest;
using tls12::NewSessionTicket;

// clang-format off
// The server's messages. ChangeCipherSpec is none of them: see tls/connection.
Transition On(WaitCertificate, const Received<Certificate>&, const Context&);                 // -> AwaitVerdict | WaitCertificateStatus (status_request)
Transition On(WaitCertificateStatus, const Received<CertificateStatus>&, const Context&);     // -> AwaitVerdict
Transition On(WaitCertificateStatus, const Received<AnyServerKeyExchange>&, const Context&);  // -> AwaitVerdict
Transition On(WaitCertificateStatus, const Received<CertificateRequest>&, const Context&);    // -> AwaitVerdict (static RSA)
Transition On(WaitCertificateStatus, const Received<ServerHelloDone>&, const Context&);       // -> AwaitVerdict (static RSA)
Transition On(WaitServerKeyExchange, const Received<AnyServerKeyExchange>&, const Context&);  // -> WaitRequestOrDone
Transition On(WaitRequestOrDone, const Received<CertificateRequest>&, const Context&);        // -> AwaitChoice
Transition On(WaitRequestOrDone, const Received<ServerHelloDone>&, const Context&);           // -> WaitFinished | WaitNewSessionTicket
Transition On(WaitServerHelloDone, const Received<ServerHelloDone>&, const Context&);         // -> WaitFinished | WaitNewSessionTicket | AwaitPrivateKey
Transition On(WaitNewSessionTicket, const Received<NewSessionTicket>&, const Context&);       // -> WaitFinished
Transition On(WaitFinished, const Received<Finished>&, const Context&);                       // -> Connected
// Answers.
Transition On(AwaitVerdict, const PeerVerdict&, const Context&);                              // -> WaitServerKeyExchange | WaitRequestOrDone (static RSA) | what the next message makes of them
Transition On(AwaitChoice, const Chosen&, const Context&);                                    // -> WaitServerHelloDone
Transition On(AwaitPrivateKey, const PrivateKeyUsed&, const Context&);                        // -> WaitFinished | WaitNewSessionTicket
// clang-format on

}  // namespace handfast::tls::client12

#endif  // HANDFAST_TLS_ENGINE_MOVES_CLIENT12_H_
