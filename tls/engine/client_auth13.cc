// The client's certificate in TLS 1.3 (RFC 8446 §4.4.2 and §4.4.3).
#include <algorithm>
#include <utility>

#include "tls/crypto/sign.h"
#include "tls/engine/certificate_list.h"
#include "tls/engine/moves13.h"
#include "tls/engine/server_hello_phase.h"

namespace handfast::tls::tls13 {

Transition On(WaitCertificate state, const Received<Certificate>& received,
              const Context& context) {
  // RFC 8446 §4.4.2: the context is that of the request, which in the handshake is empty.
  if (!received.message.certificate_request_context.empty()) {
    return Fail(Reason::kUnexpectedMessage);
  }
  for (const CertificateEntry& entry : received.message.certificate_list) {
    // RFC 8446 §4.4.2: "Extensions in the Certificate message from the client MUST correspond to
    // extensions in the CertificateRequest message from the server." Ours asks for none.
    if (!entry.extensions.empty()) return Fail(Reason::kUnsolicitedExtension);
  }
  ClientFlight& flight = state.flight;
  flight.transcript.Add(received.raw);
  if (received.message.certificate_list.empty()) {
    // RFC 8446 §4.4.2.4: "If the client does not send any certificates (i.e., it sends an empty
    // Certificate message), the server MAY at its discretion either continue the handshake without
    // client authentication or abort the handshake with a "certificate_required" alert."
    if (context.profile.client_auth == ClientAuth::kRequired) {
      return Fail(Reason::kNoClientCertificate);
    }
    return {WaitFinished{std::move(flight)}, {}, std::nullopt};
  }
  Result<std::vector<Bytes>> chain = ChainOf(received.message.certificate_list);
  if (!chain.ok()) return Fail(chain.reason());
  Result<Bytes> public_key = LeafPublicKey(*chain);
  if (!public_key.ok()) return Fail(public_key.reason());
  const uint64_t question = flight.next_question++;
  flight.negotiated->peer_chain = *std::move(chain);
  VerifyPeer ask{question, flight.negotiated->peer_chain};
  return {AwaitVerdict{question, std::move(flight), *std::move(public_key)}, {}, std::move(ask)};
}

Transition On(AwaitVerdict state, const PeerVerdict& answer, const Context&) {
  if (answer.refusal) return Fail(*answer.refusal);
  int64_t& not_after = state.flight.negotiated->not_after_unix_s;
  not_after = std::min(not_after, answer.not_after_unix_s);
  return {WaitCertificateVerify{std::move(state.flight), std::move(state.public_key)},
          {},
          std::nullopt};
}

Transition On(WaitCertificateVerify state, const Received<CertificateVerify>& received,
              const Context& context) {
  ClientFlight& flight = state.flight;
  const CertificateVerify& message = received.message;
  // RFC 8446 §4.4.3: "If sent by a client, the signature algorithm used in the signature MUST be
  // one of those present in the supported_signature_algorithms field of the "signature_algorithms"
  // extension in the CertificateRequest message."
  if (!MaySignTls13(context.profile, message.algorithm)) return Fail(Reason::kSchemeNotOffered);
  const Bytes content =
      ContentToSign(Tls13ClientCertificateVerify{Copy(flight.transcript.Current().view())});
  // RFC 8446 §4.4.3: "If the verification fails, the receiver MUST terminate the handshake with a
  // "decrypt_error" alert."
  if (!VerifySignature(ProtocolVersion::kTls13, message.algorithm, state.public_key, content,
                       message.signature)) {
    return Fail(Reason::kBadSignature);
  }
  flight.transcript.Add(received.raw);
  return {WaitFinished{std::move(flight)}, {}, std::nullopt};
}

}  // namespace handfast::tls::tls13
