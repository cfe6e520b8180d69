// Where handshake work waits for a processor: queued by tenant, never by stream, RSA private-key
// work apart from the rest.
#ifndef HANDFAST_SERVER_ACCESS_WORK_QUEUE_INTERFACE_H_
#define HANDFAST_SERVER_ACCESS_WORK_QUEUE_INTERFACE_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

#include "tls/base/registry.h"

namespace handfast::access {

// An RSA-2048 signature costs thirty ECDSA ones: in one lane, a few RSA tenants would make every
// other tenant wait.
enum class Lane : uint8_t { kGeneral = 0, kRsa = 1 };
inline constexpr int kLaneCount = 2;

constexpr std::string_view Name(Lane lane) { return lane == Lane::kRsa ? "rsa" : "general"; }

// The lane of a signature by its scheme.
constexpr Lane LaneFor(tls::SignatureScheme scheme) {
  switch (scheme) {
    case tls::SignatureScheme::kRsaPkcs1Sha1:
    case tls::SignatureScheme::kRsaPkcs1Sha256:
    case tls::SignatureScheme::kRsaPkcs1Sha384:
    case tls::SignatureScheme::kRsaPkcs1Sha512:
    case tls::SignatureScheme::kRsaPssRsaeSha256:
    case tls::SignatureScheme::kRsaPssRsaeSha384:
    case tls::SignatureScheme::kRsaPssRsaeSha512:
      return Lane::kRsa;
    default:
      return Lane::kGeneral;
  }
}

class WorkQueueInterface {
 public:
  using Work = absl::AnyInvocable<void()>;

  virtual ~WorkQueueInterface() = default;

  // Thread-safe, never blocks; `work` runs later, once, on a worker thread. Work of one tenant and
  // lane starts in the order in which it was submitted, but may overlap: whoever needs one thing
  // after another submits the second when the first is done.
  // RESOURCE_EXHAUSTED, at once, with a retry delay and the reason QUEUE_LIMIT or
  // TENANT_QUEUE_LIMIT; UNAVAILABLE (SHUTTING_DOWN) after Shutdown. Then `work` is not run.
  virtual absl::Status Submit(std::string_view tenant, Lane lane, Work work) = 0;
};

}  // namespace handfast::access

#endif  // HANDFAST_SERVER_ACCESS_WORK_QUEUE_INTERFACE_H_
