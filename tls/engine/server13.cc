// The server's side of TLS 1.3: its hellos, its flight, and the client's Finished. The client's
// certificate is in client_auth13.cc.
#include <array>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"
#include "tls/crypto/respond.h"
#include "tls/engine/certificate_list.h"
#include "tls/engine/moves13.h"
#include "tls/engine/resume13.h"
#include "tls/engine/server_hello_phase.h"

namespace handfast::tls::tls13 {
namespace {

// The usual flight with a chain of two ECDSA certificates.
constexpr size_t kFlightReserve = 2048;

ByteView View(const std::array<uint8_t, 2>& bytes) { return bytes; }
std::array<uint8_t, 2> TwoBytes(uint16_t v) {
  return {static_cast<uint8_t>(v >> 8), static_cast<uint8_t>(v)};
}

// `session` null: none is resumed.
bool AppendServerHello(const Hello& hello, ByteView random, ByteView key_share,
                       const OfferedSession* session, Bytes& out) {
  const auto version = TwoBytes(static_cast<uint16_t>(ProtocolVersion::kTls13));
  ServerHello message;
  message.random = random;
  message.legacy_session_id_echo = hello.legacy_session_id;
  message.cipher_suite = hello.negotiated->cipher_suite;
  // RFC 8446 §4.1.3: "The ServerHello MUST only include extensions which are required to establish
  // the cryptographic context and negotiate the protocol version." And: "All TLS 1.3 ServerHello
  // messages MUST contain the "supported_versions" extension." §4.2.1: "A server which negotiates
  // TLS 1.3 MUST respond by sending a "supported_versions" extension containing the selected
  // version value (0x0304)." §9.2: ""supported_versions" is REQUIRED for all ClientHello,
  // ServerHello, and HelloRetryRequest messages."
  message.extensions = {{ExtensionType::kKeyShare, key_share},
                        {ExtensionType::kSupportedVersions, View(version)}};
  const auto index = TwoBytes(session == nullptr ? 0 : session->index);
  if (session != nullptr) message.extensions.push_back({ExtensionType::kPreSharedKey, View(index)});
  return AppendMessage(out, message);
}

bool AppendEncryptedExtensions(const Hello& hello, const Profile& profile, Bytes& out) {
  const Established& negotiated = *hello.negotiated;
  // RFC 8446 §4.2.9: "The server MUST NOT send a "psk_key_exchange_modes" extension."
  EncryptedExtensions message;
  // RFC 8446 §4.2.7: the client may use what it learns in later connections.
  NamedGroupList known{profile.groups};
  std::erase_if(known.groups, [](NamedGroup g) { return IsHybrid(g) && !Implemented(g); });
  const Bytes groups = Serialize(known);
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
  // RFC 8446 §4.3.2: "The certificate_request_context MUST be unique within the scope of this
  // connection (thus preventing replay of client CertificateVerify messages)." The handshake has
  // one alone.
  CertificateRequest message;
  message.extensions = {{ExtensionType::kSignatureAlgorithms, schemes}};
  // RFC 8446 §4.2.3: "Implementations which have the same policy in both cases MAY omit the
  // "signature_algorithms_cert" extension."
  Bytes certified;
  if (!profile.certificate_schemes.empty()) {
    certified = Serialize(SignatureSchemeList{profile.certificate_schemes});
    message.extensions.push_back({ExtensionType::kSignatureAlgorithmsCert, certified});
  }
  Bytes authorities;
  if (!profile.certificate_authorities.empty()) {
    authorities = Serialize(AuthoritiesOf(profile));
    message.extensions.push_back({ExtensionType::kCertificateAuthorities, authorities});
  }
  return AppendMessage(out, message);
}

bool AppendCertificate(const Credential& credential, bool status_request, Bytes& out) {
  Certificate message;
  // RFC 8446 §4.4.2: "Otherwise (in the case of server authentication), this field SHALL be zero
  // length." And: "The sender's certificate MUST come in the first CertificateEntry in the list."
  for (const Bytes& der : credential.chain) message.certificate_list.push_back({der, {}});
  // RFC 8446 §4.4.2.1: "the body of the "status_request" extension from the server MUST be a
  // CertificateStatus structure". §4.2: "Implementations MUST NOT send extension responses if the
  // remote endpoint did not send the corresponding extension requests".
  Bytes status;
  // RFC 8446 §4.4.2: "Extensions in the Certificate message from the server MUST correspond to ones
  // from the ClientHello message."
  if (status_request && !credential.ocsp_response.empty()) {
    if (!AppendSerialized(status, CertificateStatus{.ocsp_response = credential.ocsp_response})) {
      return false;
    }
    message.certificate_list.front().extensions.push_back({ExtensionType::kStatusRequest, status});
  }
  return AppendMessage(out, message);
}

Transition RequestRetry(AwaitChoice state, Offer13 offer,
                        std::shared_ptr<const Credential> credential) {
  Hello& hello = state.hello;
  const HashAlgorithm hash = FindSuite(hello.negotiated->cipher_suite)->hash;
  const auto group = TwoBytes(static_cast<uint16_t>(hello.negotiated->group));
  Bytes retry;
  // RFC 8446 §4.1.4: "As with the ServerHello, a HelloRetryRequest MUST NOT contain any extensions
  // that were not first offered by the client in its ClientHello, with the exception of optionally
  // the "cookie" (see Section 4.2.2) extension."
  if (!AppendServerHello(hello, kHelloRetryRequestRandom, View(group), nullptr, retry)) {
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
                                 offer.first_hello, std::move(offer.session)},
          std::move(effects), std::nullopt};
}

// What the ServerHello leaves behind, before anything else is sent.
struct AfterServerHello {
  Transcript transcript;
  HandshakeSecret handshake;
  TrafficSecrets traffic;
  std::vector<Effect> effects;
};

// `transcript` ends with the ClientHello; `session` null: a full handshake.
Result<AfterServerHello> SendServerHello(const Hello& hello, ByteView peer_share,
                                         Transcript transcript, bool first_flight,
                                         const OfferedSession* session, const Context& context) {
  const Established& negotiated = *hello.negotiated;
  const SuiteInfo& suite = *FindSuite(negotiated.cipher_suite);
  ResponderShare ours;
  Result<SharedSecret> shared = Respond(negotiated.group, peer_share, context.randomness, ours);
  if (!shared.ok()) return shared.reason();
  Bytes server_hello;
  // RFC 8446 §2: "If (EC)DHE key establishment is in use, then the ServerHello contains a
  // "key_share" extension with the server's ephemeral Diffie-Hellman share; the server's share MUST
  // be in the same group as one of the client's shares." §4.2.9: "In this mode, the client and
  // server MUST supply "key_share" values as described in Section 4.2.8."
  const Bytes share = Serialize(KeyShareServerHello{{negotiated.group, ours.view()}});
  if (!AppendServerHello(hello, hello.server_random, share, session, server_hello)) {
    return Reason::kInternalError;
  }

  transcript.Add(server_hello);
  HandshakeSecret handshake =
      session == nullptr ? ToHandshake(suite.hash, *std::move(shared))
                         : ToHandshake(suite.hash, ToEarly(suite.hash, session->session.secret),
                                       *std::move(shared));
  TrafficSecrets traffic = HandshakeTraffic(suite.hash, handshake, transcript.Current());
  std::vector<Effect> effects;
  effects.reserve(6);
  effects.emplace_back(SendMessages{std::move(server_hello)});
  // RFC 8446 §D.4: "Either side can send change_cipher_spec at any time during the handshake, as
  // they must be ignored by the peer, but if the client sends a non-empty session ID, the server
  // MUST send the change_cipher_spec as described in this appendix."
  if (first_flight && !hello.legacy_session_id.empty()) {
    effects.emplace_back(SendChangeCipherSpec{});
  }
  return AfterServerHello{std::move(transcript), std::move(handshake), std::move(traffic),
                          std::move(effects)};
}

void InstallHandshakeKeys(const Hello& hello, const Profile& profile, AfterServerHello& after) {
  const CipherSuite suite = hello.negotiated->cipher_suite;
  after.effects.emplace_back(InstallWriteKeys{
      TrafficKeys13{suite, std::move(after.traffic.server), 0}, hello.negotiated->max_fragment});
  after.effects.emplace_back(
      InstallReadKeys{TrafficKeys13{suite, std::move(after.traffic.client), 0},
                      MaxPlaintext(profile, hello.record_size_limit)});
}

// ServerHello to Certificate, and the question for the signature. `transcript` ends with the
// ClientHello.
Transition SendServerFlight(Hello hello, const Credential& credential, ByteView peer_share,
                            Transcript transcript, bool first_flight, const Context& context) {
  const SuiteInfo& suite = *FindSuite(hello.negotiated->cipher_suite);
  const Profile& profile = context.profile;
  Result<AfterServerHello> after = SendServerHello(hello, peer_share, std::move(transcript),
                                                   first_flight, /*session=*/nullptr, context);
  if (!after.ok()) return Fail(after.reason());
  Bytes flight;
  flight.reserve(kFlightReserve);
  // RFC 8446 §4: "Protocol messages MUST be sent in the order defined in Section 4.4.1 and shown in
  // the diagrams in Section 2." §4.3.1: "In all handshakes, the server MUST send the
  // EncryptedExtensions message immediately after the ServerHello message." §4.3.2: "This message,
  // if sent, MUST follow EncryptedExtensions." §4.4.2: "The server MUST send a Certificate message
  // whenever the agreed-upon key exchange method uses certificates for authentication (this
  // includes all key exchange methods defined in this document except PSK)."
  if (!AppendEncryptedExtensions(hello, profile, flight) ||
      (profile.client_auth != ClientAuth::kNone && !AppendCertificateRequest(profile, flight)) ||
      !AppendCertificate(credential, hello.status_request, flight)) {
    return Fail(Reason::kInternalError);
  }
  after->transcript.Add(flight);

  const uint64_t question = hello.next_question++;
  UsePrivateKey ask{question, credential.name, hello.negotiated->signature_scheme,
                    Tls13ServerCertificateVerify{Copy(after->transcript.Current().view())}};
  AwaitPrivateKey next{question,
                       nullptr,
                       hello.next_question,
                       std::move(after->transcript),
                       std::move(flight),
                       ToMain(suite.hash, std::move(after->handshake)),
                       FinishedKey(suite.hash, after->traffic.client),
                       FinishedKey(suite.hash, after->traffic.server)};
  InstallHandshakeKeys(hello, profile, *after);
  next.record_size_limit = hello.record_size_limit;
  next.psk_dhe_ke = hello.psk_dhe_ke;
  next.negotiated = std::move(hello.negotiated);
  return {std::move(next), std::move(after->effects), std::move(ask)};
}

// Everything up to our Finished, which the flight's last part is, is sent; the client's flight is
// due. `main` is kept where tickets may follow.
struct OurFinished {
  std::unique_ptr<Established> negotiated;
  uint64_t next_question;
  Transcript transcript;
  Bytes flight;
  MainSecret main;
  HashSecret client_finished_key;
  const HashSecret& server_finished_key;
  uint16_t max_plaintext;
  bool psk_dhe_ke;
};

Result<ClientFlight> SendOurFinished(OurFinished ours, std::vector<Effect>& effects) {
  const SuiteInfo& suite = *FindSuite(ours.negotiated->cipher_suite);
  const Digest verify_data =
      FinishedVerifyData(suite.hash, ours.server_finished_key, ours.transcript.Current());
  const size_t finished_from = ours.flight.size();
  if (!AppendMessage(ours.flight, Finished{verify_data.view()})) return Reason::kInternalError;
  ours.transcript.Add(ByteView(ours.flight).subspan(finished_from));
  const Digest finished_hash = ours.transcript.Current();
  TrafficSecrets application = ApplicationTraffic(suite.hash, ours.main, finished_hash);
  HashSecret exporter = ExporterSecret(suite.hash, ours.main, finished_hash);
  effects.emplace_back(SendMessages{std::move(ours.flight)});
  // RFC 8446 §4.4.4: "Any records following a Finished message MUST be encrypted under the
  // appropriate application traffic key as described in Section 7.2."
  effects.emplace_back(InstallWriteKeys{
      TrafficKeys13{suite.suite, std::move(application.server), 0}, ours.negotiated->max_fragment});
  return ClientFlight{std::move(ours.negotiated),
                      ours.next_question,
                      std::move(ours.transcript),
                      std::move(ours.client_finished_key),
                      std::move(application.client),
                      ours.max_plaintext,
                      ours.psk_dhe_ke ? std::move(ours.main) : MainSecret{},
                      std::move(exporter)};
}

// RFC 8446 §2.2: ServerHello to Finished, without a certificate or a signature.
Transition Resume(Hello hello, OfferedSession offered, ByteView peer_share, Transcript transcript,
                  bool first_flight, const Context& context) {
  const SuiteInfo& suite = *FindSuite(hello.negotiated->cipher_suite);
  Result<AfterServerHello> after =
      SendServerHello(hello, peer_share, std::move(transcript), first_flight, &offered, context);
  if (!after.ok()) return Fail(after.reason());
  Bytes flight;
  // RFC 8446 §4.3.2: "Servers which are authenticating with a PSK MUST NOT send the
  // CertificateRequest message in the main handshake, though they MAY send it in post-handshake
  // authentication (see Section 4.6.2) provided that the client has sent the "post_handshake_auth"
  // extension (see Section 4.2.6)."
  if (!AppendEncryptedExtensions(hello, context.profile, flight)) {
    return Fail(Reason::kInternalError);
  }
  after->transcript.Add(flight);
  const HashSecret server_finished_key = FinishedKey(suite.hash, after->traffic.server);
  HashSecret client_finished_key = FinishedKey(suite.hash, after->traffic.client);
  InstallHandshakeKeys(hello, context.profile, *after);
  Established& negotiated = *hello.negotiated;
  // RFC 8446 §4.6.1: "On resumption, if reporting an SNI value to the calling application,
  // implementations MUST use the value sent in the resumption ClientHello rather than the value
  // sent in the previous session."
  negotiated.resumed = true;
  negotiated.credential = std::move(offered.session.credential);
  negotiated.peer_chain = std::move(offered.session.peer_chain);
  negotiated.not_after_unix_s = offered.session.not_after_unix_s;
  Result<ClientFlight> next = SendOurFinished(
      {std::move(hello.negotiated), hello.next_question, std::move(after->transcript),
       std::move(flight), ToMain(suite.hash, std::move(after->handshake)),
       std::move(client_finished_key), server_finished_key,
       MaxPlaintext(context.profile, hello.record_size_limit), hello.psk_dhe_ke},
      after->effects);
  if (!next.ok()) return Fail(next.reason());
  return {WaitFinished{*std::move(next)}, std::move(after->effects), std::nullopt};
}

}  // namespace

Transition Begin(AwaitChoice state, Offer13 offer, std::shared_ptr<const Credential> credential,
                 const Context& context) {
  // RFC 8446 §4.1.1: "If the server selects an (EC)DHE group and the client did not offer a
  // compatible "key_share" extension in the initial ClientHello, the server MUST respond with a
  // HelloRetryRequest (Section 4.1.4) message."
  if (offer.key_share.empty()) {
    return RequestRetry(std::move(state), std::move(offer), std::move(credential));
  }
  Transcript transcript(FindSuite(state.hello.negotiated->cipher_suite)->hash);
  transcript.Add(state.client_hello);
  if (offer.session) {
    return Resume(std::move(state.hello), *std::move(offer.session), offer.key_share,
                  std::move(transcript), /*first_flight=*/true, context);
  }
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
  // RFC 8446 §4.2.10: "A client MUST NOT include the "early_data" extension in its followup
  // ClientHello."
  if (extensions->early_data) return Fail(Reason::kChangedClientHello);
  // RFC 8446 §4.1.4: "Servers MUST ensure that they negotiate the same cipher suite when receiving
  // a conformant updated ClientHello (if the server selects the cipher suite as the first step in
  // the negotiation, then this will happen automatically)." It was chosen with the first one.
  const ByteView share = extensions->key_share->client_shares.front().key_exchange;
  if (state.session) {
    const Result<void> found =
        FindAgain(*extensions, received.raw, state.transcript, context, *state.session);
    if (!found.ok()) return Fail(found.reason());
    state.transcript.Add(received.raw);
    return Resume(std::move(state.hello), *std::move(state.session), share,
                  std::move(state.transcript), /*first_flight=*/false, context);
  }
  state.transcript.Add(received.raw);
  return SendServerFlight(std::move(state.hello), *state.credential, share,
                          std::move(state.transcript), /*first_flight=*/false, context);
}

Transition On(AwaitPrivateKey state, const PrivateKeyUsed& answer, const Context& context) {
  if (answer.signature.empty()) return Fail(answer.refusal);
  // RFC 8446 §4.4.3: "Servers MUST send this message when authenticating via a certificate." And:
  // "When sent, this message MUST appear immediately after the Certificate message and immediately
  // prior to the Finished message."
  const size_t signed_from = state.flight.size();
  if (!AppendMessage(state.flight,
                     CertificateVerify{state.negotiated->signature_scheme, answer.signature})) {
    return Fail(Reason::kInternalError);
  }
  state.transcript.Add(ByteView(state.flight).subspan(signed_from));
  std::vector<Effect> effects;
  effects.reserve(2);
  Result<ClientFlight> sent =
      SendOurFinished({std::move(state.negotiated), state.next_question,
                       std::move(state.transcript), std::move(state.flight), std::move(state.main),
                       std::move(state.client_finished_key), state.server_finished_key,
                       MaxPlaintext(context.profile, state.record_size_limit), state.psk_dhe_ke},
                      effects);
  if (!sent.ok()) return Fail(sent.reason());
  ClientFlight& flight = *sent;
  if (context.profile.client_auth != ClientAuth::kNone) {
    return {WaitCertificate{std::move(flight)}, std::move(effects), std::nullopt};
  }
  return {WaitFinished{std::move(flight)}, std::move(effects), std::nullopt};
}

Transition On(WaitFinished state, const Received<Finished>& received, const Context& context) {
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
  effects.reserve(2);
  if (!flight.main.secret.empty()) {
    flight.transcript.Add(received.raw);
    Result<Bytes> tickets =
        IssueTickets(*flight.negotiated, flight.main, flight.transcript.Current(), context);
    if (!tickets.ok()) return Fail(tickets.reason());
    if (!tickets->empty()) effects.emplace_back(SendMessages{*std::move(tickets)});
  }
  effects.emplace_back(InstallReadKeys{
      TrafficKeys13{suite.suite, std::move(flight.client_application_traffic_secret), 0},
      flight.max_plaintext});
  return {Connected{std::move(flight.negotiated), std::move(flight.exporter), {}, {}},
          std::move(effects), std::nullopt};
}

}  // namespace handfast::tls::tls13
