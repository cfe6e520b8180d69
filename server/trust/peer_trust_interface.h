// The third question of a handshake: do I trust them? Whoever runs handshakes sees this and no more
// of trust.
#ifndef HANDFAST_SERVER_TRUST_PEER_TRUST_INTERFACE_H_
#define HANDFAST_SERVER_TRUST_PEER_TRUST_INTERFACE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reason.h"
#include "tls/crypto/x509.h"

namespace handfast::trust {

struct Verification {
  // Nullopt: trusted. kTrustUnavailable where there is no bundle of that name.
  std::optional<tls::Reason> refusal;
  // For people, empty where trusted: "certificate has expired (depth 0)".
  std::string detail;
  // What the leaf says: uris, dns_names, subject. Meaningful only where trusted.
  tls::CertificateInfo leaf;
  // Likewise: when the first certificate of its path ends, or a revocation list that it needs.
  int64_t not_after_unix_s = INT64_MAX;
};

// What a TLS server showed, and of whom it was asked for.
struct PresentedServer {
  const std::vector<tls::Bytes>& chain;  // DER, leaf first, never empty
  std::string_view server_name;          // an empty one is nobody's (kNameMismatch)
  tls::ByteView ocsp_response = {};      // DER, stapled; empty: none
  bool require_ocsp_response = false;
};

class PeerTrustInterface {
 public:
  virtual ~PeerTrustInterface() = default;

  // Judges the chain (DER, leaf first, never empty) of a TLS client against the named bundle at
  // this time. Thread-safe; no I/O but, where the bundle has revocation lists, a look at their file
  // once a second.
  virtual Verification VerifyClient(std::string_view bundle, const std::vector<tls::Bytes>& chain,
                                    int64_t now_unix_s) const = 0;

  // The same of a TLS server, whose leaf must bear `server_name` among its DNS names: a common name
  // is none, and a wildcard stands for one whole label. A stapled OCSP response must be the leaf's
  // issuer's, in force and good (kBadOcspResponse, kCertificateRevoked); without one the server is
  // trusted unless it is demanded, by the caller or by the leaf itself (kNoOcspResponse).
  virtual Verification VerifyServer(std::string_view bundle, const PresentedServer& server,
                                    int64_t now_unix_s) const = 0;

  // What the bundle trusts at this time, roots and revocation lists: where that changes, so does
  // this. Empty: there is no such bundle. Thread-safe; of I/O as VerifyClient.
  virtual tls::Bytes Fingerprint(std::string_view bundle, int64_t now_unix_s) const = 0;
};

}  // namespace handfast::trust

#endif  // HANDFAST_SERVER_TRUST_PEER_TRUST_INTERFACE_H_
