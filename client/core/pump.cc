#include "client/core/pump.h"

#include <utility>

#include "tls/record/deframer.h"
#include "tls/record/protection.h"

namespace handfast::client {
namespace {

bool IsUnfinishedRecord(tls::ByteView stream) {
  const auto header = tls::PeekRecord(stream, /*first_record=*/true);
  if (!header.ok()) return false;
  return !header->has_value() || stream.size() < tls::kRecordHeaderSize + (*header)->length;
}

}  // namespace

Pump::ToRelay Pump::OnTransport(tls::ByteView bytes) {
  if (bytes.empty() || ended_) return {};
  const size_t before = held_.size();
  tls::Append(held_, bytes);
  if (started_) return {Action::kSend, tls::ByteView(held_).subspan(before)};
  if (IsUnfinishedRecord(held_)) return {};
  started_ = true;
  return {Action::kStart, held_};
}

Pump::ToRelay Pump::OnTransportEnd() {
  if (std::exchange(ended_, true) || !started_) return {};
  return {Action::kPeerClosed, {}};
}

bool Pump::OnConsumed(uint64_t consumed) {
  if (consumed < consumed_ || consumed - consumed_ > held_.size()) return false;
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(consumed - consumed_));
  consumed_ = consumed;
  return true;
}

Pump::ToRelay Pump::Restart() const {
  if (!started_ || ended_ || consumed_ > 0) return {};
  return {Action::kStart, held_};
}

tls::Bytes Pump::TakeRest() { return std::exchange(held_, {}); }

}  // namespace handfast::client
