#include "client/core/relay_inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <iterator>
#include <utility>

namespace handfast::client {

RelayInbox::RelayInbox() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

RelayInbox::~RelayInbox() {
  if (fd_ >= 0) close(fd_);
}

void RelayInbox::Take(std::vector<RelayReply>& out) {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  if (out.empty()) {
    out.swap(replies_);
    return;
  }
  std::move(replies_.begin(), replies_.end(), std::back_inserter(out));
  replies_.clear();
}

void RelayInbox::Put(RelayReply reply) {
  {
    const std::lock_guard lock(mutex_);
    replies_.push_back(std::move(reply));
    // One wake-up serves all that arrives before the loop looks.
    if (std::exchange(woken_, true)) return;
  }
  const uint64_t one = 1;
  // A full counter is readable all the same.
  (void)!write(fd_, &one, sizeof one);
}

}  // namespace handfast::client
