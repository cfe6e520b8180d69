#include "server/rpc/certificate_view.h"

#include <string>

#include "absl/container/flat_hash_map.h"

#include "server/rpc/printable.h"
#include "tls/crypto/x509.h"

namespace handfast::rpc {
namespace {

// More than a service shows in a while; beyond it each is read anew.
constexpr size_t kMaxKnown = 256;

void Read(tls::ByteView der, v1::CertificateEntry& into) {
  into.set_length(static_cast<uint32_t>(der.size()));
  const tls::Result<tls::CertificateInfo> certificate = tls::ReadCertificate(der);
  if (!certificate.ok()) return;
  into.set_subject(Printable(certificate->subject));
  into.set_issuer(Printable(certificate->issuer));
  for (const std::string& name : certificate->dns_names) into.add_names(Printable(name));
  for (const std::string& uri : certificate->uris) into.add_names(Printable(uri));
  into.set_not_after(certificate->not_after_unix_s);
}

}  // namespace

void ShowCertificate(tls::ByteView der, bool from_peer, v1::CertificateEntry& into) {
  if (from_peer) return Read(der, into);
  // libcrypto takes hundreds of microseconds to read one, and ours are few. The peers' are not
  // kept: how quickly one is shown would tell a tenant whether another has met it.
  thread_local absl::flat_hash_map<std::string, v1::CertificateEntry> known;
  const std::string key(reinterpret_cast<const char*>(der.data()), der.size());
  auto found = known.find(key);
  if (found == known.end()) {
    if (known.size() >= kMaxKnown) known.clear();
    found = known.try_emplace(key).first;
    Read(der, found->second);
  }
  into = found->second;
}

}  // namespace handfast::rpc
