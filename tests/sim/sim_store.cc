#include "tests/sim/sim_store.h"

#include <algorithm>
#include <utility>

namespace handfast::sim {
namespace {

using store::Key;
using store::TimeToLive;
using store::Value;

std::string NameOf(const Key& key) {
  return std::string(key.tenant) + "/" + std::string(key.handle);
}

absl::Status Missing() { return absl::NotFoundError("no such entry"); }
absl::Status Away() { return absl::UnavailableError("the store did not answer"); }

}  // namespace

// ---- The store

StoreServer::Entry* StoreServer::Find(const std::string& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return nullptr;
  if (found->second.deadline_ns > now_.ns) return &found->second;
  entries_.erase(found);
  return nullptr;
}

absl::StatusOr<Value> StoreServer::Get(const std::string& name) { return GetOld(name, 0); }

absl::StatusOr<Value> StoreServer::GetOld(const std::string& name, size_t ago) {
  const Entry* const entry = Find(name);
  if (entry == nullptr) return Missing();
  const size_t generation =
      entry->generations.size() - std::min(ago, entry->generations.size() - 1);
  return Value(entry->generations[generation - 1], generation);
}

absl::Status StoreServer::Put(const std::string& name, tls::ByteView value,
                              TimeToLive time_to_live) {
  if (Find(name) != nullptr) return absl::AlreadyExistsError("it is there");
  if (entries_.size() >= capacity_) Sweep();
  if (entries_.size() >= capacity_) return absl::ResourceExhaustedError("full");
  entries_[name] = {.generations = {tls::Copy(value)},
                    .deadline_ns = now_.ns + std::chrono::nanoseconds(time_to_live).count()};
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> StoreServer::Swap(const std::string& name, uint64_t generation,
                                           tls::ByteView value, TimeToLive time_to_live) {
  Entry* const entry = Find(name);
  if (entry == nullptr) return Missing();
  if (entry->generations.size() != generation && bug_ != Bug::kSwapIgnoresGeneration) {
    if (bug_ == Bug::kLosersWin) return generation + 1;
    return absl::AbortedError("another generation");
  }
  entry->generations.push_back(tls::Copy(value));
  entry->deadline_ns = now_.ns + std::chrono::nanoseconds(time_to_live).count();
  return entry->generations.size();
}

void StoreServer::Sweep() {
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.deadline_ns <= now_.ns; });
}

void StoreServer::Lose() {
  lost_at_ns_ = now_.ns;
  entries_.clear();
  if (bug_ == Bug::kRestoresSnapshots) entries_ = snapshot_;
  snapshot_.clear();
}

// ---- The way to it

bool SimStore::Fails() { return dice_.OneIn(weather_.store_fails); }

absl::StatusOr<Value> SimStore::Get(const Key& key) {
  wait_();
  if (Fails()) return Away();
  const std::string name = NameOf(key);
  if (dice_.OneIn(weather_.store_is_stale)) {
    absl::StatusOr<Value> old = server_.GetOld(name, 1 + dice_.Below(2));
    if (old.ok()) stale_ = {name, old->generation};
    return old;
  }
  absl::StatusOr<Value> value = server_.Get(name);
  if (retried && bug_ == Bug::kRecomputesReplies && value.ok() && value->generation > 1) {
    const uint64_t generation = value->generation;
    value = server_.GetOld(name, 1);
    value->generation = generation;
  }
  wait_();
  return value;
}

absl::Status SimStore::Put(const Key& key, tls::ByteView value, TimeToLive time_to_live) {
  wait_();
  if (Fails()) return Away();
  absl::Status put = server_.Put(NameOf(key), value, time_to_live);
  wait_();
  if (Fails()) return Away();
  return put;
}

absl::StatusOr<uint64_t> SimStore::CompareAndSwap(const Key& key, uint64_t generation,
                                                  tls::ByteView value, TimeToLive time_to_live) {
  wait_();
  if (Fails()) return Away();
  const std::string name = NameOf(key);
  if (bug_ == Bug::kSwapsOnStaleReads && stale_ == std::pair(name, generation)) {
    const absl::StatusOr<Value> now = server_.Get(name);
    if (now.ok()) generation = now->generation;
  }
  auto swapped = server_.Swap(name, generation, value, time_to_live);
  wait_();
  if (Fails()) return Away();
  return swapped;
}

absl::StatusOr<Value> SimStore::Pop(const Key&) {
  return absl::UnimplementedError("handshakes are not popped");
}

}  // namespace handfast::sim
