// What a handshake has to do with sessions: what they are bound to, which one is offered or
// resumed, and what becomes of the one that it leaves.
#include <optional>
#include <string>
#include <utility>

#include "server/handshakes/handshake.h"

namespace handfast::handshakes {

tls::Bytes Handshake::NewBinding() const {
  const Profile& profile = *start_.profile;
  if (!services_.sessions.enabled() || profile.tls.session_tickets == 0) return {};
  const bool as_client = start_.role == Role::kClient;
  const bool judges = as_client || profile.tls.client_auth != tls::ClientAuth::kNone;
  const tls::Bytes trusted =
      judges ? services_.trust.Fingerprint(trust_bundle(), services_.clock.UnixSeconds())
             : tls::Bytes();
  return sessions::BindingOf({.as_client = as_client,
                              .tenant = owner_->tenant,
                              .profile = profile.tls,
                              .trust = trusted,
                              .alpn = start_.alpn,
                              .credential = start_.credential,
                              .server_name = start_.server_name,
                              .require_ocsp_staple = as_client && profile.require_ocsp_staple});
}

tls::Context Handshake::Context() const {
  const bool any = !session_binding_.empty();
  return {.profile = start_.profile->tls,
          .randomness = services_.randomness,
          .ticket_keys = any ? ticket_keys_.get() : nullptr,
          .session_binding = session_binding_,
          .now_unix_s = any ? services_.clock.UnixSeconds() : 0,
          .keeps_sessions = any};
}

// One that was retired, or quarantined, vouches for nobody any more.
bool Handshake::MayResumeWith(const std::string& credential) const {
  return (start_.credential.empty() || start_.credential == credential) &&
         services_.credentials.IsActive(owner_->tenant, credential);
}

void Handshake::OfferSession() {
  if (session_binding_.empty()) return;
  std::optional<tls::Session> session =
      services_.sessions.TakeClientSession(owner_->tenant, session_binding_);
  if (!session) return;
  // The server would take us for whom we showed then.
  if (!session->credential.empty() && !MayResumeWith(session->credential)) return;
  connection_ = NewConnection(std::move(session));
}

void Handshake::TakeLeftSession(tls::Connection& connection) {
  if (!session_binding_.empty()) left_session_ = tls::TakeSession(connection);
}

std::function<void(tls::Session spent)> Handshake::KeeperOfSessions() const {
  if (start_.role != Role::kClient || session_binding_.empty()) return nullptr;
  return [&sessions = services_.sessions, tenant = owner_->tenant, binding = session_binding_](
             tls::Session spent) { sessions.KeepClientSession(tenant, binding, std::move(spent)); };
}

void Handshake::KeepSession() {
  if (!left_session_) return;
  tls::Session session = *std::exchange(left_session_, std::nullopt);
  if (start_.role == Role::kClient) {
    services_.sessions.KeepClientSession(owner_->tenant, session_binding_, std::move(session));
  } else {
    services_.sessions.KeepServerSession(owner_->tenant, session_binding_, std::move(session));
  }
}

}  // namespace handfast::handshakes
