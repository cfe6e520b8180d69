#include "server/handshakes/handshakes.h"

#include <optional>
#include <utility>
#include <vector>

#include "server/access/error_details_interface.h"
#include "server/handshakes/finished.h"

namespace handfast::handshakes {
namespace {

// Kept connections end when their owners say so, at any time: a second is as good a guess as any.
constexpr int64_t kConnectionsRetryDelayMs = 1000;

uint64_t TickOf(MonotonicTime time) {
  return static_cast<uint64_t>(time.time_since_epoch() / kReapInterval);
}

}  // namespace

Handshakes::Handshakes(const Services& services) : services_(services) {
  const uint64_t now = TickOf(services_.clock.Now());
  for (auto& shard : shards_) shard = std::make_unique<Shard>(now);
}

Handshakes::~Handshakes() { AbandonAll(); }

void Handshakes::AbandonAll() {
  for (auto& shard : shards_) {
    std::vector<std::shared_ptr<Handshake>> left;
    {
      std::lock_guard lock(shard->mutex);
      for (auto& [handle, entry] : shard->by_handle) left.push_back(entry->handshake);
    }
    for (auto& handshake : left) handshake->Abandon();
  }
}

absl::Status CheckStart(const Services& services, const Start& start) {
  if (start.release_keys && !(start.profile->release_keys && start.owner_may_release)) {
    return access::WithReason(
        absl::PermissionDeniedError("key release needs the profile's and the role's permission"),
        "KEY_RELEASE_DENIED");
  }
  if (start.role == Role::kClient && start.profile->server_trust_bundle.empty()) {
    return access::WithReason(
        absl::FailedPreconditionError("the profile trusts no server: give it a server_trust_bundle "
                                      "in the service's configuration, or name another profile"),
        "NO_SERVER_TRUST");
  }
  if (!start.credential.empty() &&
      !services.credentials.IsActive(start.owner->tenant, start.credential)) {
    return access::NotFound("credential");
  }
  if (!services.connections.HasRoom(start.owner->tenant, start.release_keys)) {
    services.metrics.Refused("CONNECTIONS_LIMIT");
    return access::WithRetryDelayMs(
        access::WithReason(absl::ResourceExhaustedError("too many connections are kept"),
                           "CONNECTIONS_LIMIT"),
        kConnectionsRetryDelayMs);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Handshake>> Handshakes::Begin(
    Start start, const std::function<void(const std::shared_ptr<Handshake>&)>& enter) {
  if (absl::Status checked = CheckStart(services_, start); !checked.ok()) return checked;
  absl::StatusOr<access::Admitted> admitted = services_.admission.Admit(start.owner->tenant);
  if (!admitted.ok()) return admitted.status();
  tls::Result<Handle> handle = NewHandle(services_.randomness);
  if (!handle.ok()) return absl::InternalError("no randomness");
  if (start.by_steps && !EnterSteps()) {
    return access::WithReason(absl::UnavailableError("the service is draining"), "DRAINING");
  }
  auto handshake =
      std::make_shared<Handshake>(services_, std::move(start), *handle, *std::move(admitted),
                                  static_cast<Handshake::Table&>(*this));
  if (enter) enter(handshake);
  // Counted before its deadline can take it off the count.
  live_.fetch_add(1, std::memory_order_relaxed);
  if (!handshake->durable()) services_.metrics.HandshakeStarted();
  Insert(handshake);
  return handshake;
}

bool Handshakes::EnterSteps() {
  std::lock_guard lock(steps_mutex_);
  if (draining_steps_) return false;
  ++live_by_steps_;
  return true;
}

void Handshakes::LeaveSteps() {
  std::lock_guard lock(steps_mutex_);
  if (--live_by_steps_ == 0) steps_ended_.notify_all();
}

void Handshakes::DrainSteps(std::chrono::milliseconds within) {
  std::unique_lock lock(steps_mutex_);
  draining_steps_ = true;
  steps_ended_.wait_for(lock, within, [this] { return live_by_steps_ == 0; });
}

absl::StatusOr<std::shared_ptr<Handshake>> Handshakes::Resume(
    SavedHandshakes::Found found, const Handle& handle,
    const std::function<void(const std::shared_ptr<Handshake>&)>& enter) {
  absl::StatusOr<access::Admitted> admitted =
      services_.admission.Admit(found.saved.start.owner->tenant);
  if (!admitted.ok()) return admitted.status();
  // The stream that it was in may not have noticed its end yet.
  if (const auto here = Find(*found.saved.start.owner, handle)) here->Abandon();
  auto handshake =
      std::make_shared<Handshake>(services_, std::move(found.saved), handle, *std::move(admitted),
                                  static_cast<Handshake::Table&>(*this), found.generation);
  enter(handshake);
  live_.fetch_add(1, std::memory_order_relaxed);
  Insert(handshake);
  return handshake;
}

void Handshakes::Insert(const std::shared_ptr<Handshake>& handshake) {
  auto entry = std::make_unique<Entry>();
  entry->handshake = handshake;
  Shard& shard = ShardOf(handshake->handle());
  std::lock_guard lock(shard.mutex);
  // The tick after, so that none ends before its time.
  shard.wheel.Set(*entry, TickOf(handshake->deadline()) + 1);
  shard.by_handle[handshake->handle()] = std::move(entry);
}

std::shared_ptr<Handshake> Handshakes::Find(const Owner& owner, const Handle& handle) {
  Shard& shard = ShardOf(handle);
  std::lock_guard lock(shard.mutex);
  const auto found = shard.by_handle.find(handle);
  if (found == shard.by_handle.end() || found->second->handshake->owner() != owner) return nullptr;
  return found->second->handshake;
}

void Handshakes::Reap() {
  const uint64_t now = TickOf(services_.clock.Now());
  for (auto& shard : shards_) {
    std::vector<std::shared_ptr<Handshake>> due;
    {
      std::lock_guard lock(shard->mutex);
      shard->wheel.Advance(now, [&](store::TimerWheel::Timer& timer) {
        auto& entry = static_cast<Entry&>(timer);
        due.push_back(entry.handshake);
        if (entry.ended) Forget(*shard, entry);
      });
    }
    // Without effect on those that have ended.
    for (auto& handshake : due) handshake->GiveUp(tls::Reason::kDeadlineExceeded);
  }
}

void Handshakes::OnEnd(const FinishedHandshake& handshake, std::optional<size_t> linger) {
  Report(handshake, services_.metrics);
  const Handle& handle = handshake.handle;
  Shard& shard = ShardOf(handle);
  std::unique_ptr<Entry> entry;  // destroyed after the lock is let go
  std::lock_guard lock(shard.mutex);
  const auto found = shard.by_handle.find(handle);
  if (found == shard.by_handle.end()) return;
  live_.fetch_sub(1, std::memory_order_relaxed);
  if (linger) LeaveSteps();
  found->second->Cancel();
  if (linger && lingering_.load(std::memory_order_relaxed) < kMaxLingering &&
      lingering_bytes_.load(std::memory_order_relaxed) + *linger <= kMaxLingeringBytes) {
    lingering_.fetch_add(1, std::memory_order_relaxed);
    lingering_bytes_.fetch_add(*linger, std::memory_order_relaxed);
    found->second->ended = true;
    found->second->bytes = *linger;
    shard.wheel.Set(*found->second, TickOf(services_.clock.Now() + kLastReplyKept) + 1);
    return;
  }
  entry = std::move(found->second);
  shard.by_handle.erase(found);
}

void Handshakes::OnLeft(const Handle& handle) {
  Shard& shard = ShardOf(handle);
  std::unique_ptr<Entry> entry;  // destroyed after the lock is let go
  std::lock_guard lock(shard.mutex);
  const auto found = shard.by_handle.find(handle);
  if (found == shard.by_handle.end()) return;
  live_.fetch_sub(1, std::memory_order_relaxed);
  entry = std::move(found->second);
  entry->Cancel();
  shard.by_handle.erase(found);
}

void Handshakes::Forget(Shard& shard, const Entry& entry) {
  lingering_.fetch_sub(1, std::memory_order_relaxed);
  lingering_bytes_.fetch_sub(entry.bytes, std::memory_order_relaxed);
  // The entry goes with it, so its handle is copied first.
  const Handle handle = entry.handshake->handle();
  shard.by_handle.erase(handle);
}

}  // namespace handfast::handshakes
