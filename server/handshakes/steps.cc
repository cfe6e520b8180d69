// A handshake by steps: one call of its owner's makes one, and has its reply when it is made.
#include <memory>
#include <optional>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/handshakes/handshake.h"

namespace handfast::handshakes {

void Handshake::TakeStep(const StepCall& call, StepDone done) {
  std::lock_guard lock(mutex_);
  if (!walk_) {
    return done(access::WithReason(
        absl::FailedPreconditionError("the handshake goes on in its Relay stream alone"),
        "NOT_BY_STEPS"));
  }
  if (walk_->Repeats(call, done)) {
    if (walk_->stalled && connection_) Resume();
    return;
  }
  if (!connection_) {
    // It ended between two steps: this one says so, whatever it is named for.
    absl::Status checked = walk_->CheckNumber(call);
    if (checked.ok() && !walk_->reply().ended()) checked = access::NotFound("handshake");
    if (!checked.ok()) return done(checked);
    walk_->Accept(call, std::move(done));
    return walk_->Finish(nullptr);
  }
  if (const absl::Status checked = walk_->Check(call, *connection_); !checked.ok()) {
    return done(checked);
  }
  walk_->Accept(call, std::move(done));
  // RFC 8446 §5.1: "Handshake messages MAY be coalesced into a single TLSPlaintext record or
  // fragmented across several records": where all that can be said is said at once, they are.
  StepOnce(tls::Hold{.bytes = call.from_peer, .packs_flights = !call.message}, walk_->reply());
  ContinueStep();
}

void Handshake::Resume() {
  std::optional<tls::Answer> answer = Sign(*std::exchange(walk_->stalled, {}), walk_->reply());
  if (!answer) return;
  Drive(*std::move(answer), walk_->reply());
  ContinueStep();
}

// Until the step is made, or waits for a private-key operation.
void Handshake::ContinueStep() {
  while (connection_) {
    if (waiting_ || walk_->stalled) return;
    if (walk_->established && walk_->all_handed_out()) {
      Establish(walk_->established, walk_->reply());
      break;
    }
    if (walk_->satisfied()) break;
    walk_->ForgetMessage();
    if (walk_->HandOut()) continue;
    Drive(tls::FromPeer{}, walk_->reply());
    if (!connection_ || waiting_ || walk_->stalled || walk_->took_message()) continue;
    // The peer's message is not whole.
    if (!walk_->peer_closed()) {
      walk_->NeedMore();
      break;
    }
    StepOnce(tls::PeerClosed{}, walk_->reply());
  }
  walk_->Finish(connection_ ? &*connection_ : nullptr);
}

}  // namespace handfast::handshakes
