// Every legal move of a TLS 1.3 server after the choice. RFC 8446 appendix A.2.
#ifndef HANDFAST_TLS_ENGINE_MOVES13_H_
#define HANDFAST_TLS_ENGINE_MOVES13_H_

#include "tls/engine/transition.h"
#include "tls/wire/messages.h"

namespace handfast::tls::tls13 {

// clang-format off
// The peer's messages.
Transition On(WaitRetriedClientHello, const Received<ClientHello>&, const Context&);       // -> AwaitPrivateKey; asks nothing anew
Transition On(WaitCertificate, const Received<Certificate>&, const Context&);              // -> AwaitVerdict | WaitFinished (empty)
Transition On(WaitCertificateVerify, const Received<CertificateVerify>&, const Context&);  // -> WaitFinished
Transition On(WaitFinished, const Received<Finished>&, const Context&);                    // -> Connected
// Answers.
Transition On(AwaitPrivateKey, const PrivateKeyUsed&, const Context&);                     // -> WaitCertificate | WaitFinished
Transition On(AwaitVerdict, const PeerVerdict&, const Context&);                           // -> WaitCertificateVerify
// clang-format on

}  // namespace handfast::tls::tls13

#endif  // HANDFAST_TLS_ENGINE_MOVES13_H_
