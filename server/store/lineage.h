// What this process knows of the store outside it, kept in memory alone: its incarnation, the
// highest epoch seen, its own last write, which incarnations are over, and the last generation of
// recent entries. With it a store that goes back in time is noticed; what was never seen cannot be
// missed.
#ifndef HANDFAST_SERVER_STORE_LINEAGE_H_
#define HANDFAST_SERVER_STORE_LINEAGE_H_

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/handshakes/clock_interface.h"

namespace handfast::store {

struct Era {
  std::string incarnation;
  // The store may not be behind this,
  uint64_t epoch = 0;
  // nor without this process's own last write; 0 where that is too long ago to matter.
  uint64_t mark = 0;
};

// Thread-safe.
class Lineage {
 public:
  // Nullopt where no incarnation is accepted yet, or the last one was left.
  std::optional<Era> Current(handshakes::MonotonicTime now) const;
  // False where the incarnation was left before: it must be ended, not used.
  bool Accept(const std::string& incarnation, uint64_t epoch);
  // It is another store now, or an older state of this one.
  void Leave(const std::string& incarnation);

  // Seen in an answer of this incarnation.
  void SawEpoch(const std::string& incarnation, uint64_t epoch);
  // As SawEpoch, and this process's write made it so.
  void Wrote(const std::string& incarnation, uint64_t epoch, handshakes::MonotonicTime now);

 private:
  // Each is a store replaced or rolled back while this process ran.
  static constexpr size_t kMaxLeft = 1024;

  mutable std::mutex mutex_;
  std::optional<Era> current_;
  handshakes::MonotonicTime wrote_at_;
  std::deque<std::string> left_;
};

// The highest generation seen of an entry, by its name. The oldest are forgotten: kept are as many
// as are live at once on a busy replica. Thread-safe.
class RecentGenerations {
 public:
  static constexpr uint64_t kPopped = UINT64_MAX;

  explicit RecentGenerations(size_t capacity) : capacity_(capacity) {}

  // 0 where nothing is remembered.
  uint64_t Of(const std::string& name) const;
  // Keeps the higher one.
  void Saw(const std::string& name, uint64_t generation);
  // The entry begins: whatever was known of the name is over.
  void Begins(const std::string& name);

 private:
  uint64_t& At(const std::string& name);

  const size_t capacity_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, uint64_t> by_name_;
  std::deque<std::string> order_;
};

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_LINEAGE_H_
