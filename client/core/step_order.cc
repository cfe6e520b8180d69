#include "client/core/step_order.h"

#include <algorithm>

namespace handfast::client {

void StepOrder::OnReply(const google::protobuf::RepeatedPtrField<v1::Next>& next) {
  next_.assign(next.begin(), next.end());
  std::stable_partition(next_.begin(), next_.end(),
                        [](const v1::Next& step) { return step.held(); });
  tried_ = 0;
}

bool StepOrder::OnOutOfOrder() {
  if (tried_ < next_.size()) ++tried_;
  return tried_ < next_.size();
}

v1::Step StepOrder::step() const {
  return tried_ < next_.size() ? next_[tried_].step() : v1::STEP_UNSPECIFIED;
}

bool StepOrder::needs_bytes() const { return tried_ < next_.size() && !next_[tried_].held(); }

}  // namespace handfast::client
