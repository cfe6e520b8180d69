#include "server/custody/index.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace handfast::custody {
namespace {

// RFC 9525 §6.3: a wildcard is the whole left-most label and stands for exactly one label.
constexpr std::string_view kWildcard = "*.";

const std::vector<size_t> kNone;

bool CanSign(const tls::Credential& credential, tls::SignatureScheme scheme) {
  return std::find(credential.schemes.begin(), credential.schemes.end(), scheme) !=
         credential.schemes.end();
}

// RFC 6960 §4.2.2.1: "Responses whose nextUpdate value is earlier than the local system time value
// SHOULD be considered unreliable." A client would refuse it, and goes on without one.
const std::shared_ptr<const tls::Credential>& Presented(const ActiveCredential& active,
                                                        int64_t now_unix_s) {
  const bool stale = active.unstapled != nullptr && active.ocsp_next_update_unix_s < now_unix_s;
  return stale ? active.unstapled : active.credential;
}

// A bit-wise comparison: the chain was read when it came.
bool IsChainAcceptable(const tls::Credential& credential, const tls::Choose& question) {
  return question.certificate_schemes.Covers(credential.signatures);
}

bool CanSignWithAny(const tls::Credential& credential,
                    const std::vector<tls::SignatureScheme>& schemes) {
  return std::any_of(schemes.begin(), schemes.end(),
                     [&](tls::SignatureScheme scheme) { return CanSign(credential, scheme); });
}

// RFC 8446 §4.4.2.3: "If the "certificate_authorities" extension in the CertificateRequest message
// was present, at least one of the certificates in the certificate chain SHOULD be issued by one of
// the listed CAs."
bool IsIssuedByOneOf(const ActiveCredential& active, const std::vector<tls::Bytes>& authorities) {
  const auto is_issuer = [&](const tls::Bytes& authority) {
    return std::find(active.issuers.begin(), active.issuers.end(), tls::AsText(authority)) !=
           active.issuers.end();
  };
  return authorities.empty() || std::any_of(authorities.begin(), authorities.end(), is_issuer);
}

}  // namespace

TenantIndex::TenantIndex(std::vector<ActiveCredential> credentials)
    : credentials_(std::move(credentials)) {
  std::sort(credentials_.begin(), credentials_.end(),
            [](const ActiveCredential& a, const ActiveCredential& b) {
              return a.activation > b.activation;
            });
  for (size_t i = 0; i < credentials_.size(); ++i) {
    const ActiveCredential& active = credentials_[i];
    by_resource_name_.emplace(active.credential->name, i);
    by_key_id_.emplace(active.key_id, i);
    if (active.is_default) defaults_.push_back(i);
    if (active.for_clients) {
      clients_.push_back(i);
      for (const std::string& issuer : active.issuers) {
        Candidates& issued = clients_by_issuer_[issuer];
        if (issued.empty() || issued.back() != i) issued.push_back(i);
      }
    }
    for (std::string_view name : active.dns_names) {
      if (!name.starts_with(kWildcard)) {
        by_name_[std::string(name)].push_back(i);
        continue;
      }
      name.remove_prefix(kWildcard.size());
      by_parent_[std::string(name)].push_back(i);
    }
  }
}

const ActiveCredential* TenantIndex::Find(std::string_view credential) const {
  const auto found = by_resource_name_.find(credential);
  return found == by_resource_name_.end() ? nullptr : &credentials_[found->second];
}

std::shared_ptr<const tls::PrivateKey> TenantIndex::FindKey(std::string_view key_id) const {
  const auto found = by_key_id_.find(key_id);
  return found == by_key_id_.end() ? nullptr : credentials_[found->second].key;
}

const TenantIndex::Candidates& TenantIndex::Exact(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? kNone : found->second;
}

const TenantIndex::Candidates& TenantIndex::Wildcard(std::string_view name) const {
  const size_t dot = name.find('.');
  if (dot == 0 || dot == std::string_view::npos) return kNone;
  const auto found = by_parent_.find(name.substr(dot + 1));
  return found == by_parent_.end() ? kNone : found->second;
}

const ActiveCredential* TenantIndex::Best(const Candidates& candidates,
                                          const Wanted& wanted) const {
  for (const tls::SignatureScheme scheme : wanted.question.schemes) {
    for (const size_t i : candidates) {
      const ActiveCredential& active = credentials_[i];
      const bool expired = active.not_after_unix_s < wanted.now_unix_s;
      if (expired == wanted.expired && CanSign(*active.credential, scheme) &&
          IsChainAcceptable(*active.credential, wanted.question) == wanted.acceptable) {
        return &active;
      }
    }
  }
  return nullptr;
}

tls::Chosen TenantIndex::Choose(const tls::Choose& question, std::string_view pinned,
                                bool refuse_unknown, int64_t now_unix_s) const {
  if (question.as_client) return ChooseAsClient(question, pinned, now_unix_s);
  tls::Chosen chosen;
  const auto present = [&](std::initializer_list<const Candidates*> kinds, bool expired,
                           bool acceptable) {
    for (const Candidates* candidates : kinds) {
      const ActiveCredential* active = Best(*candidates, {.question = question,
                                                          .now_unix_s = now_unix_s,
                                                          .expired = expired,
                                                          .acceptable = acceptable});
      if (active == nullptr) continue;
      chosen.credential = Presented(*active, now_unix_s);
      return true;
    }
    return false;
  };
  // RFC 8446 §4.4.2.2: "All certificates provided by the server MUST be signed by a signature
  // algorithm advertised by the client if it is able to provide such a chain (see Section 4.2.3)."
  // And: "If the server cannot produce a certificate chain that is signed only via the indicated
  // supported algorithms, then it SHOULD continue the handshake by sending the client a certificate
  // chain of its choice". RFC 5246 §7.4.2: "If the client provided a "signature_algorithms"
  // extension, then all certificates provided by the server MUST be signed by a hash/signature
  // algorithm pair that appears in that extension."
  const bool any_chain = question.version != tls::ProtocolVersion::kTls12;
  const auto answer = [&](std::initializer_list<const Candidates*> kinds) {
    return present(kinds, /*expired=*/false, /*acceptable=*/true) ||
           (any_chain && present(kinds, /*expired=*/false, /*acceptable=*/false)) ||
           present(kinds, /*expired=*/true, /*acceptable=*/true) ||
           (any_chain && present(kinds, /*expired=*/true, /*acceptable=*/false));
  };
  if (!pinned.empty()) {
    const ActiveCredential* active = Find(pinned);
    if (active == nullptr) return chosen;
    const Candidates only = {static_cast<size_t>(active - credentials_.data())};
    if (!answer({&only})) chosen.refusal = tls::Reason::kNoCommonSignatureScheme;
    return chosen;
  }
  const Candidates& exact = question.server_name.empty() ? kNone : Exact(question.server_name);
  const Candidates& wildcard =
      question.server_name.empty() ? kNone : Wildcard(question.server_name);
  if (answer({&exact, &wildcard})) return chosen;
  const bool named = !exact.empty() || !wildcard.empty();
  if (refuse_unknown && !question.server_name.empty()) {
    // RFC 6066 §3: a name that is not served is unrecognized_name; one that is served, but by no
    // key that the peer could check, is not.
    chosen.refusal = named ? tls::Reason::kNoCommonSignatureScheme : tls::Reason::kUnrecognizedName;
    return chosen;
  }
  if (!answer({&defaults_}) && (named || !defaults_.empty())) {
    chosen.refusal = tls::Reason::kNoCommonSignatureScheme;
  }
  return chosen;
}

std::vector<const TenantIndex::Candidates*> TenantIndex::ClientsOf(
    const std::vector<tls::Bytes>& authorities) const {
  if (authorities.empty()) return {&clients_};
  std::vector<const Candidates*> issued;
  for (const tls::Bytes& authority : authorities) {
    const auto found = clients_by_issuer_.find(tls::AsText(authority));
    if (found != clients_by_issuer_.end()) issued.push_back(&found->second);
  }
  // A server may name an authority a thousand times: its list is searched once.
  std::sort(issued.begin(), issued.end());
  issued.erase(std::unique(issued.begin(), issued.end()), issued.end());
  return issued;
}

tls::Chosen TenantIndex::ChooseAsClient(const tls::Choose& question, std::string_view pinned,
                                        int64_t now_unix_s) const {
  tls::Chosen chosen;
  if (!pinned.empty()) {
    const ActiveCredential* active = Find(pinned);
    if (active == nullptr) return chosen;
    if (!IsIssuedByOneOf(*active, question.certificate_authorities)) return chosen;
    if (CanSignWithAny(*active->credential, question.schemes) &&
        IsChainAcceptable(*active->credential, question)) {
      chosen.credential = active->credential;
    } else {
      chosen.refusal = tls::Reason::kNoCommonSignatureScheme;
    }
    return chosen;
  }
  bool any_in_time = false;
  const std::vector<const Candidates*> kinds = ClientsOf(question.certificate_authorities);
  for (const tls::SignatureScheme scheme : question.schemes) {
    size_t latest = credentials_.size();
    for (const Candidates* candidates : kinds) {
      for (const size_t i : *candidates) {
        if (i >= latest) break;
        if (credentials_[i].not_after_unix_s < now_unix_s) continue;
        any_in_time = true;
        if (CanSign(*credentials_[i].credential, scheme) &&
            IsChainAcceptable(*credentials_[i].credential, question)) {
          latest = i;
        }
      }
    }
    if (latest == credentials_.size()) continue;
    chosen.credential = credentials_[latest].credential;
    return chosen;
  }
  if (any_in_time) chosen.refusal = tls::Reason::kNoCommonSignatureScheme;
  return chosen;
}

}  // namespace handfast::custody
