// The grammar is that of the SPIFFE ID specification, version 1.0, which is narrower than RFC 3986:
// no port, no user information, no percent-encoding, no query, no fragment.
#include "tls/crypto/identity.h"

#include <algorithm>

namespace handfast::tls {
namespace {

constexpr std::string_view kSpiffeScheme = "spiffe://";
// SPIFFE ID §2.3: a URI of 2048 bytes and a trust domain of 255 are the longest allowed.
constexpr size_t kMaxSpiffeId = 2048;
constexpr size_t kMaxTrustDomain = 255;
// RFC 1035 §2.3.4.
constexpr size_t kMaxDnsName = 253;
constexpr size_t kMaxLabel = 63;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

bool IsTrustDomainCharacter(char c) {
  return IsLower(c) || IsDigit(c) || c == '.' || c == '-' || c == '_';
}

bool IsPathCharacter(char c) { return IsTrustDomainCharacter(c) || (c >= 'A' && c <= 'Z'); }

bool IsSegment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(), IsPathCharacter);
}

bool IsPath(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    if (!IsSegment(path.substr(0, end))) return false;
    path.remove_prefix(end);
  }
  return true;
}

bool IsLabel(std::string_view label) {
  const auto allowed = [](char c) { return IsLower(c) || IsDigit(c) || c == '-' || c == '_'; };
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), allowed);
}

}  // namespace

std::optional<SpiffeId> ParseSpiffeId(std::string_view uri) {
  if (uri.size() > kMaxSpiffeId || !uri.starts_with(kSpiffeScheme)) return std::nullopt;
  const std::string_view rest = uri.substr(kSpiffeScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  const SpiffeId id{rest.substr(0, slash), rest.substr(slash)};
  // SPIFFE ID §2.1: a trust domain is not empty, and lower case.
  if (id.trust_domain.empty() || id.trust_domain.size() > kMaxTrustDomain ||
      !std::all_of(id.trust_domain.begin(), id.trust_domain.end(), IsTrustDomainCharacter)) {
    return std::nullopt;
  }
  if (!IsPath(id.path)) return std::nullopt;
  return id;
}

std::optional<std::string> SpiffeIdOf(const CertificateInfo& certificate) {
  // X.509-SVID §2: there is exactly one URI, and more than one must be refused.
  if (certificate.uris.size() != 1 || !ParseSpiffeId(certificate.uris.front())) return std::nullopt;
  return certificate.uris.front();
}

bool IsDnsIdentity(std::string_view name) {
  if (name.size() > kMaxDnsName) return false;
  std::string_view label;
  for (std::string_view rest = name;;) {
    const size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    if (!IsLabel(label)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // RFC 1123 §2.1: a name whose last label is numeric is an address.
  return !std::all_of(label.begin(), label.end(), IsDigit);
}

bool IsIdentity(std::string_view identity) {
  return ParseSpiffeId(identity).has_value() || IsDnsIdentity(identity);
}

bool Bears(const CertificateInfo& certificate, std::string_view identity) {
  if (ParseSpiffeId(identity)) return SpiffeIdOf(certificate) == identity;
  return IsDnsIdentity(identity) &&
         std::find(certificate.dns_names.begin(), certificate.dns_names.end(), identity) !=
             certificate.dns_names.end();
}

}  // namespace handfast::tls
