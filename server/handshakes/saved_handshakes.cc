#include "server/handshakes/saved_handshakes.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/handshakes/step.h"
#include "server/observe/log.h"

namespace handfast::handshakes {
namespace {

// The breaker of a store looks again about this often.
constexpr int64_t kStoreRetryDelayMs = 500;

absl::Status Unknown() { return access::NotFound("handshake"); }

absl::Status Unreachable() {
  return access::WithRetryDelayMs(
      access::WithReason(absl::UnavailableError("the store cannot be reached"),
                         "STORE_UNAVAILABLE"),
      kStoreRetryDelayMs);
}

// Whoever looks after the store has to know.
void LogTrouble(const char* what, const absl::Status& status) {
  observe::Log(observe::Level::kError, "handshakes", what,
               {{"error", static_cast<std::string>(status.message())}});
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
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInternal:
      // It refuses us, or holds what a newer release wrote: nothing is lost.
      LogTrouble("the store does not serve", status);
      return Unreachable();
    default:
      // Lost or altered: it is not run twice.
      LogTrouble("the store gave back no handshake", status);
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

absl::StatusOr<SavedHandshakes::Found> SavedHandshakes::Find(const Owner& owner,
                                                             const Handle& handle) {
  const std::string name = ToHex(handle);
  absl::StatusOr<store::Value> value = store_.Get({.tenant = owner.tenant, .handle = name});
  if (!value.ok()) return FromStore(value.status());
  tls::Result<SavedHandshake> saved = Load(value->bytes, clock_.UnixMilliseconds());
  if (!saved.ok()) {
    return FromStore(absl::DataLossError("a saved handshake has a form that is unknown here"));
  }
  if (*saved->start.owner != owner) return Unknown();
  return Found{.saved = *std::move(saved), .generation = value->generation};
}

absl::StatusOr<std::unique_ptr<SavedHandshakes::Sealable>> SavedHandshakes::Prepare(
    SavedHandshake spent) const {
  auto prepared = std::make_unique<Sealable>();
  prepared->time_to_live = TimeToLiveOf(spent);
  tls::Result<tls::Bytes> bytes = Save(std::move(spent), clock_.UnixMilliseconds());
  if (!bytes.ok()) return absl::InternalError("the handshake cannot be saved");
  prepared->bytes = *std::move(bytes);
  return prepared;
}

absl::StatusOr<uint64_t> SavedHandshakes::Put(const Owner& owner, const Handle& handle,
                                              const Sealable& first) {
  const std::string name = ToHex(handle);
  const absl::Status put =
      store_.Put({.tenant = owner.tenant, .handle = name}, first.bytes, first.time_to_live);
  if (!put.ok()) return FromStore(put);
  return 1;
}

absl::StatusOr<uint64_t> SavedHandshakes::Swap(const Owner& owner, const Handle& handle,
                                               uint64_t generation, const Sealable& next) {
  const std::string name = ToHex(handle);
  auto swapped = store_.CompareAndSwap({.tenant = owner.tenant, .handle = name}, generation,
                                       next.bytes, next.time_to_live);
  if (swapped.ok() || absl::IsAborted(swapped.status())) return swapped;
  return FromStore(swapped.status());
}

}  // namespace handfast::handshakes
