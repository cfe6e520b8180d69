// Every legal move of a TLS 1.2 server after the choice. RFC 5246 §7.3.
#ifndef HANDFAST_TLS_ENGINE_MOVES12_H_
#define HANDFAST_TLS_ENGINE_MOVES12_H_

#include "tls/engine/transition.h"
#include "tls/wire/messages.h"

namespace handfast::tls::tls12 {

// clang-format off
// The peer's messages. ChangeCipherSpec is none of them: see tls/connection.
Transition On(WaitCertificate, const Received<Certificate>&, const Context&);              // -> AwaitVerdict | WaitClientKeyExchange (empty)
Transition On(WaitClientKeyExchange, const Received<ClientKeyExchange>&, const Context&);  // -> WaitCertificateVerify | WaitFinished | AwaitPremaster
Transition On(WaitCertificateVerify, const Received<CertificateVerify>&, const Context&);  // -> WaitFinished
Transition On(WaitFinished, const Received<Finished>&, const Context&);                    // -> Connected
Transition On(WaitResumedFinished, const Received<Finished>&, const Context&);             // -> Connected
// Answers.
Transition On(AwaitPrivateKey, const PrivateKeyUsed&, const Context&);                     // -> WaitCertificate | WaitClientKeyExchange
Transition On(AwaitPremaster, const PrivateKeyUsed&, const Context&);                      // -> WaitCertificateVerify | WaitFinished
Transition On(AwaitVerdict, const PeerVerdict&, const Context&);                           // -> WaitClientKeyExchange
// clang-format on

}  // namespace handfast::tls::tls12

#endif  // HANDFAST_TLS_ENGINE_MOVES12_H_
