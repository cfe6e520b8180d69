#include "server/sessions/sessions.h"

#include <algorithm>
#include <utility>

#include "server/observe/log.h"
#include "tls/crypto/hash.h"

namespace handfast::sessions {
namespace {

// No tenant's name has a dot.
constexpr store::Key kTicketKeys{.tenant = "handfast.sessions", .handle = "ticket-keys"};
// As long as the store takes: it is written anew every two hours, so where it ends nobody is left
// who knew it.
constexpr store::TimeToLive kKeptFor = std::chrono::hours(7 * 24);
// Each loss means that another replica was quicker, and has done what was to be done.
constexpr int kMaxTries = 4;

SessionTable::Label LabelOf(const tls::Bytes& binding, const tls::Bytes& session_id = {}) {
  tls::RunningHash hash(tls::HashAlgorithm::kSha256);
  hash.Update(binding);
  hash.Update(session_id);
  SessionTable::Label label;
  hash.Finish(label.data());
  return label;
}

std::string WordsOf(const absl::Status& status) {
  return static_cast<std::string>(status.message());
}

}  // namespace

std::optional<TicketKeySet> Sessions::Agree(int64_t now_unix_s) {
  absl::Status status;
  for (int i = 0; i < kMaxTries; ++i) {
    absl::StatusOr<store::Value> value = store_.Get(kTicketKeys);
    if (absl::IsDataLoss(value.status())) {
      // Whatever is there is not what was put there. It goes, and what is known here takes its
      // place.
      observe::Log(observe::Level::kError, "sessions", "the ticket keys in the store are not ours",
                   {{"error", WordsOf(value.status())}});
      (void)store_.Pop(kTicketKeys);
      continue;
    }
    const bool found = value.ok();
    if (!found && !absl::IsNotFound(value.status())) {
      status = value.status();
      break;
    }
    std::optional<TicketKeySet> set = TicketKeySet::Parse(found ? value->bytes : set_.Serialize());
    if (!set) {
      status = absl::FailedPreconditionError("they are a newer release's");
      break;
    }
    const tls::Result<bool> rotated = set->Rotate(now_unix_s, randomness_);
    if (!rotated.ok()) return std::nullopt;
    if (found && !*rotated) {
      told_ = false;
      return set;
    }
    store::Value next(set->Serialize(), 0);  // wiped
    status =
        found ? store_.CompareAndSwap(kTicketKeys, value->generation, next.bytes, kKeptFor).status()
              : store_.Put(kTicketKeys, next.bytes, kKeptFor);
    if (status.ok()) {
      told_ = false;
      observe::Log(observe::Level::kInfo, "sessions", "ticket keys rotated",
                   {{"rotated_unix_s", set->RotatedAt(now_unix_s).value_or(0)}});
      return set;
    }
    if (!absl::IsAborted(status) && !absl::IsAlreadyExists(status) && !absl::IsNotFound(status)) {
      break;
    }
  }
  if (!std::exchange(told_, true)) {
    observe::Log(observe::Level::kWarning, "sessions",
                 "the store does not say which ticket keys are in use: those that are known go on",
                 {{"error", WordsOf(status)}});
  }
  return std::nullopt;
}

void Sessions::Refresh() {
  const std::lock_guard lock(refreshing_);
  const int64_t now = clock_.UnixSeconds();
  if (std::optional<TicketKeySet> agreed = Agree(now)) set_ = *std::move(agreed);
  Publish(now);
}

void Sessions::Publish(int64_t now_unix_s) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->keys = set_.KeysAt(now_unix_s);
  snapshot->rotated_unix_s = set_.RotatedAt(now_unix_s).value_or(0);
  const bool seals = snapshot->keys != nullptr && snapshot->keys->seals();
  due_ = clock_.Now() + (seals ? kRefreshEvery : kRefreshWithoutKeys);
  std::atomic_store(&snapshot_, std::shared_ptr<const Snapshot>(std::move(snapshot)));
}

void Sessions::Tick() {
  if (clock_.Now() < due_.load() || queued_.exchange(true)) return;
  const absl::Status queued = work_.Submit(kTicketKeys.tenant, access::Lane::kGeneral, [this] {
    Refresh();
    queued_ = false;
  });
  if (!queued.ok()) queued_ = false;
}

int64_t Sessions::ticket_keys_rotated_unix_s() const {
  return std::atomic_load(&snapshot_)->rotated_unix_s;
}

std::shared_ptr<const tls::TicketKeys> Sessions::CurrentTicketKeys() const {
  return std::atomic_load(&snapshot_)->keys;
}

void Sessions::KeepLater(const std::string& tenant, const SessionTable::Label& label,
                         tls::Session spent) {
  // Where there is no room, or the store is away, the next handshake is a full one: no more than
  // that is lost.
  (void)work_.Submit(tenant, access::Lane::kGeneral,
                     [this, tenant, label, session = std::move(spent)]() mutable {
                       (void)table_.Keep(tenant, label, std::move(session));
                     });
}

void Sessions::KeepServerSession(const std::string& tenant, const tls::Bytes& binding,
                                 tls::Session spent) {
  const SessionTable::Label label = LabelOf(binding, spent.session_id);
  KeepLater(tenant, label, std::move(spent));
}

std::shared_ptr<const tls::Session> Sessions::FindServerSession(const std::string& tenant,
                                                                const tls::Bytes& binding,
                                                                const tls::Bytes& session_id) {
  absl::StatusOr<tls::Session> found = table_.Find(tenant, LabelOf(binding, session_id));
  if (!found.ok()) return nullptr;
  return std::make_shared<const tls::Session>(*std::move(found));
}

bool Sessions::FindServerSessionLater(const std::string& tenant, const tls::Bytes& binding,
                                      const tls::Bytes& session_id, Found found) {
  return work_
      .Submit(tenant, access::Lane::kGeneral,
              [this, tenant, binding, session_id, found = std::move(found)] {
                found(FindServerSession(tenant, binding, session_id));
              })
      .ok();
}

void Sessions::KeepClientSession(const std::string& tenant, const tls::Bytes& binding,
                                 tls::Session spent) {
  KeepLater(tenant, LabelOf(binding), std::move(spent));
}

std::optional<tls::Session> Sessions::TakeClientSession(const std::string& tenant,
                                                        const tls::Bytes& binding) {
  absl::StatusOr<tls::Session> taken = table_.Take(tenant, LabelOf(binding));
  if (!taken.ok()) return std::nullopt;
  return *std::move(taken);
}

}  // namespace handfast::sessions
