#include "server/connections/connections.h"

#include <algorithm>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/observe/log.h"
#include "tls/base/reason.h"

namespace handfast::connections {

using handshakes::EstablishedConnection;
using handshakes::Handle;
using handshakes::Owner;

namespace {

// Each time every kept connection is looked at: 10,000 take a millisecond.
constexpr std::chrono::seconds kForgettingInterval{1};

void Report(const Owner& owner, const Handle& handle, const absl::StatusOr<RecordAnswer>& answer) {
  if (!answer.ok() || answer->repeated || !answer->reply->failure) return;
  observe::Log(observe::Level::kInfo, "connections", "connection failed",
               {{"request_id", ToHex(handle)},
                {"tenant", owner.tenant},
                {"principal", owner.principal},
                {"reason", tls::Describe(answer->reply->failure->reason).label}});
}

}  // namespace

Connections::Connections(const handshakes::Clock& clock, Limits limits, Whereabouts* whereabouts)
    : clock_(clock), limits_(limits), whereabouts_(whereabouts) {}

bool Connections::HasRoom(const std::string& tenant, bool keys_released) const {
  if (keys_released) return limits_.released > 0;
  std::lock_guard lock(mutex_);
  if (kept_.size() >= limits_.kept) return false;
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() || found->second.kept < (limits_.kept + 1) / 2;
}

void Connections::Add(EstablishedConnection connection) {
  std::unique_ptr<Entry> evicted;  // destroyed after the lock is let go
  std::lock_guard lock(mutex_);
  Tenant& tenant = tenants_[connection.owner->tenant];
  const bool keys_released = !connection.kept.has_value();
  auto entry = std::make_unique<Entry>();
  if (!keys_released) {
    entry->kept =
        std::make_shared<KeptConnection>(*std::exchange(connection.kept, std::nullopt), clock_,
                                         tenant.reply_bytes, std::move(connection.keep_session));
  }
  if (keys_released && released_.size() >= limits_.released && !released_.empty()) {
    Entry* oldest = tenant.released.empty() ? released_.front() : tenant.released.front();
    evicted = Remove(table_.find(oldest->connection.handle));
  }
  entry->connection = std::move(connection);
  entry->tenant = &tenant;
  if (keys_released) {
    entry->of_all = released_.insert(released_.end(), entry.get());
    entry->of_tenant = tenant.released.insert(tenant.released.end(), entry.get());
  } else {
    entry->of_all = kept_.insert(kept_.end(), entry.get());
    ++tenant.kept;
    if (whereabouts_ != nullptr && entry->connection.durable) {
      whereabouts_->Publish(*entry->connection.owner, entry->connection.handle, limits_.kept_for);
    }
  }
  const Handle handle = entry->connection.handle;
  table_.insert_or_assign(handle, std::move(entry));
}

std::optional<Described> Connections::Find(const Owner& owner, const Handle& handle) const {
  std::lock_guard lock(mutex_);
  const auto found = Locate(owner, handle);
  if (found == table_.end()) return std::nullopt;
  const Entry& entry = *found->second;
  if (entry.kept && entry.kept->ended()) return std::nullopt;
  return Describe(entry);
}

std::optional<Described> Connections::Terminate(const Owner& owner, const Handle& handle) {
  std::unique_ptr<Entry> removed;
  {
    std::lock_guard lock(mutex_);
    const auto found = Locate(owner, handle);
    if (found == table_.end()) return std::nullopt;
    removed = Remove(found);
  }
  // A call that had found it before may be under way.
  if (removed->kept) removed->kept->End();
  return Describe(*removed);
}

absl::StatusOr<std::shared_ptr<KeptConnection>> Connections::Kept(const Owner& owner,
                                                                  const Handle& handle) const {
  std::lock_guard lock(mutex_);
  const auto found = Locate(owner, handle);
  if (found == table_.end()) return access::NotFound("connection");
  if (found->second->kept) return found->second->kept;
  return access::WithReason(absl::FailedPreconditionError("the keys were released"),
                            "KEYS_RELEASED");
}

absl::StatusOr<RecordAnswer> Connections::Seal(const Owner& owner, const Handle& handle,
                                               const SealCall& call) {
  const auto kept = Kept(owner, handle);
  if (!kept.ok()) return kept.status();
  auto answer = (*kept)->Seal(call);
  Report(owner, handle, answer);
  return answer;
}

absl::StatusOr<RecordAnswer> Connections::Open(const Owner& owner, const Handle& handle,
                                               const OpenCall& call) {
  const auto kept = Kept(owner, handle);
  if (!kept.ok()) return kept.status();
  auto answer = (*kept)->Open(call);
  Report(owner, handle, answer);
  return answer;
}

absl::StatusOr<RecordAnswer> Connections::Close(const Owner& owner, const Handle& handle) {
  const auto kept = Kept(owner, handle);
  if (!kept.ok()) return kept.status();
  return (*kept)->Close();
}

absl::StatusOr<std::shared_ptr<const KeyRelease>> Connections::Release(
    const Owner& owner, const Handle& handle, KeyKind kind, const std::string& request_id,
    bool caller_may_release) {
  const auto kept = Kept(owner, handle);
  if (absl::IsNotFound(kept.status())) return kept.status();
  if (!caller_may_release || !MayRelease(owner, handle)) {
    return access::WithReason(
        absl::PermissionDeniedError("the profile or the caller's role does not allow it"),
        "KEY_RELEASE_DENIED");
  }
  if (!kept.ok()) return kept.status();
  return (*kept)->Release(kind, request_id);
}

bool Connections::MayRelease(const Owner& owner, const Handle& handle) const {
  std::lock_guard lock(mutex_);
  const auto found = Locate(owner, handle);
  return found != table_.end() && found->second->connection.may_release;
}

absl::StatusOr<std::shared_ptr<const KeyUpdate>> Connections::Update(
    const Owner& owner, const Handle& handle, bool write, bool request_update,
    const std::string& request_id) {
  const auto kept = Kept(owner, handle);
  if (!kept.ok()) return kept.status();
  return (*kept)->Update(write, request_update, request_id);
}

absl::Status Connections::Export(const Owner& owner, const Handle& handle, std::string_view label,
                                 tls::ByteView context, std::span<uint8_t> out) const {
  const auto kept = Kept(owner, handle);
  if (!kept.ok()) return kept.status();
  return (*kept)->Export(label, context, out);
}

std::vector<Described> Connections::List(const Owner& owner, const std::optional<Handle>& after,
                                         size_t count) const {
  const auto key = [](const Handle& handle) { return std::pair(handle.high, handle.low); };
  std::vector<const Entry*> found;
  std::lock_guard lock(mutex_);
  for (const auto& [handle, entry] : table_) {
    if (*entry->connection.owner != owner || (entry->kept && entry->kept->ended())) continue;
    if (!after || key(handle) > key(*after)) found.push_back(entry.get());
  }
  count = std::min(count, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end(),
                    [&](const Entry* a, const Entry* b) {
                      return key(a->connection.handle) < key(b->connection.handle);
                    });
  std::vector<Described> page;
  page.reserve(count);
  for (size_t i = 0; i < count; ++i) page.push_back(Describe(*found[i]));
  return page;
}

void Connections::EndOld() {
  const handshakes::MonotonicTime now = clock_.Now();
  std::vector<std::unique_ptr<Entry>> ended;
  {
    std::lock_guard lock(mutex_);
    while (!kept_.empty() && now - kept_.front()->connection.established_at > limits_.kept_for) {
      ended.push_back(Remove(table_.find(kept_.front()->connection.handle)));
    }
  }
  for (const auto& entry : ended) entry->kept->End();
  if (now < next_forgetting_) return;
  next_forgetting_ = now + kForgettingInterval;
  ForgetReplies();
}

void Connections::ForgetReplies() {
  std::vector<std::pair<Handle, std::shared_ptr<KeptConnection>>> all;
  {
    std::lock_guard lock(mutex_);
    all.reserve(kept_.size());
    for (const Entry* entry : kept_) all.emplace_back(entry->connection.handle, entry->kept);
  }
  for (const auto& [handle, kept] : all) {
    if (!kept->ForgetOld()) continue;
    std::unique_ptr<Entry> removed;  // destroyed after the lock is let go
    std::lock_guard lock(mutex_);
    const auto found = table_.find(handle);
    if (found != table_.end() && found->second->kept == kept) removed = Remove(found);
  }
}

size_t Connections::size() const {
  std::lock_guard lock(mutex_);
  return table_.size();
}

Connections::Table::const_iterator Connections::Locate(const Owner& owner,
                                                       const Handle& handle) const {
  const auto found = table_.find(handle);
  const bool mine = found != table_.end() && *found->second->connection.owner == owner;
  return mine ? found : table_.end();
}

std::unique_ptr<Connections::Entry> Connections::Remove(Table::const_iterator where) {
  auto node = table_.extract(where);
  std::unique_ptr<Entry> entry = std::move(node.mapped());
  if (entry->kept) {
    kept_.erase(entry->of_all);
    --entry->tenant->kept;
    if (whereabouts_ != nullptr && entry->connection.durable) {
      whereabouts_->Withdraw(*entry->connection.owner, entry->connection.handle);
    }
  } else {
    released_.erase(entry->of_all);
    entry->tenant->released.erase(entry->of_tenant);
  }
  return entry;
}

Described Connections::Describe(const Entry& entry) const {
  const EstablishedConnection& connection = entry.connection;
  return {.handle = connection.handle,
          .established = connection.established,
          .verified_by = connection.verified_by,
          .age = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Now() -
                                                                       connection.established_at),
          .keys_released = entry.kept == nullptr || entry.kept->released()};
}

}  // namespace handfast::connections
