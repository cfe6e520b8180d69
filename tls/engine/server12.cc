// The server's side of TLS 1.2: ephemeral ECDH under an AEAD suite, ClientHello to Finished. The
// client's certificate is in client_auth12.cc.
#include <algorithm>
#include <array>
#include <utility>

#include "tls/crypto/hkdf.h"
#include "tls/engine/certificate_list.h"
#include "tls/engine/client_auth12.h"
#include "tls/engine/moves12.h"
#include "tls/engine/server_hello_phase.h"

namespace handfast::tls::tls12 {
namespace {

constexpr size_t kFlightReserve = 2048;
// Header, legacy_version: the client's random begins behind them.
constexpr size_t kClientRandomOffset = kHandshakeHeaderSize + 2;

// RFC 8446 §4.1.3: "If negotiating TLS 1.2, TLS 1.3 servers MUST set the last 8 bytes of their
// Random value to the bytes: 44 4F 57 4E 47 52 44 01".
constexpr uint8_t kDowngradeSentinel[] = {0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01};

void MarkDowngrade(const Profile& profile, HelloRandom& random) {
  if (!Contains(profile.versions, ProtocolVersion::kTls13)) return;
  std::copy(std::begin(kDowngradeSentinel), std::end(kDowngradeSentinel), random.end() - 8);
}

// The first common suite whose authentication is that of our scheme.
std::optional<CipherSuite> SuiteFor(SignatureScheme scheme,
                                    const std::vector<CipherSuite>& suites) {
  for (CipherSuite suite : suites) {
    if (FindSuite(suite)->authentication == AuthenticationOf(scheme)) return suite;
  }
  return std::nullopt;
}

bool AppendServerHello(const Hello& hello, const Offer12& offer, const Profile& profile,
                       Bytes& out) {
  const Established& negotiated = *hello.negotiated;
  // RFC 5246 §7.4.1.3: an empty session_id says that the session will not be cached.
  static constexpr uint8_t kNothingRenegotiated[] = {0};
  static constexpr uint8_t kUncompressed[] = {1, 0};
  ServerHello message;
  message.random = hello.server_random;
  message.cipher_suite = negotiated.cipher_suite;
  if (offer.secure_renegotiation) {
    message.extensions.push_back({ExtensionType::kRenegotiationInfo, kNothingRenegotiated});
  }
  if (!negotiated.server_name.empty()) {
    message.extensions.push_back({ExtensionType::kServerName, {}});
  }
  if (offer.ec_point_formats) {
    message.extensions.push_back({ExtensionType::kEcPointFormats, kUncompressed});
  }
  if (offer.extended_master_secret) {
    message.extensions.push_back({ExtensionType::kExtendedMasterSecret, {}});
  }
  Bytes alpn;
  if (!negotiated.alpn.empty()) {
    alpn = Serialize(ProtocolNameList{{{AsBytes(negotiated.alpn)}}});
    message.extensions.push_back({ExtensionType::kAlpn, alpn});
  }
  const Bytes limit = Serialize(RecordSizeLimit{MaxPlaintext(profile, true)});
  if (hello.record_size_limit && profile.record_size_limit != 0) {
    message.extensions.push_back({ExtensionType::kRecordSizeLimit, limit});
  }
  message.has_extensions = !message.extensions.empty();
  return AppendMessage(out, message);
}

bool AppendCertificate(const Credential& credential, Bytes& out) {
  Certificate message;
  for (const Bytes& der : credential.chain) message.certificate_list.push_back({der});
  return AppendMessage(out, message);
}

KeyExchange BeginKeyExchange(AwaitChoice& state, const Offer12& offer, const Profile& profile,
                             KeyPair pair) {
  Transcript transcript(FindSuite(state.hello.negotiated->cipher_suite)->hash);
  if (profile.client_auth != ClientAuth::kNone) transcript.KeepWhole();
  transcript.Add(state.client_hello);
  KeyExchange exchange{nullptr,
                       0,
                       std::move(transcript),
                       std::move(pair),
                       {},
                       state.hello.server_random,
                       offer.extended_master_secret,
                       state.hello.record_size_limit};
  std::copy_n(state.client_hello.begin() + kClientRandomOffset, kRandomSize,
              exchange.client_random.begin());
  return exchange;
}

}  // namespace

uint16_t MaxPlaintext(const Profile& profile, bool negotiated) {
  constexpr uint16_t kUnlimited = 16384;
  if (!negotiated || profile.record_size_limit == 0) return kUnlimited;
  return std::min(profile.record_size_limit, kUnlimited);
}

Transition Begin(AwaitChoice state, const Offer12& offer,
                 const std::shared_ptr<const Credential>& credential, const Context& context) {
  Hello& hello = state.hello;
  Established& negotiated = *hello.negotiated;
  const auto suite = SuiteFor(negotiated.signature_scheme, offer.cipher_suites);
  if (!suite) return Fail(Reason::kNoCommonCipherSuite);
  negotiated.cipher_suite = *suite;
  MarkDowngrade(context.profile, hello.server_random);
  Result<KeyPair> pair = context.randomness.NewKeyPair(negotiated.group);
  if (!pair.ok()) return Fail(pair.reason());
  Bytes params;
  if (!AppendSerialized(params, ServerEcdhParams{ServerEcdhParams::kNamedCurve, negotiated.group,
                                                 pair->public_key()})) {
    return Fail(Reason::kInternalError);
  }
  Bytes flight;
  flight.reserve(kFlightReserve);
  if (!AppendServerHello(hello, offer, context.profile, flight) ||
      !AppendCertificate(*credential, flight)) {
    return Fail(Reason::kInternalError);
  }
  KeyExchange exchange = BeginKeyExchange(state, offer, context.profile, *std::move(pair));
  const uint64_t question = hello.next_question++;
  UsePrivateKey ask{question, credential->name, negotiated.signature_scheme,
                    Tls12ServerKeyExchange{Copy(exchange.client_random),
                                           Copy(exchange.server_random), std::move(params)}};
  exchange.next_question = hello.next_question;
  exchange.negotiated = std::move(hello.negotiated);
  return {AwaitPrivateKey{question, std::move(exchange), std::move(flight)}, {}, std::move(ask)};
}

Transition On(AwaitPrivateKey state, const PrivateKeyUsed& answer, const Context& context) {
  if (answer.signature.empty()) return Fail(answer.refusal);
  KeyExchange& exchange = state.exchange;
  const Established& negotiated = *exchange.negotiated;
  const bool request = context.profile.client_auth != ClientAuth::kNone;
  ServerKeyExchange message;
  message.params = {ServerEcdhParams::kNamedCurve, negotiated.group,
                    exchange.key_pair.public_key()};
  message.algorithm = negotiated.signature_scheme;
  message.signature = answer.signature;
  if (!AppendMessage(state.flight, message) ||
      (request && !AppendCertificateRequest(context.profile, state.flight)) ||
      !AppendMessage(state.flight, ServerHelloDone())) {
    return Fail(Reason::kInternalError);
  }
  exchange.transcript.Add(state.flight);
  std::vector<Effect> effects;
  effects.emplace_back(SendMessages{std::move(state.flight)});
  if (request) return {WaitCertificate{std::move(exchange)}, std::move(effects), std::nullopt};
  return {WaitClientKeyExchange{std::move(exchange), {}}, std::move(effects), std::nullopt};
}

Transition On(WaitClientKeyExchange state, const Received<ClientKeyExchange>& received,
              const Context& context) {
  KeyExchange& exchange = state.exchange;
  const SuiteInfo& suite = *FindSuite(exchange.negotiated->cipher_suite);
  Result<SharedSecret> premaster = std::move(exchange.key_pair).Derive(received.message.point);
  if (!premaster.ok()) return Fail(premaster.reason());
  exchange.transcript.Add(received.raw);
  MasterSecret master =
      exchange.extended_master_secret
          ? ExtendedMasterSecret(suite.hash, *std::move(premaster), exchange.transcript.Current())
          : PlainMasterSecret(suite.hash, *std::move(premaster), exchange.client_random,
                              exchange.server_random);
  KeyBlock keys = ExpandKeys(suite, master, exchange.client_random, exchange.server_random);
  ClientFlight flight{std::move(exchange.negotiated), std::move(exchange.transcript),
                      std::move(master), std::move(keys),
                      MaxPlaintext(context.profile, exchange.record_size_limit)};
  if (!state.public_key.empty()) {
    return {
        WaitCertificateVerify{std::move(flight), std::move(state.public_key)}, {}, std::nullopt};
  }
  return AwaitChangeCipherSpec(std::move(flight));
}

Transition AwaitChangeCipherSpec(ClientFlight flight) {
  flight.transcript.DropWhole();
  std::vector<Effect> effects;
  effects.emplace_back(ArmReadKeys{std::move(flight.keys.client), flight.max_plaintext});
  return {WaitFinished{std::move(flight.negotiated), std::move(flight.transcript),
                       std::move(flight.master), std::move(flight.keys.server)},
          std::move(effects), std::nullopt};
}

Transition On(WaitFinished state, const Received<Finished>& received, const Context&) {
  const HashAlgorithm hash = FindSuite(state.negotiated->cipher_suite)->hash;
  const auto expected =
      FinishedVerifyData12(hash, state.master, "client finished", state.transcript.Current());
  if (received.message.verify_data.size() != expected.size()) return Fail(Reason::kDecodeError);
  // RFC 5246 §7.4.9: "Recipients of Finished messages MUST verify that the contents are correct."
  if (!ConstantTimeEqual(received.message.verify_data, expected)) {
    return Fail(Reason::kFinishedMismatch);
  }
  state.transcript.Add(received.raw);
  const auto ours =
      FinishedVerifyData12(hash, state.master, "server finished", state.transcript.Current());
  Bytes finished;
  if (!AppendMessage(finished, Finished{ours})) return Fail(Reason::kInternalError);
  const uint16_t max_fragment = state.negotiated->max_fragment;
  std::vector<Effect> effects;
  effects.reserve(3);
  effects.emplace_back(SendChangeCipherSpec{});
  effects.emplace_back(InstallWriteKeys{std::move(state.server_keys), max_fragment});
  effects.emplace_back(SendMessages{std::move(finished)});
  return {Connected{std::move(state.negotiated), {}, {}}, std::move(effects), std::nullopt};
}

}  // namespace handfast::tls::tls12
