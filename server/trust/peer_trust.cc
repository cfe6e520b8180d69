#include "server/trust/peer_trust.h"

#include <cerrno>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace handfast::trust {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::StatusOr<std::string> ReadFile(const std::string& path, const std::string& whose) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return absl::ErrnoToStatus(errno, absl::StrCat(whose, ": cannot open ", path));
  }
  std::string text(kMaxBundleSize + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return absl::UnavailableError(absl::StrCat(whose, ": cannot read ", path));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kMaxBundleSize) {
    return absl::InvalidArgumentError(
        absl::StrCat(whose, ": ", path, " is larger than ", kMaxBundleSize, " bytes"));
  }
  return text;
}

}  // namespace

absl::StatusOr<PeerTrust> PeerTrust::Load(const std::map<std::string, std::string>& files) {
  PeerTrust trust;
  for (const auto& [name, path] : files) {
    const std::string whose = absl::StrCat("trust bundle ", name);
    absl::StatusOr<std::string> pem = ReadFile(path, whose);
    if (!pem.ok()) return pem.status();
    tls::Result<tls::TrustBundle> bundle = tls::TrustBundle::FromPem(*pem);
    if (!bundle.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(
          whose, ": ", path, " holds no certificate in PEM, or one that does not parse"));
    }
    trust.bundles_.emplace(name, *std::move(bundle));
  }
  return trust;
}

Verification PeerTrust::VerifyClient(std::string_view bundle, const std::vector<tls::Bytes>& chain,
                                     int64_t now_unix_s) const {
  Verification result;
  const auto found = bundles_.find(bundle);
  if (found == bundles_.end()) {
    result.refusal = tls::Reason::kTrustUnavailable;
    result.detail = absl::StrCat("there is no trust bundle ", View(bundle));
    return result;
  }
  if (chain.empty()) {
    result.refusal = tls::Reason::kNoClientCertificate;
    result.detail = "the chain is empty";
    return result;
  }
  const tls::TrustBundle::Verdict verdict =
      found->second.Verify(chain, {.purpose = tls::Purpose::kTlsClient, .now_unix_s = now_unix_s});
  if (verdict.reason) {
    result.refusal = verdict.reason;
    result.detail = verdict.detail;
    return result;
  }
  tls::Result<tls::CertificateInfo> leaf = tls::ReadCertificate(chain.front());
  if (!leaf.ok()) {
    result.refusal = leaf.reason();
    result.detail = "the leaf's names cannot be read";
    return result;
  }
  result.leaf = *std::move(leaf);
  return result;
}

std::vector<tls::Bytes> PeerTrust::Subjects(std::string_view bundle) const {
  const auto found = bundles_.find(bundle);
  return found == bundles_.end() ? std::vector<tls::Bytes>() : found->second.subjects();
}

}  // namespace handfast::trust
