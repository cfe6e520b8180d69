// The tags that a stream has used, for ever. Callers count upwards, so what has been used is a few
// ranges; who picks tags at random meets the limit, and not the service's memory.
#ifndef HANDFAST_SERVER_RPC_USED_TAGS_H_
#define HANDFAST_SERVER_RPC_USED_TAGS_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>

namespace handfast::rpc {

// 4,096 ranges take about 256 KiB a stream. Handshakes that end out of order make none: a tag is
// used from its Start on.
inline constexpr size_t kMaxTagRanges = 4096;

class UsedTags {
 public:
  enum class Added { kNew, kUsedBefore, kTooManyRanges };

  Added Add(uint64_t tag) {
    auto after = ranges_.upper_bound(tag);
    auto before = after == ranges_.begin() ? ranges_.end() : std::prev(after);
    if (before != ranges_.end() && before->second >= tag) return Added::kUsedBefore;
    const bool joins_before = before != ranges_.end() && before->second + 1 == tag;
    const bool joins_after = after != ranges_.end() && after->first == tag + 1;
    if (!joins_before && !joins_after && ranges_.size() >= kMaxTagRanges) {
      return Added::kTooManyRanges;
    }
    uint64_t last = tag;
    if (joins_after) {
      last = after->second;
      ranges_.erase(after);
    }
    if (joins_before) {
      before->second = last;
    } else {
      ranges_[tag] = last;
    }
    return Added::kNew;
  }

  bool Contains(uint64_t tag) const {
    auto after = ranges_.upper_bound(tag);
    return after != ranges_.begin() && std::prev(after)->second >= tag;
  }

  size_t ranges() const { return ranges_.size(); }

 private:
  std::map<uint64_t, uint64_t> ranges_;  // first to last, inclusive, never touching
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_USED_TAGS_H_
