#include "server/handshakes/saved.h"

#include <memory>
#include <utility>

#include "tls/engine/codec_fields.h"

namespace handfast::handshakes {
namespace {

constexpr uint8_t kMagic[] = {'H', 'F', 'D'};
// 1, which no release wrote, had no binding.
constexpr uint8_t kVersion = 2;

using tls::LoadFields;
using tls::SaveFields;

template <class Io, class T>
bool Enums(Io& io, std::vector<T>& values) {
  return io.List(values, [&](T& value) { return io.Enum(value); });
}

// One byte that must not exceed `last`.
template <class Io, class E>
bool SmallEnum(Io& io, E& value, E last) {
  auto byte = static_cast<uint8_t>(value);
  if (!io.Number(byte) || byte > static_cast<uint8_t>(last)) return false;
  value = static_cast<E>(byte);
  return true;
}

template <class Io>
bool Number32(Io& io, uint32_t& value) {
  uint64_t wide = value;
  if (!io.Number(wide) || wide > UINT32_MAX) return false;
  value = static_cast<uint32_t>(wide);
  return true;
}

template <class Io>
bool Milliseconds(Io& io, std::chrono::milliseconds& value) {
  auto count = static_cast<uint64_t>(value.count());
  if (!io.Number(count)) return false;
  value = std::chrono::milliseconds(static_cast<int64_t>(count));
  return true;
}

template <class Io>
bool Fields(Io& io, tls::Profile& p) {
  return io.Text(p.name) && Enums(io, p.versions) && Enums(io, p.cipher_suites) &&
         Enums(io, p.groups) && Enums(io, p.signature_schemes) &&
         Enums(io, p.certificate_schemes) &&
         SmallEnum(io, p.client_auth, tls::ClientAuth::kRequired) &&
         io.List(p.certificate_authorities, [&](tls::Bytes& name) { return io.Blob(name); }) &&
         io.Flag(p.refuse_unknown_names) && io.Flag(p.require_extended_master_secret) &&
         io.Flag(p.require_renegotiation_info) && io.Number(p.session_tickets) &&
         Number32(io, p.session_lifetime_s) && io.Number(p.record_size_limit);
}

template <class Io>
bool Fields(Io& io, Profile& p) {
  return Fields(io, p.tls) && Milliseconds(io, p.deadline) && io.Flag(p.release_keys) &&
         io.Text(p.trust_bundle) && io.Text(p.server_trust_bundle) &&
         io.Flag(p.require_ocsp_staple) && io.Flag(p.durable);
}

template <class Io>
bool Fields(Io& io, Owner& owner) {
  return io.Text(owner.tenant) && io.Text(owner.principal);
}

template <class T, class Io>
bool Shared(Io& io, std::shared_ptr<const T>& shared) {
  T copy;
  if constexpr (!Io::kLoading) copy = *shared;
  if (!Fields(io, copy)) return false;
  if constexpr (Io::kLoading) shared = std::make_shared<const T>(std::move(copy));
  return true;
}

template <class Io>
bool Fields(Io& io, Start& s) {
  return SmallEnum(io, s.role, Role::kClient) && Shared<Owner>(io, s.owner) &&
         Shared<Profile>(io, s.profile) && io.Text(s.credential) &&
         io.List(s.alpn, [&](std::string& name) { return io.Text(name); }) &&
         io.Text(s.server_name) && io.Flag(s.release_keys) && io.Text(s.peer_address) &&
         io.Flag(s.trace) && io.Flag(s.explain) && io.Flag(s.by_steps);
}

// Times stand as wall-clock ones: each replica has a monotonic clock of its own.
template <class Io>
bool Times(Io& io, SavedHandshake& h, int64_t now_unix_ms) {
  using std::chrono::milliseconds;
  milliseconds started(now_unix_ms - std::chrono::ceil<milliseconds>(h.age).count());
  milliseconds deadline(now_unix_ms + std::chrono::ceil<milliseconds>(h.left).count());
  if (!Milliseconds(io, started) || !Milliseconds(io, deadline)) return false;
  h.age = milliseconds(now_unix_ms) - started;
  h.left = deadline - milliseconds(now_unix_ms);
  return true;
}

template <class Io>
bool Body(Io& io, SavedHandshake& h, int64_t now_unix_ms) {
  return Fields(io, h.start) && Times(io, h, now_unix_ms) && io.Text(h.detail) &&
         io.Blob(h.client_hello) && io.Blob(h.session_binding) && io.Flag(h.aborted) &&
         tls::Optional(io, h.walk, [&](Walk& walk) { return Fields(io, walk); }) &&
         io.Blob(h.last_reply) && io.Blob(h.input_digest) && io.Number(h.consumed) &&
         io.Blob(h.to_peer);
}

}  // namespace

tls::Result<tls::Bytes> Save(SavedHandshake spent, int64_t now_unix_ms) {
  tls::Bytes connection;
  if (spent.connection) {
    tls::Result<tls::Bytes> saved = tls::Save(*std::exchange(spent.connection, std::nullopt));
    if (!saved.ok()) return saved.reason();
    connection = *std::move(saved);
  }
  tls::Bytes out(std::begin(kMagic), std::end(kMagic));
  out.push_back(kVersion);
  SaveFields io(out);
  const bool saved = Body(io, spent, now_unix_ms) && io.Blob(connection);
  tls::Wipe(connection);
  tls::Wipe(spent.last_reply);
  if (!saved) return tls::Reason::kInternalError;
  return out;
}

tls::Result<SavedHandshake> Load(tls::ByteView saved, int64_t now_unix_ms) {
  constexpr size_t kPrefix = sizeof(kMagic) + 1;
  if (saved.size() < kPrefix || !tls::Equal(saved.first(sizeof(kMagic)), kMagic) ||
      saved[sizeof(kMagic)] != kVersion) {
    return tls::Reason::kDecodeError;
  }
  SavedHandshake loaded;
  tls::Bytes bytes;
  tls::Reader reader(saved.subspan(kPrefix));
  LoadFields io(reader);
  if (!Body(io, loaded, now_unix_ms) || !io.Blob(bytes) || !reader.done()) {
    return tls::Reason::kDecodeError;
  }
  if (!bytes.empty()) {
    tls::Result<tls::Connection> connection = tls::Load(bytes);
    tls::Wipe(bytes);
    if (!connection.ok()) return connection.reason();
    loaded.connection = *std::move(connection);
  }
  return loaded;
}

}  // namespace handfast::handshakes
