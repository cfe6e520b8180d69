// X.509 certificates as the service needs them: what a certificate says, whether a chain fits a
// key, and path validation against a bundle. Path building is libcrypto's; what it is lax about
// unless told is told here (security.md, T25).
#ifndef HANDFAST_TLS_CRYPTO_X509_H_
#define HANDFAST_TLS_CRYPTO_X509_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/result.h"
#include "tls/base/scheme_set.h"
#include "tls/crypto/crl.h"
#include "tls/crypto/hash.h"
#include "tls/crypto/sign.h"

namespace handfast::tls {

struct CertificateInfo {
  std::string subject;  // RFC 2253 form, for people
  // UTF-8; empty where the subject has none, or more than one, or one with a control character.
  std::string common_name;
  std::string issuer;
  std::string serial;    // hex
  Bytes subject_der;     // the Name, for certificate_authorities
  Bytes public_key_der;  // SubjectPublicKeyInfo
  int64_t not_before_unix_s = 0;
  int64_t not_after_unix_s = 0;
  std::vector<std::string> dns_names;  // lower case, as in subjectAltName
  std::vector<std::string> uris;       // subjectAltName URIs, such as SPIFFE IDs
  std::string sha256_fingerprint;      // hex
  // Key usage and extended key usage let the key prove a TLS client.
  bool for_clients = false;
};

// kBadCertificate where the DER does not parse; a name with an embedded NUL is refused too.
Result<CertificateInfo> ReadCertificate(ByteView der);

// The SubjectPublicKeyInfo, DER, without reading anything else: 0.1 us where ReadCertificate takes
// 120. For whoever verifies a signature while the certificate itself is judged elsewhere.
// kBadCertificate where the bytes are no certificate's as far as that field.
Result<Bytes> PublicKeyOf(ByteView certificate_der);

// The issuer's Name, DER, in the same way: what a CertificateRequest's certificate_authorities are
// compared with.
Result<Bytes> IssuerOf(ByteView certificate_der);

// kBadCertificate where the leaf's public key is not `public_key_der`, an entry does not parse, or
// an entry is not signed by the next. kUnsupportedCertificate where the leaf's key usage leaves out
// signatures, or an entry is older than version 3; kWeakCertificate where one is signed with SHA-1
// or less. Self-signed entries may be both.
Result<void> CheckChainFitsKey(const std::vector<Bytes>& chain, ByteView public_key_der);

// What the chain's certificates (DER, leaf first) are signed with; self-signed ones, which no peer
// validates, are left out. An issuer that is not in the chain counts as of the usual kind: an RSA
// key without restrictions, the curve that goes with the hash.
SchemeSet SignaturesOf(const std::vector<Bytes>& chain);

enum class Purpose : uint8_t { kTlsClient, kTlsServer };

struct TrustParameters {
  Purpose purpose = Purpose::kTlsClient;  // what the *peer* claims to be
  int64_t now_unix_s = 0;
  int max_depth = 4;  // intermediate certificates
  // A server's: the DNS name or IP address that was dialled, which its certificate must bear.
  // Empty: no name is asked for.
  std::string_view server_name = {};
  // SPIFFE IDs and DNS names, one of which the peer must be; empty: anybody whom the roots vouch
  // for.
  std::span<const std::string> identities = {};
  // Where it is asked for, each certificate needs a list of its issuer that is in force and does
  // not hold it: without one (`crls` null among that) nobody is trusted.
  CrlCheck crl_check = CrlCheck::kNone;
  const CrlSet* crls = nullptr;
  // A server's: the OCSP response that it stapled for its leaf (DER; empty: none), and whether it
  // is refused without one. One that its leaf promises (RFC 7633) is always needed.
  ByteView ocsp_response = {};
  bool require_ocsp_response = false;
};

// Trusted roots, parsed once, shared by threads.
class TrustBundle {
 public:
  // PEM with one or more certificates; kBadCertificate where one does not parse or none is there.
  static Result<TrustBundle> FromPem(std::string_view pem);
  TrustBundle(TrustBundle&&) noexcept;
  TrustBundle& operator=(TrustBundle&&) noexcept;
  ~TrustBundle();

  // The subjects, DER, for certificate_authorities.
  const std::vector<Bytes>& subjects() const;
  // SHA-256 over the roots, in the order in which they stand: what trusts the same has the same.
  const Digest& digest() const;

  struct Verdict {
    // Nullopt: trusted.
    std::optional<Reason> reason;
    // libcrypto's own words and the depth: "certificate has expired (depth 0)".
    std::string detail;
    // Where trusted: when the first certificate of the path found ends, its root's among them.
    int64_t not_after_unix_s = INT64_MAX;
  };
  // chain[0] is the leaf. Security level 2 (112 bits: no SHA-1, no RSA-1024), the given time, the
  // purpose, the depth, the name, the identity, revocation, a server's OCSP response on the word of
  // the issuer on the path found; no partial chains, no fetching.
  Verdict Verify(const std::vector<Bytes>& chain, const TrustParameters& parameters) const;

 private:
  struct State;
  explicit TrustBundle(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_CRYPTO_X509_H_
