#include "tls/engine/server_hello_phase.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tls/engine/moves_hello.h"
#include "tls/engine/resume12.h"
#include "tls/engine/resume13.h"

namespace handfast::tls {
namespace {

bool IsTls13(ProtocolVersion version) { return version == ProtocolVersion::kTls13; }

Result<ProtocolVersion> NegotiateVersion(const ClientHello& hello,
                                         const ClientHelloExtensions& extensions,
                                         const Profile& profile) {
  // RFC 8446 §D.5: "Any endpoint receiving a Hello message with ClientHello.legacy_version or
  // ServerHello.legacy_version set to 0x0300 MUST abort the handshake with a "protocol_version"
  // alert."
  // RFC 8446 §D.5: "The security of SSL 3.0 [RFC6101] is considered insufficient for the reasons
  // enumerated in [RFC7568], and it MUST NOT be negotiated for any reason." A profile has no older
  // version than TLS 1.2.
  if (hello.legacy_version <= ProtocolVersion::kSsl3) return Reason::kUnsupportedVersion;
  std::optional<ProtocolVersion> version;
  if (extensions.supported_versions) {
    // RFC 8446 §4.2.1: "If this extension is present in the ClientHello, servers MUST NOT use the
    // ClientHello.legacy_version value for version negotiation and MUST use only the
    // "supported_versions" extension to determine client preferences."
    // RFC 8446 §4.2.1: "Servers MUST only select a version of TLS present in that extension and
    // MUST ignore any unknown versions that are present in that extension." And: "Servers MUST be
    // prepared to receive ClientHellos that include this extension but do not include 0x0304 in the
    // list of versions." §D.2: "If the "supported_versions" extension is present, the server MUST
    // negotiate using that extension as described in Section 4.2.1."
    version = FirstCommon(profile.versions, extensions.supported_versions->versions);
  } else if (hello.legacy_version >= ProtocolVersion::kTls12 &&
             Contains(profile.versions, ProtocolVersion::kTls12)) {
    // RFC 8446 §4.2.1: "If this extension is not present, servers which are compliant with this
    // specification and which also support TLS 1.2 MUST negotiate TLS 1.2 or prior as specified in
    // [RFC5246], even if ClientHello.legacy_version is 0x0304 or later."
    // RFC 8446 §D.2: "If the "supported_versions" extension is not present, the server MUST
    // negotiate the minimum of ClientHello.legacy_version and TLS 1.2." RFC 5246 §E.1: "If a TLS
    // server receives a ClientHello containing a version number greater than the highest version
    // supported by the server, it MUST reply according to the highest version supported by the
    // server."
    version = ProtocolVersion::kTls12;
  }
  // RFC 8446 §D.2: "If the "supported_versions" extension is absent and the server only supports
  // versions greater than ClientHello.legacy_version, the server MUST abort the handshake with a
  // "protocol_version" alert." RFC 5246 §E.1: "If server supports (or is willing to use) only
  // versions greater than client_version, it MUST send a "protocol_version" alert message and close
  // the connection."
  if (!version) return Reason::kUnsupportedVersion;
  // RFC 7507 §3: "If TLS_FALLBACK_SCSV appears in ClientHello.cipher_suites and the highest
  // protocol version supported by the server is higher than the version indicated in
  // ClientHello.client_version, the server MUST respond with a fatal inappropriate_fallback alert".
  const ProtocolVersion highest =
      *std::max_element(profile.versions.begin(), profile.versions.end());
  if (Contains(hello.cipher_suites, CipherSuite::kFallbackScsv) && *version < highest) {
    return Reason::kInappropriateFallback;
  }
  return *version;
}

Result<void> CheckCompression(const ClientHello& hello, ProtocolVersion version) {
  const ByteView methods = hello.legacy_compression_methods;
  // RFC 8446 §4.1.2: "For every TLS 1.3 ClientHello, this vector MUST contain exactly one byte, set
  // to zero [...] If a TLS 1.3 ClientHello is received with any other value in this field, the
  // server MUST abort the handshake with an "illegal_parameter" alert."
  if (IsTls13(version) && (methods.size() != 1 || methods[0] != 0)) return Reason::kBadCompression;
  // RFC 5246 §7.4.1.2: "This vector MUST contain, and all implementations MUST support,
  // CompressionMethod.null."
  // RFC 8446 §4.1.2: "Note that TLS 1.3 servers might receive TLS 1.2 or prior ClientHellos which
  // contain other compression methods and (if negotiating such a prior version) MUST follow the
  // procedures for the appropriate prior version of TLS."
  if (std::find(methods.begin(), methods.end(), 0) == methods.end()) return Reason::kBadCompression;
  return {};
}

Result<void> NegotiateAlpn(const std::vector<std::string>& ours,
                           const ClientHelloExtensions& theirs, Established& negotiated) {
  if (ours.empty() || !theirs.alpn) return {};
  for (const std::string& protocol : ours) {
    for (const ProtocolName& offered : theirs.alpn->names) {
      if (AsText(offered.name) == protocol) {
        negotiated.alpn = protocol;
        return {};
      }
    }
  }
  // RFC 7301 §3.2: "In the event that the server supports no protocols that the client advertises,
  // then the server SHALL respond with a fatal "no_application_protocol" alert."
  return Reason::kNoCommonProtocol;
}

Result<void> ReadRecordSizeLimit(const ClientHelloExtensions& extensions, Hello& hello) {
  if (!extensions.record_size_limit) return {};
  const uint16_t limit = extensions.record_size_limit->record_size_limit;
  // RFC 8449 §4: "An endpoint MUST treat receipt of a smaller value as a fatal error".
  if (limit < kMinRecordSizeLimit) return Reason::kBadRecordSizeLimit;
  hello.record_size_limit = true;
  // RFC 8449 §4: in TLS 1.3 the limit counts the content type.
  const int usable = IsTls13(hello.negotiated->version) ? limit - 1 : limit;
  constexpr int kMaxFragment = 16384;
  hello.negotiated->max_fragment = static_cast<uint16_t>(std::min(usable, kMaxFragment));
  return {};
}

bool AnySuiteFor(SuiteAuthentication authentication, const std::vector<CipherSuite>& suites) {
  return std::any_of(suites.begin(), suites.end(), [&](CipherSuite suite) {
    return FindSuite(suite)->authentication == authentication;
  });
}

std::vector<SignatureScheme> CommonSchemes(const Profile& profile,
                                           const std::vector<SignatureScheme>& theirs) {
  std::vector<SignatureScheme> common;
  for (SignatureScheme scheme : profile.signature_schemes) {
    if (Contains(theirs, scheme)) common.push_back(scheme);
  }
  return common;
}

std::vector<CipherSuite> CommonSuites(const Profile& profile, const ClientHello& hello,
                                      ProtocolVersion version) {
  std::vector<CipherSuite> common;
  // RFC 8446 §4.1.2: "If the list contains cipher suites that the server does not recognize,
  // support, or wish to use, the server MUST ignore those cipher suites and process the remaining
  // ones as usual." RFC 5246 §7.4.1.2: "If the list contains cipher suites the server does not
  // recognize, support, or wish to use, the server MUST ignore those cipher suites, and process the
  // remaining ones as usual."
  for (CipherSuite suite : profile.cipher_suites) {
    const SuiteInfo* info = FindSuite(suite);
    if (info != nullptr && info->version == version && Contains(hello.cipher_suites, suite)) {
      common.push_back(suite);
    }
  }
  return common;
}

std::optional<NamedGroup> CommonGroup(const Profile& profile, const std::vector<NamedGroup>& theirs,
                                      bool (*of_kind)(NamedGroup)) {
  for (NamedGroup group : profile.groups) {
    if (of_kind(group) && Implemented(group) && Contains(theirs, group)) return group;
  }
  return std::nullopt;
}

// RFC 8446's key_share alone can carry a hybrid's shares: for TLS 1.2 there is none.
bool IsCurve(NamedGroup group) { return !IsFfdhe(group) && !IsHybrid(group); }

// The suite, and the session where one of those that were brought fits.
Result<void> ChooseSuite13(const Received<ClientHello>& received,
                           const ClientHelloExtensions& extensions, const Context& context,
                           AwaitChoice& next, Offer13& offer) {
  const std::vector<CipherSuite> suites =
      CommonSuites(context.profile, received.message, ProtocolVersion::kTls13);
  // RFC 8446 §2.1: "If no common cryptographic parameters can be negotiated, the server MUST abort
  // the handshake with an appropriate alert." §4.1.1: "If the server is unable to negotiate a
  // supported set of parameters (i.e., there is no overlap between the client and server
  // parameters), it MUST abort the handshake with either a "handshake_failure" or
  // "insufficient_security" fatal alert (see Section 6)."
  if (suites.empty()) return Reason::kNoCommonCipherSuite;
  Established& negotiated = *next.hello.negotiated;
  negotiated.cipher_suite = suites.front();
  next.hello.psk_dhe_ke = tls13::OffersPskDheKe(extensions);
  Result<std::optional<OfferedSession>> session =
      tls13::ChooseSession(extensions, received.raw, negotiated.server_name, suites, context);
  if (!session.ok()) return session.reason();
  offer.session = *std::move(session);
  if (offer.session) {
    const HashAlgorithm hash = FindSuite(offer.session->session.cipher_suite)->hash;
    negotiated.cipher_suite = *std::find_if(
        suites.begin(), suites.end(), [&](CipherSuite s) { return FindSuite(s)->hash == hash; });
  }
  return {};
}

Result<void> Negotiate13(const Received<ClientHello>& received,
                         const ClientHelloExtensions& extensions, const Context& context,
                         AwaitChoice& next) {
  const Profile& profile = context.profile;
  Established& negotiated = *next.hello.negotiated;
  // RFC 8446 §9.2: "If not containing a "pre_shared_key" extension, it MUST contain both a
  // "signature_algorithms" extension and a "supported_groups" extension. [...] If containing a
  // "supported_groups" extension, it MUST also contain a "key_share" extension, and vice versa."
  // §9.2: "Servers receiving a ClientHello which does not conform to these requirements MUST abort
  // the handshake with a "missing_extension" alert." Sessions are resumed with a key share, too.
  if (!extensions.supported_groups || !extensions.key_share) return Reason::kMissingExtension;
  // RFC 8446 §4.2.9: "If clients offer "pre_shared_key" without a "psk_key_exchange_modes"
  // extension, servers MUST abort the handshake."
  if (extensions.pre_shared_key && !extensions.psk_key_exchange_modes) {
    return Reason::kMissingExtension;
  }
  Offer13 offer;
  if (Result<void> r = ChooseSuite13(received, extensions, context, next, offer); !r.ok()) {
    return r;
  }
  // RFC 8446 §4.2.3: "If a server is authenticating via a certificate and the client has not sent a
  // "signature_algorithms" extension, then the server MUST abort the handshake with a
  // "missing_extension" alert (see Section 9.2)."
  if (!extensions.signature_algorithms && !offer.session) return Reason::kMissingExtension;
  const std::vector<KeyShareEntry>& shares = extensions.key_share->client_shares;
  for (size_t i = 0; i < shares.size(); ++i) {
    // RFC 8446 §4.2.8: "Clients MUST NOT offer multiple KeyShareEntry values for the same group.
    // Clients MUST NOT offer any KeyShareEntry values for groups not listed in the client's
    // "supported_groups" extension. Servers MAY check for violations of these rules and abort the
    // handshake with an "illegal_parameter" alert if one is violated."
    for (size_t j = 0; j < i; ++j) {
      if (shares[i].group == shares[j].group) return Reason::kDuplicateKeyShare;
    }
    if (!Contains(extensions.supported_groups->groups, shares[i].group)) {
      return Reason::kKeyShareNotOffered;
    }
  }
  // A common group with a share comes before a better one without: it saves a round trip.
  for (NamedGroup group : profile.groups) {
    const auto share = std::find_if(shares.begin(), shares.end(),
                                    [&](const KeyShareEntry& s) { return s.group == group; });
    if (share == shares.end() || !Implemented(group)) continue;
    // RFC 8446 §4.2.8: "Servers MUST NOT send a KeyShareEntry for any group not indicated in the
    // client's "supported_groups" extension and MUST NOT send a KeyShareEntry when using the
    // "psk_ke" PskKeyExchangeMode." That mode is never chosen.
    negotiated.group = group;
    offer.key_share = Copy(share->key_exchange);
    break;
  }
  if (offer.key_share.empty()) {
    const auto group =
        CommonGroup(profile, extensions.supported_groups->groups, [](NamedGroup) { return true; });
    // RFC 8446 §4.1.1: "If there is no overlap between the received "supported_groups" and the
    // groups supported by the server, then the server MUST abort the handshake with a
    // "handshake_failure" or an "insufficient_security" alert."
    if (!group) return Reason::kNoCommonGroup;
    negotiated.group = *group;
  }
  next.offer = std::move(offer);
  if (!extensions.signature_algorithms) return {};
  // RFC 8446 §4.2.3: RSASSA-PKCS1-v1_5 algorithms "are not defined for use in signed TLS handshake
  // messages".
  next.schemes = CommonSchemes(profile, extensions.signature_algorithms->schemes);
  std::erase_if(next.schemes, IsPkcs1);
  if (next.schemes.empty()) return Reason::kNoCommonSignatureScheme;
  return {};
}

Result<void> CheckRenegotiationInfo(const ClientHello& hello,
                                    const ClientHelloExtensions& extensions,
                                    const Profile& profile) {
  if (extensions.renegotiation_info) {
    // RFC 5746 §3.6: "The server MUST then verify that the length of the "renegotiated_connection"
    // field is zero, and if it is not, MUST abort the handshake."
    if (!extensions.renegotiation_info->renegotiated_connection.empty()) {
      return Reason::kBadRenegotiationInfo;
    }
    return {};
  }
  const bool signalled = Contains(hello.cipher_suites, CipherSuite::kEmptyRenegotiationInfoScsv);
  if (!signalled && profile.require_renegotiation_info) return Reason::kRenegotiationInfoRequired;
  return {};
}

// The finite field group for DHE; 0 where there is none.
NamedGroup NegotiateFfdhe(const Profile& profile, const std::vector<NamedGroup>& theirs) {
  if (std::none_of(theirs.begin(), theirs.end(), IsFfdhe)) {
    // A client that predates RFC 7919 names none, and knows 2048 bits at least.
    const bool listed = Contains(profile.groups, NamedGroup::kFfdhe2048);
    return listed ? NamedGroup::kFfdhe2048 : NamedGroup{};
  }
  // RFC 7919 §4: "if none of the client-proposed FFDHE groups are known and acceptable to the
  // server, then the server MUST NOT select an FFDHE cipher suite."
  return CommonGroup(profile, theirs, IsFfdhe).value_or(NamedGroup{});
}

// The common suites whose key exchange has a group, and those groups.
Result<void> NegotiateKeyExchange(const Profile& profile, const ClientHello& client_hello,
                                  const std::vector<NamedGroup>& groups, Offer12& offer) {
  offer.cipher_suites = CommonSuites(profile, client_hello, ProtocolVersion::kTls12);
  if (offer.cipher_suites.empty()) return Reason::kNoCommonCipherSuite;
  offer.curve = CommonGroup(profile, groups, IsCurve).value_or(NamedGroup{});
  offer.ffdhe_group = NegotiateFfdhe(profile, groups);
  bool dhe = false;
  std::erase_if(offer.cipher_suites, [&](CipherSuite suite) {
    const SuiteKeyExchange kind = FindSuite(suite)->key_exchange;
    dhe = dhe || kind == SuiteKeyExchange::kDhe;
    return (kind == SuiteKeyExchange::kEcdhe && offer.curve == NamedGroup{}) ||
           (kind == SuiteKeyExchange::kDhe && offer.ffdhe_group == NamedGroup{});
  });
  if (!offer.cipher_suites.empty()) return {};
  // RFC 7919 §4: "If the extension is present with FFDHE groups, none of the client's offered
  // groups are acceptable by the server, and none of the client's proposed non-FFDHE cipher suites
  // are acceptable to the server, the server MUST end the connection with a fatal TLS alert of type
  // insufficient_security(71)."
  const bool named = std::any_of(groups.begin(), groups.end(), IsFfdhe);
  return dhe && named ? Reason::kNoCommonFfdheGroup : Reason::kNoCommonGroup;
}

Result<void> Negotiate12(const ClientHello& client_hello, const ClientHelloExtensions& extensions,
                         const Context& context, AwaitChoice& next) {
  const Profile& profile = context.profile;
  if (Result<void> info = CheckRenegotiationInfo(client_hello, extensions, profile); !info.ok()) {
    return info;
  }
  // RFC 7627 §5.2: "If the server receives a ClientHello without the extension, it SHOULD
  // abort the handshake if it does not wish to interoperate with legacy clients."
  if (!extensions.extended_master_secret && profile.require_extended_master_secret) {
    return Reason::kExtendedMasterSecretRequired;
  }
  Offer12 offer;
  offer.extended_master_secret = extensions.extended_master_secret;
  offer.encrypt_then_mac = extensions.encrypt_then_mac;
  offer.secure_renegotiation =
      extensions.renegotiation_info.has_value() ||
      Contains(client_hello.cipher_suites, CipherSuite::kEmptyRenegotiationInfoScsv);
  offer.ec_point_formats = extensions.ec_point_formats.has_value();
  // RFC 8422 §5.1.2: "If the client sends the extension and the extension does not contain the
  // uncompressed point format, and the client has used the Supported Groups extension to indicate
  // support for any of the curves defined in this specification, then the server MUST abort the
  // handshake and return an illegal_parameter alert."
  if (offer.ec_point_formats) {
    const ByteView formats = extensions.ec_point_formats->formats;
    if (std::find(formats.begin(), formats.end(), 0) == formats.end()) return Reason::kBadKeyShare;
  }
  // RFC 8422 §4: a client without the extension leaves the curve to the server.
  static const std::vector<NamedGroup> kAnyCurve = {NamedGroup::kSecp256r1};
  const std::vector<NamedGroup>& groups =
      extensions.supported_groups ? extensions.supported_groups->groups : kAnyCurve;
  if (Result<void> r = NegotiateKeyExchange(profile, client_hello, groups, offer); !r.ok()) {
    return r;
  }
  if (extensions.signature_algorithms) {
    next.schemes = CommonSchemes(profile, extensions.signature_algorithms->schemes);
  } else {
    // RFC 5246 §7.4.1.4.1 then assumes SHA-1, which we never sign with: static RSA is left, in
    // which the server signs nothing.
    std::erase_if(offer.cipher_suites, [](CipherSuite suite) {
      return FindSuite(suite)->key_exchange != SuiteKeyExchange::kRsa;
    });
    next.schemes = profile.signature_schemes;
  }
  std::erase_if(next.schemes, [&](SignatureScheme scheme) {
    const std::optional<NamedGroup> curve = CurveOf(scheme);
    // RFC 5246 §7.4.3: "In order to negotiate correctly, the server MUST check any candidate cipher
    // suites against the "signature_algorithms" extension before selecting them."
    return !AnySuiteFor(AuthenticationOf(scheme), offer.cipher_suites) ||
           (curve && !Contains(groups, *curve));
  });
  if (next.schemes.empty()) return Reason::kNoCommonSignatureScheme;
  offer.session_ticket = extensions.session_ticket.has_value();
  Result<std::optional<Session>> session =
      tls12::SessionOfTicket(extensions, next.hello.negotiated->server_name, offer, context);
  if (!session.ok()) return session.reason();
  offer.session = *std::move(session);
  next.offer = std::move(offer);
  return {};
}

// RFC 8446 §4.2.3: "If no "signature_algorithms_cert" extension is present, then the
// "signature_algorithms" extension also applies to signatures appearing in certificates." And:
// "TLS 1.2 implementations SHOULD also process this extension."
SchemeSet TakenInCertificates(const ClientHelloExtensions& extensions, ProtocolVersion version) {
  if (extensions.signature_algorithms_cert) {
    return CertificateSchemes(version, extensions.signature_algorithms_cert->schemes);
  }
  if (!extensions.signature_algorithms) return {};
  return CertificateSchemes(version, extensions.signature_algorithms->schemes);
}

// Fresh bytes for the handshake: the server's random and the first question's id.
Result<void> DrawRandom(const Context& context, Hello& hello) {
  std::array<uint8_t, kRandomSize + sizeof(uint64_t)> fresh;
  // RFC 8446 §4.1.3: "This structure is generated by the server and MUST be generated independently
  // of the ClientHello.random." And: "The last 8 bytes MUST be overwritten as described below if
  // negotiating TLS 1.2 or TLS 1.1, but the remaining bytes MUST be random." RFC 5246 §7.4.1.3:
  // "random This structure is generated by the server and MUST be independently generated from the
  // ClientHello.random."
  if (Result<void> drawn = context.randomness.FillPublic(fresh); !drawn.ok()) return drawn;
  std::copy_n(fresh.begin(), kRandomSize, hello.server_random.begin());
  std::memcpy(&hello.next_question, fresh.data() + kRandomSize, sizeof(uint64_t));
  return {};
}

Result<AwaitChoice> Negotiate(const std::vector<std::string>& alpn,
                              const Received<ClientHello>& received, const Context& context) {
  const ClientHello& client_hello = received.message;
  const Result<ClientHelloExtensions> extensions = ReadExtensions(client_hello);
  if (!extensions.ok()) return extensions.reason();
  const Result<ProtocolVersion> version =
      NegotiateVersion(client_hello, *extensions, context.profile);
  if (!version.ok()) return version.reason();
  if (Result<void> r = CheckCompression(client_hello, *version); !r.ok()) return r.reason();

  Result<AwaitChoice> result(std::in_place);
  AwaitChoice& next = *result;
  next.hello.negotiated = std::make_unique<Established>();
  next.hello.negotiated->version = *version;
  next.hello.negotiated->server_name = extensions->server_name;
  next.hello.legacy_session_id = Copy(client_hello.legacy_session_id);
  next.hello.status_request = extensions->status_request;
  if (Result<void> r = ReadRecordSizeLimit(*extensions, next.hello); !r.ok()) return r.reason();
  const Result<void> suited = IsTls13(*version)
                                  ? Negotiate13(received, *extensions, context, next)
                                  : Negotiate12(client_hello, *extensions, context, next);
  if (!suited.ok()) return suited.reason();
  next.certificate_schemes = TakenInCertificates(*extensions, *version);
  if (Result<void> r = NegotiateAlpn(alpn, *extensions, *next.hello.negotiated); !r.ok()) {
    return r.reason();
  }
  if (Result<void> r = DrawRandom(context, next.hello); !r.ok()) return r.reason();
  return result;
}

// TLS 1.2: the session that the answer has us resume, be it the ticket's or the caller's.
Result<std::optional<Session>> SessionToResume(const Hello& hello, Offer12& offer,
                                               const Chosen& answer, const Context& context) {
  if (offer.session && answer.resume) return std::exchange(offer.session, std::nullopt);
  if (answer.session == nullptr || !context.keeps_sessions) return std::optional<Session>();
  return tls12::SessionOfCaller(*answer.session, hello, offer, context);
}

}  // namespace

Digest Fingerprint(const ClientHello& hello) {
  Bytes repeated;
  ClientHello kept = hello;
  // RFC 8446 §4.1.2 lists what the client may change after a HelloRetryRequest.
  std::erase_if(kept.extensions, [](const Extension& e) {
    return e.type == ExtensionType::kKeyShare || e.type == ExtensionType::kEarlyData ||
           e.type == ExtensionType::kCookie || e.type == ExtensionType::kPreSharedKey ||
           e.type == ExtensionType::kPadding;
  });
  // Nor does it say that the order stays, and wolfSSL's does not.
  std::sort(kept.extensions.begin(), kept.extensions.end(),
            [](const Extension& a, const Extension& b) { return a.type < b.type; });
  if (!AppendSerialized(repeated, kept)) repeated.clear();
  return Hash(HashAlgorithm::kSha256, repeated);
}

Transition On(WaitClientHello state, const Received<ClientHello>& received,
              const Context& context) {
  const std::vector<std::string> alpn = std::move(state.alpn);
  Result<AwaitChoice> next = Negotiate(alpn, received, context);
  if (!next.ok()) return Fail(next.reason());
  next->client_hello = Copy(received.raw);
  if (auto* offer = std::get_if<Offer13>(&next->offer); offer && offer->key_share.empty()) {
    offer->first_hello = Fingerprint(received.message);
  }
  next->question = next->hello.next_question++;
  const Established& negotiated = *next->hello.negotiated;
  Choose choose{next->question, negotiated.version, negotiated.server_name, next->schemes};
  if (const auto* offer = std::get_if<Offer13>(&next->offer); offer && offer->session) {
    choose.session_credential = offer->session->session.credential;
  }
  if (const auto* offer = std::get_if<Offer12>(&next->offer)) {
    if (offer->session) choose.session_credential = offer->session->credential;
    // RFC 5077 §3.4: beside a ticket the id only says whether it was taken.
    if (!offer->session && context.keeps_sessions) {
      choose.session_id = next->hello.legacy_session_id;
    }
  }
  choose.certificate_schemes = next->certificate_schemes;
  std::vector<Effect> effects;
  // We never offer it; who sends it all the same is answered without it.
  // RFC 8446 §4.2.10: "A server which receives an "early_data" extension MUST behave in one of
  // three ways:" It is the first: they are ignored.
  if (IsTls13(negotiated.version) &&
      Find(received.message.extensions, ExtensionType::kEarlyData) != nullptr) {
    effects.emplace_back(SkipEarlyData{});
  }
  return {*std::move(next), std::move(effects), std::move(choose)};
}

Transition On(AwaitChoice state, const Chosen& answer, const Context& context) {
  auto* const offer13 = std::get_if<Offer13>(&state.offer);
  if (offer13 != nullptr && offer13->session && answer.resume) {
    Offer13 spent = std::move(*offer13);
    return tls13::Begin(std::move(state), std::move(spent), nullptr, context);
  }
  if (auto* const offer = std::get_if<Offer12>(&state.offer)) {
    Result<std::optional<Session>> session = SessionToResume(state.hello, *offer, answer, context);
    if (!session.ok()) return Fail(session.reason());
    if (*session) {
      Offer12 spent = std::move(*offer);
      return tls12::Resume(std::move(state), std::move(spent), **std::move(session), context);
    }
  }
  // TLS 1.3: the client brought a session and no signature_algorithms, and the session is refused.
  if (state.schemes.empty()) return Fail(Reason::kMissingExtension);
  if (answer.credential == nullptr) return Fail(answer.refusal);
  const auto scheme = CommonScheme(state.schemes, *answer.credential);
  if (!scheme) return Fail(Reason::kNoCredential);
  // RFC 5246 §7.4.2: "If the client provided a "signature_algorithms" extension, then all
  // certificates provided by the server MUST be signed by a hash/signature algorithm pair that
  // appears in that extension." RFC 8446 §4.4.2.2: "All certificates provided by the server MUST be
  // signed by a signature algorithm advertised by the client if it is able to provide such a chain
  // (see Section 4.2.3)." Whether it is able, whoever chose knows.
  if (offer13 == nullptr && !state.certificate_schemes.Covers(answer.credential->signatures)) {
    return Fail(Reason::kNoCommonSignatureScheme);
  }
  state.hello.negotiated->signature_scheme = *scheme;
  state.hello.negotiated->credential = answer.credential->name;
  state.hello.negotiated->not_after_unix_s = answer.credential->not_after_unix_s;
  if (offer13 != nullptr) {
    Offer13 spent = std::move(*offer13);
    spent.session.reset();
    return tls13::Begin(std::move(state), std::move(spent), answer.credential, context);
  }
  const Offer12 spent = std::move(std::get<Offer12>(state.offer));
  return tls12::Begin(std::move(state), spent, answer.credential, context);
}

}  // namespace handfast::tls
