#include "tls/engine/explain.h"

#include <algorithm>
#include <utility>

#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/kex.h"
#include "tls/engine/negotiation.h"
#include "tls/wire/client_hello_extensions.h"
#include "tls/wire/messages.h"

namespace handfast::tls {
namespace {

// "the first of the profile's that the client offers", and what came before it in the profile and
// was passed over.
template <class T, class Passed>
std::string FirstOf(const std::vector<T>& ours, T chosen, const Passed& why_passed) {
  std::string why = "the first of the profile's that the client offers";
  std::string passed;
  for (const T& candidate : ours) {
    if (candidate == chosen) break;
    const std::string_view reason = why_passed(candidate);
    if (reason.empty()) continue;
    passed += passed.empty() ? "; before it " : ", ";
    passed +=
        static_cast<std::string>(Name(candidate)) + " (" + static_cast<std::string>(reason) + ")";
  }
  return why + passed;
}

std::vector<ProtocolVersion> VersionsOf(const ClientHello& hello,
                                        const ClientHelloExtensions& extensions) {
  if (extensions.supported_versions) return extensions.supported_versions->versions;
  return {hello.legacy_version};
}

Explanation OfVersion(const Profile& profile, const ClientHello& hello,
                      const ClientHelloExtensions& extensions, const Established& established) {
  const std::vector<ProtocolVersion> theirs = VersionsOf(hello, extensions);
  return {"version", static_cast<std::string>(Name(established.version)),
          FirstOf(profile.versions, established.version, [&](ProtocolVersion version) {
            return std::string_view(Contains(theirs, version) ? "" : "not offered");
          })};
}

Explanation OfSuite(const Profile& profile, const ClientHello& hello,
                    const Established& established) {
  Explanation explanation{
      "cipher_suite", static_cast<std::string>(Name(established.cipher_suite)), {}};
  if (established.resumed) {
    explanation.why = established.version == ProtocolVersion::kTls13
                          ? "the first of the profile's with the hash of the session's"
                          : "the session's";
    return explanation;
  }
  explanation.why =
      FirstOf(profile.cipher_suites, established.cipher_suite, [&](CipherSuite suite) {
        const SuiteInfo* info = FindSuite(suite);
        if (info == nullptr || info->version != established.version) return std::string_view();
        if (!Contains(hello.cipher_suites, suite)) return std::string_view("not offered");
        return info->authentication == FindSuite(established.cipher_suite)->authentication
                   ? std::string_view("no common group")
                   : std::string_view("not for the credential's key");
      });
  return explanation;
}

Explanation OfGroup(const Profile& profile, const ClientHelloExtensions& extensions,
                    const Established& established) {
  Explanation explanation{"group", static_cast<std::string>(Name(established.group)), {}};
  if (!extensions.supported_groups) {
    explanation.why = "the client names none, and this one every client of TLS 1.2 has";
    return explanation;
  }
  const auto shares = [&](NamedGroup group) {
    return extensions.key_share && std::any_of(extensions.key_share->client_shares.begin(),
                                               extensions.key_share->client_shares.end(),
                                               [&](const auto& s) { return s.group == group; });
  };
  const bool tls13 = established.version == ProtocolVersion::kTls13;
  const bool ffdhe = IsFfdhe(established.group);
  explanation.why = FirstOf(profile.groups, established.group, [&](NamedGroup group) {
    if (!Contains(extensions.supported_groups->groups, group)) {
      return std::string_view("not offered");
    }
    if (!tls13 && IsHybrid(group)) return std::string_view("not in TLS 1.2");
    if (!Implemented(group)) return std::string_view("not in the running libcrypto");
    if (!tls13 && IsFfdhe(group) != ffdhe) return std::string_view("not for this suite");
    return std::string_view(tls13 && !shares(group) ? "without a key share" : "");
  });
  return explanation;
}

Explanation OfScheme(const Profile& profile, const ClientHelloExtensions& extensions,
                     const Established& established) {
  return {
      "signature_scheme", static_cast<std::string>(Name(established.signature_scheme)),
      FirstOf(profile.signature_schemes, established.signature_scheme, [&](SignatureScheme scheme) {
        const bool offered = extensions.signature_algorithms &&
                             Contains(extensions.signature_algorithms->schemes, scheme);
        return std::string_view(offered ? "not for the credential's key, or the version"
                                        : "not offered");
      })};
}

Explanation OfAlpn(const std::vector<std::string>& ours, const ClientHelloExtensions& extensions,
                   const Established& established) {
  if (!established.alpn.empty()) {
    return {"alpn", established.alpn, "the first of the caller's that the client offers"};
  }
  if (ours.empty()) return {"alpn", "", "the caller speaks none"};
  return {"alpn", "", extensions.alpn ? "none is common" : "the client offers none"};
}

}  // namespace

std::vector<Explanation> Explain(const Profile& profile, const std::vector<std::string>& alpn,
                                 ByteView client_hello, const Established& established) {
  if (client_hello.size() < kHandshakeHeaderSize) return {};
  const auto hello = Parse<ClientHello>(client_hello.subspan(kHandshakeHeaderSize));
  if (!hello) return {};
  const Result<ClientHelloExtensions> extensions = ReadExtensions(*hello);
  if (!extensions.ok()) return {};
  std::vector<Explanation> all = {OfVersion(profile, *hello, *extensions, established),
                                  OfSuite(profile, *hello, established)};
  if (established.group != NamedGroup{}) all.push_back(OfGroup(profile, *extensions, established));
  if (established.resumed) {
    all.push_back({"session", established.credential,
                   "the client brought one that opens, is in time and fits"});
  } else if (established.signature_scheme != SignatureScheme{}) {
    all.push_back(OfScheme(profile, *extensions, established));
  }
  all.push_back(OfAlpn(alpn, *extensions, established));
  return all;
}

}  // namespace handfast::tls
