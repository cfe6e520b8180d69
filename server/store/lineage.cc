#include "server/store/lineage.h"

#include <algorithm>

#include "server/store/limits.h"

namespace handfast::store {

using handshakes::MonotonicTime;

std::optional<Era> Lineage::Current(MonotonicTime now) const {
  std::lock_guard lock(mutex_);
  std::optional<Era> current = current_;
  // By then all that it wrote has expired, and soon the mark will have.
  if (current && now - wrote_at_ > kMaxTimeToLive) current->mark = 0;
  return current;
}

bool Lineage::Accept(const std::string& incarnation, uint64_t epoch) {
  std::lock_guard lock(mutex_);
  if (std::find(left_.begin(), left_.end(), incarnation) != left_.end()) return false;
  // Another thread may have been first, and seen more since.
  if (!current_ || current_->incarnation != incarnation) current_ = Era{incarnation, epoch};
  return true;
}

void Lineage::Leave(const std::string& incarnation) {
  std::lock_guard lock(mutex_);
  if (current_ && current_->incarnation == incarnation) current_.reset();
  if (std::find(left_.begin(), left_.end(), incarnation) != left_.end()) return;
  left_.push_back(incarnation);
  if (left_.size() > kMaxLeft) left_.pop_front();
}

void Lineage::SawEpoch(const std::string& incarnation, uint64_t epoch) {
  std::lock_guard lock(mutex_);
  if (current_ && current_->incarnation == incarnation) {
    current_->epoch = std::max(current_->epoch, epoch);
  }
}

void Lineage::Wrote(const std::string& incarnation, uint64_t epoch, MonotonicTime now) {
  SawEpoch(incarnation, epoch);
  std::lock_guard lock(mutex_);
  if (!current_ || current_->incarnation != incarnation) return;
  current_->mark = std::max(current_->mark, epoch);
  wrote_at_ = std::max(wrote_at_, now);
}

uint64_t RecentGenerations::Of(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? 0 : found->second;
}

uint64_t& RecentGenerations::At(const std::string& name) {
  const auto [found, is_new] = by_name_.try_emplace(name, 0);
  if (is_new) {
    order_.push_back(name);
    if (order_.size() > capacity_) {
      by_name_.erase(order_.front());
      order_.pop_front();
    }
  }
  return found->second;
}

void RecentGenerations::Saw(const std::string& name, uint64_t generation) {
  std::lock_guard lock(mutex_);
  uint64_t& known = At(name);
  known = std::max(known, generation);
}

void RecentGenerations::Begins(const std::string& name) {
  std::lock_guard lock(mutex_);
  At(name) = 1;
}

}  // namespace handfast::store
