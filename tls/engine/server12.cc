// The server's side of TLS 1.2: its flight, and the end of the handshake. The key exchange between
// them is in key_exchange12.cc, the client's certificate in client_auth12.cc, the abbreviated
// handshake in resume12.cc.
#include <algorithm>
#include <array>
#include <utility>

#include "tls/engine/certificate_list.h"
#include "tls/engine/client_auth12.h"
#include "tls/engine/key_exchange12.h"
#include "tls/engine/moves12.h"
#include "tls/engine/negotiation.h"
#include "tls/engine/resume12.h"
#include "tls/engine/server_flight12.h"
#include "tls/engine/server_hello_phase.h"

namespace handfast::tls::tls12 {
namespace {

constexpr size_t kFlightReserve = 2048;
// Header, legacy_version: the client's random begins behind them.
constexpr size_t kClientRandomOffset = kHandshakeHeaderSize + 2;

// RFC 8446 §4.1.3: "If negotiating TLS 1.2, TLS 1.3 servers MUST set the last 8 bytes of their
// Random value to the bytes: 44 4F 57 4E 47 52 44 01".
constexpr uint8_t kDowngradeSentinel[] = {0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01};

// The first common suite whose authentication is that of our scheme.
std::optional<CipherSuite> SuiteFor(SignatureScheme scheme,
                                    const std::vector<CipherSuite>& suites) {
  for (CipherSuite suite : suites) {
    // RFC 5246 §7.4.2: "The certificate MUST be appropriate for the negotiated cipher suite's key
    // exchange algorithm and any negotiated extensions." And: "The end entity certificate's public
    // key (and associated restrictions) MUST be compatible with the selected key exchange
    // algorithm."
    if (FindSuite(suite)->authentication == AuthenticationOf(scheme)) return suite;
  }
  return std::nullopt;
}

NamedGroup GroupFor(SuiteKeyExchange kind, const Offer12& offer) {
  if (kind == SuiteKeyExchange::kRsa) return NamedGroup{};
  return kind == SuiteKeyExchange::kDhe ? offer.ffdhe_group : offer.curve;
}

bool AppendCertificate(const Credential& credential, Bytes& out) {
  Certificate message;
  // RFC 5246 §7.4.2: "The sender's certificate MUST come first in the list."
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
                       static_cast<uint16_t>(state.client_hello[kHandshakeHeaderSize] << 8 |
                                             state.client_hello[kHandshakeHeaderSize + 1]),
                       offer.extended_master_secret,
                       EncryptsThenMacs(*state.hello.negotiated, offer),
                       state.hello.record_size_limit,
                       {}};
  exchange.client_random = ClientRandomOf(state.client_hello);
  return exchange;
}

}  // namespace

void MarkDowngrade(const Profile& profile, HelloRandom& random) {
  // RFC 8446 §4.1.3: "TLS 1.3 servers which negotiate TLS 1.2 or below in response to a ClientHello
  // MUST set the last 8 bytes of their Random value specially in their ServerHello."
  if (!Contains(profile.versions, ProtocolVersion::kTls13)) return;
  std::copy(std::begin(kDowngradeSentinel), std::end(kDowngradeSentinel), random.end() - 8);
}

HelloRandom ClientRandomOf(ByteView client_hello) {
  HelloRandom random;
  std::copy_n(client_hello.begin() + kClientRandomOffset, kRandomSize, random.begin());
  return random;
}

// RFC 7366 §3: "If a server receives an encrypt-then-MAC request extension from a client and then
// selects a stream or Authenticated Encryption with Associated Data (AEAD) ciphersuite, it MUST NOT
// send an encrypt-then-MAC response extension back to the client."
bool EncryptsThenMacs(const Established& negotiated, const Offer12& offer) {
  return offer.encrypt_then_mac && FindSuite(negotiated.cipher_suite)->cbc;
}

bool AppendServerHello(const Hello& hello, const Offer12& offer, const Profile& profile,
                       const ServerHelloSays& says, Bytes& out) {
  const Established& negotiated = *hello.negotiated;
  static constexpr uint8_t kNothingRenegotiated[] = {0};
  static constexpr uint8_t kUncompressed[] = {1, 0};
  // RFC 8446 §4.2.1: "A server which negotiates a version of TLS prior to TLS 1.3 MUST set
  // ServerHello.version and MUST NOT send the "supported_versions" extension." RFC 5246 §7.4.1.4:
  // "An extension type MUST NOT appear in the ServerHello unless the same extension type appeared
  // in the corresponding ClientHello." §7.4.1.4.1: "Servers MUST NOT send this extension."
  ServerHello message;
  message.random = hello.server_random;
  // RFC 5246 §7.4.1.3: an empty session_id says that the session will not be cached.
  message.legacy_session_id_echo = says.session_id;
  message.cipher_suite = negotiated.cipher_suite;
  if (offer.secure_renegotiation) {
    message.extensions.push_back({ExtensionType::kRenegotiationInfo, kNothingRenegotiated});
  }
  if (!negotiated.server_name.empty()) {
    message.extensions.push_back({ExtensionType::kServerName, {}});
  }
  // RFC 6066 §8: "If a server returns a "CertificateStatus" message, then the server MUST have
  // included an extension of type "status_request" with empty "extension_data" in the extended
  // server hello."
  if (says.certificate_status) message.extensions.push_back({ExtensionType::kStatusRequest, {}});
  if (offer.ec_point_formats) {
    message.extensions.push_back({ExtensionType::kEcPointFormats, kUncompressed});
  }
  if (offer.extended_master_secret) {
    message.extensions.push_back({ExtensionType::kExtendedMasterSecret, {}});
  }
  // RFC 5077 §3.2: it says that a NewSessionTicket will follow.
  if (says.new_session_ticket) message.extensions.push_back({ExtensionType::kSessionTicket, {}});
  if (EncryptsThenMacs(negotiated, offer)) {
    message.extensions.push_back({ExtensionType::kEncryptThenMac, {}});
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

Transition Begin(AwaitChoice state, const Offer12& offer,
                 const std::shared_ptr<const Credential>& credential, const Context& context) {
  Hello& hello = state.hello;
  Established& negotiated = *hello.negotiated;
  const auto suite = SuiteFor(negotiated.signature_scheme, offer.cipher_suites);
  if (!suite) return Fail(Reason::kNoCommonCipherSuite);
  negotiated.cipher_suite = *suite;
  negotiated.group = GroupFor(FindSuite(*suite)->key_exchange, offer);
  MarkDowngrade(context.profile, hello.server_random);
  Bytes flight;
  flight.reserve(kFlightReserve);
  // RFC 6066 §8: "a server MUST NOT send the "CertificateStatus" message unless it received a
  // "status_request" extension in the client hello message".
  const bool stapled = hello.status_request && !credential->ocsp_response.empty();
  Result<Resumable> resumable = PlanResumption(offer, context);
  if (!resumable.ok()) return Fail(resumable.reason());
  const ServerHelloSays says{stapled, resumable->new_session_ticket, resumable->session_id};
  if (!AppendServerHello(hello, offer, context.profile, says, flight) ||
      // RFC 5246 §7.4.2: "The server MUST send a Certificate message whenever the agreed- upon key
      // exchange method uses certificates for authentication (this includes all key exchange
      // methods defined in this document except DH_anon)."
      !AppendCertificate(*credential, flight) ||
      (stapled &&
       !AppendMessage(flight, CertificateStatus{.ocsp_response = credential->ocsp_response}))) {
    return Fail(Reason::kInternalError);
  }
  const bool static_rsa = IsStaticRsa(negotiated);
  // A fresh pair for each handshake (Raccoon).
  Result<KeyPair> pair = static_rsa ? KeyPair() : context.randomness.NewKeyPair(negotiated.group);
  if (!pair.ok()) return Fail(pair.reason());
  KeyExchange exchange = BeginKeyExchange(state, offer, context.profile, *std::move(pair));
  exchange.next_question = hello.next_question;
  exchange.resumable = *std::move(resumable);
  exchange.negotiated = std::move(hello.negotiated);
  if (static_rsa) return SendFlight(std::move(exchange), std::move(flight), context);
  return AskToSign(std::move(exchange), std::move(flight), *credential);
}

Transition SendFlight(KeyExchange exchange, Bytes flight, const Context& context) {
  const bool request = context.profile.client_auth != ClientAuth::kNone;
  if ((request && !AppendCertificateRequest(context.profile, flight)) ||
      !AppendMessage(flight, ServerHelloDone())) {
    return Fail(Reason::kInternalError);
  }
  exchange.transcript.Add(flight);
  std::vector<Effect> effects;
  effects.emplace_back(SendMessages{std::move(flight)});
  if (request) return {WaitCertificate{std::move(exchange)}, std::move(effects), std::nullopt};
  return {WaitClientKeyExchange{std::move(exchange), {}}, std::move(effects), std::nullopt};
}

Transition AwaitChangeCipherSpec(ClientFlight flight) {
  flight.transcript.DropWhole();
  std::vector<Effect> effects;
  effects.emplace_back(ArmReadKeys{std::move(flight.keys.client), flight.max_plaintext});
  return {WaitFinished{std::move(flight.negotiated), std::move(flight.transcript),
                       std::move(flight.master), std::move(flight.keys.server),
                       std::move(flight.resumable)},
          std::move(effects), std::nullopt};
}

Transition On(WaitFinished state, const Received<Finished>& received, const Context& context) {
  const HashAlgorithm hash = FindSuite(state.negotiated->cipher_suite)->hash;
  const Result<void> checked =
      CheckFinished12(hash, state.master, "client finished", state.transcript.Current(),
                      received.message.verify_data);
  if (!checked.ok()) return Fail(checked.reason());
  state.transcript.Add(received.raw);
  Result<Bytes> ticket = state.resumable.new_session_ticket
                             ? IssueTicket(*state.negotiated, state.master, context)
                             : Bytes();
  if (!ticket.ok()) return Fail(ticket.reason());
  state.transcript.Add(*ticket);
  const auto ours =
      FinishedVerifyData12(hash, state.master, "server finished", state.transcript.Current());
  Bytes finished;
  if (!AppendMessage(finished, Finished{ours})) return Fail(Reason::kInternalError);
  const uint16_t max_fragment = state.negotiated->max_fragment;
  std::vector<Effect> effects;
  effects.reserve(4);
  if (!ticket->empty()) effects.emplace_back(SendMessages{*std::move(ticket)});
  // RFC 5246 §7.1: "Immediately after sending this message, the sender MUST instruct the record
  // layer to make the write pending state the write active state." And: "However, once the
  // ChangeCipherSpec has been sent, the new CipherSpec MUST be used."
  effects.emplace_back(SendChangeCipherSpec{});
  effects.emplace_back(InstallWriteKeys{std::move(state.server_keys), max_fragment});
  effects.emplace_back(SendMessages{std::move(finished)});
  std::optional<Session> session = SessionToKeep(*state.negotiated, std::move(state.master),
                                                 std::move(state.resumable.session_id), context);
  return {Connected{std::move(state.negotiated), {}, {}, std::move(session)}, std::move(effects),
          std::nullopt};
}

}  // namespace handfast::tls::tls12
