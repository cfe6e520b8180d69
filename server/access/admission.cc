#include "server/access/admission.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/access/error_details_interface.h"

namespace handfast::access {
namespace {

// When a refused caller should come back where only the end of another handshake helps: about the
// time that a handshake over the Internet takes.
constexpr int64_t kFullRetryMs = 200;

absl::Status Full(std::string_view words, std::string_view reason, int64_t retry_ms) {
  absl::Status status = absl::ResourceExhaustedError(absl::string_view(words.data(), words.size()));
  return WithRetryDelayMs(WithReason(std::move(status), reason), retry_ms);
}

}  // namespace

Admission::Admission(AdmissionOptions options, MonotonicClock clock,
                     std::function<void(std::string_view)> on_refused)
    : options_(options), clock_(std::move(clock)), on_refused_(std::move(on_refused)) {}

absl::StatusOr<Admitted> Admission::Admit(std::string_view tenant) {
  absl::Status refusal;
  {
    const std::lock_guard lock(mutex_);
    auto found = tenants_.find(tenant);
    if (found == tenants_.end()) {
      found = tenants_.emplace(std::string(tenant), Tenant{}).first;
      found->second.tokens = options_.burst_per_tenant;
      found->second.filled_at = clock_();
    }
    refusal = Refusal(found->second);
    if (refusal.ok()) {
      ++live_;
      ++found->second.live;
    }
  }
  if (!refusal.ok()) {
    if (on_refused_) on_refused_(ReasonOf(refusal));
    return refusal;
  }
  return Admitted([this, name = std::string(tenant)] { GiveBack(name); });
}

absl::Status Admission::Refusal(Tenant& tenant) {
  if (live_ >= options_.max_live) {
    return Full("the service has as many live handshakes as it takes", "HANDSHAKES_LIMIT",
                kFullRetryMs);
  }
  if (tenant.live >= options_.max_live_per_tenant) {
    return Full("the tenant has as many live handshakes as it may have", "TENANT_HANDSHAKES_LIMIT",
                kFullRetryMs);
  }
  return TakeToken(tenant);
}

absl::Status Admission::TakeToken(Tenant& tenant) {
  if (options_.rate_per_tenant <= 0) return absl::OkStatus();
  const auto now = clock_();
  const double elapsed_s = std::chrono::duration<double>(now - tenant.filled_at).count();
  tenant.tokens = std::min(options_.burst_per_tenant,
                           tenant.tokens + std::max(0.0, elapsed_s) * options_.rate_per_tenant);
  tenant.filled_at = now;
  if (tenant.tokens < 1) {
    const double wait_s = (1 - tenant.tokens) / options_.rate_per_tenant;
    return Full("the tenant begins more handshakes a second than it may", "TENANT_RATE_LIMIT",
                static_cast<int64_t>(std::ceil(wait_s * 1000)));
  }
  tenant.tokens -= 1;
  return absl::OkStatus();
}

void Admission::GiveBack(const std::string& tenant) {
  const std::lock_guard lock(mutex_);
  --live_;
  --tenants_[tenant].live;
}

int Admission::live() const {
  const std::lock_guard lock(mutex_);
  return live_;
}

int Admission::live(std::string_view tenant) const {
  const std::lock_guard lock(mutex_);
  const auto found = tenants_.find(tenant);
  return found == tenants_.end() ? 0 : found->second.live;
}

}  // namespace handfast::access
