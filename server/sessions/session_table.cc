#include "server/sessions/session_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "tls/engine/session_codec.h"

namespace handfast::sessions {
namespace {

constexpr uint8_t kVersion = 1;

// A place's name is good for so long, and a place is kept for longer than that after each change:
// so none ends and begins anew under one name, which the store would take for one that went back in
// time. What was kept in the period before is found as well.
constexpr int64_t kPeriodS = tls::kMaxSessionLifetimeS - int64_t{24} * 3600;
constexpr store::TimeToLive kKeptFor = std::chrono::seconds(tls::kMaxSessionLifetimeS);

// Each loss means that another change of one place in 4096 was quicker.
constexpr int kMaxTries = 4;

// All else of a session is below this.
constexpr size_t kFixedPart = 256;

size_t SizeOf(const tls::Session& session) {
  size_t size = kFixedPart + session.server_name.size() + session.credential.size() +
                session.ticket.size() + session.session_id.size();
  for (const tls::Bytes& der : session.peer_chain) size += der.size() + 3;
  return size;
}

absl::Status None() { return absl::NotFoundError("there is no such session"); }

}  // namespace

template <class Io>
bool SessionTable::Fields(Io& io, std::vector<Entry>& entries) {
  uint8_t version = kVersion;
  return io.Number(version) && version == kVersion && io.List(entries, [&io](Entry& entry) {
    return io.Array(entry.label) && tls::Fields(io, entry.session);
  });
}

int64_t SessionTable::Period() const { return clock_.UnixSeconds() / kPeriodS; }

std::string SessionTable::HandleOf(const Label& label, int64_t period) {
  const uint32_t place = (uint32_t{label[0]} << 8 | label[1]) % kPlaces;
  return absl::StrCat("sessions/", period, "/", place);
}

absl::StatusOr<SessionTable::Place> SessionTable::Read(const std::string& tenant,
                                                       const std::string& handle) {
  const store::Key key{.tenant = tenant, .handle = handle};
  const absl::StatusOr<store::Value> value = store_.Get(key);
  if (absl::IsNotFound(value.status())) return Place();
  if (absl::IsDataLoss(value.status())) {
    // Whatever is there is not what was put there.
    (void)store_.Pop(key);
    return Place();
  }
  if (!value.ok()) return value.status();
  Place place;
  tls::Reader reader(value->bytes);
  tls::LoadFields io(reader);
  if (!Fields(io, place.entries) || !reader.done()) {
    return absl::FailedPreconditionError("sessions of a form that is unknown here");
  }
  place.generation = value->generation;
  const int64_t now = clock_.UnixSeconds();
  std::erase_if(place.entries,
                [now](const Entry& entry) { return entry.session.not_after_unix_s <= now; });
  return place;
}

absl::Status SessionTable::Write(const std::string& tenant, const std::string& handle,
                                 Place& place) {
  const store::Key key{.tenant = tenant, .handle = handle};
  size_t size = 0;
  for (const Entry& entry : place.entries) size += entry.label.size() + SizeOf(entry.session);
  store::Value value;  // wiped
  value.bytes.reserve(kFixedPart + size);
  tls::SaveFields io(value.bytes);
  if (!Fields(io, place.entries)) return absl::InternalError("the sessions cannot be written");
  if (place.generation == 0) return store_.Put(key, value.bytes, kKeptFor);
  return store_.CompareAndSwap(key, place.generation, value.bytes, kKeptFor).status();
}

absl::Status SessionTable::Keep(const std::string& tenant, const Label& label, tls::Session spent) {
  if (SizeOf(spent) > kMaxKeptSessionSize) {
    return absl::ResourceExhaustedError("the session is too large to be kept");
  }
  const std::string handle = HandleOf(label, Period());
  for (int i = 0; i < kMaxTries; ++i) {
    absl::StatusOr<Place> place = Read(tenant, handle);
    if (!place.ok()) return place.status();
    std::vector<Entry>& entries = place->entries;
    if (entries.size() >= kSessionsInPlace) entries.resize(kSessionsInPlace - 1);
    Entry entry;
    entry.label = label;
    entry.session = std::move(spent);
    entries.insert(entries.begin(), std::move(entry));
    const absl::Status written = Write(tenant, handle, *place);
    if (!absl::IsAborted(written) && !absl::IsAlreadyExists(written)) return written;
    spent = std::move(entries.front().session);
  }
  return absl::AbortedError("other sessions were quicker");
}

absl::StatusOr<tls::Session> SessionTable::Find(const std::string& tenant, const Label& label) {
  const int64_t period = Period();
  for (const int64_t of : {period, period - 1}) {
    absl::StatusOr<Place> place = Read(tenant, HandleOf(label, of));
    if (!place.ok()) return place.status();
    for (Entry& entry : place->entries) {
      if (entry.label == label) return std::move(entry.session);
    }
  }
  return None();
}

absl::StatusOr<tls::Session> SessionTable::Take(const std::string& tenant, const Label& label) {
  const int64_t period = Period();
  for (const int64_t of : {period, period - 1}) {
    const std::string handle = HandleOf(label, of);
    for (int i = 0; i < kMaxTries; ++i) {
      absl::StatusOr<Place> place = Read(tenant, handle);
      if (!place.ok()) return place.status();
      const auto found =
          std::find_if(place->entries.begin(), place->entries.end(),
                       [&label](const Entry& entry) { return entry.label == label; });
      if (found == place->entries.end()) break;
      tls::Session taken = std::move(found->session);
      place->entries.erase(found);
      const absl::Status written = Write(tenant, handle, *place);
      if (written.ok()) return taken;
      // Without an answer somebody may have it by now.
      if (!absl::IsAborted(written)) return written;
    }
  }
  return None();
}

}  // namespace handfast::sessions
