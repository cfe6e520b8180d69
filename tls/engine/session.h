// A session: what a later handshake needs of an earlier one to resume it (RFC 8446 §2.2, RFC 5246
// §7.3). As a server we keep none of those that travel as tickets: the peer brings them back,
// sealed (ticket.h). Those of TLS 1.2 that go by their id, and all of a client, the caller keeps.
#ifndef HANDFAST_TLS_ENGINE_SESSION_H_
#define HANDFAST_TLS_ENGINE_SESSION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/base/secret.h"

namespace handfast::tls {

// RFC 8446 §4.6.1: seven days, in seconds; what no session outlives, of either version and role.
constexpr int64_t kMaxSessionLifetimeS = 604800;

struct Session {
  ProtocolVersion version{};
  CipherSuite cipher_suite{};
  HashSecret secret;              // TLS 1.3: the ticket's PSK; TLS 1.2: the master secret
  std::string server_name;        // as was asked for; a session is of that name alone
  std::string credential;         // Credential::name that was shown then
  std::vector<Bytes> peer_chain;  // verified then; empty: the peer showed none
  int64_t issued_unix_s = 0;
  // It never outlives its lifetime, the certificate that was shown, or the peer's chain.
  int64_t not_after_unix_s = 0;
  // As a client: what the server gave us to bring back.
  Bytes ticket;
  uint32_t ticket_age_add = 0;
  // TLS 1.2: by which it is known where there is no ticket.
  Bytes session_id;
};

// An offered session that fits, by its place in the peer's list.
struct OfferedSession {
  uint16_t index = 0;
  Session session;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_SESSION_H_
