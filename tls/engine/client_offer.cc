// A client's first ClientHello: what it offers, and the session that it brings.
#include <algorithm>
#include <cstring>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/hkdf.h"
#include "tls/engine/client_phase.h"
#include "tls/engine/moves_client.h"
#include "tls/engine/negotiation.h"

namespace handfast::tls::client {
namespace {

constexpr size_t kSessionIdSize = 32;
constexpr uint8_t kNoCompression[] = {0};
constexpr uint8_t kPskModes[] = {1, PskKeyExchangeModes::kPskDheKe};
// RFC 5746 §3.4: "The client MUST include either an empty "renegotiation_info" extension, or the
// TLS_EMPTY_RENEGOTIATION_INFO_SCSV signaling cipher suite value in the ClientHello."
constexpr uint8_t kNothingRenegotiated[] = {0};
constexpr uint8_t kUncompressed[] = {1, 0};

// Fresh bytes for a ClientHello and for the ids of this handshake's questions.
struct Fresh {
  uint8_t random[kRandomSize];
  uint8_t session_id[kSessionIdSize];
  uint8_t question[sizeof(uint64_t)];
};

// Those of the profile that we know and whose version it allows.
std::vector<CipherSuite> SuitesOf(const Profile& profile) {
  std::vector<CipherSuite> suites;
  for (const CipherSuite suite : profile.cipher_suites) {
    const SuiteInfo* info = FindSuite(suite);
    // RFC 8446 §9.3: "A client sending a ClientHello MUST support all parameters advertised in it."
    if (info != nullptr && Contains(profile.versions, info->version)) suites.push_back(suite);
  }
  return suites;
}

bool AnyOf(const std::vector<CipherSuite>& suites, ProtocolVersion version) {
  return std::any_of(suites.begin(), suites.end(),
                     [&](CipherSuite suite) { return FindSuite(suite)->version == version; });
}

// Those of the profile that the running libcrypto has; TLS 1.2 alone has no hybrids.
std::vector<NamedGroup> GroupsOf(const Profile& profile, bool tls13) {
  std::vector<NamedGroup> groups;
  std::copy_if(profile.groups.begin(), profile.groups.end(), std::back_inserter(groups),
               [&](NamedGroup group) { return Implemented(group) && (tls13 || !IsHybrid(group)); });
  return groups;
}

// What the profile leaves to be offered.
struct Offered {
  std::vector<ProtocolVersion> versions;
  std::vector<CipherSuite> suites;
  std::vector<NamedGroup> groups;
  bool tls13 = false;
  bool tls12 = false;
};

Offered OfferedBy(const Profile& profile) {
  Offered offered;
  offered.suites = SuitesOf(profile);
  for (const ProtocolVersion version : profile.versions) {
    if (AnyOf(offered.suites, version)) offered.versions.push_back(version);
  }
  offered.tls13 = Contains(offered.versions, ProtocolVersion::kTls13);
  offered.tls12 = Contains(offered.versions, ProtocolVersion::kTls12);
  offered.groups = GroupsOf(profile, offered.tls13);
  return offered;
}

// A pair for each share that goes with the first ClientHello.
struct Pairs {
  KeyPair first;
  KeyPair fallback;  // none where the first is no hybrid
};

Result<Pairs> NewPairs(const std::vector<NamedGroup>& groups, Randomness& randomness) {
  // RFC 8446 §4.2.8: "The key_exchange values for each KeyShareEntry MUST be generated
  // independently."
  Result<KeyPair> first = randomness.NewKeyPair(groups.front());
  if (!first.ok()) return first.reason();
  Pairs pairs{*std::move(first), KeyPair()};
  const auto other = std::find_if_not(groups.begin(), groups.end(), IsHybrid);
  if (other == groups.begin() || other == groups.end()) return pairs;
  Result<KeyPair> fallback = randomness.NewKeyPair(*other);
  if (!fallback.ok()) return fallback.reason();
  pairs.fallback = *std::move(fallback);
  return pairs;
}

Bytes ShareBody(const Pairs& pairs) {
  // RFC 8446 §4.2.8: "Each KeyShareEntry value MUST correspond to a group offered in the
  // "supported_groups" extension and MUST appear in the same order." §9.2: ""key_share" is REQUIRED
  // for DHE or ECDHE key exchange."
  KeyShareClientHello shares{{{pairs.first.group(), pairs.first.public_key()}}};
  if (!pairs.fallback.spent()) {
    shares.client_shares.push_back({pairs.fallback.group(), pairs.fallback.public_key()});
  }
  return Serialize(shares);
}

// Bodies of extensions, which the message views.
struct Bodies {
  Bytes server_name, groups, schemes, certified, status, alpn, limit, share, versions, psk;
};

// Those of TLS 1.2 alone.
void Offer12(const Offered& offered, const Session* session, Extensions& extensions) {
  extensions.push_back({ExtensionType::kRenegotiationInfo, kNothingRenegotiated});
  extensions.push_back({ExtensionType::kEcPointFormats, kUncompressed});
  extensions.push_back({ExtensionType::kExtendedMasterSecret, {}});
  if (std::any_of(offered.suites.begin(), offered.suites.end(),
                  [](CipherSuite suite) { return FindSuite(suite)->cbc.has_value(); })) {
    extensions.push_back({ExtensionType::kEncryptThenMac, {}});
  }
  // RFC 5077 §3.2: empty, it asks for a ticket.
  const bool brought = session != nullptr && session->version == ProtocolVersion::kTls12;
  extensions.push_back(
      {ExtensionType::kSessionTicket, brought ? ByteView(session->ticket) : ByteView()});
}

Extensions Offer(const Profile& profile, const Offered& offered, const Wanted& wanted,
                 const Session* session, const Pairs& pairs, Bodies& bodies) {
  Extensions extensions;
  if (!wanted.server_name.empty()) {
    // RFC 8446 §9.2: "Additionally, all implementations MUST support the use of the "server_name"
    // extension with applications capable of using it."
    bodies.server_name = Serialize(ServerNameList{{{0, AsBytes(wanted.server_name)}}});
    extensions.push_back({ExtensionType::kServerName, bodies.server_name});
  }
  // RFC 8446 §9.2: ""supported_groups" is REQUIRED for ClientHello messages using DHE or ECDHE key
  // exchange."
  bodies.groups = Serialize(NamedGroupList{offered.groups});
  extensions.push_back({ExtensionType::kSupportedGroups, bodies.groups});
  // RFC 8446 §4.2.3: "Clients which desire the server to authenticate itself via a certificate MUST
  // send the "signature_algorithms" extension." §9.2: ""signature_algorithms" is REQUIRED for
  // certificate authentication." RFC 5246 §7.4.1.4.1: "If the client does not support the default
  // algorithms, or supports other hash and signature algorithms (and it is willing to use them for
  // verifying messages sent by the server, i.e., server certificates and server key exchange), it
  // MUST send the signature_algorithms extension, listing the algorithms it is willing to accept."
  bodies.schemes = Serialize(SignatureSchemeList{profile.signature_schemes});
  extensions.push_back({ExtensionType::kSignatureAlgorithms, bodies.schemes});
  // RFC 8446 §4.2.3: "Implementations which have the same policy in both cases MAY omit the
  // "signature_algorithms_cert" extension."
  if (!profile.certificate_schemes.empty()) {
    bodies.certified = Serialize(SignatureSchemeList{profile.certificate_schemes});
    extensions.push_back({ExtensionType::kSignatureAlgorithmsCert, bodies.certified});
  }
  // RFC 6066 §8, RFC 8446 §4.4.2.1: an OCSP response, from whatever responder.
  bodies.status = Serialize(CertificateStatusRequest{});
  extensions.push_back({ExtensionType::kStatusRequest, bodies.status});
  if (!wanted.alpn.empty()) {
    ProtocolNameList names;
    for (const std::string& name : wanted.alpn) names.names.push_back({AsBytes(name)});
    bodies.alpn = Serialize(names);
    extensions.push_back({ExtensionType::kAlpn, bodies.alpn});
  }
  if (profile.record_size_limit != 0) {
    bodies.limit = Serialize(RecordSizeLimit{profile.record_size_limit});
    extensions.push_back({ExtensionType::kRecordSizeLimit, bodies.limit});
  }
  if (offered.tls12) Offer12(offered, session, extensions);
  // RFC 8446 §4.2.1: "Implementations of this specification MUST send this extension in the
  // ClientHello containing all versions of TLS which they are prepared to negotiate (for this
  // specification, that means minimally 0x0304, but if previous versions of TLS are allowed to be
  // negotiated, they MUST be present as well)."
  bodies.versions = Serialize(SupportedVersionsClientHello{offered.versions});
  extensions.push_back({ExtensionType::kSupportedVersions, bodies.versions});
  if (!offered.tls13) return extensions;
  bodies.share = ShareBody(pairs);
  extensions.push_back({ExtensionType::kKeyShare, bodies.share});
  // RFC 8446 §4.2.9: "In order to use PSKs, clients MUST also send a "psk_key_exchange_modes"
  // extension." And: "A client MUST provide a "psk_key_exchange_modes" extension if it offers a
  // "pre_shared_key" extension." §9.2: ""psk_key_exchange_modes" is REQUIRED for PSK key
  // agreement."
  // Also without a session: else no server would give us one.
  extensions.push_back({ExtensionType::kPskKeyExchangeModes, kPskModes});
  return extensions;
}

size_t BinderSize(const Session& session) {
  return DigestSize(FindSuite(session.cipher_suite)->hash);
}

// The extension that offers the session, with zeros for its binder.
Bytes PskBody(const Session& session, uint32_t obfuscated_age) {
  const Bytes zeros(BinderSize(session));
  return Serialize(OfferedPsks{{{session.ticket, obfuscated_age}}, {{zeros}}});
}

// RFC 8446 §4.2.11.1: the age in milliseconds, plus ticket_age_add, modulo 2^32.
uint32_t ObfuscatedAge(const Session& session, int64_t now_unix_s) {
  const int64_t age_s = std::max<int64_t>(0, now_unix_s - session.issued_unix_s);
  return static_cast<uint32_t>(static_cast<uint64_t>(age_s) * 1000 + session.ticket_age_add);
}

// RFC 8446 §4.2.11.1: "Clients MUST NOT attempt to use tickets which have ages greater than the
// "ticket_lifetime" value which was provided with the ticket."
bool CanOffer(const Session& session, const std::string& server_name, const Offered& offered,
              int64_t now_unix_s) {
  // RFC 8446 §4.6.1: "Clients MUST only resume if the new SNI value is valid for the server
  // certificate presented in the original session": of another name nobody would be verified.
  if (session.server_name != server_name) return false;
  const bool named = session.version == ProtocolVersion::kTls13
                         ? !session.ticket.empty()
                         : !session.ticket.empty() || !session.session_id.empty();
  // RFC 5246 §7.4.1.2: "If the session_id field is not empty (implying a session resumption
  // request), this vector MUST include at least the cipher_suite from that session."
  return named && Contains(offered.versions, session.version) &&
         now_unix_s < session.not_after_unix_s && Contains(offered.suites, session.cipher_suite);
}

// RFC 8446 §4.1.2: with TLS 1.3 the field is filled for the sake of middleboxes (§D.4). RFC 5077
// §3.4 has a client fill it beside a ticket, to see from the echo that it was taken.
ByteView SessionIdFor(const Offered& offered, const Session* session, const Fresh& fresh) {
  const bool tls12 = session != nullptr && session->version == ProtocolVersion::kTls12;
  if (tls12 && session->ticket.empty()) return session->session_id;
  // RFC 8446 §4.1.2: "In compatibility mode (see Appendix D.4), this field MUST be non-empty, so a
  // client not offering a pre-TLS 1.3 session MUST generate a new 32-byte value."
  return tls12 || offered.tls13 ? ByteView(fresh.session_id) : ByteView();
}

}  // namespace

void Bind(const Session& session, Transcript so_far, Bytes& message) {
  const HashAlgorithm hash = FindSuite(session.cipher_suite)->hash;
  const size_t binders = sizeof(uint16_t) + 1 + BinderSize(session);
  so_far.Add(ByteView(message).first(message.size() - binders));
  const Digest binder = Binder(hash, ToEarly(hash, session.secret), so_far.Current());
  std::copy(binder.view().begin(), binder.view().end(),
            message.end() - static_cast<std::ptrdiff_t>(binder.size));
}

Transition Begin(Start state, const Context& context) {
  const Offered offered = OfferedBy(context.profile);
  if (offered.versions.empty() || offered.groups.empty()) return Fail(Reason::kUnsupportedVersion);
  Fresh fresh;
  const Result<void> drawn =
      context.randomness.Fill({reinterpret_cast<uint8_t*>(&fresh), sizeof(fresh)});
  if (!drawn.ok()) return Fail(drawn.reason());
  Result<Pairs> pairs =
      offered.tls13 ? NewPairs(offered.groups, context.randomness) : Result<Pairs>(Pairs{});
  if (!pairs.ok()) return Fail(pairs.reason());
  if (state.session &&
      !CanOffer(*state.session, state.wanted.server_name, offered, context.now_unix_s)) {
    state.session.reset();
  }
  const Session* const session = state.session ? &*state.session : nullptr;
  const bool psk = session != nullptr && session->version == ProtocolVersion::kTls13;
  Bodies bodies;
  ClientHello hello;
  // RFC 8446 §4.1.2: "In TLS 1.3, the client indicates its version preferences in the
  // "supported_versions" extension (Section 4.2.1) and the legacy_version field MUST be set to
  // 0x0303, which is the version number for TLS 1.2." §D.5: "Implementations MUST NOT send a
  // ClientHello.legacy_version or ServerHello.legacy_version set to 0x0300 or less."
  hello.legacy_version = ProtocolVersion::kTls12;
  hello.random = fresh.random;
  hello.legacy_session_id = SessionIdFor(offered, session, fresh);
  hello.cipher_suites = offered.suites;
  // RFC 5246 §7.4.1.2: "If the session_id field is not empty (implying a session resumption
  // request), it MUST include the compression_method from that session."
  hello.legacy_compression_methods = kNoCompression;
  hello.extensions = Offer(context.profile, offered, state.wanted, session, *pairs, bodies);
  if (psk) {
    bodies.psk = PskBody(*session, ObfuscatedAge(*session, context.now_unix_s));
    // RFC 8446 §4.2: "When multiple extensions of different types are present, the extensions MAY
    // appear in any order, with the exception of "pre_shared_key" (Section 4.2.11) which MUST be
    // the last extension in the ClientHello (but can appear anywhere in the ServerHello extensions
    // block)." §9.2: ""pre_shared_key" is REQUIRED for PSK key agreement."
    hello.extensions.push_back({ExtensionType::kPreSharedKey, bodies.psk});
  }
  WaitServerHello next;
  next.wanted = std::move(state.wanted);
  next.key_pair = std::move(pairs->first);
  next.fallback_pair = std::move(pairs->fallback);
  if (!AppendMessage(next.client_hello, hello)) return Fail(Reason::kInternalError);
  next.session = std::move(state.session);
  if (psk) {
    Bind(*next.session, Transcript(FindSuite(next.session->cipher_suite)->hash), next.client_hello);
  }
  std::memcpy(&next.next_question, fresh.question, sizeof(uint64_t));
  std::vector<Effect> effects;
  // RFC 8446 §4.1.2: "When a client first connects to a server, it is REQUIRED to send the
  // ClientHello as its first TLS message." §D.5: "Implementations MUST NOT send an SSL version 2.0
  // compatible CLIENT-HELLO."
  effects.emplace_back(SendMessages{next.client_hello});
  return {std::move(next), std::move(effects), std::nullopt};
}

}  // namespace handfast::tls::client
