// A store in this process's memory: nothing in it outlives the process. Bounded by entries and by
// bytes; what has expired is never handed out, and two seconds later no longer takes room that a
// write needs.
#ifndef HANDFAST_SERVER_STORE_MEMORY_STORE_H_
#define HANDFAST_SERVER_STORE_MEMORY_STORE_H_

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "server/handshakes/clock_interface.h"
#include "server/store/store_interface.h"
#include "server/store/timer_wheel.h"

namespace handfast::store {

class MemoryStore final : public Store {
 public:
  struct Limits {
    size_t entries;
    // Of all entries, each weighed by BytesOf.
    size_t bytes;
  };

  // The clock outlives the store.
  MemoryStore(const handshakes::Clock& clock, const Limits& limits);
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  absl::StatusOr<Value> Get(const Key& key) override;
  absl::Status Put(const Key& key, tls::ByteView value, TimeToLive time_to_live) override;
  absl::StatusOr<uint64_t> CompareAndSwap(const Key& key, uint64_t generation, tls::ByteView value,
                                          TimeToLive time_to_live) override;
  absl::StatusOr<Value> Pop(const Key& key) override;

  // Gives back the room of what has expired. Each write that meets a full store calls it first;
  // call it now and then, so that values do not stay in memory long after their time.
  void Sweep() override;

  // What an entry weighs: its value, its names, and a fixed sum for the structures around them.
  static size_t BytesOf(const Key& key, size_t value_size);

  size_t entries() const { return entries_.load(std::memory_order_relaxed); }
  size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Slots and timers that deadlines have cost so far.
  uint64_t deadline_work() const { return deadline_work_.load(std::memory_order_relaxed); }

 private:
  struct Entry;
  struct Shard;
  struct Place;
  // Enough that threads seldom meet on one.
  static constexpr size_t kShards = 16;

  // Null where there is no entry, or it has expired.
  Entry* Find(const Place& place);
  void Erase(Shard& shard, const Entry& entry);
  absl::Status TryPut(const Key& key, tls::ByteView value, TimeToLive time_to_live);
  absl::StatusOr<uint64_t> TrySwap(const Key& key, uint64_t generation, tls::ByteView value,
                                   TimeToLive time_to_live);
  // RESOURCE_EXHAUSTED where the store has no such room.
  absl::Status Reserve(size_t entries, size_t bytes);
  void Release(size_t entries, size_t bytes);

  const handshakes::Clock& clock_;
  const Limits limits_;
  std::atomic<size_t> entries_{0};
  std::atomic<size_t> bytes_{0};
  std::atomic<uint64_t> deadline_work_{0};
  std::array<std::unique_ptr<Shard>, kShards> shards_;
};

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_MEMORY_STORE_H_
