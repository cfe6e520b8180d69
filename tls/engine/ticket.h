// Tickets: sessions sealed for their way through the peer (RFC 8446 §4.6.1, RFC 5077 §4).
//
// A ticket is the key's name (16 bytes), a nonce (12), and the session under AES-256-GCM with the
// name and the binding as associated data. The binding says for whom it was made (the holder of the
// keys puts tenant, profile, ALPN policy and client authorities into it), so that a ticket opens
// nowhere else. Names and keys are random, made by whoever rotates them.
//
// The nonce is HMAC-SHA-256 under the session's own secret of all that is sealed: as unlike others
// as a random one, so safe for 2^32 tickets a key (NIST SP 800-38D §8.3), but a flight that is made
// again after a crash, or in the copy of a machine, never seals two things under one nonce.
#ifndef HANDFAST_TLS_ENGINE_TICKET_H_
#define HANDFAST_TLS_ENGINE_TICKET_H_

#include <array>
#include <optional>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/result.h"
#include "tls/base/secret.h"
#include "tls/crypto/aead.h"
#include "tls/engine/session.h"

namespace handfast::tls {

constexpr size_t kTicketKeyNameSize = 16;
// Clients keep tickets and send them in one ClientHello: a chain that would make one larger than
// this is not resumed.
constexpr size_t kMaxTicketSize = 8192;

struct TicketKey {
  std::array<uint8_t, kTicketKeyNameSize> name{};
  AeadKey key;  // 32 bytes
};

struct SealedTicket {
  Bytes bytes;
  uint32_t age_add = 0;  // as fresh as the nonce
};

// Seals the tickets of one handshake, which share a key and a binding.
class TicketSealer {
 public:
  // Spends the session. kMessageTooLong where the ticket would exceed kMaxTicketSize.
  Result<SealedTicket> Seal(Session spent);

 private:
  friend class TicketKeys;
  TicketSealer(Aead aead, Bytes associated_data)
      : aead_(std::move(aead)), associated_data_(std::move(associated_data)) {}
  Aead aead_;
  Bytes associated_data_;  // the key's name, and the binding
};

// Immutable; shared by threads.
class TicketKeys {
 public:
  // All open. The first seals, unless the time of all of them to seal is over: then sessions are
  // resumed and none is issued.
  explicit TicketKeys(std::vector<TicketKey> keys, bool seals = true)
      : keys_(std::move(keys)), seals_(seals) {}

  bool seals() const { return seals_; }

  // kInternalError where there is no key.
  Result<TicketSealer> SealerFor(ByteView binding) const;
  // Nullopt for whatever is no ticket of ours with this binding.
  std::optional<Session> Open(ByteView ticket, ByteView binding) const;

 private:
  const TicketKey* Find(ByteView name) const;
  std::vector<TicketKey> keys_;
  bool seals_;
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_TICKET_H_
