// OCSP responses (RFC 6960) as they are stapled (RFC 6066 §8): whether one says, now and on its
// issuer's word, that a certificate is good. Nothing is asked of a responder here.
#ifndef HANDFAST_TLS_CRYPTO_OCSP_H_
#define HANDFAST_TLS_CRYPTO_OCSP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tls/base/bytes.h"
#include "tls/base/reason.h"

namespace handfast::tls {

struct OcspVerdict {
  // Nullopt: good. kCertificateRevoked; kBadOcspResponse for whatever else it is.
  std::optional<Reason> reason;
  std::string detail;  // for people; empty where good
  // Until when it may be shown; meaningful only where good.
  int64_t next_update_unix_s = 0;
};

// How far responder's and reader's clocks may be apart.
inline constexpr int64_t kOcspClockSkewS = 300;
// A response without nextUpdate says that a newer one can always be had, which who was handed it
// cannot ask for; it is taken for this long.
inline constexpr int64_t kOcspLifetimeWithoutNextUpdateS = int64_t{24} * 3600;

// All DER. `issuer` is the certificate above the leaf on its verified path.
OcspVerdict VerifyOcspStaple(ByteView response, ByteView leaf, ByteView issuer, int64_t now_unix_s);

// For who holds the leaf alone: as above, but neither the issuer's name and key in the certID nor
// the signature can be checked; the serial number is.
OcspVerdict CheckOcspWithoutIssuer(ByteView response, ByteView leaf, int64_t now_unix_s);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_OCSP_H_
