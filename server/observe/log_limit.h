// A token bucket for each call site of the log.
#ifndef HANDFAST_SERVER_OBSERVE_LOG_LIMIT_H_
#define HANDFAST_SERVER_OBSERVE_LOG_LIMIT_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "server/observe/log.h"

namespace handfast::observe {

class LogLimit {
 public:
  // Nullopt: the line is over the limit. Else it may be written, and so many of the site's lines
  // were held back since its last one. `now_s` is any steady count of seconds. Thread-safe.
  std::optional<uint64_t> Allow(const CallSite& site, double now_s);

 private:
  struct Bucket {
    double tokens;
    double filled_at_s;
    uint64_t held_back = 0;
  };
  // A file's name is one literal, so its address tells it; there are as many buckets as call sites.
  using Site = std::pair<const char*, int>;

  std::mutex mutex_;
  std::map<Site, Bucket> buckets_;
};

}  // namespace handfast::observe

#endif  // HANDFAST_SERVER_OBSERVE_LOG_LIMIT_H_
