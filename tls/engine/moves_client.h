// Every legal move of a client. RFC 8446 appendix A.1.
#ifndef HANDFAST_TLS_ENGINE_MOVES_CLIENT_H_
#define HANDFAST_TLS_ENGINE_MOVES_CLIENT_H_

#include "tls/engine/transition.h"
#include "tls/wire/messages.h"

namespace handfast::tls::client {

// clang-format off
// Asked for by nobody: the ClientHello.
Transition Begin(Start, const Context&);                                              // -> WaitServerHello
// The server's messages.
Transition On(WaitServerHello, const Received<ServerHello>&, const Context&);         // -> client13::WaitEncryptedExtensions | WaitServerHello (HelloRetryRequest, once)
// clang-format on

}  // namespace handfast::tls::client

namespace handfast::tls::client13 {

using tls13::Certificate;
using tls13::CertificateRequest;

// clang-format off
// The server's messages.
Transition On(WaitEncryptedExtensions, const Received<EncryptedExtensions>&, const Context&);  // -> WaitCertificateOrRequest | WaitFinished (resumed)
Transition On(WaitCertificateOrRequest, const Received<CertificateRequest>&, const Context&);  // -> AwaitChoice
Transition On(WaitCertificateOrRequest, const Received<Certificate>&, const Context&);         // -> AwaitVerdict
Transition On(WaitCertificate, const Received<Certificate>&, const Context&);                  // -> AwaitVerdict
Transition On(WaitCertificateVerify, const Received<CertificateVerify>&, const Context&);      // -> WaitFinished
Transition On(WaitFinished, const Received<Finished>&, const Context&);                        // -> Connected | AwaitPrivateKey
// Answers.
Transition On(AwaitChoice, const Chosen&, const Context&);                                     // -> WaitCertificate
Transition On(AwaitVerdict, const PeerVerdict&, const Context&);                               // -> WaitCertificateVerify
Transition On(AwaitPrivateKey, const PrivateKeyUsed&, const Context&);                         // -> Connected
// clang-format on

}  // namespace handfast::tls::client13

#endif  // HANDFAST_TLS_ENGINE_MOVES_CLIENT_H_
