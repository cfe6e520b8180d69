// The client's side of TLS 1.3, from the ServerHello's keys to its own Finished.
#include <algorithm>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/hkdf.h"
#include "tls/crypto/sign.h"
#include "tls/engine/certificate_list.h"
#include "tls/engine/client_phase.h"
#include "tls/engine/moves_client.h"
#include "tls/engine/negotiation.h"

namespace handfast::tls::client13 {
namespace {

constexpr uint16_t kUnlimited = 16384;

HashAlgorithm HashOf(const Established& negotiated) {
  return FindSuite(negotiated.cipher_suite)->hash;
}

// Of the hellos alone, or of TLS 1.2 alone: in no other message of a server's.
bool IsOfHellos(ExtensionType type) {
  switch (type) {
    case ExtensionType::kEcPointFormats:
    case ExtensionType::kPadding:
    case ExtensionType::kEncryptThenMac:
    case ExtensionType::kExtendedMasterSecret:
    case ExtensionType::kSessionTicket:
    case ExtensionType::kPreSharedKey:
    case ExtensionType::kSupportedVersions:
    case ExtensionType::kCookie:
    case ExtensionType::kPskKeyExchangeModes:
    case ExtensionType::kKeyShare:
    case ExtensionType::kRenegotiationInfo:
      return true;
    default:
      return false;
  }
}

// Of EncryptedExtensions, and so of no CertificateRequest.
bool IsOfEncryptedExtensions(ExtensionType type) {
  return type == ExtensionType::kServerName || type == ExtensionType::kAlpn ||
         type == ExtensionType::kSupportedGroups || type == ExtensionType::kRecordSizeLimit ||
         type == ExtensionType::kEarlyData;
}

Result<void> ReadOne(const Extension& extension, const std::vector<std::string>& alpn,
                     const Profile& profile, Handshake& handshake) {
  switch (extension.type) {
    case ExtensionType::kServerName:
      // RFC 6066 §3: its body is empty, and it answers ours.
      if (handshake.negotiated->server_name.empty()) return Reason::kUnsolicitedExtension;
      if (!extension.data.empty()) return Reason::kDecodeError;
      return {};
    case ExtensionType::kAlpn:
      if (alpn.empty()) return Reason::kUnsolicitedExtension;
      return client::ReadAlpn(extension.data, alpn, *handshake.negotiated);
    case ExtensionType::kSupportedGroups:
      // RFC 8446 §4.2.7: "Clients MUST NOT act upon any information found in "supported_groups"
      // prior to successful completion of the handshake".
      if (!Parse<NamedGroupList>(extension.data)) return Reason::kDecodeError;
      return {};
    case ExtensionType::kRecordSizeLimit:
      handshake.record_size_limit = true;
      return client::ReadLimit(extension.data, profile, /*content_type=*/true,
                               *handshake.negotiated);
    case ExtensionType::kSignatureAlgorithms:
      return Reason::kMisplacedExtension;
    default:
      // RFC 8446 §4.3.1: "The client MUST check EncryptedExtensions for the presence of any
      // forbidden extensions and if any are found MUST abort the handshake with an
      // "illegal_parameter" alert."
      return IsOfHellos(extension.type) ? Reason::kMisplacedExtension
                                        : Reason::kUnsolicitedExtension;
  }
}

// What the server staples to one certificate; empty where it is nothing.
Result<Bytes> ReadEntry(const tls13::CertificateEntry& entry) {
  if (HasDuplicates(entry.extensions)) return Reason::kDuplicateExtension;
  Bytes ocsp_response;
  for (const Extension& extension : entry.extensions) {
    // RFC 8446 §4.4.2: "Extensions in the Certificate message from the server MUST correspond to
    // ones from the ClientHello message."
    if (extension.type != ExtensionType::kStatusRequest) return Reason::kUnsolicitedExtension;
    // RFC 8446 §4.4.2.1: "the body of the "status_request" extension from the server MUST be a
    // CertificateStatus structure as defined in [RFC6066], which is interpreted as defined in
    // [RFC6960]."
    const auto status = Parse<CertificateStatus>(extension.data);
    if (!status) return Reason::kDecodeError;
    Result<Bytes> response = OcspResponseOf(*status);
    if (!response.ok()) return response;
    ocsp_response = *std::move(response);
  }
  return ocsp_response;
}

Transition AskVerdict(Handshake handshake, Identity identity, const Received<Certificate>& received,
                      const Context&) {
  const Certificate& message = received.message;
  if (!message.certificate_request_context.empty()) return Fail(Reason::kUnexpectedMessage);
  // RFC 8446 §4.4.2.4: "If the server supplies an empty Certificate message, the client MUST abort
  // the handshake with a "decode_error" alert."
  // RFC 8446 §4.4.2: "The server's certificate_list MUST always be non-empty."
  if (message.certificate_list.empty()) return Fail(Reason::kDecodeError);
  Bytes ocsp_response;
  for (const tls13::CertificateEntry& entry : message.certificate_list) {
    Result<Bytes> stapled = ReadEntry(entry);
    if (!stapled.ok()) return Fail(stapled.reason());
    // Those of the certificates above it must be well-formed, and are of no further use.
    if (&entry == &message.certificate_list.front()) ocsp_response = *std::move(stapled);
  }
  handshake.transcript.Add(received.raw);
  Result<std::vector<Bytes>> chain = ChainOf(message.certificate_list);
  if (!chain.ok()) return Fail(chain.reason());
  Result<Bytes> public_key = LeafPublicKey(*chain);
  if (!public_key.ok()) return Fail(public_key.reason());
  const uint64_t question = handshake.next_question++;
  handshake.negotiated->peer_chain = *std::move(chain);
  VerifyPeer ask{question, handshake.negotiated->peer_chain, std::move(ocsp_response)};
  return {AwaitVerdict{question, std::move(handshake), std::move(identity), *std::move(public_key)},
          {},
          std::move(ask)};
}

// What is left once our last message is due.
struct Ending {
  std::unique_ptr<Established> negotiated;
  Transcript transcript;
  Bytes flight;  // what goes before Finished
  const HashSecret& client_finished_key;
  const MainSecret& main;
  HashSecret exporter;
  TrafficSecrets application;
  uint16_t max_plaintext;
};

Transition Finish(Ending end) {
  const HashAlgorithm hash = HashOf(*end.negotiated);
  const CipherSuite suite = end.negotiated->cipher_suite;
  const Digest verify_data =
      FinishedVerifyData(hash, end.client_finished_key, end.transcript.Current());
  const size_t finished_from = end.flight.size();
  if (!AppendMessage(end.flight, Finished{verify_data.view()})) {
    return Fail(Reason::kInternalError);
  }
  end.transcript.Add(ByteView(end.flight).subspan(finished_from));
  HashSecret resumption = ResumptionSecret(hash, end.main, end.transcript.Current());
  std::vector<Effect> effects;
  effects.reserve(3);
  effects.emplace_back(SendMessages{std::move(end.flight)});
  // RFC 8446 §5.3: "Each sequence number is set to zero at the beginning of a connection and
  // whenever the key is changed; the first record transmitted under a particular traffic key MUST
  // use sequence number 0."
  effects.emplace_back(InstallWriteKeys{TrafficKeys13{suite, std::move(end.application.client), 0},
                                        end.negotiated->max_fragment});
  effects.emplace_back(InstallReadKeys{TrafficKeys13{suite, std::move(end.application.server), 0},
                                       end.max_plaintext});
  return {Connected{std::move(end.negotiated), std::move(end.exporter), std::move(resumption), {}},
          std::move(effects), std::nullopt};
}

}  // namespace

Transition Continue(client::WaitServerHello state, const Received<ServerHello>& received,
                    ByteView share) {
  auto negotiated = std::make_unique<Established>();
  negotiated->version = ProtocolVersion::kTls13;
  negotiated->cipher_suite = received.message.cipher_suite;
  negotiated->group = state.key_pair.group();
  negotiated->server_name = std::move(state.wanted.server_name);
  const HashAlgorithm hash = HashOf(*negotiated);
  Transcript transcript = state.after_retry ? *std::move(state.after_retry) : Transcript(hash);
  transcript.Add(state.client_hello);
  transcript.Add(received.raw);
  Result<SharedSecret> shared = std::move(state.key_pair).Derive(share);
  if (!shared.ok()) return Fail(shared.reason());
  HandshakeSecret secret =
      state.session ? ToHandshake(hash, ToEarly(hash, state.session->secret), *std::move(shared))
                    : ToHandshake(hash, *std::move(shared));
  if (state.session) {
    negotiated->resumed = true;
    negotiated->credential = std::move(state.session->credential);
    negotiated->peer_chain = std::move(state.session->peer_chain);
    negotiated->not_after_unix_s = state.session->not_after_unix_s;
  }
  TrafficSecrets traffic = HandshakeTraffic(hash, secret, transcript.Current());
  Handshake handshake{std::move(negotiated),
                      state.next_question,
                      std::move(transcript),
                      ToMain(hash, std::move(secret)),
                      FinishedKey(hash, traffic.client),
                      FinishedKey(hash, traffic.server),
                      false};
  const CipherSuite suite = received.message.cipher_suite;
  std::vector<Effect> effects;
  effects.reserve(4);
  effects.emplace_back(Negotiated{ProtocolVersion::kTls13});
  if (!state.after_retry) effects.emplace_back(SendChangeCipherSpec{});
  effects.emplace_back(
      InstallWriteKeys{TrafficKeys13{suite, std::move(traffic.client), 0}, kUnlimited});
  effects.emplace_back(
      InstallReadKeys{TrafficKeys13{suite, std::move(traffic.server), 0}, kUnlimited});
  return {WaitEncryptedExtensions{std::move(handshake), std::move(state.wanted.alpn)},
          std::move(effects), std::nullopt};
}

Transition On(WaitEncryptedExtensions state, const Received<EncryptedExtensions>& received,
              const Context& context) {
  const Extensions& extensions = received.message.extensions;
  if (HasDuplicates(extensions)) return Fail(Reason::kDuplicateExtension);
  for (const Extension& extension : extensions) {
    const Result<void> read = ReadOne(extension, state.alpn, context.profile, state.handshake);
    if (!read.ok()) return Fail(read.reason());
  }
  state.handshake.transcript.Add(received.raw);
  // RFC 8446 §2.2: a resumed session has no certificate of the server's, and asks for none.
  if (state.handshake.negotiated->resumed) {
    return {WaitFinished{std::move(state.handshake), Identity()}, {}, std::nullopt};
  }
  return {WaitCertificateOrRequest{std::move(state.handshake)}, {}, std::nullopt};
}

Transition On(WaitCertificateOrRequest state, const Received<CertificateRequest>& received,
              const Context& context) {
  const CertificateRequest& message = received.message;
  // RFC 8446 §4.3.2: the context "SHALL be zero length unless used for the post-handshake
  // authentication exchanges".
  if (!message.certificate_request_context.empty()) return Fail(Reason::kUnexpectedMessage);
  if (HasDuplicates(message.extensions)) return Fail(Reason::kDuplicateExtension);
  // RFC 8446 §4.3.2: "Clients MUST ignore unrecognized extensions." Not so those that are of
  // another message, §4.2: "If an implementation receives an extension which it recognizes and
  // which is not specified for the message in which it appears, it MUST abort the handshake with an
  // "illegal_parameter" alert."
  for (const Extension& extension : message.extensions) {
    if (IsOfHellos(extension.type) || IsOfEncryptedExtensions(extension.type)) {
      return Fail(Reason::kMisplacedExtension);
    }
  }
  const Extension* extension = Find(message.extensions, ExtensionType::kSignatureAlgorithms);
  // RFC 8446 §4.3.2: "The "signature_algorithms" extension MUST be specified".
  if (extension == nullptr) return Fail(Reason::kMissingExtension);
  const auto theirs = Parse<SignatureSchemeList>(extension->data);
  if (!theirs) return Fail(Reason::kDecodeError);
  // RFC 8446 §4.2.3: "If no "signature_algorithms_cert" extension is present, then the
  // "signature_algorithms" extension also applies to signatures appearing in certificates."
  const Extension* cert = Find(message.extensions, ExtensionType::kSignatureAlgorithmsCert);
  const auto certified = cert == nullptr ? theirs : Parse<SignatureSchemeList>(cert->data);
  if (!certified) return Fail(Reason::kDecodeError);
  Handshake& handshake = state.handshake;
  handshake.transcript.Add(received.raw);
  const uint64_t question = handshake.next_question++;
  Choose choose{question, ProtocolVersion::kTls13, handshake.negotiated->server_name, {}};
  choose.as_client = true;
  choose.certificate_schemes = CertificateSchemes(ProtocolVersion::kTls13, certified->schemes);
  for (const SignatureScheme scheme : context.profile.signature_schemes) {
    if (!IsPkcs1(scheme) && Contains(theirs->schemes, scheme)) choose.schemes.push_back(scheme);
  }
  if (const Extension* names = Find(message.extensions, ExtensionType::kCertificateAuthorities)) {
    const auto list = Parse<CertificateAuthorities>(names->data);
    if (!list) return Fail(Reason::kDecodeError);
    for (const DistinguishedName& name : list->authorities) {
      choose.certificate_authorities.push_back(Copy(name.der));
    }
  }
  AwaitChoice next{question, std::move(handshake), choose.schemes, choose.certificate_schemes};
  return {std::move(next), {}, std::move(choose)};
}

Transition On(WaitCertificateOrRequest state, const Received<Certificate>& received,
              const Context& context) {
  return AskVerdict(std::move(state.handshake), Identity(), received, context);
}

Transition On(WaitCertificate state, const Received<Certificate>& received,
              const Context& context) {
  return AskVerdict(std::move(state.handshake), std::move(state.identity), received, context);
}

Transition On(AwaitChoice state, const Chosen& answer, const Context&) {
  Identity identity = client::IdentityFrom(answer, state.schemes, state.certificate_schemes);
  return {WaitCertificate{std::move(state.handshake), std::move(identity)}, {}, std::nullopt};
}

Transition On(AwaitVerdict state, const PeerVerdict& answer, const Context&) {
  // RFC 8446 §4.4.2.2: "If the client cannot construct an acceptable chain using the provided
  // certificates and decides to abort the handshake, then it MUST abort the handshake with an
  // appropriate certificate-related alert (by default, "unsupported_certificate"; see Section 6.2
  // for more information)."
  if (answer.refusal) return Fail(*answer.refusal);
  int64_t& not_after = state.handshake.negotiated->not_after_unix_s;
  not_after = std::min(not_after, answer.not_after_unix_s);
  return {WaitCertificateVerify{std::move(state.handshake), std::move(state.identity),
                                std::move(state.public_key)},
          {},
          std::nullopt};
}

Transition On(WaitCertificateVerify state, const Received<CertificateVerify>& received,
              const Context& context) {
  const CertificateVerify& message = received.message;
  // RFC 8446 §4.4.3: "If the CertificateVerify message is sent by a server, the signature algorithm
  // MUST be one offered in the client's "signature_algorithms" extension".
  if (!MaySignTls13(context.profile, message.algorithm)) return Fail(Reason::kSchemeNotOffered);
  Handshake& handshake = state.handshake;
  const Bytes content =
      ContentToSign(Tls13ServerCertificateVerify{Copy(handshake.transcript.Current().view())});
  // RFC 8446 §4.4.3: "If the verification fails, the receiver MUST terminate the handshake with a
  // "decrypt_error" alert."
  // RFC 8446 §4.4.3: "The receiver of a CertificateVerify message MUST verify the signature field."
  if (!VerifySignature(ProtocolVersion::kTls13, message.algorithm, state.public_key, content,
                       message.signature)) {
    return Fail(Reason::kBadSignature);
  }
  handshake.transcript.Add(received.raw);
  return {WaitFinished{std::move(handshake), std::move(state.identity)}, {}, std::nullopt};
}

Transition On(WaitFinished state, const Received<Finished>& received, const Context& context) {
  Handshake& handshake = state.handshake;
  const HashAlgorithm hash = HashOf(*handshake.negotiated);
  const Digest expected =
      FinishedVerifyData(hash, handshake.server_finished_key, handshake.transcript.Current());
  if (received.message.verify_data.size() != expected.size) return Fail(Reason::kDecodeError);
  // RFC 8446 §4.4.4: "Recipients of Finished messages MUST verify that the contents are correct and
  // if incorrect MUST terminate the connection with a "decrypt_error" alert."
  if (!ConstantTimeEqual(received.message.verify_data, expected.view())) {
    return Fail(Reason::kFinishedMismatch);
  }
  handshake.transcript.Add(received.raw);
  const Digest finished_hash = handshake.transcript.Current();
  TrafficSecrets application = ApplicationTraffic(hash, handshake.main, finished_hash);
  HashSecret exporter = ExporterSecret(hash, handshake.main, finished_hash);
  const Identity& identity = state.identity;
  Bytes flight;
  // RFC 8446 §4.4.2: "The client MUST send a Certificate message if and only if the server has
  // requested client authentication via a CertificateRequest message (Section 4.3.2)."
  if (identity.requested) {
    Certificate message;
    if (identity.credential != nullptr) {
      handshake.negotiated->credential = identity.credential->name;
      for (const Bytes& der : identity.credential->chain) {
        message.certificate_list.push_back({der, {}});
      }
    }
    if (!AppendMessage(flight, message)) return Fail(Reason::kInternalError);
    handshake.transcript.Add(flight);
  }
  // RFC 8446 §4.4.2: "A Finished message MUST be sent regardless of whether the Certificate message
  // is empty."
  if (identity.credential == nullptr) {
    return Finish({std::move(handshake.negotiated), std::move(handshake.transcript),
                   std::move(flight), handshake.client_finished_key, handshake.main,
                   std::move(exporter), std::move(application),
                   tls13::MaxPlaintext(context.profile, handshake.record_size_limit)});
  }
  handshake.negotiated->signature_scheme = identity.scheme;
  const uint64_t question = handshake.next_question++;
  UsePrivateKey ask{question, identity.credential->name, identity.scheme,
                    Tls13ClientCertificateVerify{Copy(handshake.transcript.Current().view())}};
  return {
      AwaitPrivateKey{question, std::move(handshake.negotiated), std::move(handshake.transcript),
                      std::move(flight), identity.scheme, std::move(handshake.main),
                      std::move(exporter), std::move(handshake.client_finished_key),
                      std::move(application), handshake.record_size_limit},
      {},
      std::move(ask)};
}

Transition On(AwaitPrivateKey state, const PrivateKeyUsed& answer, const Context& context) {
  if (answer.signature.empty()) return Fail(answer.refusal);
  // RFC 8446 §4.4.3: "Clients MUST send this message whenever authenticating via a certificate
  // (i.e., when the Certificate message is non-empty)."
  const size_t signed_from = state.flight.size();
  if (!AppendMessage(state.flight, CertificateVerify{state.scheme, answer.signature})) {
    return Fail(Reason::kInternalError);
  }
  state.transcript.Add(ByteView(state.flight).subspan(signed_from));
  return Finish({std::move(state.negotiated), std::move(state.transcript), std::move(state.flight),
                 state.client_finished_key, state.main, std::move(state.exporter),
                 std::move(state.application),
                 tls13::MaxPlaintext(context.profile, state.record_size_limit)});
}

}  // namespace handfast::tls::client13
