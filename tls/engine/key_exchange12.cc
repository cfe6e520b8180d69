// The key exchange of a TLS 1.2 server: ServerKeyExchange, ClientKeyExchange, and the keys that
// follow from them (RFC 5246 §7.4.3 and §7.4.7, RFC 8422 §5.4 and §5.7, RFC 7919).
#include "tls/engine/key_exchange12.h"

#include <algorithm>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/kex.h"
#include "tls/engine/client_auth12.h"
#include "tls/engine/moves12.h"
#include "tls/engine/negotiation.h"

namespace handfast::tls::tls12 {
namespace {

ServerEcdhParams EcdhParams(const KeyPair& pair) {
  return {ServerEcdhParams::kNamedCurve, pair.group(), pair.public_key()};
}

ServerDhParams DhParams(const KeyPair& pair) {
  const FfdheParameters parameters = ParametersOf(pair.group());
  return {parameters.p, parameters.g, pair.public_key()};
}

// RFC 5246 §7.4.7.2: dh_Yc may come without leading zeros. Nullopt: it is longer than the prime.
std::optional<Bytes> Padded(ByteView dh_yc, size_t size) {
  if (dh_yc.size() > size) return std::nullopt;
  Bytes padded(size - dh_yc.size(), 0);
  Append(padded, dh_yc);
  return padded;
}

}  // namespace

Result<SharedSecret> DheSecret(KeyPair pair, ByteView dh_yc) {
  const std::optional<Bytes> padded = Padded(dh_yc, pair.public_key().size());
  if (!padded) return Reason::kBadDhPublicValue;
  Result<SharedSecret> z = std::move(pair).Derive(*padded);
  // RFC 7919 §4: "the server MUST verify that 1 < dh_Yc < dh_p - 1. If dh_Yc is out of range, the
  // server MUST terminate the connection with a fatal handshake_failure(40) alert."
  if (!z.ok()) return Reason::kBadDhPublicValue;
  return WithoutLeadingZeros(*std::move(z));
}

namespace {

// The premaster secret of an ephemeral exchange.
Result<SharedSecret> Premaster(KeyExchange& exchange, ByteView exchange_keys) {
  if (IsFfdhe(exchange.key_pair.group())) {
    const auto keys = Parse<ClientDhPublic>(exchange_keys);
    if (!keys) return Reason::kDecodeError;
    return DheSecret(std::move(exchange.key_pair), keys->dh_yc);
  }
  const auto keys = Parse<ClientEcdhPublic>(exchange_keys);
  if (!keys) return Reason::kDecodeError;
  return std::move(exchange.key_pair).Derive(keys->point);
}

// ClientKeyExchange is in the transcript.
Transition DeriveKeys(KeyExchange exchange, SharedSecret premaster, Bytes public_key,
                      const Context& context) {
  const SuiteInfo& suite = *FindSuite(exchange.negotiated->cipher_suite);
  MasterSecret master =
      exchange.extended_master_secret
          ? ExtendedMasterSecret(suite.hash, std::move(premaster), exchange.transcript.Current())
          : PlainMasterSecret(suite.hash, std::move(premaster), exchange.client_random,
                              exchange.server_random);
  KeyBlock keys = ExpandKeys(suite, master, exchange.client_random, exchange.server_random,
                             exchange.encrypt_then_mac);
  ClientFlight flight{std::move(exchange.negotiated),
                      std::move(exchange.transcript),
                      std::move(master),
                      std::move(keys),
                      MaxPlaintext(context.profile, exchange.record_size_limit),
                      std::move(exchange.resumable)};
  if (!public_key.empty()) {
    return {WaitCertificateVerify{std::move(flight), std::move(public_key)}, {}, std::nullopt};
  }
  return AwaitChangeCipherSpec(std::move(flight));
}

// RFC 5246 §7.4.7.1: what is in it, the private key alone may see.
Transition AskForPremaster(WaitClientKeyExchange state, ByteView exchange_keys) {
  const auto keys = Parse<EncryptedPremasterSecret>(exchange_keys);
  if (!keys) return Fail(Reason::kDecodeError);
  KeyExchange& exchange = state.exchange;
  const uint64_t question = exchange.next_question++;
  // Nothing is signed in this handshake.
  const SignatureScheme scheme = std::exchange(exchange.negotiated->signature_scheme, {});
  UsePrivateKey ask{question, exchange.negotiated->credential, scheme,
                    Tls12RsaPremaster{Copy(keys->encrypted), exchange.client_version}};
  return {AwaitPremaster{question, std::move(exchange), std::move(state.public_key)},
          {},
          std::move(ask)};
}

}  // namespace

bool IsStaticRsa(const Established& negotiated) {
  return FindSuite(negotiated.cipher_suite)->key_exchange == SuiteKeyExchange::kRsa;
}

Transition AskToSign(KeyExchange exchange, Bytes flight, const Credential& credential) {
  Bytes params;
  const bool written = IsFfdhe(exchange.key_pair.group())
                           ? AppendSerialized(params, DhParams(exchange.key_pair))
                           : AppendSerialized(params, EcdhParams(exchange.key_pair));
  if (!written) return Fail(Reason::kInternalError);
  const uint64_t question = exchange.next_question++;
  UsePrivateKey ask{question, credential.name, exchange.negotiated->signature_scheme,
                    Tls12ServerKeyExchange{Copy(exchange.client_random),
                                           Copy(exchange.server_random), std::move(params)}};
  return {AwaitPrivateKey{question, std::move(exchange), std::move(flight)}, {}, std::move(ask)};
}

Transition On(AwaitPrivateKey state, const PrivateKeyUsed& answer, const Context& context) {
  if (answer.signature.empty()) return Fail(answer.refusal);
  const KeyPair& pair = state.exchange.key_pair;
  const SignatureScheme scheme = state.exchange.negotiated->signature_scheme;
  const bool written =
      IsFfdhe(pair.group())
          ? AppendMessage(state.flight,
                          DheServerKeyExchange{DhParams(pair), scheme, answer.signature})
          : AppendMessage(state.flight,
                          ServerKeyExchange{EcdhParams(pair), scheme, answer.signature});
  if (!written) return Fail(Reason::kInternalError);
  return SendFlight(std::move(state.exchange), std::move(state.flight), context);
}

Transition On(WaitClientKeyExchange state, const Received<ClientKeyExchange>& received,
              const Context& context) {
  KeyExchange& exchange = state.exchange;
  if (IsStaticRsa(*exchange.negotiated)) {
    exchange.transcript.Add(received.raw);
    return AskForPremaster(std::move(state), received.message.exchange_keys);
  }
  Result<SharedSecret> premaster = Premaster(exchange, received.message.exchange_keys);
  if (!premaster.ok()) return Fail(premaster.reason());
  exchange.transcript.Add(received.raw);
  return DeriveKeys(std::move(exchange), *std::move(premaster), std::move(state.public_key),
                    context);
}

Transition On(AwaitPremaster state, const PrivateKeyUsed& answer, const Context& context) {
  if (answer.premaster == nullptr) return Fail(answer.refusal);
  return DeriveKeys(std::move(state.exchange),
                    *SharedSecret::From(SecretAccess::Open(*answer.premaster)),
                    std::move(state.public_key), context);
}

}  // namespace handfast::tls::tls12
