#include "server/connections/whereabouts.h"

#include <utility>

#include "server/access/error_details_interface.h"
#include "server/observe/log.h"
#include "tls/base/bytes.h"

namespace handfast::connections {
namespace {

// The breaker of a store looks again about this often.
constexpr int64_t kStoreRetryDelayMs = 500;
// No principal, which is a URI or a path, has a line break.
constexpr char kSeparator = '\n';

absl::Status Unknown() { return access::NotFound("connection"); }

// Handshakes in the store go by the bare number.
std::string NameOf(const handshakes::Handle& handle) { return "connection/" + ToHex(handle); }

// A queue that is full, or a store that is away: the caller of another replica pays for it.
void LogMissed(const absl::Status& status) {
  if (status.ok() || absl::IsNotFound(status)) return;
  observe::Log(observe::Level::kWarning, "connections", "a connection's place is not in the store",
               {{"error", static_cast<std::string>(status.message())}});
}

}  // namespace

void Whereabouts::SetAddress(std::string address) {
  std::lock_guard lock(mutex_);
  address_ = std::move(address);
}

std::string Whereabouts::address() const {
  std::lock_guard lock(mutex_);
  return address_;
}

void Whereabouts::Publish(const handshakes::Owner& owner, const handshakes::Handle& handle,
                          std::chrono::seconds lives) {
  LogMissed(work_.Submit(owner.tenant, access::Lane::kGeneral,
                         [this, tenant = owner.tenant, name = NameOf(handle), lives,
                          value = owner.principal + kSeparator + address()] {
                           LogMissed(store_.Put({.tenant = tenant, .handle = name},
                                                tls::AsBytes(value), lives));
                         }));
}

void Whereabouts::Withdraw(const handshakes::Owner& owner, const handshakes::Handle& handle) {
  LogMissed(work_.Submit(owner.tenant, access::Lane::kGeneral,
                         [this, tenant = owner.tenant, name = NameOf(handle)] {
                           LogMissed(store_.Pop({.tenant = tenant, .handle = name}).status());
                         }));
}

absl::Status Whereabouts::Find(const handshakes::Owner& owner, const handshakes::Handle& handle) {
  const std::string name = NameOf(handle);
  const auto found = store_.Get({.tenant = owner.tenant, .handle = name});
  if (absl::IsNotFound(found.status()) || absl::IsDataLoss(found.status())) return Unknown();
  if (!found.ok()) {
    return access::WithRetryDelayMs(
        access::WithReason(absl::UnavailableError("the store cannot be reached"),
                           "STORE_UNAVAILABLE"),
        kStoreRetryDelayMs);
  }
  const std::string_view value = tls::AsText(found->bytes);
  const size_t separator = value.find(kSeparator);
  if (separator == std::string_view::npos || value.substr(0, separator) != owner.principal) {
    return Unknown();
  }
  const std::string_view where = value.substr(separator + 1);
  // It was here, perhaps in an earlier life of this replica.
  if (where == address()) return Unknown();
  return access::WithMetadata(
      access::WithReason(absl::UnavailableError("the connection lives in another replica"),
                         "OWNER_ELSEWHERE"),
      "owner", where);
}

}  // namespace handfast::connections
