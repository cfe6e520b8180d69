#include "tls/engine/engine.h"

#include <algorithm>
#include <utility>

namespace handfast::tls {
namespace {

template <class State>
Transition Move(State&, HandshakeType, ByteView, const Context&, MessageList<>) {
  // RFC 8446 §4: "A peer which receives a handshake message in an unexpected order MUST abort the
  // handshake with an "unexpected_message" alert."
  // RFC 5246 §7.4: "The handshake protocol messages are presented below in the order they MUST be
  // sent; sending handshake messages in an unexpected order results in a fatal error." RFC 8446
  // §4.1.2: "Because TLS 1.3 forbids renegotiation, if a server has negotiated TLS 1.3 and receives
  // a ClientHello at any other time, it MUST terminate the connection with an "unexpected_message"
  // alert." §4.5: "Servers MUST NOT send this message, and clients receiving it MUST terminate the
  // connection with an "unexpected_message" alert." §4.6.3: "Implementations that receive a
  // KeyUpdate message prior to receiving a Finished message MUST terminate the connection with an
  // "unexpected_message" alert."
  return Fail(Reason::kUnexpectedMessage);
}

// M's move where the type is M's and the move is legal, else one of those that follow.
template <class State, class M, class... Rest>
Transition Move(State& state, HandshakeType type, ByteView raw, const Context& context,
                MessageList<M, Rest...>) {
  if constexpr (LegalMessage<State, M>) {
    if (type == M::kType) {
      const std::optional<M> message = Parse<M>(raw.subspan(kHandshakeHeaderSize));
      // RFC 8446 §6: "Peers which receive a message which cannot be parsed according to the syntax
      // (e.g., have a length extending beyond the message boundary or contain an out-of-range
      // length) MUST terminate the connection with a "decode_error" alert."
      // RFC 8446 §4.1.2: "If negotiating a version of TLS prior to 1.3, a server MUST check that
      // the message either contains no data after legacy_compression_methods or that it contains a
      // valid extensions block with no data following." And: "If not, then it MUST abort the
      // handshake with a "decode_error" alert." RFC 5246 §7.4.1.2: "A server MUST accept
      // ClientHello messages both with and without the extensions field, and (as for all other
      // messages) it MUST check that the amount of data in the message precisely matches one of
      // these formats; if not, then it MUST send a fatal "decode_error" alert."
      if (!message) return Fail(Reason::kDecodeError);
      return On(std::move(state), Received<M>{*message, raw}, context);
    }
  }
  return Move(state, type, raw, context, MessageList<Rest...>());
}

template <class State, class... M>
std::vector<HandshakeType> LegalIn(MessageList<M...>) {
  std::vector<HandshakeType> types;
  const auto add = [&types](bool legal, HandshakeType type) {
    if (legal && std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  };
  (add(LegalMessage<State, M>, M::kType), ...);
  return types;
}

uint64_t QuestionOf(const Answer& answer) {
  return std::visit([](const auto& a) { return a.question; }, answer);
}

}  // namespace

Transition Step(EngineState&& spent, ByteView message, const Context& context) {
  const auto type = static_cast<HandshakeType>(message[0]);
  return std::visit([&](auto& state) { return Move(state, type, message, context, Messages()); },
                    spent);
}

bool Answers(const EngineState& state, const Answer& answer) {
  return std::visit(
      [&]<class State, class A>(const State& s, const A&) {
        if constexpr (LegalAnswer<State, A>) {
          return s.question == QuestionOf(answer);
        } else {
          return false;
        }
      },
      state, answer);
}

Transition Step(EngineState&& spent, const Answer& answer, const Context& context) {
  return std::visit(
      [&]<class State, class A>(State& state, const A& a) -> Transition {
        if constexpr (LegalAnswer<State, A>) {
          return On(std::move(state), a, context);
        } else {
          return Fail(Reason::kInternalError);
        }
      },
      spent, answer);
}

std::vector<HandshakeType> LegalMessages(const EngineState& state) {
  return std::visit([]<class State>(const State&) { return LegalIn<State>(Messages()); }, state);
}

std::string_view StateName(const EngineState& state) {
  return std::visit([](const auto& s) { return s.kName; }, state);
}

}  // namespace handfast::tls
