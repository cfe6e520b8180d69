// The client's side of TLS 1.2: from the ServerHello to the end of the server's flight, and the end
// of the handshake. Our own flight is in client_flight12.cc.
#include <algorithm>
#include <utility>

#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/hkdf.h"
#include "tls/engine/certificate_list.h"
#include "tls/engine/client_phase.h"
#include "tls/engine/key_exchange12.h"
#include "tls/engine/moves_client12.h"
#include "tls/engine/negotiation.h"

namespace handfast::tls::client12 {
namespace {

HashAlgorithm HashOf(const Established& negotiated) {
  return FindSuite(negotiated.cipher_suite)->hash;
}

// RFC 8446 §4.1.3: the last bytes of the Random of a server that could do better.
constexpr uint8_t kChoseTls12[] = {0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x01};
constexpr uint8_t kChoseLess[] = {0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 0x00};

bool OffersTls13(const ClientHello& ours) {
  return Find(ours.extensions, ExtensionType::kKeyShare) != nullptr;
}

Result<void> CheckFields(const ServerHello& hello, const ClientHello& ours,
                         const client::WaitServerHello& state, const Profile& profile) {
  // RFC 8446 §D.1: "If the version chosen by the server is not supported by the client [...] the
  // client MUST abort the handshake with a "protocol_version" alert."
  // RFC 5246 §E.1: "If the version chosen by the server is not supported by the client (or not
  // acceptable), the client MUST send a "protocol_version" alert message and close the connection."
  if (hello.legacy_version != ProtocolVersion::kTls12 ||
      !Contains(profile.versions, ProtocolVersion::kTls12)) {
    return Reason::kUnsupportedVersion;
  }
  // A HelloRetryRequest was TLS 1.3's.
  // RFC 8446 §4.1.4: "The value of selected_version in the HelloRetryRequest "supported_versions"
  // extension MUST be retained in the ServerHello, and a client MUST abort the handshake with an
  // "illegal_parameter" alert if the value changes."
  if (state.after_retry) return Reason::kVersionNotOffered;
  // RFC 8446 §4.1.3: "TLS 1.3 clients receiving a ServerHello indicating TLS 1.2 or below MUST
  // check that the last 8 bytes are not equal to either of these values."
  const ByteView tail = hello.random.last(sizeof(kChoseTls12));
  // RFC 8446 §4.1.3: "If a match is found, the client MUST abort the handshake with an
  // "illegal_parameter" alert."
  if (OffersTls13(ours) && (Equal(tail, kChoseTls12) || Equal(tail, kChoseLess))) {
    return Reason::kDowngraded;
  }
  const SuiteInfo* suite = FindSuite(hello.cipher_suite);
  if (suite == nullptr || suite->version != ProtocolVersion::kTls12 ||
      !Contains(ours.cipher_suites, hello.cipher_suite)) {
    return Reason::kSuiteNotOffered;
  }
  if (hello.legacy_compression_method != 0) return Reason::kBadCompression;
  return {};
}

Result<void> ReadOne(const Extension& extension, const client::Wanted& wanted,
                     const ClientHello& ours, const Profile& profile, Handshake& handshake,
                     bool& renegotiation_info) {
  // RFC 5246 §7.4.1.4: "If a client receives an extension type in ServerHello that it did not
  // request in the associated ClientHello, it MUST abort the handshake with an
  // unsupported_extension fatal alert."
  if (Find(ours.extensions, extension.type) == nullptr) return Reason::kUnsolicitedExtension;
  switch (extension.type) {
    case ExtensionType::kServerName:
    case ExtensionType::kSessionTicket:
    case ExtensionType::kExtendedMasterSecret:
    case ExtensionType::kEncryptThenMac:
    case ExtensionType::kStatusRequest:
      if (!extension.data.empty()) return Reason::kDecodeError;
      handshake.certificate_status |= extension.type == ExtensionType::kStatusRequest;
      handshake.new_session_ticket |= extension.type == ExtensionType::kSessionTicket;
      handshake.extended_master_secret |= extension.type == ExtensionType::kExtendedMasterSecret;
      handshake.encrypt_then_mac |= extension.type == ExtensionType::kEncryptThenMac;
      return {};
    case ExtensionType::kAlpn:
      return client::ReadAlpn(extension.data, wanted.alpn, *handshake.negotiated);
    case ExtensionType::kRecordSizeLimit:
      handshake.record_size_limit = true;
      return client::ReadLimit(extension.data, profile, /*content_type=*/false,
                               *handshake.negotiated);
    case ExtensionType::kRenegotiationInfo: {
      const auto info = Parse<RenegotiationInfo>(extension.data);
      if (!info) return Reason::kDecodeError;
      // RFC 5746 §3.4: "The client MUST then verify that the length of the
      // "renegotiated_connection" field is zero, and if it is not, MUST abort the handshake".
      if (!info->renegotiated_connection.empty()) return Reason::kBadRenegotiationInfo;
      renegotiation_info = true;
      return {};
    }
    case ExtensionType::kEcPointFormats: {
      const auto formats = Parse<EcPointFormatList>(extension.data);
      if (!formats) return Reason::kDecodeError;
      // RFC 8422 §5.2: what the server lists must leave us the one form that there is.
      const ByteView list = formats->formats;
      if (std::find(list.begin(), list.end(), 0) == list.end()) return Reason::kBadKeyShare;
      return {};
    }
    default:
      return Reason::kMisplacedExtension;
  }
}

// RFC 5246 §7.4.4 and RFC 8422 §5.5: rsa_sign and ecdsa_sign, which is for EdDSA too.
bool IsOfTypes(SignatureScheme scheme, ByteView certificate_types) {
  const uint8_t type = AuthenticationOf(scheme) == SuiteAuthentication::kRsa ? 1 : 64;
  return std::find(certificate_types.begin(), certificate_types.end(), type) !=
         certificate_types.end();
}

Result<void> ReadExtensions(const ServerHello& hello, const ClientHello& ours,
                            const client::Wanted& wanted, const Profile& profile,
                            Handshake& handshake) {
  bool renegotiation_info = false;
  for (const Extension& extension : hello.extensions) {
    const Result<void> read =
        ReadOne(extension, wanted, ours, profile, handshake, renegotiation_info);
    if (!read.ok()) return read;
  }
  if (!renegotiation_info && profile.require_renegotiation_info) {
    return Reason::kRenegotiationInfoRequired;
  }
  if (!handshake.extended_master_secret && profile.require_extended_master_secret) {
    return Reason::kExtendedMasterSecretRequired;
  }
  // RFC 7366 §3: an AEAD "ciphersuite [...] MUST NOT send an encrypt-then-MAC response extension".
  if (handshake.encrypt_then_mac && !FindSuite(hello.cipher_suite)->cbc) {
    return Reason::kMisplacedExtension;
  }
  return {};
}

// What stands between Certificate and verdict. `next_message`: what came instead of a
// CertificateStatus, to go on with.
Transition AskVerdict(Handshake handshake, Bytes public_key, Bytes ocsp_response,
                      ByteView next_message) {
  const uint64_t question = handshake.next_question++;
  VerifyPeer ask{question, handshake.negotiated->peer_chain, std::move(ocsp_response)};
  return {AwaitVerdict{question, std::move(handshake), std::move(public_key), Copy(next_message)},
          {},
          std::move(ask)};
}

// RFC 6066 §8: a server that took status_request "MAY also choose not to send a "CertificateStatus"
// message".
Transition WithoutStatus(WaitCertificateStatus state, ByteView message, bool static_rsa) {
  if (tls12::IsStaticRsa(*state.handshake.negotiated) != static_rsa) {
    return Fail(Reason::kUnexpectedMessage);
  }
  return AskVerdict(std::move(state.handshake), std::move(state.public_key), {}, message);
}

// RFC 5246 §7.3: the abbreviated handshake.
Transition Resume(Handshake handshake, Session session, const Context& context) {
  Established& negotiated = *handshake.negotiated;
  // RFC 5246 §7.4.1.3: the suite of a resumed session is the one that it was made with.
  if (negotiated.cipher_suite != session.cipher_suite) return Fail(Reason::kSuiteNotOffered);
  // RFC 7627 §5.3: "If the original session used the extension but the new ServerHello does not
  // contain the extension, the client MUST abort the handshake." No other session is kept.
  if (!handshake.extended_master_secret) return Fail(Reason::kExtendedMasterSecretRequired);
  negotiated.resumed = true;
  negotiated.credential = std::move(session.credential);
  negotiated.peer_chain = std::move(session.peer_chain);
  negotiated.not_after_unix_s = session.not_after_unix_s;
  const SuiteInfo& suite = *FindSuite(negotiated.cipher_suite);
  MasterSecret master{std::move(session.secret)};
  KeyBlock keys = ExpandKeys(suite, master, handshake.client_random, handshake.server_random,
                             handshake.encrypt_then_mac);
  handshake.transcript.DropWhole();
  Ending ending{std::move(handshake.negotiated),
                std::move(handshake.transcript),
                std::move(master),
                std::move(keys),
                tls12::MaxPlaintext(context.profile, handshake.record_size_limit),
                true,
                handshake.new_session_ticket,
                std::move(session.session_id),
                std::move(session.ticket),
                0};
  std::vector<Effect> effects;
  effects.emplace_back(Negotiated{ProtocolVersion::kTls12});
  return AwaitServer(std::move(ending), std::move(effects));
}

}  // namespace

Transition Continue(client::WaitServerHello state, const Received<ServerHello>& received,
                    const ClientHello& ours, const Context& context) {
  const ServerHello& hello = received.message;
  if (Result<void> r = CheckFields(hello, ours, state, context.profile); !r.ok()) {
    return Fail(r.reason());
  }
  Handshake handshake;
  handshake.negotiated = std::make_unique<Established>();
  handshake.negotiated->version = ProtocolVersion::kTls12;
  handshake.negotiated->cipher_suite = hello.cipher_suite;
  handshake.negotiated->server_name = std::move(state.wanted.server_name);
  handshake.next_question = state.next_question;
  const Result<void> read = ReadExtensions(hello, ours, state.wanted, context.profile, handshake);
  if (!read.ok()) return Fail(read.reason());
  std::copy(ours.random.begin(), ours.random.end(), handshake.client_random.begin());
  std::copy(hello.random.begin(), hello.random.end(), handshake.server_random.begin());
  handshake.session_id = Copy(hello.legacy_session_id_echo);
  handshake.transcript = Transcript(HashOf(*handshake.negotiated));
  handshake.transcript.KeepWhole();
  handshake.transcript.Add(state.client_hello);
  handshake.transcript.Add(received.raw);
  // RFC 5246 §7.4.1.3: the echo of our session_id says that its session is resumed.
  if (!hello.legacy_session_id_echo.empty() &&
      Equal(hello.legacy_session_id_echo, ours.legacy_session_id)) {
    if (!state.session || state.session->version != ProtocolVersion::kTls12) {
      return Fail(Reason::kBadSelectedIdentity);
    }
    return Resume(std::move(handshake), *std::move(state.session), context);
  }
  std::vector<Effect> effects;
  effects.emplace_back(Negotiated{ProtocolVersion::kTls12});
  // RFC 5246 §7.4.1.3: "Clients MUST be prepared to do a full negotiation -- including negotiating
  // new cipher suites -- during any handshake."
  return {WaitCertificate{std::move(handshake)}, std::move(effects), std::nullopt};
}

Transition On(WaitCertificate state, const Received<Certificate>& received, const Context&) {
  Handshake& handshake = state.handshake;
  // RFC 5246 §7.4.2: the server sends one whenever the key exchange has it authenticated.
  if (received.message.certificate_list.empty()) return Fail(Reason::kDecodeError);
  handshake.transcript.Add(received.raw);
  Result<std::vector<Bytes>> chain = ChainOf(received.message.certificate_list);
  if (!chain.ok()) return Fail(chain.reason());
  Result<Bytes> public_key = LeafPublicKey(*chain);
  if (!public_key.ok()) return Fail(public_key.reason());
  handshake.negotiated->peer_chain = *std::move(chain);
  if (handshake.certificate_status) {
    return {WaitCertificateStatus{std::move(handshake), *std::move(public_key)}, {}, std::nullopt};
  }
  return AskVerdict(std::move(handshake), *std::move(public_key), {}, {});
}

Transition On(WaitCertificateStatus state, const Received<CertificateStatus>& received,
              const Context&) {
  Result<Bytes> ocsp_response = OcspResponseOf(received.message);
  if (!ocsp_response.ok()) return Fail(ocsp_response.reason());
  state.handshake.transcript.Add(received.raw);
  return AskVerdict(std::move(state.handshake), std::move(state.public_key),
                    *std::move(ocsp_response), {});
}

Transition On(WaitCertificateStatus state, const Received<AnyServerKeyExchange>& received,
              const Context&) {
  return WithoutStatus(std::move(state), received.raw, /*static_rsa=*/false);
}

Transition On(WaitCertificateStatus state, const Received<CertificateRequest>& received,
              const Context&) {
  return WithoutStatus(std::move(state), received.raw, /*static_rsa=*/true);
}

Transition On(WaitCertificateStatus state, const Received<ServerHelloDone>& received,
              const Context&) {
  return WithoutStatus(std::move(state), received.raw, /*static_rsa=*/true);
}

Transition On(WaitRequestOrDone state, const Received<CertificateRequest>& received,
              const Context& context) {
  const CertificateRequest& message = received.message;
  Handshake& handshake = state.handshake;
  handshake.transcript.Add(received.raw);
  const uint64_t question = handshake.next_question++;
  Choose choose{question, ProtocolVersion::kTls12, handshake.negotiated->server_name, {}};
  choose.as_client = true;
  choose.certificate_schemes =
      CertificateSchemes(ProtocolVersion::kTls12, message.supported_signature_algorithms);
  for (const SignatureScheme scheme : context.profile.signature_schemes) {
    // RFC 5246 §7.4.4: "The end-entity certificate provided by the client MUST contain a key that
    // is compatible with certificate_types. If the key is a signature key, it MUST be usable with
    // some hash/signature algorithm pair in supported_signature_algorithms."
    if (Contains(message.supported_signature_algorithms, scheme) &&
        IsOfTypes(scheme, message.certificate_types)) {
      choose.schemes.push_back(scheme);
    }
  }
  for (const DistinguishedName& name : message.certificate_authorities) {
    choose.certificate_authorities.push_back(Copy(name.der));
  }
  AwaitChoice next{question, std::move(handshake), std::move(state.exchange), choose.schemes,
                   choose.certificate_schemes};
  return {std::move(next), {}, std::move(choose)};
}

Transition On(AwaitChoice state, const Chosen& answer, const Context&) {
  return {
      WaitServerHelloDone{std::move(state.handshake), std::move(state.exchange),
                          client::IdentityFrom(answer, state.schemes, state.certificate_schemes)},
      {},
      std::nullopt};
}

Transition On(WaitRequestOrDone state, const Received<ServerHelloDone>& received,
              const Context& context) {
  state.handshake.transcript.Add(received.raw);
  return SendFlight(std::move(state.handshake), std::move(state.exchange), Identity(), context);
}

Transition On(WaitServerHelloDone state, const Received<ServerHelloDone>& received,
              const Context& context) {
  state.handshake.transcript.Add(received.raw);
  return SendFlight(std::move(state.handshake), std::move(state.exchange),
                    std::move(state.identity), context);
}

Transition AwaitServer(Ending ending, std::vector<Effect> effects) {
  if (ending.new_session_ticket) {
    return {WaitNewSessionTicket{std::move(ending)}, std::move(effects), std::nullopt};
  }
  effects.emplace_back(ArmReadKeys{std::move(ending.keys.server), ending.max_plaintext});
  return {WaitFinished{std::move(ending)}, std::move(effects), std::nullopt};
}

Transition On(WaitNewSessionTicket state, const Received<NewSessionTicket>& received,
              const Context&) {
  Ending& ending = state.ending;
  ending.transcript.Add(received.raw);
  ending.new_session_ticket = false;
  // RFC 5077 §3.3: an empty one leaves the session without, and what was resumed as it was.
  if (!received.message.ticket.empty()) {
    ending.ticket = Copy(received.message.ticket);
    ending.ticket_lifetime_hint = received.message.ticket_lifetime_hint;
  }
  return AwaitServer(std::move(ending), {});
}

}  // namespace handfast::tls::client12
