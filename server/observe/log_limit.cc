#include "server/observe/log_limit.h"

#include <algorithm>

#include "server/observe/log.h"

namespace handfast::observe {

std::optional<uint64_t> LogLimit::Allow(const CallSite& site, double now_s) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket =
      buckets_.try_emplace({site.file, site.line}, Bucket{kLineBurst, now_s}).first->second;
  const double elapsed_s = std::max(0.0, now_s - bucket.filled_at_s);
  bucket.tokens = std::min(kLineBurst, bucket.tokens + elapsed_s * kLinesPerSecond);
  bucket.filled_at_s = now_s;
  if (bucket.tokens < 1) {
    ++bucket.held_back;
    return std::nullopt;
  }
  bucket.tokens -= 1;
  return std::exchange(bucket.held_back, 0);
}

}  // namespace handfast::observe
