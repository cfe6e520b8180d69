#include "tls/engine/resumption.h"

#include <algorithm>
#include <utility>

#include "tls/crypto/cipher_suite.h"

namespace handfast::tls {
namespace {

// By how much another replica's clock may be ahead of ours.
constexpr int64_t kMaxClockSkewS = 60;

bool IsInTime(const Session& session, const Context& context) {
  const int64_t now = context.now_unix_s;
  const int64_t age = now - session.issued_unix_s;
  return age >= -kMaxClockSkewS && age < int64_t{context.profile.session_lifetime_s} &&
         now < session.not_after_unix_s;
}

}  // namespace

bool MayResume(const Session& session, ProtocolVersion version, const std::string& server_name,
               const Context& context) {
  const SuiteInfo* suite = FindSuite(session.cipher_suite);
  if (suite == nullptr || suite->version != version || session.version != version ||
      !IsInTime(session, context)) {
    return false;
  }
  // RFC 8446 §4.6.1: "Clients MUST only resume if the new SNI value is valid for the server
  // certificate presented in the original session and SHOULD only resume if the SNI value matches
  // the one used in the original session." We hold them to the second. RFC 6066 §3 has a TLS 1.2
  // server "not accept the request to resume the session if the server_name extension contains a
  // different name".
  if (session.server_name != server_name) return false;
  const ClientAuth auth = context.profile.client_auth;
  return session.peer_chain.empty() ? auth != ClientAuth::kRequired : auth != ClientAuth::kNone;
}

uint32_t LifetimeOf(const Established& negotiated, const Context& context) {
  // RFC 8446 §4.6.1: "Servers MUST NOT use any value greater than 604800 seconds (7 days)."
  const int64_t left = negotiated.not_after_unix_s - context.now_unix_s;
  const int64_t most = std::min(kMaxSessionLifetimeS, int64_t{context.profile.session_lifetime_s});
  return static_cast<uint32_t>(std::clamp<int64_t>(left, 0, most));
}

Session NewSession(const Established& negotiated, HashSecret psk, uint32_t lifetime,
                   int64_t now_unix_s) {
  Session session;
  session.version = negotiated.version;
  session.cipher_suite = negotiated.cipher_suite;
  session.secret = std::move(psk);
  session.server_name = negotiated.server_name;
  session.credential = negotiated.credential;
  session.peer_chain = negotiated.peer_chain;
  session.issued_unix_s = now_unix_s;
  session.not_after_unix_s = std::min(negotiated.not_after_unix_s, now_unix_s + int64_t{lifetime});
  return session;
}

}  // namespace handfast::tls
