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
  if (resuming_) return {};
  if (started_) return {Action::kSend, tls::ByteView(held_).subspan(before)};
  if (IsUnfinishedRecord(held_)) return {};
  started_ = true;
  return {Action::kStart, held_};
}

Pump::ToRelay Pump::OnTransportEnd() {
  if (std::exchange(ended_, true) || !started_ || resuming_) return {};
  return {Action::kPeerClosed, {}};
}

bool Pump::OnConsumed(uint64_t consumed) {
  if (consumed < consumed_ || consumed - consumed_ > held_.size()) return false;
  held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(consumed - consumed_));
  consumed_ = consumed;
  return true;
}

Pump::ToRelay Pump::OnReply(std::string_view handshake, size_t to_peer) {
  if (!handshake.empty()) handshake_ = handshake;
  seen_ += to_peer;
  if (!std::exchange(resuming_, false)) return {};
  if (ended_) return {Action::kPeerClosed, {}};
  return held_.empty() ? ToRelay{} : ToRelay{Action::kSend, held_};
}

Pump::ToRelay Pump::Restart() {
  if (!started_ || ended_) return {};
  if (seen_ == 0 && consumed_ == 0) return {Action::kStart, held_};
  if (handshake_.empty()) return {};
  resuming_ = true;
  return {Action::kResume, {}};
}

tls::Bytes Pump::TakeRest() { return std::exchange(held_, {}); }

}  // namespace handfast::client
