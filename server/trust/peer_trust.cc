#include "server/trust/peer_trust.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/trust/read_file.h"

namespace handfast::trust {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

Verification Refused(tls::Reason reason, std::string detail) {
  Verification refused;
  refused.refusal = reason;
  refused.detail = std::move(detail);
  return refused;
}

}  // namespace

absl::StatusOr<PeerTrust> PeerTrust::Load(const std::map<std::string, BundleFiles>& bundles) {
  PeerTrust trust;
  for (const auto& [name, files] : bundles) {
    const auto wrong = [&, &name = name](const std::string& path, const absl::Status& status) {
      return absl::Status(status.code(),
                          absl::StrCat("trust bundle ", name, ": ", path, " ", status.message()));
    };
    absl::StatusOr<std::string> pem = ReadFile(files.file, kMaxBundleSize);
    if (!pem.ok()) return wrong(files.file, pem.status());
    tls::Result<tls::TrustBundle> roots = tls::TrustBundle::FromPem(*pem);
    if (!roots.ok()) {
      return wrong(files.file, absl::InvalidArgumentError(
                                   "holds no certificate in PEM, or one that does not parse"));
    }
    Bundle bundle{*std::move(roots), files.crl_check, nullptr};
    if (files.crl_check != tls::CrlCheck::kNone) {
      absl::StatusOr<std::unique_ptr<CrlFile>> crls = CrlFile::Open(files.crl_file, name);
      if (!crls.ok()) return wrong(files.crl_file, crls.status());
      bundle.crls = *std::move(crls);
    }
    trust.bundles_.emplace(name, std::move(bundle));
  }
  return trust;
}

Verification PeerTrust::VerifyClient(std::string_view bundle, const std::vector<tls::Bytes>& chain,
                                     int64_t now_unix_s) const {
  if (chain.empty()) return Refused(tls::Reason::kNoClientCertificate, "the chain is empty");
  return Verify(bundle, chain, {.purpose = tls::Purpose::kTlsClient, .now_unix_s = now_unix_s});
}

Verification PeerTrust::VerifyServer(std::string_view bundle, const PresentedServer& server,
                                     int64_t now_unix_s) const {
  // TrustParameters would take it for "any name".
  if (server.server_name.empty()) {
    return Refused(tls::Reason::kNameMismatch, "no name is asked for");
  }
  return Verify(bundle, server.chain,
                {.purpose = tls::Purpose::kTlsServer,
                 .now_unix_s = now_unix_s,
                 .server_name = server.server_name,
                 .ocsp_response = server.ocsp_response,
                 .require_ocsp_response = server.require_ocsp_response});
}

Verification PeerTrust::Verify(std::string_view bundle, const std::vector<tls::Bytes>& chain,
                               tls::TrustParameters wanted) const {
  Verification result;
  const auto found = bundles_.find(bundle);
  if (found == bundles_.end()) {
    return Refused(tls::Reason::kTrustUnavailable,
                   absl::StrCat("there is no trust bundle ", View(bundle)));
  }
  const Bundle& against = found->second;
  const std::shared_ptr<const tls::CrlSet> crls =
      against.crls == nullptr ? nullptr : against.crls->Current(wanted.now_unix_s);
  wanted.crl_check = against.crl_check;
  wanted.crls = crls.get();
  const tls::TrustBundle::Verdict verdict = against.roots.Verify(chain, wanted);
  if (verdict.reason) return Refused(*verdict.reason, verdict.detail);
  tls::Result<tls::CertificateInfo> leaf = tls::ReadCertificate(chain.front());
  if (!leaf.ok()) return Refused(leaf.reason(), "the leaf's names cannot be read");
  result.leaf = *std::move(leaf);
  result.not_after_unix_s = verdict.not_after_unix_s;
  if (crls != nullptr) {
    result.not_after_unix_s = std::min(result.not_after_unix_s, crls->next_update_unix_s());
  }
  return result;
}

tls::Bytes PeerTrust::Fingerprint(std::string_view bundle, int64_t now_unix_s) const {
  const auto found = bundles_.find(bundle);
  if (found == bundles_.end()) return {};
  tls::Bytes fingerprint = tls::Copy(found->second.roots.digest().view());
  fingerprint.push_back(static_cast<uint8_t>(found->second.crl_check));
  if (found->second.crls == nullptr) return fingerprint;
  // Without lists nobody is trusted.
  if (const auto crls = found->second.crls->Current(now_unix_s)) {
    tls::Append(fingerprint, crls->digest().view());
  }
  return fingerprint;
}

std::vector<tls::Bytes> PeerTrust::Subjects(std::string_view bundle) const {
  const auto found = bundles_.find(bundle);
  return found == bundles_.end() ? std::vector<tls::Bytes>() : found->second.roots.subjects();
}

}  // namespace handfast::trust
