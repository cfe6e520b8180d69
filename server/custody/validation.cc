#include "server/custody/validation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/custody/names.h"
#include "tls/base/secret.h"
#include "tls/crypto/ocsp.h"
#include "tls/crypto/pem.h"

namespace handfast::custody {
namespace {

using access::InvalidField;

constexpr std::string_view kIdRule = "must be 1 to 63 of a-z, 0-9 and '-', beginning with a letter";

// RFC 1035 §2.3.4.
constexpr size_t kMaxLabel = 63;
constexpr size_t kMaxName = 253;

bool IsLabel(std::string_view label) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' && std::all_of(label.begin(), label.end(), allowed);
}

}  // namespace

absl::Status CheckTenant(std::string_view tenant) {
  return IsId(tenant) ? absl::OkStatus() : InvalidField("parent", kIdRule);
}

absl::Status CheckNewId(std::string_view field, std::string_view id) {
  return id.empty() || IsId(id) ? absl::OkStatus() : InvalidField(field, kIdRule);
}

absl::Status CheckRequestId(std::string_view request_id) {
  if (request_id.size() <= kMaxRequestIdSize) return absl::OkStatus();
  return InvalidField("request_id", "must be at most 64 bytes");
}

absl::Status CheckKeyType(tls::KeyType type) {
  if (type >= tls::KeyType::kRsa2048 && type <= tls::KeyType::kEd25519) return absl::OkStatus();
  return InvalidField("type", "must name a type of key");
}

bool IsDnsName(std::string_view name) {
  if (name.size() > kMaxName) return false;
  if (name.starts_with("*.")) name.remove_prefix(2);
  for (;;) {
    const size_t dot = name.find('.');
    if (!IsLabel(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

absl::Status CheckDnsNames(const std::vector<std::string>& names) {
  if (names.size() > kMaxDnsNames) return InvalidField("dns_names", "must be at most 100");
  if (!std::all_of(names.begin(), names.end(), IsDnsName)) {
    return InvalidField("dns_names", "must be DNS names in lower case, \"*\" only as first label");
  }
  return absl::OkStatus();
}

absl::StatusOr<tls::PrivateKey> ReadPrivateKey(std::string_view pem) {
  const absl::Status refused =
      InvalidField("private_key_pem",
                   "must be one unencrypted private key in PEM (PKCS#8, SEC 1 or PKCS#1): RSA of "
                   "2048 to 4096 bits, P-256, P-384, P-521 or Ed25519",
                   "BAD_PRIVATE_KEY");
  if (pem.size() > kMaxPrivateKeyPemSize) return refused;
  tls::Result<tls::Bytes> pkcs8 = tls::PrivateKeyFromPem(pem);
  if (!pkcs8.ok()) return refused;
  tls::Result<tls::PrivateKey> key = tls::PrivateKey::FromPkcs8(*pkcs8);
  tls::Wipe(*pkcs8);
  if (!key.ok()) return refused;
  return *std::move(key);
}

absl::StatusOr<Chain> ReadChain(std::string_view pem, tls::ByteView public_key_der) {
  constexpr std::string_view kField = "certificate_chain_pem";
  constexpr std::string_view kReason = "BAD_CHAIN";
  if (pem.size() > kMaxChainPemSize) return InvalidField(kField, "is too large", kReason);
  tls::Result<std::vector<tls::Bytes>> certificates = tls::CertificatesFromPem(pem);
  if (!certificates.ok() || certificates->empty()) {
    return InvalidField(kField, "must be certificates in PEM, leaf first", kReason);
  }
  if (certificates->size() > kMaxChainLength) {
    return InvalidField(kField, "must be at most 10 certificates", kReason);
  }
  const tls::Result<void> fits = tls::CheckChainFitsKey(*certificates, public_key_der);
  if (!fits.ok() && fits.reason() == tls::Reason::kBadCertificate) {
    return InvalidField(kField,
                        "must begin with a certificate for this key, and each entry must be signed "
                        "by the next",
                        kReason);
  }
  if (!fits.ok()) {
    return InvalidField(kField,
                        "must be of X.509v3, signed with SHA-256 or better, and its leaf's key "
                        "usage must allow signatures",
                        kReason);
  }
  tls::Result<tls::CertificateInfo> leaf = tls::ReadCertificate(certificates->front());
  if (!leaf.ok()) return InvalidField(kField, "has a leaf that cannot be read", kReason);
  Chain chain{*std::move(certificates), *std::move(leaf), {}};
  for (const tls::Bytes& der : chain.certificates) chain.pem += tls::ToPem("CERTIFICATE", der);
  return chain;
}

absl::StatusOr<Chain> ParseStoredChain(std::string_view pem) {
  const absl::Status broken = absl::DataLossError("the chain does not parse");
  tls::Result<std::vector<tls::Bytes>> certificates = tls::CertificatesFromPem(pem);
  if (!certificates.ok() || certificates->empty()) return broken;
  tls::Result<tls::CertificateInfo> leaf = tls::ReadCertificate(certificates->front());
  if (!leaf.ok()) return broken;
  return Chain{*std::move(certificates), *std::move(leaf), std::string(pem)};
}

absl::StatusOr<int64_t> CheckOcspResponse(tls::ByteView response, const Chain& chain,
                                          int64_t now_unix_s) {
  constexpr std::string_view kField = "ocsp_response";
  constexpr std::string_view kReason = "BAD_OCSP_RESPONSE";
  if (response.size() > kMaxOcspResponseSize) {
    return InvalidField(kField, "must be at most 16 KiB", kReason);
  }
  const std::vector<tls::Bytes>& certificates = chain.certificates;
  const tls::OcspVerdict verdict =
      certificates.size() > 1
          ? tls::VerifyOcspStaple(response, certificates[0], certificates[1], now_unix_s)
          : tls::CheckOcspWithoutIssuer(response, certificates[0], now_unix_s);
  if (verdict.reason) return InvalidField(kField, verdict.detail, kReason);
  return verdict.next_update_unix_s;
}

absl::StatusOr<uint32_t> PageSize(uint32_t asked) {
  if (asked > kMaxPageSize) return InvalidField("page_size", "must be at most 1000");
  return asked == 0 ? kDefaultPageSize : asked;
}

std::string PageToken(std::string_view kind, std::string_view tenant, std::string_view last_id) {
  std::string text(kind);
  text.append("/").append(tenant).append("/").append(last_id);
  return tls::ToHex(tls::AsBytes(text));
}

absl::StatusOr<std::string> ReadPageToken(std::string_view kind, std::string_view tenant,
                                          std::string_view token) {
  if (token.empty()) return std::string();
  const std::optional<tls::Bytes> bytes = tls::FromHex(token);
  std::string_view text = bytes ? tls::AsText(*bytes) : std::string_view();
  std::string prefix(kind);
  prefix.append("/").append(tenant).append("/");
  if (!text.starts_with(prefix) || !IsId(text.substr(prefix.size()))) {
    return InvalidField("page_token", "is not from a previous reply to the same list");
  }
  return std::string(text.substr(prefix.size()));
}

}  // namespace handfast::custody
