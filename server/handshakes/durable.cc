#include "server/handshakes/durable.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/handshakes/handshakes.h"
#include "server/observe/log.h"

namespace handfast::handshakes {
namespace {

// Each loss means that another call made a step meanwhile; a caller makes one at a time.
constexpr int kMaxTries = 4;
// The breaker of a store looks again about this often.
constexpr int64_t kStoreRetryDelayMs = 500;

absl::Status Unknown() { return access::NotFound("handshake"); }

absl::Status Unreachable() {
  return access::WithRetryDelayMs(
      access::WithReason(absl::UnavailableError("the store cannot be reached"),
                         "STORE_UNAVAILABLE"),
      kStoreRetryDelayMs);
}

// What a store's status means to who asked for a handshake.
absl::Status FromStore(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return Unknown();
    case absl::StatusCode::kUnavailable:
      return Unreachable();
    case absl::StatusCode::kResourceExhausted:
      return access::WithRetryDelayMs(
          access::WithReason(absl::ResourceExhaustedError("the store is full"), "STORE_FULL"),
          kStoreRetryDelayMs);
    default:
      // Lost or altered: it is not run twice, and whoever looks after the store has to know.
      observe::Log(observe::Level::kError, "handshakes", "the store gave back no handshake",
                   {{"error", static_cast<std::string>(status.message())}});
      return Unknown();
  }
}

store::TimeToLive TimeToLiveOf(const SavedHandshake& saved) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(saved.left);
  // Beyond the deadline for as long as the failure, or the last reply, can be asked for.
  const std::chrono::milliseconds kept = kLastReplyKept;
  return saved.connection ? std::max(left, std::chrono::milliseconds(0)) + kept : kept;
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
                  .metrics = services.metrics},
        handle_(handle) {}

  Handshake& Begin(Start start) {
    handshake_ =
        std::make_shared<Handshake>(services_, std::move(start), handle_, access::Admitted(),
                                    static_cast<Handshake::Table&>(*this));
    return *handshake_;
  }
  Handshake& GoOn(SavedHandshake saved) {
    const bool aborted = saved.aborted;
    handshake_ = std::make_shared<Handshake>(services_, std::move(saved), handle_,
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
      // Counted where it ends, for it is live nowhere.
      outer_.metrics.HandshakeStarted();
      Report(*finished_, outer_.metrics);
    }
    if (connection_) outer_.connections.Add(*std::move(connection_));
  }

 private:
  void OnEnd(const FinishedHandshake& handshake, bool) override {
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
  SavedHandshake saved = handshake.Freeze();
  const store::TimeToLive time_to_live = TimeToLiveOf(saved);
  tls::Result<tls::Bytes> bytes = Save(std::move(saved), services_.clock.UnixMilliseconds());
  if (!bytes.ok()) return absl::InternalError("the handshake cannot be saved");
  const std::string name = ToHex(*handle);
  const absl::Status put =
      store_.Put({.tenant = owner->tenant, .handle = name}, *bytes, time_to_live);
  tls::Wipe(*bytes);
  if (!put.ok()) return FromStore(put);
  return Started{.handle = *handle, .next = status->next};
}

absl::StatusOr<DurableHandshakes::Found> DurableHandshakes::Find(const Owner& owner,
                                                                 const Handle& handle) {
  const std::string name = ToHex(handle);
  absl::StatusOr<store::Value> value = store_.Get({.tenant = owner.tenant, .handle = name});
  if (!value.ok()) return FromStore(value.status());
  tls::Result<SavedHandshake> saved = Load(value->bytes, services_.clock.UnixMilliseconds());
  if (!saved.ok()) {
    return FromStore(absl::DataLossError("a saved handshake has a form that is unknown here"));
  }
  if (*saved->start.owner != owner || !saved->walk) return Unknown();
  return Found{.saved = *std::move(saved), .generation = value->generation};
}

absl::StatusOr<uint64_t> DurableHandshakes::Swap(const Owner& owner, const Handle& handle,
                                                 uint64_t generation, SavedHandshake next) {
  const store::TimeToLive time_to_live = TimeToLiveOf(next);
  tls::Result<tls::Bytes> bytes = Save(std::move(next), services_.clock.UnixMilliseconds());
  if (!bytes.ok()) return absl::InternalError("the handshake cannot be saved");
  const std::string name = ToHex(handle);
  auto swapped = store_.CompareAndSwap({.tenant = owner.tenant, .handle = name}, generation, *bytes,
                                       time_to_live);
  tls::Wipe(*bytes);
  if (swapped.ok() || absl::IsAborted(swapped.status())) return swapped;
  return FromStore(swapped.status());
}

absl::StatusOr<tls::Bytes> DurableHandshakes::TakeStep(const Owner& owner, const Handle& handle,
                                                       const StepCall& call,
                                                       const EncodeReply& encode) {
  absl::Status lost;
  for (int i = 0; i < kMaxTries; ++i) {
    absl::StatusOr<Found> found = Find(owner, handle);
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
  return access::WithReason(absl::AbortedError("other calls made steps meanwhile"),
                            "STEP_CONFLICT");
}

absl::StatusOr<Status> DurableHandshakes::Describe(const Owner& owner, const Handle& handle) {
  absl::StatusOr<Found> found = Find(owner, handle);
  if (!found.ok()) return found.status();
  if (!found->saved.connection) return Unknown();
  Visit visit(services_, handle);
  const std::optional<Status> status = visit.GoOn(std::move(found->saved)).Describe();
  return status ? absl::StatusOr<Status>(*status) : Unknown();
}

absl::Status DurableHandshakes::Abort(const Owner& owner, const Handle& handle) {
  for (int i = 0; i < kMaxTries; ++i) {
    absl::StatusOr<Found> found = Find(owner, handle);
    if (!found.ok()) return found.status();
    if (!found->saved.connection) return Unknown();
    found->saved.aborted = true;
    const absl::StatusOr<uint64_t> swapped =
        Swap(owner, handle, found->generation, std::move(found->saved));
    if (!absl::IsAborted(swapped.status())) return swapped.status();
  }
  return access::WithReason(absl::AbortedError("other calls made steps meanwhile"),
                            "STEP_CONFLICT");
}

}  // namespace handfast::handshakes
