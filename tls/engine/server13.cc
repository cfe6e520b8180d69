// The server's side of TLS 1.3: its hellos, its flight, and the client's Finished. The client's
// certificate is in client_auth13.cc.
#include <array>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"
#include "tls/engine/certificate_list.h"
#include "tls/engine/moves13.h"
#include "tls/engine/server_hello_phase.h"

namespace handfast::tls::tls13 {
namespace {

// The usual flight with a chain of two ECDSA certificates.
constexpr size_t kFlightReserve = 2048;

ByteView View(const std::array<uint8_t, 2>& bytes) { return bytes; }
std::array<uint8_t, 2> TwoBytes(uint16_t v) {
  return {static_cast<uint8_t>(v >> 8), static_cast<uint8_t>(v)};
}

// What a profile of `limit` means for the plaintext of a record, content type not counted.
uint16_t MaxPlaintext(const Profile& profile, bool negotiated) {
  constexpr uint16_t kUnlimited = 16384;
  if (!negotiated || profile.record_size_limit == 0) return kUnlimited;
  return static_cast<uint16_t>(profile.record_size_limit - 1);
}

bool AppendServerHello(const Hello& hello, ByteView random, ByteView key_share, Bytes& out) {
  const auto version = TwoBytes(static_cast<uint16_t>(ProtocolVersion::kTls13));
  ServerHello message;
  message.random = random;
  message.legacy_session_id_echo = hello.legacy_session_id;
  message.cipher_suite = hello.negotiated->cipher_suite;
  message.extensions = {{ExtensionType::kKeyShare, key_share},
                        {ExtensionType::kSupportedVersions, View(version)}};
  return AppendMessage(out, message);
}

bool AppendEncryptedExtensions(const Hello& hello, const Profile& profile, Bytes& out) {
  const Established& negotiated = *hello.negotiated;
  EncryptedExtensions message;
  // RFC 8446 §4.2.7: the client may use what it learns in later connections.
  const Bytes groups = Serialize(NamedGroupList{profile.groups});
  message.extensions.push_back({ExtensionType::kSupportedGroups, groups});
  const auto limit = TwoBytes(profile.record_size_limit);
  if (hello.record_size_limit && profile.record_size_limit != 0) {
    message.extensions.push_back({ExtensionType::kRecordSizeLimit, View(limit)});
  }
  if (!negotiated.server_name.empty()) {
    // RFC 6066 §3: "the "extension_data" field of this extension SHALL be empty."
    message.extensions.push_back({ExtensionType::kServerName, {}});
  }
  Bytes alpn;
  if (!negotiated.alpn.empty()) {
    alpn = Serialize(ProtocolNameList{{{AsBytes(negotiated.alpn)}}});
    message.extensions.push_back({ExtensionType::kAlpn, alpn});
  }
  return AppendMessage(out, message);
}

bool AppendCertificateRequest(const Profile& profile, Bytes& out) {
  const Bytes schemes = Serialize(SignatureSchemeList{profile.signature_schemes});
  CertificateRequest message;
  message.extensions = {{ExtensionType::kSignatureAlgorithms, schemes}};
  Bytes authorities;
  if (!profile.certificate_authorities.empty()) {
    authorities = Serialize(AuthoritiesOf(profile));
    message.extensions.push_back({ExtensionType::kCertificateAuthorities, authorities});
  }
  return AppendMessage(out, message);
}

bool AppendCertificate(const Credential& credential, Bytes& out) {
  Certificate message;
  for (const Bytes& der : credential.chain) message.certificate_list.push_back({der, {}});
  return AppendMessage(out, message);
}

Transition RequestRetry(AwaitChoice state, const Offer13& offer,
                        std::shared_ptr<const Credential> credential) {
  Hello& hello = state.hello;
  const HashAlgorithm hash = FindSuite(hello.negotiated->cipher_suite)->hash;
  const auto group = TwoBytes(static_cast<uint16_t>(hello.negotiated->group));
  Bytes retry;
  if (!AppendServerHello(hello, kHelloRetryRequestRandom, View(group), retry)) {
    return Fail(Reason::kInternalError);
  }
  Transcript transcript = Transcript::AfterRetry(hash, state.client_hello);
  transcript.Add(retry);
  std::vector<Effect> effects;
  effects.emplace_back(SendMessages{std::move(retry)});
  // RFC 8446 §D.4: the server sends a dummy change_cipher_spec "immediately after its first
  // handshake message".
  if (!hello.legacy_session_id.empty()) effects.emplace_back(SendChangeCipherSpec{});
  return {WaitRetriedClientHello{std::move(hello), std::move(credential), std::move(transcript),
                                 offer.first_hello},
          std::move(effects), std::nullopt};
}

// ServerHello to Certificate, and the question for the signature. `transcript` ends with the
// ClientHello.
Transition SendServerFlight(Hello hello, const Credential& credential, ByteView peer_share,
                            Transcript transcript, bool first_flight, const Context& context) {
  const Established& negotiated = *hello.negotiated;
  const SuiteInfo& suite = *FindSuite(negotiated.cipher_suite);
  Result<KeyPair> pair = context.randomness.NewKeyPair(negotiated.group);
  if (!pair.ok()) return Fail(pair.reason());
  Bytes server_hello;
  const Bytes share = Serialize(KeyShareServerHello{{negotiated.group, pair->public_key()}});
  if (!AppendServerHello(hello, hello.server_random, share, server_hello)) {
    return Fail(Reason::kInternalError);
  }
  Result<SharedSecret> shared = (*std::move(pair)).Derive(peer_share);
  if (!shared.ok()) return Fail(shared.reason());

  transcript.Add(server_hello);
  HandshakeSecret handshake = ToHandshake(suite.hash, *std::move(shared));
  TrafficSecrets traffic = HandshakeTraffic(suite.hash, handshake, transcript.Current());
  Bytes flight;
  flight.reserve(kFlightReserve);
  const Profile& profile = context.profile;
  if (!AppendEncryptedExtensions(hello, profile, flight) ||
      (profile.client_auth != ClientAuth::kNone && !AppendCertificateRequest(profile, flight)) ||
      !AppendCertificate(credential, flight)) {
    return Fail(Reason::kInternalError);
  }
  transcript.Add(flight);

  const uint64_t question = hello.next_question++;
  UsePrivateKey ask{question, credential.name, negotiated.signature_scheme,
                    Tls13ServerCertificateVerify{Copy(transcript.Current().view())}};
  AwaitPrivateKey next{question,
                       nullptr,
                       hello.next_question,
                       std::move(transcript),
                       std::move(flight),
                       ToMain(suite.hash, std::move(handshake)),
                       FinishedKey(suite.hash, traffic.client),
                       FinishedKey(suite.hash, traffic.server)};
  std::vector<Effect> effects;
  effects.reserve(4);
  effects.emplace_back(SendMessages{std::move(server_hello)});
  if (first_flight && !hello.legacy_session_id.empty()) {
    effects.emplace_back(SendChangeCipherSpec{});
  }
  effects.emplace_back(InstallWriteKeys{TrafficKeys13{suite.suite, std::move(traffic.server), 0},
                                        negotiated.max_fragment});
  effects.emplace_back(InstallReadKeys{TrafficKeys13{suite.suite, std::move(traffic.client), 0},
                                       MaxPlaintext(profile, hello.record_size_limit)});
  next.record_size_limit = hello.record_size_limit;
  next.negotiated = std::move(hello.negotiated);
  return {std::move(next), std::move(effects), std::move(ask)};
}

}  // namespace

Transition Begin(AwaitChoice state, const Offer13& offer,
                 std::shared_ptr<const Credential> credential, const Context& context) {
  if (offer.key_share.empty()) return RequestRetry(std::move(state), offer, std::move(credential));
  Transcript transcript(FindSuite(state.hello.negotiated->cipher_suite)->hash);
  transcript.Add(state.client_hello);
  return SendServerFlight(std::move(state.hello), *credential, offer.key_share,
                          std::move(transcript), /*first_flight=*/true, context);
}

Transition On(WaitRetriedClientHello state, const Received<ClientHello>& received,
              const Context& context) {
  const ClientHello& hello = received.message;
  const Result<ClientHelloExtensions> extensions = ReadExtensions(hello);
  if (!extensions.ok()) return Fail(extensions.reason());
  // RFC 8446 §4.1.2: "the client MUST send the same ClientHello without modification, except as
  // follows".
  if (!Equal(Fingerprint(hello).view(), state.first_hello.view())) {
    return Fail(Reason::kChangedClientHello);
  }
  // RFC 8446 §4.2.8: the client "MUST [...] replace the original "key_share" extension with one
  // containing only a new KeyShareEntry for the group indicated in the selected_group field".
  if (!extensions->key_share || extensions->key_share->client_shares.size() != 1 ||
      extensions->key_share->client_shares.front().group != state.hello.negotiated->group) {
    return Fail(Reason::kNoKeyShareAfterRetry);
  }
  state.transcript.Add(received.raw);
  return SendServerFlight(std::move(state.hello), *state.credential,
                          extensions->key_share->client_shares.front().key_exchange,
                          std::move(state.transcript), /*first_flight=*/false, context);
}

Transition On(AwaitPrivateKey state, const PrivateKeyUsed& answer, const Context& context) {
  if (answer.signature.empty()) return Fail(answer.refusal);
  const SuiteInfo& suite = *FindSuite(state.negotiated->cipher_suite);
  const size_t signed_from = state.flight.size();
  if (!AppendMessage(state.flight,
                     CertificateVerify{state.negotiated->signature_scheme, answer.signature})) {
    return Fail(Reason::kInternalError);
  }
  state.transcript.Add(ByteView(state.flight).subspan(signed_from));
  const Digest verify_data =
      FinishedVerifyData(suite.hash, state.server_finished_key, state.transcript.Current());
  const size_t finished_from = state.flight.size();
  if (!AppendMessage(state.flight, Finished{verify_data.view()})) {
    return Fail(Reason::kInternalError);
  }
  state.transcript.Add(ByteView(state.flight).subspan(finished_from));

  TrafficSecrets application =
      ApplicationTraffic(suite.hash, state.main, state.transcript.Current());
  std::vector<Effect> effects;
  effects.reserve(2);
  effects.emplace_back(SendMessages{std::move(state.flight)});
  effects.emplace_back(
      InstallWriteKeys{TrafficKeys13{suite.suite, std::move(application.server), 0},
                       state.negotiated->max_fragment});
  ClientFlight flight{
      std::move(state.negotiated),   state.next_question,
      std::move(state.transcript),   std::move(state.client_finished_key),
      std::move(application.client), MaxPlaintext(context.profile, state.record_size_limit)};
  if (context.profile.client_auth != ClientAuth::kNone) {
    return {WaitCertificate{std::move(flight)}, std::move(effects), std::nullopt};
  }
  return {WaitFinished{std::move(flight)}, std::move(effects), std::nullopt};
}

Transition On(WaitFinished state, const Received<Finished>& received, const Context&) {
  ClientFlight& flight = state.flight;
  const SuiteInfo& suite = *FindSuite(flight.negotiated->cipher_suite);
  const Digest expected =
      FinishedVerifyData(suite.hash, flight.client_finished_key, flight.transcript.Current());
  if (received.message.verify_data.size() != expected.size) return Fail(Reason::kDecodeError);
  // RFC 8446 §4.4.4: "Recipients of Finished messages MUST verify that the contents are correct and
  // if incorrect MUST terminate the connection with a "decrypt_error" alert."
  if (!ConstantTimeEqual(received.message.verify_data, expected.view())) {
    return Fail(Reason::kFinishedMismatch);
  }
  std::vector<Effect> effects;
  effects.emplace_back(InstallReadKeys{
      TrafficKeys13{suite.suite, std::move(flight.client_application_traffic_secret), 0},
      flight.max_plaintext});
  return {Connected{std::move(flight.negotiated)}, std::move(effects), std::nullopt};
}

}  // namespace handfast::tls::tls13
