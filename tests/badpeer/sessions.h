// Meetings that resume a session: made here rather than by a handshake, so that its secret is
// known.
#ifndef HANDFAST_TESTS_BADPEER_SESSIONS_H_
#define HANDFAST_TESTS_BADPEER_SESSIONS_H_

#include <memory>
#include <utility>
#include <vector>

#include "tests/badpeer/edit_message.h"
#include "tests/badpeer/meeting.h"
#include "tls/engine/key_schedule.h"

namespace handfast::tls::badpeer {

inline std::shared_ptr<const TicketKeys> TicketKeysOf(uint8_t fill) {
  TicketKey key;
  key.name.fill(fill);
  key.key = *AeadKey::From(Bytes(32, fill));
  std::vector<TicketKey> keys;
  keys.push_back(std::move(key));
  return std::make_shared<const TicketKeys>(std::move(keys));
}

inline constexpr uint8_t kTicketKey = 0x71;

// As it is on both sides, but for whose chain is the peer's.
inline Session BareSession(ProtocolVersion version) {
  const bool tls13 = version == ProtocolVersion::kTls13;
  Session session;
  session.version = version;
  session.cipher_suite =
      tls13 ? CipherSuite::kTlsAes128GcmSha256 : CipherSuite::kEcdheEcdsaAes128GcmSha256;
  session.secret = *HashSecret::From(Bytes(tls13 ? 32 : 48, 0x51));
  session.server_name = "example.test";
  session.credential = "leaf";
  session.issued_unix_s = test::kNow;
  session.not_after_unix_s = test::kNow + 1000;
  return session;
}

// As the client keeps it.
inline Session SessionOf(ProtocolVersion version) {
  Session of_server = BareSession(version);
  of_server.peer_chain = test::FixedClient().chain;
  Session session = BareSession(version);
  session.peer_chain = test::FixedServer().chain;
  session.ticket = TicketKeysOf(kTicketKey)->SealerFor({})->Seal(std::move(of_server))->bytes;
  return session;
}

// Sound, and resumed.
inline Meeting Resumed(const Side& side, Script script = {}) {
  Meeting meeting(side, std::move(script));
  (side.server ? meeting.kit : meeting.peer_kit).ticket_keys = TicketKeysOf(kTicketKey);
  meeting.session = [version = side.version] { return SessionOf(version); };
  return meeting;
}

// What became of it, and whether it was resumed.
struct ResumedOutcome {
  Outcome outcome;
  bool resumed = false;
};
inline ResumedOutcome TryResumed(const Meeting& meeting) {
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Tested tested(meeting);
  ResumedOutcome result{Meet(tested, *peer)};
  const auto& established = tested.driver().established();
  result.resumed = established != nullptr && established->resumed;
  return result;
}

// ---- Edits of a ClientHello whose last extension is pre_shared_key, with one binder of SHA-256.

constexpr size_t kBinder = 32;

// The extension, in front of it.
inline Edit InsertBeforePsk(Place place, ExtensionType type, const Bytes& body) {
  return EditAs<ClientHello>(place, "BeforePsk:" + Name(type), [type, body](ClientHello& m) {
    m.extensions.insert(m.extensions.end() - 1, Extension{type, body});
  });
}

// RFC 8446 §4.2.11.2: makes the binder right for what the hello now is.
inline Edit Rebind(Place place) {
  return Mutate(place, "Rebind", [](Outgoing& record) {
    const HashAlgorithm hash = HashAlgorithm::kSha256;
    const size_t before = record.content.size() - kBinder - 3;
    const Digest truncated = Hash(hash, ByteView(record.content).first(before));
    const Session session = BareSession(ProtocolVersion::kTls13);
    const Digest binder = Binder(hash, ToEarly(hash, session.secret), truncated);
    std::copy(binder.view().begin(), binder.view().end(), record.content.end() - kBinder);
  });
}

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_SESSIONS_H_
