// Limits on live handshakes, for the service and for each tenant, and a token bucket on how many a
// tenant begins a second. It counts; it queues nothing (see work_queue.h).
#ifndef HANDFAST_SERVER_ACCESS_ADMISSION_H_
#define HANDFAST_SERVER_ACCESS_ADMISSION_H_

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "server/access/admission_interface.h"

namespace handfast::access {

using MonotonicClock = std::function<std::chrono::steady_clock::time_point()>;

struct AdmissionOptions {
  int max_live = 20'000;
  int max_live_per_tenant = 10'000;
  // Handshakes that a tenant may begin a second, and in one burst; 0: no limit.
  double rate_per_tenant = 0;
  double burst_per_tenant = 0;
};

class Admission final : public AdmissionInterface {
 public:
  // `on_refused` is told each refusal's reason (for metrics), outside any lock; may be null.
  Admission(AdmissionOptions options, MonotonicClock clock,
            std::function<void(std::string_view reason)> on_refused = nullptr);

  absl::StatusOr<Admitted> Admit(std::string_view tenant) override;

  int live() const;
  int live(std::string_view tenant) const;

 private:
  struct Tenant {
    int live = 0;
    double tokens = 0;
    std::chrono::steady_clock::time_point filled_at;
  };

  // Under the lock.
  absl::Status Refusal(Tenant& tenant);
  absl::Status TakeToken(Tenant& tenant);
  void GiveBack(const std::string& tenant);

  const AdmissionOptions options_;
  const MonotonicClock clock_;
  const std::function<void(std::string_view)> on_refused_;
  mutable std::mutex mutex_;  // guards what follows
  int live_ = 0;
  // Tenants come from the configuration, so there are never more of them than it names.
  std::map<std::string, Tenant, std::less<>> tenants_;
};

}  // namespace handfast::access

#endif  // HANDFAST_SERVER_ACCESS_ADMISSION_H_
