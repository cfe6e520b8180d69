#include "server/connections/connections.h"

#include <utility>
#include <vector>

namespace handfast::connections {

using handshakes::EstablishedConnection;
using handshakes::Handle;
using handshakes::Owner;

Connections::Connections(const handshakes::Clock& clock, Limits limits)
    : clock_(clock), limits_(limits) {}

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
  if (keys_released && released_.size() >= limits_.released && !released_.empty()) {
    Entry* oldest = tenant.released.empty() ? released_.front() : tenant.released.front();
    evicted = Remove(table_.find(oldest->connection.handle));
  }
  auto entry = std::make_unique<Entry>();
  entry->connection = std::move(connection);
  entry->tenant = &tenant;
  if (keys_released) {
    entry->of_all = released_.insert(released_.end(), entry.get());
    entry->of_tenant = tenant.released.insert(tenant.released.end(), entry.get());
  } else {
    entry->of_all = kept_.insert(kept_.end(), entry.get());
    ++tenant.kept;
  }
  const Handle handle = entry->connection.handle;
  table_.insert_or_assign(handle, std::move(entry));
}

std::optional<Described> Connections::Find(const Owner& owner, const Handle& handle) const {
  std::lock_guard lock(mutex_);
  const auto found = Locate(owner, handle);
  if (found == table_.end()) return std::nullopt;
  return Describe(*found->second);
}

std::optional<Described> Connections::Terminate(const Owner& owner, const Handle& handle) {
  std::unique_ptr<Entry> removed;  // wiped after the lock is let go
  std::lock_guard lock(mutex_);
  const auto found = Locate(owner, handle);
  if (found == table_.end()) return std::nullopt;
  removed = Remove(found);
  return Describe(*removed);
}

void Connections::EndOld() {
  const handshakes::MonotonicTime now = clock_.Now();
  std::vector<std::unique_ptr<Entry>> ended;  // wiped after the lock is let go
  std::lock_guard lock(mutex_);
  while (!kept_.empty() && now - kept_.front()->connection.established_at > limits_.kept_for) {
    ended.push_back(Remove(table_.find(kept_.front()->connection.handle)));
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
  if (entry->connection.kept) {
    kept_.erase(entry->of_all);
    --entry->tenant->kept;
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
          .keys_released = !connection.kept.has_value()};
}

}  // namespace handfast::connections
