#include "tests/sim/step_exchange.h"

#include <algorithm>
#include <utility>

namespace handfast::sim {

using handshakes::Handle;
using handshakes::StepCall;
using tls::Bytes;

void StepExchange::Act() {
  if (!late_.empty() && dice_.OneIn(4)) {
    const Late late = std::move(late_.back());
    late_.pop_back();
    Say("a late reply arrives");
    return Arrive(late.call, late.encoded);
  }
  const size_t replica = dice_.Below(world_.replicas());
  if (!world_.IsUp(replica)) return;
  if (!handle_) return Begin(replica);
  const size_t bad = world_.weather().rival;
  if (dice_.OneIn(bad * 20)) return Abort(replica);
  if (dice_.OneIn(bad * 3)) return Describe(replica);
  // Calls that are under way here may change the list.
  const Call call = tried_[PickCall()];
  Make(replica, call);
}

void StepExchange::Begin(size_t replica) {
  handshakes::Start start = NewStart();
  start.by_steps = true;
  const size_t brought = dice_.OneIn(2) ? 0 : dice_.Below(from_peer().size() + 1);
  absl::StatusOr<handshakes::DurableHandshakes::Started> started = absl::UnknownError("crashed");
  const int64_t now_ns = world_.now().ns;
  const bool lives = world_.At(replica, [&](Replica& at) {
    started = at.durable.Begin(std::move(start), from_peer().first(brought));
  });
  Say("begins at " + std::to_string(replica) + " with " + std::to_string(brought) + ": " +
      (lives ? absl::StatusCodeToString(started.status().code()) : "crash"));
  if (!lives || dice_.OneIn(world_.weather().reply_lost) || ended()) return;
  if (!started.ok()) {
    if (absl::IsUnavailable(started.status()) || absl::IsResourceExhausted(started.status()))
      return;
    return Violated("a start is refused: " + static_cast<std::string>(started.status().message()));
  }
  // Another start may have been quicker: this one goes unused.
  if (handle_) return;
  handle_ = started->handle;
  next_ = started->next;
  used_ = brought;
  Begun(*handle_, now_ns);
}

void StepExchange::Abort(size_t replica) {
  aborted_ = true;
  absl::Status status = absl::UnknownError("crashed");
  const Handle handle = *handle_;
  world_.At(replica, [&](Replica& at) { status = at.durable.Abort(owner(), handle); });
  Say("aborts at " + std::to_string(replica) + ": " + absl::StatusCodeToString(status.code()));
}

void StepExchange::Describe(size_t replica) {
  absl::StatusOr<handshakes::Status> status = absl::UnknownError("crashed");
  const Handle handle = *handle_;
  world_.At(replica, [&](Replica& at) { status = at.durable.Describe(owner(), handle); });
  Say("asks " + std::to_string(replica) +
      (status.ok() ? " " + std::to_string(status->step) : std::string()));
}

StepExchange::Call StepExchange::NewCall(bool rival) {
  Call call;
  call.number = number_ + 1;
  const auto held = std::ranges::find_if(next_, [](const auto& next) { return next.held; });
  if (!next_.empty() && dice_.OneIn(2)) {
    call.message = (held != next_.end() ? *held : next_[dice_.Below(next_.size())]).message;
  }
  const tls::ByteView waits = from_peer().subspan(used_);
  call.input =
      tls::Copy(waits.first(dice_.OneIn(3) ? dice_.Below(waits.size() + 1) : waits.size()));
  if (!rival) return call;
  if (dice_.OneIn(6)) {
    call.input = {0x17, 3, 3, 0, 1, 0};
    call.garbage = true;
  } else if (dice_.OneIn(8)) {
    call.peer_closed = true;
  }
  return call;
}

size_t StepExchange::PickCall() {
  std::erase_if(tried_, [&](const Call& call) { return call.number <= number_; });
  const bool rival = !tried_.empty() && dice_.OneIn(world_.weather().rival);
  if (tried_.empty() || rival) {
    tried_.push_back(NewCall(rival));
    return tried_.size() - 1;
  }
  return dice_.Below(tried_.size());
}

void StepExchange::Make(size_t replica, const Call& call) {
  for (Call& tried : tried_) {
    if (tried.number == call.number && tls::Equal(tried.input, call.input))
      tried.made_before = true;
  }
  spoiled_ = spoiled_ || call.garbage;
  closed_ = closed_ || call.peer_closed;
  const Handle handle = *handle_;
  Ledger& ledger = world_.ledger();
  Bytes of_call = call.input;
  of_call.push_back(call.peer_closed);
  of_call.push_back(call.message ? static_cast<uint8_t>(call.message->type) : 0xff);
  const auto tell = [&](const Bytes& encoded) {
    ledger.Step(handle, call.number, of_call, encoded, Decode(encoded).to_peer);
  };
  absl::StatusOr<Bytes> reply = absl::UnknownError("crashed");
  const bool lives = world_.At(replica, [&](Replica& at) {
    at.store.retried = call.made_before;
    const StepCall step{.message = call.message,
                        .number = static_cast<uint32_t>(call.number),
                        .from_peer = call.input,
                        .peer_closed = call.peer_closed};
    reply = at.durable.TakeStep(owner(), handle, step, [&](const Handle&, const auto& made) {
      Bytes encoded = Encode(made);
      if (PastDeadline() && Decode(encoded).outcome != Outcome::kFailed) {
        Violated("a step is made after the deadline");
      }
      if (world_.bug() == Bug::kTellsBeforeSwap) tell(encoded);
      return encoded;
    });
    at.store.retried = false;
  });
  Say("step " + std::to_string(call.number) + " at " + std::to_string(replica) + " with " +
      World::Digest(of_call) + ": " +
      (!lives        ? "crash"
       : !reply.ok() ? absl::StatusCodeToString(reply.status().code())
                     : World::Digest(*reply)));
  if (!lives) return;
  if (!reply.ok()) return OnRefused(call, reply.status());
  // It has left the replica, whether it arrives or not.
  tell(*reply);
  if (dice_.OneIn(world_.weather().reply_lost)) {
    if (dice_.OneIn(2)) late_.push_back({call, *reply});
    return Say("the reply is lost, or late");
  }
  Arrive(call, *reply);
  if (dice_.OneIn(world_.weather().reply_lost)) Arrive(call, *reply);
}

void StepExchange::OnRefused(const Call& call, const absl::Status& status) {
  if (call.number <= number_ || ended()) return;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
      return;  // the same again
    case absl::StatusCode::kFailedPrecondition: {
      if (tried_.size() > 8) return;
      Call any = call;
      any.message.reset();
      any.made_before = false;
      tried_.push_back(std::move(any));
      return;
    }
    case absl::StatusCode::kNotFound:
      return OnNotFound();
    default:
      return Violated("a step is refused: " + static_cast<std::string>(status.message()));
  }
}

void StepExchange::Arrive(const Call& call, const Bytes& encoded) {
  if (ended() || call.number != number_ + 1) return;
  Told told = Decode(encoded);
  if (told.number != call.number) return Violated("a reply bears another number");
  number_ = told.number;
  next_ = told.next;
  if (!call.garbage) used_ += call.input.size();
  ToPeer(told.to_peer);
  OnOutcome(*handle_, told);
}

}  // namespace handfast::sim
