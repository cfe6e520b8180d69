// The engine: Step spends a state on one event and returns what follows. The legal moves are the
// three headers below; every other pair is unexpected_message by construction.
#ifndef HANDFAST_TLS_ENGINE_ENGINE_H_
#define HANDFAST_TLS_ENGINE_ENGINE_H_

#include <string_view>
#include <vector>

#include "tls/engine/moves12.h"
#include "tls/engine/moves13.h"
#include "tls/engine/moves_client.h"
#include "tls/engine/moves_client12.h"
#include "tls/engine/moves_hello.h"
#include "tls/engine/transition.h"

namespace handfast::tls {

// Every message that has a form; the order of the columns in the printed matrix.
template <class... M>
struct MessageList {};
using Messages = MessageList<ClientHello, ServerHello, EncryptedExtensions,
                             tls13::CertificateRequest, tls13::Certificate, tls12::Certificate,
                             CertificateStatus, tls12::AnyServerKeyExchange,
                             tls12::CertificateRequest, ServerHelloDone, tls12::ClientKeyExchange,
                             CertificateVerify, tls12::NewSessionTicket, Finished, KeyUpdate>;

template <class State, class M>
concept LegalMessage = requires(State state, const Received<M>& message, const Context& context) {
  On(std::move(state), message, context);
};
template <class State, class A>
concept LegalAnswer = requires(State state, const A& answer, const Context& context) {
  On(std::move(state), answer, context);
};

// One whole handshake message, header included, from the peer.
Transition Step(EngineState&& spent, ByteView message, const Context& context);

// True where the answer is to the open question. Asked before the state is spent, so that a
// stranger's answer changes nothing.
bool Answers(const EngineState& state, const Answer& answer);
// Only after Answers().
Transition Step(EngineState&& spent, const Answer& answer, const Context& context);

// The messages that have a move in this state, by type; an order without meaning, none twice.
std::vector<HandshakeType> LegalMessages(const EngineState& state);

std::string_view StateName(const EngineState& state);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_ENGINE_H_
