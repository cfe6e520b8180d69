// What a move yields: the next state, what must be carried out, and perhaps a question.
#ifndef HANDFAST_TLS_ENGINE_TRANSITION_H_
#define HANDFAST_TLS_ENGINE_TRANSITION_H_

#include <optional>
#include <variant>
#include <vector>

#include "tls/crypto/traffic_keys.h"
#include "tls/engine/context.h"
#include "tls/engine/question.h"
#include "tls/engine/state12.h"
#include "tls/engine/state13.h"
#include "tls/engine/state_client.h"
#include "tls/engine/state_client12.h"
#include "tls/engine/state_hello.h"

namespace handfast::tls {

using EngineState =
    std::variant<WaitClientHello, AwaitChoice, tls13::WaitRetriedClientHello,
                 tls13::AwaitPrivateKey, tls13::WaitCertificate, tls13::AwaitVerdict,
                 tls13::WaitCertificateVerify, tls13::WaitFinished, tls12::AwaitPrivateKey,
                 tls12::WaitCertificate, tls12::AwaitVerdict, tls12::WaitClientKeyExchange,
                 tls12::AwaitPremaster, tls12::WaitCertificateVerify, tls12::WaitFinished,
                 Connected, Failed, client::Start, client::WaitServerHello,
                 client13::WaitEncryptedExtensions, client13::WaitCertificateOrRequest,
                 client13::AwaitChoice, client13::WaitCertificate, client13::AwaitVerdict,
                 client13::WaitCertificateVerify, client13::WaitFinished, client13::AwaitPrivateKey,
                 client12::WaitCertificate, client12::AwaitVerdict, client12::WaitServerKeyExchange,
                 client12::WaitRequestOrDone, client12::AwaitChoice, client12::WaitServerHelloDone,
                 client12::AwaitPrivateKey, client12::WaitNewSessionTicket, client12::WaitFinished,
                 tls12::WaitResumedFinished, client12::WaitCertificateStatus>;

// Effects are carried out in order.

// Whole handshake messages, under the write keys of the moment.
struct SendMessages {
  Bytes messages;
};
struct SendChangeCipherSpec {};
// `max_fragment`: what the peer takes in a protected record (RFC 8449).
struct InstallWriteKeys {
  TrafficKeys keys;
  uint16_t max_fragment;
};
// `max_plaintext`: what we advertised.
struct InstallReadKeys {
  TrafficKeys keys;
  uint16_t max_plaintext;
};
// TLS 1.2: to be installed by the peer's ChangeCipherSpec, which is now due.
struct ArmReadKeys {
  TrafficKeys keys;
  uint16_t max_plaintext;
};
// RFC 8446 §4.2.10: early data that was refused is on its way, and is to be passed over.
struct SkipEarlyData {};
// A client learns the version with the ServerHello. (A server says it with its first question.)
struct Negotiated {
  ProtocolVersion version;
};
using Effect = std::variant<SendMessages, SendChangeCipherSpec, InstallWriteKeys, InstallReadKeys,
                            ArmReadKeys, SkipEarlyData, Negotiated>;

struct Transition {
  EngineState next;
  std::vector<Effect> effects;
  std::optional<Question> question;
};

// Out of line and cold: see base/result.h.
[[gnu::cold, gnu::noinline]] inline Transition Fail(Reason reason) {
  return {Failed{reason}, {}, std::nullopt};
}

// A message as it was received: parsed, and its bytes with their header, for the transcript.
template <class M>
struct Received {
  const M& message;
  ByteView raw;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_TRANSITION_H_
