// What a client makes of a ServerHello, and how it answers a HelloRetryRequest. What it offered is
// in client_offer.cc; the rest in client13.cc and client12.cc.
#include <algorithm>
#include <utility>

#include "tls/crypto/cipher_suite.h"
#include "tls/engine/client_phase.h"
#include "tls/engine/moves_client.h"
#include "tls/engine/negotiation.h"

namespace handfast::tls::client {
namespace {

// What a HelloRetryRequest makes of a ClientHello.
struct Repetition {
  const KeyPair* pair;  // null: the shares stay
  ByteView cookie;
  const Session* session;  // null: none is offered any more
};

// The same ClientHello with another share and a cookie, where one was asked for and given.
bool Repeat(ByteView first, const Repetition& change, Bytes& out) {
  std::optional<ClientHello> hello = Parse<ClientHello>(first.subspan(kHandshakeHeaderSize));
  if (!hello) return false;
  Bytes share;
  if (change.pair != nullptr) {
    share = Serialize(KeyShareClientHello{{{change.pair->group(), change.pair->public_key()}}});
  }
  const Bytes cookie = change.cookie.empty() ? Bytes() : Serialize(Cookie{change.cookie});
  Extensions& extensions = hello->extensions;
  const Extension* psk = Find(extensions, ExtensionType::kPreSharedKey);
  const std::optional<Extension> offered = psk == nullptr ? std::nullopt : std::optional(*psk);
  std::erase_if(extensions,
                [](const Extension& e) { return e.type == ExtensionType::kPreSharedKey; });
  for (Extension& extension : extensions) {
    if (extension.type == ExtensionType::kKeyShare && !share.empty()) extension.data = share;
  }
  // RFC 8446 §4.2.2: "When sending the new ClientHello, the client MUST copy the contents of the
  // extension received in the HelloRetryRequest into a "cookie" extension in the new ClientHello."
  // RFC 8446 §4.2.2: "Clients MUST NOT use cookies in their initial ClientHello in subsequent
  // connections."
  if (!cookie.empty()) extensions.push_back({ExtensionType::kCookie, cookie});
  // RFC 8446 §4.2.11: "The "pre_shared_key" extension MUST be the last extension in the
  // ClientHello".
  if (offered && change.session != nullptr) extensions.push_back(*offered);
  return AppendMessage(out, *hello);
}

// Whether the last ClientHello had a share of this group.
bool Brought(const WaitServerHello& state, NamedGroup group) {
  const auto is = [&](const KeyPair& pair) { return !pair.spent() && pair.group() == group; };
  return is(state.key_pair) || is(state.fallback_pair);
}

ClientHello Reread(const WaitServerHello& state) {
  // It is ours, so it parses.
  return *Parse<ClientHello>(ByteView(state.client_hello).subspan(kHandshakeHeaderSize));
}

// What is wrong with either kind of ServerHello, but for its extensions.
Result<void> CheckServerHello(const ServerHello& hello, const ClientHello& ours) {
  // RFC 8446 §4.1.4: "Upon receipt of a HelloRetryRequest, the client MUST check the
  // legacy_version, legacy_session_id_echo, cipher_suite, and legacy_compression_method as
  // specified in Section 4.1.3 and then process the extensions, starting with determining the
  // version using "supported_versions"."
  // RFC 8446 §D.5: "Any endpoint receiving a Hello message with ClientHello.legacy_version or
  // ServerHello.legacy_version set to 0x0300 MUST abort the handshake with a "protocol_version"
  // alert." So do those below.
  if (hello.legacy_version <= ProtocolVersion::kSsl3) return Reason::kUnsupportedVersion;
  const Extension* versions = Find(hello.extensions, ExtensionType::kSupportedVersions);
  const auto version = Parse<SupportedVersionsServerHello>(versions->data);
  if (!version) return Reason::kDecodeError;
  // RFC 8446 §4.2.1: "If the "supported_versions" extension in the ServerHello contains a version
  // not offered by the client or contains a version prior to TLS 1.3, the client MUST abort the
  // handshake with an "illegal_parameter" alert."
  // RFC 8446 §4.2.1: "If this extension is present, clients MUST ignore the
  // ServerHello.legacy_version value and MUST use only the "supported_versions" extension to
  // determine the selected version."
  if (version->selected_version != ProtocolVersion::kTls13 ||
      Find(ours.extensions, ExtensionType::kKeyShare) == nullptr) {
    return Reason::kVersionNotOffered;
  }
  // It decides nothing, but a server that sets it to anything else breaks §4.1.3.
  if (hello.legacy_version != ProtocolVersion::kTls12) return Reason::kVersionNotOffered;
  // RFC 8446 §4.1.3: "A client which receives a legacy_session_id_echo field that does not match
  // what it sent in the ClientHello MUST abort the handshake with an "illegal_parameter" alert."
  if (!Equal(hello.legacy_session_id_echo, ours.legacy_session_id)) {
    return Reason::kSessionIdNotEchoed;
  }
  // RFC 8446 §4.1.3: "A client which receives a cipher suite that was not offered MUST abort the
  // handshake with an "illegal_parameter" alert."
  // RFC 8446 §4.1.4: "A client which receives a cipher suite that was not offered MUST abort the
  // handshake."
  const SuiteInfo* suite = FindSuite(hello.cipher_suite);
  if (suite == nullptr || suite->version != ProtocolVersion::kTls13 ||
      !Contains(ours.cipher_suites, hello.cipher_suite)) {
    return Reason::kSuiteNotOffered;
  }
  if (hello.legacy_compression_method != 0) return Reason::kBadCompression;
  return {};
}

// RFC 8446 §4.1.4.
Transition OnRetry(WaitServerHello state, const Received<ServerHello>& received,
                   const ClientHello& ours, const Context& context) {
  // RFC 8446 §4.1.4: "If a client receives a second HelloRetryRequest in the same connection [...],
  // it MUST abort the handshake with an "unexpected_message" alert."
  if (state.after_retry) return Fail(Reason::kUnexpectedMessage);
  ByteView cookie;
  std::optional<NamedGroup> group;
  for (const Extension& extension : received.message.extensions) {
    if (extension.type == ExtensionType::kSupportedVersions) continue;
    if (extension.type == ExtensionType::kKeyShare) {
      const auto share = Parse<KeyShareHelloRetryRequest>(extension.data);
      if (!share) return Fail(Reason::kDecodeError);
      group = share->selected_group;
    } else if (extension.type == ExtensionType::kCookie) {
      const auto body = Parse<Cookie>(extension.data);
      if (!body) return Fail(Reason::kDecodeError);
      cookie = body->cookie;
    } else {
      return Fail(NotOffered(extension.type, ours.extensions));
    }
  }
  // RFC 8446 §4.1.4: "Clients MUST abort the handshake with an "illegal_parameter" alert if the
  // HelloRetryRequest would not result in any change in the ClientHello."
  if (!group && cookie.empty()) return Fail(Reason::kRetryWithoutChange);
  if (group) {
    // RFC 8446 §4.2.8: "the client MUST verify that (1) the selected_group field corresponds to a
    // group which was provided in the "supported_groups" extension in the original ClientHello and
    // (2) the selected_group field does not correspond to a group which was provided in the
    // "key_share" extension in the original ClientHello."
    // RFC 8446 §4.2.8: "If either of these checks fails, then the client MUST abort the handshake
    // with an "illegal_parameter" alert."
    if (!Contains(context.profile.groups, *group) || !Implemented(*group) ||
        Brought(state, *group)) {
      return Fail(Reason::kRetryWithoutChange);
    }
    Result<KeyPair> pair = context.randomness.NewKeyPair(*group);
    if (!pair.ok()) return Fail(pair.reason());
    state.key_pair = *std::move(pair);
    state.fallback_pair = KeyPair();
  }
  const HashAlgorithm hash = FindSuite(received.message.cipher_suite)->hash;
  // RFC 8446 §4.1.2 lets the client remove PSKs "which are incompatible with the server's indicated
  // cipher suite".
  if (state.session && (state.session->version != ProtocolVersion::kTls13 ||
                        FindSuite(state.session->cipher_suite)->hash != hash)) {
    state.session.reset();
  }
  Bytes repeated;
  const Session* const session = state.session ? &*state.session : nullptr;
  // RFC 8446 §4.1.4: "Otherwise, the client MUST process all extensions in the HelloRetryRequest
  // and send a second updated ClientHello."
  const KeyPair* const changed = group ? &state.key_pair : nullptr;
  if (!Repeat(state.client_hello, {changed, cookie, session}, repeated)) {
    return Fail(Reason::kInternalError);
  }
  state.after_retry = Transcript::AfterRetry(hash, state.client_hello);
  state.after_retry->Add(received.raw);
  if (session != nullptr) Bind(*session, *state.after_retry, repeated);
  state.retry_suite = received.message.cipher_suite;
  std::vector<Effect> effects;
  // RFC 8446 §D.4: the client sends a dummy change_cipher_spec "immediately before its second
  // flight. This may either be before its second ClientHello or before its encrypted handshake
  // flight."
  effects.emplace_back(SendChangeCipherSpec{});
  effects.emplace_back(SendMessages{repeated});
  state.client_hello = std::move(repeated);
  return {std::move(state), std::move(effects), std::nullopt};
}

// What a ServerHello says besides its fields.
struct ServerChoice {
  KeyShareEntry share;
  bool resumed = false;
};

Result<bool> ReadIdentity(const Extension& extension, const WaitServerHello& state,
                          const ServerHello& hello) {
  const auto body = Parse<PreSharedKeyServerHello>(extension.data);
  if (!body) return Reason::kDecodeError;
  if (!state.session || state.session->version != ProtocolVersion::kTls13) {
    return Reason::kUnsolicitedExtension;
  }
  // RFC 8446 §4.2.11: "Clients MUST verify that the server's selected_identity is within the range
  // supplied by the client, that the server selected a cipher suite indicating a Hash associated
  // with the PSK [...]. If these values are not consistent, the client MUST abort the handshake
  // with an "illegal_parameter" alert."
  if (body->selected_identity != 0 ||
      FindSuite(state.session->cipher_suite)->hash != FindSuite(hello.cipher_suite)->hash) {
    return Reason::kBadSelectedIdentity;
  }
  return true;
}

Result<ServerChoice> ReadChoice(const ServerHello& hello, const ClientHello& ours,
                                const WaitServerHello& state) {
  std::optional<KeyShareServerHello> share;
  ServerChoice choice;
  for (const Extension& extension : hello.extensions) {
    if (extension.type == ExtensionType::kSupportedVersions) continue;
    if (extension.type == ExtensionType::kPreSharedKey) {
      const Result<bool> resumed = ReadIdentity(extension, state, hello);
      if (!resumed.ok()) return resumed.reason();
      choice.resumed = true;
    } else if (extension.type == ExtensionType::kKeyShare) {
      share = Parse<KeyShareServerHello>(extension.data);
      if (!share) return Reason::kDecodeError;
    } else {
      return NotOffered(extension.type, ours.extensions);
    }
  }
  if (!share) return Reason::kMissingExtension;
  // RFC 8446 §4.2.8: the server's share "MUST be in the same group as the KeyShareEntry value
  // offered by the client that the server has selected for the negotiated key exchange."
  // RFC 8446 §4.2.8: "If using (EC)DHE key establishment and a HelloRetryRequest containing a
  // "key_share" extension was received by the client, the client MUST verify that the selected
  // NamedGroup in the ServerHello is the same as that in the HelloRetryRequest." And: "If this
  // check fails, the client MUST abort the handshake with an "illegal_parameter" alert."
  if (!Brought(state, share->server_share.group)) return Reason::kKeyShareNotOffered;
  choice.share = share->server_share;
  return choice;
}

}  // namespace

Reason NotOffered(ExtensionType type, const Extensions& offered) {
  // RFC 8446 §4.2: "Implementations MUST NOT send extension responses if the remote endpoint did
  // not send the corresponding extension requests [...] Upon receiving such an extension, an
  // endpoint MUST abort the handshake with an "unsupported_extension" alert." And: "If an
  // implementation receives an extension which it recognizes and which is not specified for the
  // message in which it appears, it MUST abort the handshake with an "illegal_parameter" alert."
  return Find(offered, type) == nullptr ? Reason::kUnsolicitedExtension
                                        : Reason::kMisplacedExtension;
}

Identity IdentityFrom(const Chosen& answer, const std::vector<SignatureScheme>& schemes,
                      SchemeSet certificate_schemes) {
  Identity identity{true, answer.credential, {}};
  if (identity.credential == nullptr) return identity;
  // RFC 5246 §7.4.6: "The certificate MUST be appropriate for the negotiated cipher suite's key
  // exchange algorithm, and any negotiated extensions."
  const auto scheme = CommonScheme(schemes, *identity.credential);
  // RFC 8446 §4.4.2.3: "The certificates MUST be signed using an acceptable signature algorithm, as
  // described in Section 4.3.2." RFC 5246 §7.4.4: "Any certificates provided by the client MUST be
  // signed using a hash/signature algorithm pair found in supported_signature_algorithms." §7.4.6:
  // "The certificates MUST be signed using an acceptable hash/ signature algorithm pair, as
  // described in Section 7.4.4."
  const bool acceptable = certificate_schemes.Covers(identity.credential->signatures);
  // RFC 8446 §4.4.2: "If the server requests client authentication but no suitable certificate is
  // available, the client MUST send a Certificate message containing no certificates". RFC 5246
  // §7.4.6: "If no suitable certificate is available, the client MUST send a certificate message
  // containing no certificates."
  if (!scheme || !acceptable) identity.credential = nullptr;
  identity.scheme = scheme.value_or(SignatureScheme{});
  return identity;
}

Result<void> ReadAlpn(ByteView body, const std::vector<std::string>& offered,
                      Established& negotiated) {
  const auto list = Parse<ProtocolNameList>(body);
  // RFC 7301 §3.1: the server's list "MUST contain exactly one "ProtocolName"".
  if (!list || list->names.size() != 1) return Reason::kDecodeError;
  const std::string name(AsText(list->names[0].name));
  if (!Contains(offered, name)) return Reason::kProtocolNotOffered;
  negotiated.alpn = name;
  return {};
}

Result<void> ReadLimit(ByteView body, const Profile& profile, bool content_type,
                       Established& negotiated) {
  const auto limit = Parse<RecordSizeLimit>(body);
  if (!limit) return Reason::kDecodeError;
  if (profile.record_size_limit == 0) return Reason::kUnsolicitedExtension;
  // RFC 8449 §4: "An endpoint MUST treat receipt of a smaller value as a fatal error".
  if (limit->record_size_limit < kMinRecordSizeLimit) return Reason::kBadRecordSizeLimit;
  constexpr int kUnlimited = 16384;
  negotiated.max_fragment = static_cast<uint16_t>(
      std::min(limit->record_size_limit - (content_type ? 1 : 0), kUnlimited));
  return {};
}

Transition On(WaitServerHello state, const Received<ServerHello>& received,
              const Context& context) {
  const ServerHello& hello = received.message;
  // RFC 5246 §7.4.1.4: "There MUST NOT be more than one extension of the same type."
  if (HasDuplicates(hello.extensions)) return Fail(Reason::kDuplicateExtension);
  const ClientHello ours = Reread(state);
  // RFC 8446 §4.1.3: "Upon receiving a message with type server_hello, implementations MUST first
  // examine the Random value and, if it matches this value, process it as described in Section
  // 4.1.4)."
  const bool retry = Equal(hello.random, kHelloRetryRequestRandom);
  // RFC 8446 §4.2.1: "Clients MUST check for this extension prior to processing the rest of the
  // ServerHello (although they will have to parse the ServerHello in order to read the extension)."
  if (Find(hello.extensions, ExtensionType::kSupportedVersions) == nullptr) {
    // RFC 8446 §4.1.4: "The server's extensions MUST contain "supported_versions"." A
    // HelloRetryRequest without is no ServerHello of TLS 1.2.
    if (retry) return Fail(Reason::kMissingExtension);
    return client12::Continue(std::move(state), received, ours, context);
  }
  if (Result<void> checked = CheckServerHello(hello, ours); !checked.ok()) {
    return Fail(checked.reason());
  }
  if (retry) return OnRetry(std::move(state), received, ours, context);
  // RFC 8446 §4.1.4: "Upon receiving the ServerHello, clients MUST check that the cipher suite
  // supplied in the ServerHello is the same as that in the HelloRetryRequest and otherwise abort
  // the handshake with an "illegal_parameter" alert."
  if (state.after_retry && hello.cipher_suite != state.retry_suite) {
    return Fail(Reason::kSuiteNotOffered);
  }
  const Result<ServerChoice> choice = ReadChoice(hello, ours, state);
  if (!choice.ok()) return Fail(choice.reason());
  if (!choice->resumed) state.session.reset();
  if (choice->share.group != state.key_pair.group()) {
    state.key_pair = std::move(state.fallback_pair);
  }
  return client13::Continue(std::move(state), received, choice->share.key_exchange);
}

}  // namespace handfast::tls::client
