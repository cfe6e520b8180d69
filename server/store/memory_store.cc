#include "server/store/memory_store.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/store/limits.h"

namespace handfast::store {
namespace {

using handshakes::MonotonicTime;

// Expiry itself is exact; this is only how long the memory of what has expired may stay. One turn
// of the wheel is 17 minutes, so even the longest time to live costs 591 looks in seven days.
constexpr std::chrono::seconds kTick{1};

// The map's node, its bucket, the timer and the heads of three strings, rounded up.
constexpr size_t kEntryOverhead = 256;

uint64_t TickOf(MonotonicTime time) {
  return static_cast<uint64_t>(time.time_since_epoch() / kTick);
}

// No tenant and handle run together into another's.
std::string NameOf(const Key& key) {
  std::string name = absl::StrCat(key.tenant.size(), "/");
  name.append(key.tenant).append(key.handle);
  return name;
}

// Takes `more` where the sum stays within `limit`.
bool Take(std::atomic<size_t>& sum, size_t more, size_t limit) {
  size_t held = sum.load(std::memory_order_relaxed);
  do {
    if (held > limit || more > limit - held) return false;
  } while (!sum.compare_exchange_weak(held, held + more, std::memory_order_relaxed));
  return true;
}

}  // namespace

struct MemoryStore::Entry : TimerWheel::Timer {
  const std::string* name = nullptr;  // the map's key
  Value value;
  size_t weight = 0;
  MonotonicTime deadline;
};

struct MemoryStore::Shard {
  explicit Shard(uint64_t tick) : wheel(tick) {}
  std::mutex mutex;
  TimerWheel wheel;
  // A node stays where it is, so that the wheel may point at it.
  std::unordered_map<std::string, Entry> by_name;
};

// Where a key's entry is or would be: its shard, locked, at one time.
struct MemoryStore::Place {
  Place(const MemoryStore& store, const Key& key)
      : name(NameOf(key)),
        now(store.clock_.Now()),
        shard(*store.shards_[std::hash<std::string>{}(name) % kShards]),
        lock(shard.mutex) {}

  const std::string name;
  const MonotonicTime now;
  Shard& shard;
  const std::lock_guard<std::mutex> lock;
};

MemoryStore::MemoryStore(const handshakes::Clock& clock, const Limits& limits)
    : clock_(clock), limits_(limits) {
  const uint64_t now = TickOf(clock_.Now());
  for (auto& shard : shards_) shard = std::make_unique<Shard>(now);
}

MemoryStore::~MemoryStore() = default;

size_t MemoryStore::BytesOf(const Key& key, size_t value_size) {
  return key.tenant.size() + key.handle.size() + value_size + kEntryOverhead;
}

MemoryStore::Entry* MemoryStore::Find(const Place& place) {
  const auto found = place.shard.by_name.find(place.name);
  if (found == place.shard.by_name.end()) return nullptr;
  if (found->second.deadline > place.now) return &found->second;
  Erase(place.shard, found->second);
  return nullptr;
}

void MemoryStore::Erase(Shard& shard, const Entry& entry) {
  Release(1, entry.weight);
  shard.by_name.erase(shard.by_name.find(*entry.name));
}

absl::Status MemoryStore::Reserve(size_t entries, size_t bytes) {
  if (!Take(entries_, entries, limits_.entries)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("store in memory: it holds ", limits_.entries,
                     " entries, its limit: wait until some expire, or raise the limit"));
  }
  if (Take(bytes_, bytes, limits_.bytes)) return absl::OkStatus();
  Release(entries, 0);
  return absl::ResourceExhaustedError(
      absl::StrCat("store in memory: ", bytes, " bytes more exceed its limit of ", limits_.bytes,
                   ": wait until some entries expire, or raise the limit"));
}

void MemoryStore::Release(size_t entries, size_t bytes) {
  entries_.fetch_sub(entries, std::memory_order_relaxed);
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

absl::StatusOr<Value> MemoryStore::Get(const Key& key) {
  if (absl::Status status = CheckKey(key); !status.ok()) return status;
  const Place place(*this, key);
  const Entry* const entry = Find(place);
  if (entry == nullptr) return NotFound();
  return Value(entry->value.bytes, entry->value.generation);
}

absl::StatusOr<Value> MemoryStore::Pop(const Key& key) {
  if (absl::Status status = CheckKey(key); !status.ok()) return status;
  const Place place(*this, key);
  Entry* const entry = Find(place);
  if (entry == nullptr) return NotFound();
  Value value = std::move(entry->value);
  Erase(place.shard, *entry);
  return value;
}

absl::Status MemoryStore::Put(const Key& key, tls::ByteView value, TimeToLive time_to_live) {
  if (absl::Status status = CheckWrite(key, value, time_to_live); !status.ok()) return status;
  absl::Status put = TryPut(key, value, time_to_live);
  if (!absl::IsResourceExhausted(put)) return put;
  Sweep();
  return TryPut(key, value, time_to_live);
}

absl::Status MemoryStore::TryPut(const Key& key, tls::ByteView value, TimeToLive time_to_live) {
  const Place place(*this, key);
  if (Find(place) != nullptr) return AlreadyExists();
  const size_t weight = BytesOf(key, value.size());
  if (absl::Status status = Reserve(1, weight); !status.ok()) return status;
  const auto made = place.shard.by_name.try_emplace(place.name).first;
  Entry& entry = made->second;
  entry.name = &made->first;
  entry.value = Value(tls::Copy(value), 1);
  entry.weight = weight;
  entry.deadline = place.now + time_to_live;
  // The tick after, so that none leaves before its time.
  place.shard.wheel.Set(entry, TickOf(entry.deadline) + 1);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> MemoryStore::CompareAndSwap(const Key& key, uint64_t generation,
                                                     tls::ByteView value, TimeToLive time_to_live) {
  if (absl::Status status = CheckWrite(key, value, time_to_live); !status.ok()) return status;
  absl::StatusOr<uint64_t> swapped = TrySwap(key, generation, value, time_to_live);
  if (!absl::IsResourceExhausted(swapped.status())) return swapped;
  Sweep();
  return TrySwap(key, generation, value, time_to_live);
}

absl::StatusOr<uint64_t> MemoryStore::TrySwap(const Key& key, uint64_t generation,
                                              tls::ByteView value, TimeToLive time_to_live) {
  const Place place(*this, key);
  Entry* const entry = Find(place);
  if (entry == nullptr) return NotFound();
  if (entry->value.generation != generation) {
    return LostTheSwap(generation, entry->value.generation);
  }
  const size_t weight = BytesOf(key, value.size());
  if (weight > entry->weight) {
    absl::Status status = Reserve(0, weight - entry->weight);
    if (!status.ok()) return status;
  } else {
    Release(0, entry->weight - weight);
  }
  entry->value = Value(tls::Copy(value), generation + 1);
  entry->weight = weight;
  entry->deadline = place.now + time_to_live;
  place.shard.wheel.Set(*entry, TickOf(entry->deadline) + 1);
  return generation + 1;
}

void MemoryStore::Sweep() {
  const MonotonicTime now = clock_.Now();
  for (auto& shard : shards_) {
    std::lock_guard lock(shard->mutex);
    const uint64_t work = shard->wheel.Advance(TickOf(now), [&](TimerWheel::Timer& timer) {
      Erase(*shard, static_cast<const Entry&>(timer));
    });
    deadline_work_.fetch_add(work, std::memory_order_relaxed);
  }
}

}  // namespace handfast::store
