#include "server/handshakes/durable.h"

#include <optional>
#include <string>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/handshakes/handshakes.h"

namespace handfast::handshakes {
namespace {

// Each loss means that another call made a step meanwhile; a caller makes one at a time.
constexpr int kMaxTries = 4;

absl::Status Unknown() { return access::NotFound("handshake"); }

absl::Status Outrun() {
  return access::WithReason(absl::AbortedError("other calls made steps meanwhile"),
                            "STEP_CONFLICT");
}

}  // namespace

// One step of one handshake, which is here for as long as it takes. What it would tell others waits
// until the step is known to be the one that counts.
class DurableHandshakes::Visit final : private Handshake::Table, private EstablishedConnections {
 public:
  Visit(const Services& services, const Handle& handle)
      : outer_(services),
        services_{.clock = services.clock,
                  .randomness = services.randomness,
                  .credentials = services.credentials,
                  .trust = services.trust,
                  .admission = services.admission,
                  .work = services.work,
                  .connections = *this,
                  .metrics = services.metrics,
                  .saved = services.saved,
                  .sessions = services.sessions},
        handle_(handle) {}

  Handshake& Begin(Start start) {
    handshake_ =
        std::make_shared<Handshake>(services_, std::move(start), handle_, access::Admitted(),
                                    static_cast<Handshake::Table&>(*this));
    return *handshake_;
  }
  Handshake& GoOn(SavedHandshake saved) {
    const bool aborted = saved.aborted;
    handshake_ =
        std::make_shared<Handshake>(services_, std::move(saved), handle_, access::Admitted(),
                                    static_cast<Handshake::Table&>(*this));
    if (aborted) {
      handshake_->GiveUp(tls::Reason::kHandshakeAborted);
    } else if (handshake_->deadline() <= services_.clock.Now()) {
      handshake_->GiveUp(tls::Reason::kDeadlineExceeded);
    }
    return *handshake_;
  }

  void Publish() {
    if (finished_) {
      if (failure_) finished_->failure = &*failure_;
      Report(*finished_, outer_.metrics);
    }
    if (connection_) outer_.connections.Add(*std::move(connection_));
    handshake_->KeepSession();
  }

 private:
  void OnLeft(const Handle&) override {}
  void OnEnd(const FinishedHandshake& handshake, std::optional<size_t>) override {
    finished_.emplace(handshake);
    if (handshake.failure != nullptr) failure_ = *handshake.failure;
    detail_ = handshake.detail;
    finished_->detail = detail_;
  }
  bool HasRoom(const std::string&, bool) const override { return true; }
  void Add(EstablishedConnection connection) override { connection_ = std::move(connection); }

  const Services& outer_;
  const Services services_;
  const Handle handle_;
  std::shared_ptr<Handshake> handshake_;
  std::optional<FinishedHandshake> finished_;
  std::optional<tls::HandshakeFailure> failure_;
  std::string detail_;
  std::optional<EstablishedConnection> connection_;
};

absl::StatusOr<DurableHandshakes::Started> DurableHandshakes::Begin(Start start,
                                                                    tls::ByteView from_peer) {
  if (absl::Status checked = CheckStart(services_, start); !checked.ok()) return checked;
  // For its rate: what is live is bounded by the store.
  if (auto admitted = services_.admission.Admit(start.owner->tenant); !admitted.ok()) {
    return admitted.status();
  }
  const tls::Result<Handle> handle = NewHandle(services_.randomness);
  if (!handle.ok()) return absl::InternalError("no randomness");
  const std::shared_ptr<const Owner> owner = start.owner;
  Visit visit(services_, *handle);
  Handshake& handshake = visit.Begin(std::move(start));
  handshake.Begin(from_peer);
  const std::optional<Status> status = handshake.Describe();
  if (!status) return absl::InternalError("the handshake could not begin");
  const auto prepared = saved_.Prepare(handshake.Freeze());
  if (!prepared.ok()) return prepared.status();
  const auto put = saved_.Put(*owner, *handle, **prepared);
  if (!put.ok()) return put.status();
  return Started{.handle = *handle, .next = status->next};
}

absl::StatusOr<SavedHandshakes::Found> DurableHandshakes::Find(const Owner& owner,
                                                               const Handle& handle) {
  auto found = saved_.Find(owner, handle);
  if (found.ok() && !found->saved.walk) {
    return access::WithReason(
        absl::FailedPreconditionError("the handshake goes on by Relay, with `resume`"),
        "NOT_BY_STEPS");
  }
  return found;
}

absl::StatusOr<uint64_t> DurableHandshakes::Swap(const Owner& owner, const Handle& handle,
                                                 uint64_t generation, SavedHandshake next) {
  const auto prepared = saved_.Prepare(std::move(next));
  if (!prepared.ok()) return prepared.status();
  return saved_.Swap(owner, handle, generation, **prepared);
}

absl::StatusOr<tls::Bytes> DurableHandshakes::TakeStep(const Owner& owner, const Handle& handle,
                                                       const StepCall& call,
                                                       const EncodeStep& encode) {
  absl::Status lost;
  for (int i = 0; i < kMaxTries; ++i) {
    absl::StatusOr<SavedHandshakes::Found> found = Find(owner, handle);
    if (!found.ok()) return found.status();
    if (found->saved.walk->IsLast(call)) return std::move(found->saved.last_reply);
    if (!found->saved.connection) {
      const absl::Status checked = found->saved.walk->CheckNumber(call);
      return checked.ok() ? Unknown() : checked;
    }
    Visit visit(services_, handle);
    Handshake& handshake = visit.GoOn(std::move(found->saved));
    std::shared_ptr<const StepReply> reply;
    absl::Status refused = absl::InternalError("the step was not made");
    handshake.TakeStep(call, [&](const auto& result) {
      refused = result.status();
      if (result.ok()) reply = *result;
    });
    if (!reply) return refused;
    tls::Bytes encoded = encode(handle, *reply);
    SavedHandshake next = handshake.Freeze();
    next.last_reply = encoded;
    const absl::StatusOr<uint64_t> swapped =
        Swap(owner, handle, found->generation, std::move(next));
    if (swapped.ok()) {
      visit.Publish();
      return encoded;
    }
    tls::Wipe(encoded);
    lost = swapped.status();
    if (!absl::IsAborted(lost)) return lost;
  }
  return Outrun();
}

absl::StatusOr<Status> DurableHandshakes::Describe(const Owner& owner, const Handle& handle) {
  absl::StatusOr<SavedHandshakes::Found> found = Find(owner, handle);
  if (!found.ok()) return found.status();
  if (!found->saved.connection) return Unknown();
  Visit visit(services_, handle);
  const std::optional<Status> status = visit.GoOn(std::move(found->saved)).Describe();
  return status ? absl::StatusOr<Status>(*status) : Unknown();
}

absl::Status DurableHandshakes::Abort(const Owner& owner, const Handle& handle) {
  for (int i = 0; i < kMaxTries; ++i) {
    absl::StatusOr<SavedHandshakes::Found> found = Find(owner, handle);
    if (!found.ok()) return found.status();
    if (!found->saved.connection) return Unknown();
    found->saved.aborted = true;
    const absl::StatusOr<uint64_t> swapped =
        Swap(owner, handle, found->generation, std::move(found->saved));
    if (!absl::IsAborted(swapped.status())) return swapped.status();
  }
  return Outrun();
}

}  // namespace handfast::handshakes
