// Profiles: a base, narrowed.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/config/resolver.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/kex.h"

namespace handfast::config {
namespace {

constexpr uint32_t kMinDeadlineMs = 100;
constexpr uint32_t kMaxDeadlineMs = 120'000;
constexpr uint32_t kMaxSessionTickets = 8;
constexpr uint32_t kMinSessionLifetimeS = 60;
// A ticket that is sealed in a key's last second is opened for thirteen hours more.
constexpr uint32_t kMaxSessionLifetimeS = 13 * 3600;

// The items of `base` that `names` select, in the order of `names`; all of them where it is empty.
// What is not in the base goes to `wrong` with a hint.
template <class T, class Names>
std::vector<T> Narrow(const std::vector<T>& base, const Names& names,
                      std::vector<std::pair<int, std::string>>& wrong) {
  if (names.empty()) return base;
  std::vector<std::string> known;
  known.reserve(base.size());
  for (const T& item : base) known.push_back(tls::Name(item));
  std::vector<T> selected;
  for (int i = 0; i < names.size(); ++i) {
    const auto found = std::find(known.begin(), known.end(), names[i]);
    if (found == known.end()) {
      wrong.emplace_back(i, absl::StrCat("is ", Quote(names[i]), ", which the base does not have",
                                         Hint(names[i], known)));
      continue;
    }
    const T& item = base[static_cast<size_t>(found - known.begin())];
    if (std::find(selected.begin(), selected.end(), item) != selected.end()) {
      wrong.emplace_back(i, absl::StrCat("is ", Quote(names[i]), " a second time"));
    } else {
      selected.push_back(item);
    }
  }
  return selected;
}

bool HasSuiteFor(const tls::Profile& profile, tls::ProtocolVersion version) {
  return std::any_of(profile.cipher_suites.begin(), profile.cipher_suites.end(),
                     [version](tls::CipherSuite suite) {
                       const tls::SuiteInfo* info = tls::FindSuite(suite);
                       return info != nullptr && info->version == version;
                     });
}

// A group that the running libcrypto has, for a version: hybrids are TLS 1.3's alone.
bool HasGroupFor(const tls::Profile& profile, tls::ProtocolVersion version) {
  return std::any_of(profile.groups.begin(), profile.groups.end(),
                     [version](tls::NamedGroup group) {
                       return tls::Implemented(group) &&
                              (version == tls::ProtocolVersion::kTls13 || !tls::IsHybrid(group));
                     });
}

tls::ClientAuth ToClientAuth(v1::ClientAuthMode mode) {
  switch (mode) {
    case v1::CLIENT_AUTH_MODE_OPTIONAL:
      return tls::ClientAuth::kOptional;
    case v1::CLIENT_AUTH_MODE_REQUIRED:
      return tls::ClientAuth::kRequired;
    default:
      return tls::ClientAuth::kNone;
  }
}

// The base that a built-in name stands for; unspecified: the name is not built in.
v1::ProfileBase BuiltIn(std::string_view name) {
  if (name == "modern") return v1::PROFILE_BASE_MODERN;
  if (name == "intermediate") return v1::PROFILE_BASE_INTERMEDIATE;
  if (name == "legacy") return v1::PROFILE_BASE_LEGACY;
  return v1::PROFILE_BASE_UNSPECIFIED;
}

tls::Profile BaseOf(v1::ProfileBase base) {
  switch (base) {
    case v1::PROFILE_BASE_MODERN:
      return tls::ModernProfile();
    case v1::PROFILE_BASE_LEGACY:
      return tls::LegacyProfile();
    default:
      return tls::IntermediateProfile();
  }
}

bool IsStaticRsa(tls::CipherSuite suite) {
  const tls::SuiteInfo* info = tls::FindSuite(suite);
  return info != nullptr && info->key_exchange == tls::SuiteKeyExchange::kRsa;
}

}  // namespace

// RFC 9325 §4.1 advises against it, for want of forward secrecy: it takes a word of its own.
void Resolver::StaticRsa(const std::string& path, const v1::ProfileConfig& written,
                         Profile& profile) {
  std::vector<tls::CipherSuite>& suites = profile.tls.cipher_suites;
  const bool has_any = std::any_of(suites.begin(), suites.end(), IsStaticRsa);
  if (written.i_accept_static_rsa()) {
    if (!has_any) Wrong(path + ".i_accept_static_rsa", "is of no use without such a suite");
    return;
  }
  for (int i = 0; i < written.cipher_suites_size(); ++i) {
    const bool is = std::any_of(suites.begin(), suites.end(), [&](tls::CipherSuite suite) {
      return IsStaticRsa(suite) && tls::Name(suite) == written.cipher_suites(i);
    });
    if (is) {
      Wrong(absl::StrCat(path, ".cipher_suites[", i, "]"),
            "is static RSA, which needs i_accept_static_rsa: true");
    }
  }
  std::erase_if(suites, IsStaticRsa);
}

void Resolver::ClientAuth(const std::string& path, const v1::ProfileConfig& written,
                          Profile& profile) {
  profile.tls.client_auth = ToClientAuth(written.client_auth());
  profile.trust_bundle = written.trust_bundle();
  if (profile.tls.client_auth == tls::ClientAuth::kNone) {
    if (written.has_trust_bundle()) {
      Wrong(path + ".trust_bundle", "is of no use without client_auth");
    }
    return;
  }
  if (!written.has_trust_bundle()) {
    return Wrong(path + ".client_auth", "needs a trust_bundle");
  }
  NamesABundle(path + ".trust_bundle", written.trust_bundle());
}

void Resolver::NamesABundle(const std::string& path, const std::string& name) {
  std::vector<std::string> known;
  for (const TrustBundle& bundle : config_.trust_bundles) known.push_back(bundle.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  Wrong(path, absl::StrCat("names no trust bundle: ", Quote(name), Hint(name, known)));
}

Profile Resolver::OneProfile(const std::string& path, const v1::ProfileConfig& written) {
  Profile profile;
  profile.tls = BaseOf(written.base());
  profile.tls.name = written.name();
  const auto narrow = [&](auto& list, const auto& names, const char* field) {
    std::vector<std::pair<int, std::string>> wrong;
    list = Narrow(list, names, wrong);
    for (const auto& [index, words] : wrong) {
      Wrong(absl::StrCat(path, ".", field, "[", index, "]"), words);
    }
  };
  narrow(profile.tls.versions, written.versions(), "versions");
  narrow(profile.tls.cipher_suites, written.cipher_suites(), "cipher_suites");
  narrow(profile.tls.groups, written.groups(), "groups");
  StaticRsa(path, written, profile);
  for (const tls::ProtocolVersion version : profile.tls.versions) {
    if (!HasSuiteFor(profile.tls, version)) {
      Wrong(path + ".cipher_suites",
            absl::StrCat("has none for ", tls::Name(version), ", which the profile speaks"));
    }
    if (!HasGroupFor(profile.tls, version)) {
      Wrong(path + ".groups", absl::StrCat("has none for ", tls::Name(version),
                                           " that the running libcrypto offers"));
    }
  }
  ClientAuth(path, written, profile);
  profile.server_trust_bundle = written.server_trust_bundle();
  if (written.has_server_trust_bundle()) {
    NamesABundle(path + ".server_trust_bundle", written.server_trust_bundle());
  } else if (written.has_require_ocsp_staple()) {
    Wrong(path + ".require_ocsp_staple", "is of no use without server_trust_bundle");
  }
  profile.require_ocsp_staple = written.require_ocsp_staple();
  profile.tls.refuse_unknown_names = written.refuse_unknown_names();
  profile.release_keys = written.release_keys();
  profile.durable = written.durable();
  profile.tls.session_tickets = static_cast<uint8_t>(
      Number(path + ".session_tickets", written.session_tickets(), 0, kMaxSessionTickets));
  profile.tls.session_lifetime_s = static_cast<uint32_t>(
      Number(path + ".session_lifetime_seconds", written.session_lifetime_seconds(),
             kMinSessionLifetimeS, kMaxSessionLifetimeS));
  profile.handshake_deadline = std::chrono::milliseconds(Number(path + ".handshake_deadline_ms",
                                                                written.handshake_deadline_ms(),
                                                                kMinDeadlineMs, kMaxDeadlineMs));
  return profile;
}

void Resolver::Profiles() {
  std::set<std::string> seen;
  std::vector<std::string> names;
  for (int i = 0; i < written_.profiles_size(); ++i) {
    const v1::ProfileConfig& written = written_.profiles(i);
    const std::string path = absl::StrCat("profiles[", i, "]");
    UniqueId(path + ".name", written.name(), seen);
    names.push_back(written.name());
    const v1::ProfileBase built_in = BuiltIn(written.name());
    if (written.base() == v1::PROFILE_BASE_UNSPECIFIED) {
      Wrong(path + ".base", "is required: modern, intermediate or legacy");
      continue;
    }
    if (built_in != v1::PROFILE_BASE_UNSPECIFIED && built_in != written.base()) {
      Wrong(path + ".base", absl::StrCat("must be ", written.name(), " in the profile ",
                                         written.name(), ": give this one another name"));
    }
    config_.profiles.push_back(OneProfile(path, written));
  }
  config_.default_profile = written_.default_profile();
  if (std::find(names.begin(), names.end(), config_.default_profile) == names.end()) {
    Wrong("default_profile", absl::StrCat("names no profile: ", Quote(config_.default_profile),
                                          Hint(config_.default_profile, names)));
  }
}

}  // namespace handfast::config
