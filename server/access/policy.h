// Who calls and what they may do. A principal is a name that the transport has proved: the SPIFFE
// ID of a client certificate, or the Unix socket that was used. The configuration maps it to one
// tenant and roles; whatever is not granted is refused. Nothing here knows gRPC: a method is its
// full name, "/handfast.v1.KeyService/CreateKey".
#ifndef HANDFAST_SERVER_ACCESS_POLICY_H_
#define HANDFAST_SERVER_ACCESS_POLICY_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace handfast::access {

struct Principal {
  // "spiffe://example.org/edge", or "unix:/run/handfast/handfast.sock".
  std::string name;
  std::string tenant;
  // May run handshakes.
  bool caller = false;
  // May manage the tenant's keys and credentials.
  bool operator_role = false;
  // May ask for record keys, where the profile allows it too.
  bool release_keys = false;
};

// Immutable; shared by threads.
class Policy {
 public:
  // INVALID_ARGUMENT for a principal without name or tenant, or named twice.
  static absl::StatusOr<Policy> Create(std::vector<Principal> principals);

  // The caller, where it may call `method`:
  //   UNAUTHENTICATED    the principal is empty or not configured;
  //   PERMISSION_DENIED  the method needs a role that it lacks, or has no rule.
  absl::StatusOr<Principal> Authorize(std::string_view principal, std::string_view method) const;

  // As above, and `resource` ("tenants/{t}" or "tenants/{t}/...") must be the caller's tenant's:
  // NOT_FOUND else, in the words used for what does not exist. INVALID_ARGUMENT where it is no
  // such name; `field` of the request holds it.
  absl::StatusOr<Principal> Authorize(std::string_view principal, std::string_view method,
                                      std::string_view resource,
                                      std::string_view field = "name") const;

 private:
  std::map<std::string, Principal, std::less<>> principals_;
};

}  // namespace handfast::access

#endif  // HANDFAST_SERVER_ACCESS_POLICY_H_
