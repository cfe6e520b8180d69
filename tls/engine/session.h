// A session: what a later handshake needs of an earlier one to resume it (RFC 8446 §2.2). As a
// server we keep none: the peer brings it back, sealed, as its ticket (ticket.h). As a client the
// caller keeps it, and offers it once.
#ifndef HANDFAST_TLS_ENGINE_SESSION_H_
#define HANDFAST_TLS_ENGINE_SESSION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/base/secret.h"

namespace handfast::tls {

struct Session {
  ProtocolVersion version{};
  CipherSuite cipher_suite{};
  HashSecret secret;              // the ticket's PSK
  std::string server_name;        // as was asked for; a session is of that name alone
  std::string credential;         // Credential::name that was shown then
  std::vector<Bytes> peer_chain;  // verified then; empty: the peer showed none
  int64_t issued_unix_s = 0;
  // It never outlives its lifetime, the certificate that was shown, or the peer's chain.
  int64_t not_after_unix_s = 0;
  // As a client: what the server gave us to bring back.
  Bytes ticket;
  uint32_t ticket_age_add = 0;
};

// An offered session that fits, by its place in the peer's list.
struct OfferedSession {
  uint16_t index = 0;
  Session session;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_SESSION_H_
