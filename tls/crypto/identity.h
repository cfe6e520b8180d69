// Who a certificate says its holder is: SPIFFE IDs and DNS names as identities that a peer can be
// required to bear. What a server's certificate must say for the name that was dialled is not here:
// that is TrustParameters::server_name.
#ifndef HANDFAST_TLS_CRYPTO_IDENTITY_H_
#define HANDFAST_TLS_CRYPTO_IDENTITY_H_

#include <optional>
#include <string>
#include <string_view>

#include "tls/crypto/x509.h"

namespace handfast::tls {

// Views into the text that was parsed.
struct SpiffeId {
  std::string_view trust_domain;
  std::string_view path;  // with its leading '/', or empty
};

// Nullopt where it is not one to the letter: nothing is normalised, so two IDs are the same where
// their bytes are.
std::optional<SpiffeId> ParseSpiffeId(std::string_view uri);

// Nullopt unless the certificate has one URI and no other, and that is a SPIFFE ID.
std::optional<std::string> SpiffeIdOf(const CertificateInfo& certificate);

// "db.example.com"; lower case, at least one label, no wildcard, no trailing dot, no IP address.
bool IsDnsIdentity(std::string_view name);

// Whether a peer can be required to bear it: a SPIFFE ID or a DNS name.
bool IsIdentity(std::string_view identity);

// Whether the certificate is that of `identity`. A wildcard in it names nobody.
bool Bears(const CertificateInfo& certificate, std::string_view identity);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_IDENTITY_H_
