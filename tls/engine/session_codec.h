// The one layout of a session: sealed in a ticket, and in the saved form. See codec_fields.h.
// For the engine, and for who keeps sessions; what it writes holds a secret.
#ifndef HANDFAST_TLS_ENGINE_SESSION_CODEC_H_
#define HANDFAST_TLS_ENGINE_SESSION_CODEC_H_

#include <cstdint>

#include "tls/engine/codec_fields.h"
#include "tls/engine/session.h"

namespace handfast::tls {

template <class Io>
bool Time(Io& io, int64_t& unix_s) {
  uint64_t bits = static_cast<uint64_t>(unix_s);
  if (!io.Number(bits)) return false;
  unix_s = static_cast<int64_t>(bits);
  return true;
}

template <class Io>
bool Chain(Io& io, std::vector<Bytes>& chain) {
  return io.List(chain, [&](Bytes& der) { return io.Blob(der); });
}

template <class Io>
bool Fields(Io& io, Session& s) {
  uint64_t age_add = s.ticket_age_add;
  if (!io.Enum(s.version) || !io.Enum(s.cipher_suite) || !io.SecretBytes(s.secret) ||
      !io.Text(s.server_name) || !io.Text(s.credential) || !Chain(io, s.peer_chain) ||
      !Time(io, s.issued_unix_s) || !Time(io, s.not_after_unix_s) || !io.Blob(s.ticket) ||
      !io.Blob(s.session_id) || !io.Number(age_add) || age_add > UINT32_MAX) {
    return false;
  }
  s.ticket_age_add = static_cast<uint32_t>(age_add);
  return true;
}

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_ENGINE_SESSION_CODEC_H_
