#include "client/core/relay_stream.h"

#include <algorithm>
#include <utility>

#include "client/core/channel.h"
#include "client/core/released_keys.h"

namespace handfast::client {
namespace {

// A tag names its slot in its low bits and is never used again: the rest only ever grows.
constexpr uint64_t kSlotMask = kMaxHandshakesPerStream - 1;
static_assert((kMaxHandshakesPerStream & kSlotMask) == 0);

RpcStatus Unavailable(std::string message) {
  RpcStatus status;
  status.code = RpcCode::kUnavailable;
  status.message = std::move(message);
  return status;
}

// What the end of a stream means to the handshakes that were on it.
RpcStatus EndOf(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      // Refusals of the service's own; another stream would meet the same.
      return FromGrpc(status);
    default:
      // A service that stops cancels what is left; one that dies breaks the connection.
      return Unavailable(
          "the relay stream ended: " + CodeName(static_cast<RpcCode>(status.error_code())) + " " +
          status.error_message());
  }
}

}  // namespace

void RelayStream::Open(v1::HandshakeService::Stub& stub, grpc::CompletionQueue& queue,
                       std::function<void()> on_ended) {
  self_ = shared_from_this();
  on_ended_ = std::move(on_ended);
  // A service that restarts is waited for: the owners of the handshakes have the deadlines.
  context_.set_wait_for_ready(true);
  rpc_ = stub.PrepareAsyncRelay(&context_, &queue);
  rpc_->StartCall(&on_started_);
}

std::optional<uint64_t> RelayStream::Start(RelayInbox& inbox, uint64_t key,
                                           v1::RelayRequest request) {
  const std::lock_guard lock(mutex_);
  if (reading_ended_ || draining_) return std::nullopt;
  uint64_t index;
  if (!free_slots_.empty()) {
    index = free_slots_.back();
    free_slots_.pop_back();
  } else if (next_unused_slot_ < slots_.size()) {
    index = next_unused_slot_++;
  } else {
    return std::nullopt;
  }
  const uint64_t tag = next_generation_++ * kMaxHandshakesPerStream + index;
  slots_[index] = {.tag = tag, .inbox = &inbox, .key = key};
  ++live_;
  request.set_tag(tag);
  Enqueue(std::move(request));
  return tag;
}

void RelayStream::Send(uint64_t tag, tls::ByteView from_peer) {
  v1::RelayRequest request;
  request.set_tag(tag);
  request.set_from_peer(from_peer.data(), from_peer.size());
  const std::lock_guard lock(mutex_);
  if (Find(tag) != nullptr) Enqueue(std::move(request));
}

void RelayStream::PeerClosed(uint64_t tag) {
  v1::RelayRequest request;
  request.set_tag(tag);
  request.mutable_peer_closed();
  const std::lock_guard lock(mutex_);
  if (Find(tag) != nullptr) Enqueue(std::move(request));
}

void RelayStream::Abort(uint64_t tag) {
  v1::RelayRequest request;
  request.set_tag(tag);
  request.mutable_abort();
  const std::lock_guard lock(mutex_);
  Slot* slot = Find(tag);
  if (slot == nullptr) return;
  // What the service has not heard of it need not hear: it would only work in vain.
  const auto of_tag = [tag](const v1::RelayRequest& waiting) { return waiting.tag() == tag; };
  const auto first = std::find_if(waiting_.begin(), waiting_.end(), of_tag);
  if (first != waiting_.end() && (first->has_start() || first->has_resume())) {
    std::erase_if(waiting_, of_tag);
    Free(*slot);
    return;
  }
  // The slot stays taken until the service has ended the handshake too: its limit counts the same.
  slot->inbox = nullptr;
  Enqueue(std::move(request));
}

bool RelayStream::closed() const {
  const std::lock_guard lock(mutex_);
  return reading_ended_ || draining_;
}

RelayStream::Slot* RelayStream::Find(uint64_t tag) {
  Slot& slot = slots_[tag & kSlotMask];
  return tag != 0 && slot.tag == tag ? &slot : nullptr;
}

void RelayStream::Free(Slot& slot) {
  free_slots_.push_back(static_cast<uint16_t>(slot.tag & kSlotMask));
  slot = {};
  --live_;
}

void RelayStream::Enqueue(v1::RelayRequest request) {
  waiting_.push_back(std::move(request));
  if (started_ && !writing_) WriteNext();
}

void RelayStream::WriteNext() {
  if (waiting_.empty() || reading_ended_) {
    EndWhenIdle();
    return;
  }
  grpc::WriteOptions options;
  // With more to come the transport need not go to the socket for this one.
  if (waiting_.size() > 1) options.set_buffer_hint();
  writing_ = true;
  // The message is serialised within the call.
  rpc_->Write(waiting_.front(), options, &on_written_);
  waiting_.pop_front();
}

// Says goodbye once nothing is left to say: on a draining stream when its last handshake is over,
// on a broken one as soon as no write is under way.
void RelayStream::EndWhenIdle() {
  if (writing_ || !started_ || finishing_) return;
  if (reading_ended_) {
    finishing_ = true;
    rpc_->Finish(&status_, &on_finished_);
  } else if (draining_ && live_ == 0 && !writes_done_) {
    writes_done_ = true;
    writing_ = true;
    rpc_->WritesDone(&on_writes_done_);
  }
}

void RelayStream::OnStarted(bool ok) {
  if (ok) rpc_->Read(&response_, &on_read_);
  const std::lock_guard lock(mutex_);
  started_ = true;
  if (!ok) reading_ended_ = true;
  WriteNext();
}

void RelayStream::OnWritten(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  // A failed write is followed by a failed read, which ends the stream.
  if (!ok) waiting_.clear();
  WriteNext();
}

void RelayStream::OnWritesDone(bool /*ok*/) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  EndWhenIdle();
}

void RelayStream::OnRead(bool ok) {
  if (!ok) {
    const std::lock_guard lock(mutex_);
    reading_ended_ = true;
    EndWhenIdle();
    return;
  }
  Deliver();
  rpc_->Read(&response_, &on_read_);
}

void RelayStream::Deliver() {
  RelayReply reply;
  RelayInbox* inbox = nullptr;
  const bool is_drain = response_.has_drain();
  FillReply(reply);
  {
    const std::lock_guard lock(mutex_);
    if (is_drain) draining_ = true;
    if (Slot* slot = Find(response_.tag()); slot != nullptr) {
      inbox = slot->inbox;
      reply.key = slot->key;
      if (reply.outcome.index() != 0) Free(*slot);
    }
    if (draining_) EndWhenIdle();
  }
  if (inbox != nullptr) inbox->Put(std::move(reply));
}

// Takes the parts out of response_ rather than copying them.
void RelayStream::FillReply(RelayReply& reply) {
  if (response_.resumable()) reply.handshake = std::move(*response_.mutable_handshake());
  reply.to_peer = std::move(*response_.mutable_to_peer());
  reply.consumed = response_.consumed();
  reply.messages.Swap(response_.mutable_messages());
  switch (response_.outcome_case()) {
    case v1::RelayResponse::kEstablished: {
      EstablishedHandshake established;
      established.info.reset(response_.release_established());
      established.keys = TakeKeys(*established.info);
      reply.outcome = std::move(established);
      break;
    }
    case v1::RelayResponse::kFailure:
      reply.outcome = std::move(*response_.mutable_failure());
      break;
    case v1::RelayResponse::kError:
      reply.outcome = FromProto(response_.error());
      break;
    case v1::RelayResponse::kDrain:
    case v1::RelayResponse::OUTCOME_NOT_SET:
      break;
  }
}

void RelayStream::OnFinished(bool /*ok*/) {
  const std::shared_ptr<RelayStream> keep = std::move(self_);
  const RpcStatus ended = EndOf(status_);
  std::vector<std::pair<RelayInbox*, uint64_t>> owners;
  {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    for (Slot& slot : slots_) {
      if (slot.tag == 0) continue;
      if (slot.inbox != nullptr) owners.emplace_back(slot.inbox, slot.key);
      Free(slot);
    }
  }
  for (const auto& [inbox, key] : owners) {
    RelayReply reply;
    reply.key = key;
    reply.outcome = ended;
    inbox->Put(std::move(reply));
  }
  on_ended_();
}

}  // namespace handfast::client
