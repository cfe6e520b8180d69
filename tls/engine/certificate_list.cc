#include "tls/engine/certificate_list.h"

#include "tls/crypto/x509.h"

namespace handfast::tls {

CertificateAuthorities AuthoritiesOf(const Profile& profile) {
  CertificateAuthorities authorities;
  for (const Bytes& der : profile.certificate_authorities) authorities.authorities.push_back({der});
  return authorities;
}

Result<Bytes> OcspResponseOf(const CertificateStatus& status) {
  // RFC 6066 §8: we asked for no other.
  if (status.status_type != kStatusTypeOcsp) return Reason::kDecodeError;
  return Copy(status.ocsp_response);
}

Result<Bytes> LeafPublicKey(const std::vector<Bytes>& chain) { return PublicKeyOf(chain.front()); }

}  // namespace handfast::tls
