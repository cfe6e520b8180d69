// A client's hellos: what it offers, how it answers a HelloRetryRequest, and what it makes of a
// ServerHello. The rest of TLS 1.3 is in client13.cc.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/engine/client_phase.h"
#include "tls/engine/moves_client.h"
#include "tls/engine/server_hello_phase.h"

namespace handfast::tls::client {
namespace {

constexpr size_t kSessionIdSize = 32;
constexpr uint8_t kNoCompression[] = {0};

// Fresh bytes for a ClientHello and for the ids of this handshake's questions.
struct Fresh {
  uint8_t random[kRandomSize];
  uint8_t session_id[kSessionIdSize];
  uint8_t question[sizeof(uint64_t)];
};

std::vector<CipherSuite> Suites13(const Profile& profile) {
  std::vector<CipherSuite> suites;
  for (const CipherSuite suite : profile.cipher_suites) {
    const SuiteInfo* info = FindSuite(suite);
    if (info != nullptr && info->version == ProtocolVersion::kTls13) suites.push_back(suite);
  }
  return suites;
}

// Bodies of extensions, which the message views.
struct Bodies {
  Bytes server_name, groups, schemes, alpn, limit, share, versions;
};

Extensions Offer(const Profile& profile, const Wanted& wanted, const KeyPair& pair,
                 Bodies& bodies) {
  Extensions extensions;
  if (!wanted.server_name.empty()) {
    bodies.server_name = Serialize(ServerNameList{{{0, AsBytes(wanted.server_name)}}});
    extensions.push_back({ExtensionType::kServerName, bodies.server_name});
  }
  bodies.groups = Serialize(NamedGroupList{profile.groups});
  extensions.push_back({ExtensionType::kSupportedGroups, bodies.groups});
  bodies.schemes = Serialize(SignatureSchemeList{profile.signature_schemes});
  extensions.push_back({ExtensionType::kSignatureAlgorithms, bodies.schemes});
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
  bodies.share = Serialize(KeyShareClientHello{{{pair.group(), pair.public_key()}}});
  extensions.push_back({ExtensionType::kKeyShare, bodies.share});
  bodies.versions = Serialize(SupportedVersionsClientHello{{ProtocolVersion::kTls13}});
  extensions.push_back({ExtensionType::kSupportedVersions, bodies.versions});
  return extensions;
}

// The same ClientHello with another share, and a cookie where one was given.
bool Repeat(ByteView first, const KeyPair& pair, ByteView cookie, Bytes& out) {
  std::optional<ClientHello> hello = Parse<ClientHello>(first.subspan(kHandshakeHeaderSize));
  if (!hello) return false;
  const Bytes share = Serialize(KeyShareClientHello{{{pair.group(), pair.public_key()}}});
  for (Extension& extension : hello->extensions) {
    if (extension.type == ExtensionType::kKeyShare) extension.data = share;
  }
  const Bytes body = cookie.empty() ? Bytes() : Serialize(Cookie{cookie});
  // RFC 8446 §4.2.2: "When sending the new ClientHello, the client MUST copy the contents of the
  // extension received in the HelloRetryRequest into a "cookie" extension in the new ClientHello."
  if (!cookie.empty()) hello->extensions.push_back({ExtensionType::kCookie, body});
  return AppendMessage(out, *hello);
}

ClientHello Reread(const WaitServerHello& state) {
  // It is ours, so it parses.
  return *Parse<ClientHello>(ByteView(state.client_hello).subspan(kHandshakeHeaderSize));
}

// What is wrong with either kind of ServerHello, but for its extensions.
Result<void> CheckServerHello(const ServerHello& hello, const ClientHello& ours) {
  const Extension* versions = Find(hello.extensions, ExtensionType::kSupportedVersions);
  const auto version =
      versions == nullptr ? std::nullopt : Parse<SupportedVersionsServerHello>(versions->data);
  if (versions != nullptr && !version) return Reason::kDecodeError;
  // RFC 8446 §4.2.1: "If the "supported_versions" extension in the ServerHello contains a version
  // not offered by the client or contains a version prior to TLS 1.3, the client MUST abort the
  // handshake with an "illegal_parameter" alert."
  if (version && version->selected_version != ProtocolVersion::kTls13) {
    return Reason::kVersionNotOffered;
  }
  // RFC 8446 §D.1: "If the version chosen by the server is not supported by the client [...] the
  // client MUST abort the handshake with a "protocol_version" alert."
  if (!version) return Reason::kUnsupportedVersion;
  if (hello.legacy_version != ProtocolVersion::kTls12) return Reason::kVersionNotOffered;
  // RFC 8446 §4.1.3: "A client which receives a legacy_session_id_echo field that does not match
  // what it sent in the ClientHello MUST abort the handshake with an "illegal_parameter" alert."
  if (!Equal(hello.legacy_session_id_echo, ours.legacy_session_id)) {
    return Reason::kSessionIdNotEchoed;
  }
  // RFC 8446 §4.1.3: "A client which receives a cipher suite that was not offered MUST abort the
  // handshake with an "illegal_parameter" alert."
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
    // RFC 8446 §4.2.8: "clients MUST verify that (1) the selected_group field corresponds to a
    // group which was provided in the "supported_groups" extension in the original ClientHello and
    // (2) the selected_group field does not correspond to a group which was provided in the
    // "key_share" extension in the original ClientHello."
    if (!Contains(context.profile.groups, *group) || !Implemented(*group) ||
        *group == state.key_pair.group()) {
      return Fail(Reason::kRetryWithoutChange);
    }
    Result<KeyPair> pair = context.randomness.NewKeyPair(*group);
    if (!pair.ok()) return Fail(pair.reason());
    state.key_pair = *std::move(pair);
  }
  const HashAlgorithm hash = FindSuite(received.message.cipher_suite)->hash;
  Bytes repeated;
  if (!Repeat(state.client_hello, state.key_pair, cookie, repeated)) {
    return Fail(Reason::kInternalError);
  }
  state.after_retry = Transcript::AfterRetry(hash, state.client_hello);
  state.after_retry->Add(received.raw);
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

Result<KeyShareEntry> ReadShare(const ServerHello& hello, const ClientHello& ours,
                                NamedGroup group) {
  std::optional<KeyShareServerHello> share;
  for (const Extension& extension : hello.extensions) {
    if (extension.type == ExtensionType::kSupportedVersions) continue;
    if (extension.type != ExtensionType::kKeyShare) {
      return NotOffered(extension.type, ours.extensions);
    }
    share = Parse<KeyShareServerHello>(extension.data);
    if (!share) return Reason::kDecodeError;
  }
  if (!share) return Reason::kMissingExtension;
  // RFC 8446 §4.2.8: the server's share "MUST be in the same group as the KeyShareEntry value
  // offered by the client that the server has selected for the negotiated key exchange."
  if (share->server_share.group != group) return Reason::kKeyShareNotOffered;
  return share->server_share;
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

Transition Begin(Start state, const Context& context) {
  const Profile& profile = context.profile;
  const std::vector<CipherSuite> suites = Suites13(profile);
  if (suites.empty() || profile.groups.empty() ||
      !Contains(profile.versions, ProtocolVersion::kTls13)) {
    return Fail(Reason::kUnsupportedVersion);
  }
  Fresh fresh;
  const Result<void> drawn =
      context.randomness.Fill({reinterpret_cast<uint8_t*>(&fresh), sizeof(fresh)});
  if (!drawn.ok()) return Fail(drawn.reason());
  Result<KeyPair> pair = context.randomness.NewKeyPair(profile.groups.front());
  if (!pair.ok()) return Fail(pair.reason());
  Bodies bodies;
  ClientHello hello;
  hello.legacy_version = ProtocolVersion::kTls12;
  hello.random = fresh.random;
  hello.legacy_session_id = fresh.session_id;
  hello.cipher_suites = suites;
  hello.legacy_compression_methods = kNoCompression;
  hello.extensions = Offer(profile, state.wanted, *pair, bodies);
  WaitServerHello next{std::move(state.wanted), {}, *std::move(pair), std::nullopt, {}, 0};
  if (!AppendMessage(next.client_hello, hello)) return Fail(Reason::kInternalError);
  std::memcpy(&next.next_question, fresh.question, sizeof(uint64_t));
  std::vector<Effect> effects;
  effects.emplace_back(SendMessages{next.client_hello});
  return {std::move(next), std::move(effects), std::nullopt};
}

Transition On(WaitServerHello state, const Received<ServerHello>& received,
              const Context& context) {
  const ServerHello& hello = received.message;
  if (HasDuplicates(hello.extensions)) return Fail(Reason::kDuplicateExtension);
  const ClientHello ours = Reread(state);
  if (Result<void> checked = CheckServerHello(hello, ours); !checked.ok()) {
    return Fail(checked.reason());
  }
  if (Equal(hello.random, kHelloRetryRequestRandom)) {
    return OnRetry(std::move(state), received, ours, context);
  }
  // RFC 8446 §4.1.4: "Upon receiving the ServerHello, clients MUST check that the cipher suite
  // supplied in the ServerHello is the same as that in the HelloRetryRequest and otherwise abort
  // the handshake with an "illegal_parameter" alert."
  if (state.after_retry && hello.cipher_suite != state.retry_suite) {
    return Fail(Reason::kSuiteNotOffered);
  }
  const Result<KeyShareEntry> share = ReadShare(hello, ours, state.key_pair.group());
  if (!share.ok()) return Fail(share.reason());
  return client13::Continue(std::move(state), received, share->key_exchange);
}

}  // namespace handfast::tls::client
