#include "server/rpc/connection_cap.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>

namespace handfast::rpc {
namespace {

// The service's own: listeners, epoll and event descriptors, the database, the admin port, the
// watcher of certificates. About thirty are in use.
constexpr size_t kOwnDescriptors = 48;
// However low the limit: an operator must be able to look in.
constexpr size_t kFewest = 4;

size_t DescriptorsLeft() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
  const auto all = static_cast<size_t>(limit.rlim_cur);
  return all > kOwnDescriptors + kFewest ? all - kOwnDescriptors : kFewest;
}

}  // namespace

ConnectionCap::ConnectionCap(size_t most) : most_(std::min(most, DescriptorsLeft())) {}

bool ConnectionCap::Admit(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return false;
  std::lock_guard lock(mutex_);
  if (open_.size() >= most_) ForgetClosed();
  if (open_.size() >= most_) return false;
  open_.push_back({.fd = fd, .inode = status.st_ino});
  return true;
}

void ConnectionCap::ForgetClosed() {
  std::erase_if(open_, [](const Open& open) {
    struct stat status {};
    return fstat(open.fd, &status) != 0 || !S_ISSOCK(status.st_mode) || status.st_ino != open.inode;
  });
}

}  // namespace handfast::rpc
