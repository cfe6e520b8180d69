// A profile is a TLS policy by name, resolved: what may be negotiated and what is demanded. Lists
// are in our order of preference, which decides. The engine reads it through Context and never
// changes it; who may use which profile is the service's business.
#ifndef HANDFAST_TLS_ENGINE_PROFILE_H_
#define HANDFAST_TLS_ENGINE_PROFILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"

namespace handfast::tls {

enum class ClientAuth : uint8_t { kNone, kOptional, kRequired };

struct Profile {
  std::string name;
  std::vector<ProtocolVersion> versions;
  // Of both versions; each version picks from its own.
  std::vector<CipherSuite> cipher_suites;
  // Those that are not Implemented (kex.h) are passed over: hybrids, by the running libcrypto.
  std::vector<NamedGroup> groups;
  // What we sign with, and what we accept from the peer.
  std::vector<SignatureScheme> signature_schemes;
  // What we accept in the peer's certificates; empty: the same.
  std::vector<SignatureScheme> certificate_schemes = {};

  ClientAuth client_auth = ClientAuth::kNone;
  // Distinguished names, DER, sent with a CertificateRequest; empty: any.
  std::vector<Bytes> certificate_authorities;

  // True: a server_name that no credential matches is refused with unrecognized_name, rather than
  // served with the default credential.
  bool refuse_unknown_names = false;
  // TLS 1.2 only (RFC 7627, RFC 5746).
  bool require_extended_master_secret = true;
  bool require_renegotiation_info = true;
  // Tickets that a server issues after a full TLS 1.3 handshake, and after a resumed one half as
  // many, at least one; at most 8. 0: none, and none is taken.
  uint8_t session_tickets = 2;
  // How long a session may be resumed, in seconds; at most 604800 (RFC 8446 §4.6.1). The default is
  // as long as the keys that seal it open it.
  uint32_t session_lifetime_s = 13 * 3600;
  // What we advertise (RFC 8449) to a peer that sent record_size_limit, in bytes; 0: nothing. In
  // TLS 1.3 it counts the content type; 64 to 16385.
  uint16_t record_size_limit = 16385;
};

// TLS 1.3 only.
Profile ModernProfile();
// TLS 1.3 and 1.2, ephemeral key exchange and AEAD only (RFC 9325).
Profile IntermediateProfile();
// For peers that can do nothing better: behind the intermediate suites those with AES-CBC, with
// DHE_RSA (RFC 7919), and last static RSA; the extended master secret is not demanded.
Profile LegacyProfile();

// Every setting, one a line, for people and for snapshot tests.
std::string ToText(const Profile& profile);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_PROFILE_H_
