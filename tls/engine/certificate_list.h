// What both versions and roles do with the peer's certificates. Internal to the engine.
#ifndef HANDFAST_TLS_ENGINE_CERTIFICATE_LIST_H_
#define HANDFAST_TLS_ENGINE_CERTIFICATE_LIST_H_

#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/result.h"
#include "tls/engine/profile.h"
#include "tls/wire/extensions.h"
#include "tls/wire/messages.h"

namespace handfast::tls {

// Views into the profile.
CertificateAuthorities AuthoritiesOf(const Profile& profile);

// The longest chain that is looked at, leaf and root included: what verification allows, and one.
constexpr size_t kMaxChain = 10;

// Copies the entries' DER; kBadCertificate where there are more than kMaxChain.
template <class Entry>
Result<std::vector<Bytes>> ChainOf(const std::vector<Entry>& entries) {
  if (entries.size() > kMaxChain) return Reason::kBadCertificate;
  std::vector<Bytes> chain;
  chain.reserve(entries.size());
  for (const Entry& entry : entries) chain.push_back(Copy(entry.cert_data));
  return chain;
}

// The OCSP response of a CertificateStatus; kDecodeError where it is of another type.
Result<Bytes> OcspResponseOf(const CertificateStatus& status);

// The leaf's SubjectPublicKeyInfo; kBadCertificate where it does not parse.
Result<Bytes> LeafPublicKey(const std::vector<Bytes>& chain);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_CERTIFICATE_LIST_H_
