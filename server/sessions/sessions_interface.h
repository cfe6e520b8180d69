// Sessions as handshakes see them: the keys that seal tickets, and what is kept for those sessions
// that do not travel as tickets. Whoever runs handshakes sees this and no more of sessions.
#ifndef HANDFAST_SERVER_SESSIONS_SESSIONS_INTERFACE_H_
#define HANDFAST_SERVER_SESSIONS_SESSIONS_INTERFACE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/engine/profile.h"
#include "tls/engine/session.h"
#include "tls/engine/ticket.h"

namespace handfast::sessions {

// For whom and under which rules a session is made. It is resumed where all of this is the same;
// version, suite, name, age and the peer's identity the engine compares besides.
struct Scope {
  bool as_client = false;
  std::string_view tenant;
  const tls::Profile& profile;
  // What judges the peer's chain, as the trust bundle's fingerprint; empty: nothing does.
  tls::ByteView trust;
  const std::vector<std::string>& alpn;
  // The one that the caller pinned, by its name; empty: none.
  std::string_view credential;
  // As a client: whom it asks for, and whether without an OCSP response that one is refused.
  std::string_view server_name = {};
  bool require_ocsp_staple = false;
};

// 32 bytes that differ where anything in the scope does: what tickets are bound to, and kept
// sessions filed under. Empty: a part of it has no measure, and there are no sessions.
tls::Bytes BindingOf(const Scope& scope);

// Thread-safe.
class SessionsInterface {
 public:
  virtual ~SessionsInterface() = default;

  // False: there are none, and nothing else here is of use.
  virtual bool enabled() const = 0;

  // What seals and opens tickets now, for one handshake; null: no ticket is issued or taken. A look
  // at what is at hand.
  virtual std::shared_ptr<const tls::TicketKeys> CurrentTicketKeys() const = 0;

  // TLS 1.2, as a server, by its id. To keep never waits, and is not promised: a session that is
  // lost is a full handshake.
  virtual void KeepServerSession(const std::string& tenant, const tls::Bytes& binding,
                                 tls::Session spent) = 0;
  // Waits for the store. Null: there is none.
  virtual std::shared_ptr<const tls::Session> FindServerSession(const std::string& tenant,
                                                                const tls::Bytes& binding,
                                                                const tls::Bytes& session_id) = 0;
  // The same in a thread that may wait, which then calls `found` once. False, and `found` is not
  // called: there is no room.
  using Found = std::function<void(std::shared_ptr<const tls::Session>)>;
  virtual bool FindServerSessionLater(const std::string& tenant, const tls::Bytes& binding,
                                      const tls::Bytes& session_id, Found found) = 0;

  // As a client, what a server gave us: TLS 1.2's at the end of the handshake, TLS 1.3's with each
  // NewSessionTicket. `binding` is the connection's. Never waits.
  virtual void KeepClientSession(const std::string& tenant, const tls::Bytes& binding,
                                 tls::Session spent) = 0;
  // The latest, for one use: nobody gets it again. Waits for the store.
  virtual std::optional<tls::Session> TakeClientSession(const std::string& tenant,
                                                        const tls::Bytes& binding) = 0;
};

// For tests, and where every handshake is a full one.
class NoSessions final : public SessionsInterface {
 public:
  bool enabled() const override { return false; }
  std::shared_ptr<const tls::TicketKeys> CurrentTicketKeys() const override { return nullptr; }
  void KeepServerSession(const std::string&, const tls::Bytes&, tls::Session) override {}
  std::shared_ptr<const tls::Session> FindServerSession(const std::string&, const tls::Bytes&,
                                                        const tls::Bytes&) override {
    return nullptr;
  }
  bool FindServerSessionLater(const std::string&, const tls::Bytes&, const tls::Bytes&,
                              Found) override {
    return false;
  }
  void KeepClientSession(const std::string&, const tls::Bytes&, tls::Session) override {}
  std::optional<tls::Session> TakeClientSession(const std::string&, const tls::Bytes&) override {
    return std::nullopt;
  }
};

}  // namespace handfast::sessions

#endif  // HANDFAST_SERVER_SESSIONS_SESSIONS_INTERFACE_H_
