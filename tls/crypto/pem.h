// PEM (RFC 7468) in and out.
#ifndef HANDFAST_TLS_CRYPTO_PEM_H_
#define HANDFAST_TLS_CRYPTO_PEM_H_

#include <string>
#include <string_view>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/result.h"

namespace handfast::tls {

// Every CERTIFICATE block, in order, as DER. kBadCertificate where a block is broken or none is
// there; other kinds of block are passed over.
Result<std::vector<Bytes>> CertificatesFromPem(std::string_view pem);

// The same for X509 CRL blocks; kCrlUnusable.
Result<std::vector<Bytes>> CrlsFromPem(std::string_view pem);

// The first private key (PKCS#8, SEC1 or PKCS#1, unencrypted) as PKCS#8 DER; the caller wipes it.
// kPrivateKeyFailed where there is none.
Result<Bytes> PrivateKeyFromPem(std::string_view pem);

// `label` such as "CERTIFICATE" or "CERTIFICATE REQUEST".
std::string ToPem(std::string_view label, ByteView der);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_PEM_H_
