// Every legal move of the shared start, server role. RFC 8446 §4.1, RFC 5246 §7.4.1.
#ifndef HANDFAST_TLS_ENGINE_MOVES_HELLO_H_
#define HANDFAST_TLS_ENGINE_MOVES_HELLO_H_

#include "tls/engine/transition.h"
#include "tls/wire/messages.h"

namespace handfast::tls {

// clang-format off
// The peer's messages.
Transition On(WaitClientHello, const Received<ClientHello>&, const Context&);  // -> AwaitChoice
// Answers.
Transition On(AwaitChoice, const Chosen&, const Context&);                     // -> moves13.h: AwaitPrivateKey | WaitRetriedClientHello; moves12.h: AwaitPrivateKey | WaitResumedFinished
// clang-format on

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_MOVES_HELLO_H_
