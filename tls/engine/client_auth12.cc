// The client's certificate in TLS 1.2 (RFC 5246 §7.4.4, §7.4.6 and §7.4.8).
#include "tls/engine/client_auth12.h"

#include <algorithm>
#include <utility>

#include "tls/crypto/sign.h"
#include "tls/engine/certificate_list.h"
#include "tls/engine/moves12.h"
#include "tls/engine/server_hello_phase.h"

namespace handfast::tls::tls12 {
namespace {

// RFC 5246 §7.4.4 and RFC 8422 §5.5: rsa_sign, ecdsa_sign.
constexpr uint8_t kCertificateTypes[] = {1, 64};

}  // namespace

bool AppendCertificateRequest(const Profile& profile, Bytes& out) {
  CertificateRequest message;
  message.certificate_types = kCertificateTypes;
  message.supported_signature_algorithms = profile.signature_schemes;
  message.certificate_authorities = AuthoritiesOf(profile).authorities;
  return AppendMessage(out, message);
}

Transition On(WaitCertificate state, const Received<Certificate>& received,
              const Context& context) {
  KeyExchange& exchange = state.exchange;
  exchange.transcript.Add(received.raw);
  if (received.message.certificate_list.empty()) {
    // RFC 5246 §7.4.6: "If the client does not send any certificates, the server MAY at its
    // discretion either continue the handshake without client authentication, or respond with a
    // fatal handshake_failure alert."
    if (context.profile.client_auth == ClientAuth::kRequired) {
      return Fail(Reason::kNoClientCertificate);
    }
    return {WaitClientKeyExchange{std::move(exchange), {}}, {}, std::nullopt};
  }
  Result<std::vector<Bytes>> chain = ChainOf(received.message.certificate_list);
  if (!chain.ok()) return Fail(chain.reason());
  Result<Bytes> public_key = LeafPublicKey(*chain);
  if (!public_key.ok()) return Fail(public_key.reason());
  const uint64_t question = exchange.next_question++;
  exchange.negotiated->peer_chain = *std::move(chain);
  VerifyPeer ask{question, exchange.negotiated->peer_chain};
  return {AwaitVerdict{question, std::move(exchange), *std::move(public_key)}, {}, std::move(ask)};
}

Transition On(AwaitVerdict state, const PeerVerdict& answer, const Context&) {
  if (answer.refusal) return Fail(*answer.refusal);
  int64_t& not_after = state.exchange.negotiated->not_after_unix_s;
  not_after = std::min(not_after, answer.not_after_unix_s);
  return {WaitClientKeyExchange{std::move(state.exchange), std::move(state.public_key)},
          {},
          std::nullopt};
}

Transition On(WaitCertificateVerify state, const Received<CertificateVerify>& received,
              const Context& context) {
  const CertificateVerify& message = received.message;
  // RFC 5246 §7.4.8: "The hash and signature algorithms used in the signature MUST be one of those
  // present in the supported_signature_algorithms field of the CertificateRequest message."
  if (!Contains(context.profile.signature_schemes, message.algorithm)) {
    return Fail(Reason::kSchemeNotOffered);
  }
  // Kept from the start where a certificate is asked for; a profile that asks for one only since
  // has nothing to verify against.
  if (!state.flight.transcript.whole()) return Fail(Reason::kInternalError);
  if (!VerifySignature(ProtocolVersion::kTls12, message.algorithm, state.public_key,
                       *state.flight.transcript.whole(), message.signature)) {
    return Fail(Reason::kBadSignature);
  }
  state.flight.transcript.Add(received.raw);
  return AwaitChangeCipherSpec(std::move(state.flight));
}

}  // namespace handfast::tls::tls12
