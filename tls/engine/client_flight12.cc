// The TLS 1.2 client's part of the key exchange, its flight, and the end of the handshake (RFC 5246
// §7.4.3 and §7.4.7, RFC 8422 §5.4 and §5.7, RFC 7919).
#include <algorithm>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/kex.h"
#include "tls/crypto/rsa_encrypt.h"
#include "tls/crypto/sign.h"
#include "tls/engine/client_phase.h"
#include "tls/engine/engine.h"
#include "tls/engine/key_exchange12.h"
#include "tls/engine/moves_client12.h"
#include "tls/engine/negotiation.h"

namespace handfast::tls::client12 {
namespace {

using tls12::DheServerKeyExchange;
using tls12::ServerEcdhParams;
using tls12::ServerKeyExchange;

const SuiteInfo& SuiteOf(const Established& negotiated) {
  return *FindSuite(negotiated.cipher_suite);
}

// The signature over both randoms and the parameters, the bytes that `params` views.
Result<void> CheckSignature(const Handshake& handshake, ByteView public_key, ByteView params,
                            SignatureScheme algorithm, ByteView signature, const Profile& profile) {
  // RFC 5246 §7.4.3: "If the client has offered the "signature_algorithms" extension, the signature
  // algorithm and hash algorithm MUST be a pair listed in that extension."
  if (!Contains(profile.signature_schemes, algorithm) ||
      AuthenticationOf(algorithm) != SuiteOf(*handshake.negotiated).authentication) {
    return Reason::kSchemeNotOffered;
  }
  const Bytes content = ContentToSign(Tls12ServerKeyExchange{
      Copy(handshake.client_random), Copy(handshake.server_random), Copy(params)});
  if (!VerifySignature(ProtocolVersion::kTls12, algorithm, public_key, content, signature)) {
    return Reason::kBadSignature;
  }
  return {};
}

// How much of the body comes before the signature's scheme and length.
ByteView ParamsOf(ByteView body, ByteView signature) {
  constexpr size_t kSchemeAndLength = 4;
  return body.first(body.size() - signature.size() - kSchemeAndLength);
}

Result<KeyExchange> ExchangeEcdhe(const Handshake& handshake, ByteView public_key, ByteView body,
                                  const Context& context) {
  const auto message = Parse<ServerKeyExchange>(body);
  if (!message) return Reason::kDecodeError;
  const ServerEcdhParams& params = message->params;
  // RFC 8422 §5.4: "A possible reason for a fatal handshake failure is that the client's
  // capabilities for handling elliptic curves and point formats are exceeded".
  if (params.curve_type != ServerEcdhParams::kNamedCurve || IsFfdhe(params.named_curve) ||
      IsHybrid(params.named_curve) || !Contains(context.profile.groups, params.named_curve) ||
      !Implemented(params.named_curve)) {
    return Reason::kKeyShareNotOffered;
  }
  const Result<void> checked =
      CheckSignature(handshake, public_key, ParamsOf(body, message->signature), message->algorithm,
                     message->signature, context.profile);
  if (!checked.ok()) return checked.reason();
  Result<KeyPair> pair = context.randomness.NewKeyPair(params.named_curve);
  if (!pair.ok()) return pair.reason();
  KeyExchange exchange;
  exchange.client_key_exchange = Serialize(tls12::ClientEcdhPublic{pair->public_key()});
  Result<SharedSecret> premaster = std::move(*pair).Derive(params.point);
  if (!premaster.ok()) return premaster.reason();
  exchange.premaster = *std::move(premaster);
  handshake.negotiated->group = params.named_curve;
  return exchange;
}

// The group of RFC 7919 whose parameters these are, where the profile has it. Others, which nobody
// could judge, are refused.
std::optional<NamedGroup> FfdheGroupOf(const tls12::ServerDhParams& params,
                                       const Profile& profile) {
  for (const NamedGroup group : profile.groups) {
    if (!IsFfdhe(group)) continue;
    const FfdheParameters known = ParametersOf(group);
    if (!known.p.empty() && Equal(known.p, params.dh_p) && Equal(known.g, params.dh_g)) {
      return group;
    }
  }
  return std::nullopt;
}

Result<KeyExchange> ExchangeDhe(const Handshake& handshake, ByteView public_key, ByteView body,
                                const Context& context) {
  const auto message = Parse<DheServerKeyExchange>(body);
  if (!message) return Reason::kDecodeError;
  const auto group = FfdheGroupOf(message->params, context.profile);
  if (!group) return Reason::kNoCommonFfdheGroup;
  const Result<void> checked =
      CheckSignature(handshake, public_key, ParamsOf(body, message->signature), message->algorithm,
                     message->signature, context.profile);
  if (!checked.ok()) return checked.reason();
  Result<KeyPair> pair = context.randomness.NewKeyPair(*group);
  if (!pair.ok()) return pair.reason();
  KeyExchange exchange;
  exchange.client_key_exchange = Serialize(tls12::ClientDhPublic{pair->public_key()});
  Result<SharedSecret> premaster = tls12::DheSecret(*std::move(pair), message->params.dh_ys);
  if (!premaster.ok()) return premaster.reason();
  exchange.premaster = *std::move(premaster);
  handshake.negotiated->group = *group;
  return exchange;
}

// RFC 5246 §7.4.7.1: a premaster secret of our own, for the server's key alone.
Result<KeyExchange> ExchangeRsa(ByteView public_key, const Context& context) {
  RsaPremaster premaster;
  const std::span<uint8_t> bytes = SecretAccess::Fill(premaster, RsaPremaster::kCapacity);
  // RFC 5246 §7.4.7.1: "client_version: The latest (newest) version supported by the client."
  if (Result<void> drawn = context.randomness.Fill(bytes); !drawn.ok()) return drawn.reason();
  // RFC 5246 §7.4.7.1: "Client implementations MUST always send the correct version number in
  // PreMasterSecret."
  bytes[0] = static_cast<uint8_t>(static_cast<uint16_t>(ProtocolVersion::kTls12) >> 8);
  bytes[1] = static_cast<uint8_t>(ProtocolVersion::kTls12);
  Result<Bytes> encrypted = EncryptRsaPremaster(public_key, premaster, context.randomness);
  if (!encrypted.ok()) return encrypted.reason();
  KeyExchange exchange;
  exchange.client_key_exchange = Serialize(tls12::EncryptedPremasterSecret{*encrypted});
  exchange.premaster = *SharedSecret::From(bytes);
  return exchange;
}

// Our ChangeCipherSpec and Finished.
Result<void> SendFinished(Ending& ending, std::vector<Effect>& effects) {
  const auto verify_data = FinishedVerifyData12(SuiteOf(*ending.negotiated).hash, ending.master,
                                                "client finished", ending.transcript.Current());
  Bytes finished;
  if (!AppendMessage(finished, Finished{verify_data})) return Reason::kInternalError;
  ending.transcript.Add(finished);
  effects.emplace_back(SendChangeCipherSpec{});
  effects.emplace_back(
      InstallWriteKeys{std::move(ending.keys.client), ending.negotiated->max_fragment});
  effects.emplace_back(SendMessages{std::move(finished)});
  return {};
}

Transition EndFlight(Ending ending, Bytes flight) {
  ending.transcript.DropWhole();
  std::vector<Effect> effects;
  effects.reserve(5);
  effects.emplace_back(SendMessages{std::move(flight)});
  if (Result<void> sent = SendFinished(ending, effects); !sent.ok()) return Fail(sent.reason());
  return AwaitServer(std::move(ending), std::move(effects));
}

Ending DeriveKeys(Handshake handshake, SharedSecret premaster, const Context& context) {
  const SuiteInfo& suite = SuiteOf(*handshake.negotiated);
  MasterSecret master =
      handshake.extended_master_secret
          ? ExtendedMasterSecret(suite.hash, std::move(premaster), handshake.transcript.Current())
          : PlainMasterSecret(suite.hash, std::move(premaster), handshake.client_random,
                              handshake.server_random);
  KeyBlock keys = ExpandKeys(suite, master, handshake.client_random, handshake.server_random,
                             handshake.encrypt_then_mac);
  return {std::move(handshake.negotiated),
          std::move(handshake.transcript),
          std::move(master),
          std::move(keys),
          tls12::MaxPlaintext(context.profile, handshake.record_size_limit),
          handshake.extended_master_secret,
          handshake.new_session_ticket,
          std::move(handshake.session_id),
          {},
          0};
}

// What the handshake leaves to be resumed, where it is worth keeping.
std::optional<Session> SessionOf(Ending& ending, int64_t now_unix_s) {
  // RFC 7627 §5.4 and the triple handshake: without the extension nothing is resumed.
  if (!ending.extended_master_secret || (ending.ticket.empty() && ending.session_id.empty())) {
    return std::nullopt;
  }
  const Established& info = *ending.negotiated;
  Session session;
  session.version = info.version;
  session.cipher_suite = info.cipher_suite;
  session.secret = std::move(ending.master.secret);
  session.server_name = info.server_name;
  session.credential = info.credential;
  session.peer_chain = info.peer_chain;
  session.issued_unix_s = now_unix_s;
  // RFC 5077 §3.3: a hint of 0 leaves the time to us.
  const int64_t lifetime =
      ending.ticket_lifetime_hint == 0
          ? kMaxSessionLifetimeS
          : std::min(kMaxSessionLifetimeS, int64_t{ending.ticket_lifetime_hint});
  session.not_after_unix_s = std::min(info.not_after_unix_s, now_unix_s + lifetime);
  session.ticket = std::move(ending.ticket);
  session.session_id = std::move(ending.session_id);
  return session;
}

Transition AfterVerdict(Handshake handshake, Bytes public_key, const Context& context) {
  if (!tls12::IsStaticRsa(*handshake.negotiated)) {
    return {WaitServerKeyExchange{std::move(handshake), std::move(public_key)}, {}, std::nullopt};
  }
  Result<KeyExchange> exchange = ExchangeRsa(public_key, context);
  if (!exchange.ok()) return Fail(exchange.reason());
  return {WaitRequestOrDone{std::move(handshake), *std::move(exchange)}, {}, std::nullopt};
}

}  // namespace

Transition On(AwaitVerdict state, const PeerVerdict& answer, const Context& context) {
  if (answer.refusal) return Fail(*answer.refusal);
  int64_t& not_after = state.handshake.negotiated->not_after_unix_s;
  not_after = std::min(not_after, answer.not_after_unix_s);
  Transition after = AfterVerdict(std::move(state.handshake), std::move(state.public_key), context);
  if (state.next_message.empty() || std::holds_alternative<Failed>(after.next)) return after;
  return Step(std::move(after.next), state.next_message, context);
}

Transition On(WaitServerKeyExchange state, const Received<AnyServerKeyExchange>& received,
              const Context& context) {
  Handshake& handshake = state.handshake;
  const bool dhe = SuiteOf(*handshake.negotiated).key_exchange == SuiteKeyExchange::kDhe;
  Result<KeyExchange> exchange =
      dhe ? ExchangeDhe(handshake, state.public_key, received.message.body, context)
          : ExchangeEcdhe(handshake, state.public_key, received.message.body, context);
  if (!exchange.ok()) return Fail(exchange.reason());
  handshake.transcript.Add(received.raw);
  return {WaitRequestOrDone{std::move(handshake), *std::move(exchange)}, {}, std::nullopt};
}

Transition SendFlight(Handshake handshake, KeyExchange exchange, const Identity& identity,
                      const Context& context) {
  Bytes flight;
  // RFC 5246 §7.3: "If the server has sent a CertificateRequest message, the client MUST send the
  // Certificate message."
  if (identity.requested) {
    Certificate message;
    if (identity.credential != nullptr) {
      handshake.negotiated->credential = identity.credential->name;
      for (const Bytes& der : identity.credential->chain) message.certificate_list.push_back({der});
    }
    if (!AppendMessage(flight, message)) return Fail(Reason::kInternalError);
  }
  // RFC 5246 §7.4.7: "It MUST immediately follow the client certificate message, if it is sent."
  // And: "Otherwise, it MUST be the first message sent by the client after it receives the
  // ServerHelloDone message."
  if (!AppendMessage(flight, tls12::ClientKeyExchange{exchange.client_key_exchange})) {
    return Fail(Reason::kInternalError);
  }
  handshake.transcript.Add(flight);
  const uint64_t question = handshake.next_question++;
  Ending ending = DeriveKeys(std::move(handshake), std::move(exchange.premaster), context);
  if (identity.credential == nullptr) return EndFlight(std::move(ending), std::move(flight));
  ending.negotiated->signature_scheme = identity.scheme;
  UsePrivateKey ask{question, identity.credential->name, identity.scheme,
                    Tls12ClientCertificateVerify{*ending.transcript.whole()}};
  return {AwaitPrivateKey{question, std::move(ending), std::move(flight), identity.scheme},
          {},
          std::move(ask)};
}

Transition On(AwaitPrivateKey state, const PrivateKeyUsed& answer, const Context&) {
  if (answer.signature.empty()) return Fail(answer.refusal);
  // RFC 5246 §7.4.8: "When sent, it MUST immediately follow the client key exchange message."
  const size_t signed_from = state.flight.size();
  if (!AppendMessage(state.flight, CertificateVerify{state.scheme, answer.signature})) {
    return Fail(Reason::kInternalError);
  }
  state.ending.transcript.Add(ByteView(state.flight).subspan(signed_from));
  return EndFlight(std::move(state.ending), std::move(state.flight));
}

Transition On(WaitFinished state, const Received<Finished>& received, const Context& context) {
  Ending& ending = state.ending;
  const HashAlgorithm hash = SuiteOf(*ending.negotiated).hash;
  const Result<void> checked =
      CheckFinished12(hash, ending.master, "server finished", ending.transcript.Current(),
                      received.message.verify_data);
  if (!checked.ok()) return Fail(checked.reason());
  ending.transcript.Add(received.raw);
  std::vector<Effect> effects;
  if (ending.negotiated->resumed) {
    if (Result<void> sent = SendFinished(ending, effects); !sent.ok()) return Fail(sent.reason());
  }
  std::optional<Session> session = SessionOf(ending, context.now_unix_s);
  return {Connected{std::move(ending.negotiated), {}, {}, std::move(session)}, std::move(effects),
          std::nullopt};
}

}  // namespace handfast::tls::client12
