// absl::Status at the edge: google.rpc.Status with its typed details, in-band or as the RPC's own.
#ifndef HANDFAST_SERVER_RPC_STATUS_H_
#define HANDFAST_SERVER_RPC_STATUS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include <grpcpp/grpcpp.h>

#include "google/rpc/status.pb.h"

namespace handfast::rpc {

// The domain of our reasons in google.rpc.ErrorInfo.
inline constexpr char kErrorDomain[] = "handfast.dev";

google::rpc::Status ToProto(const absl::Status& status);
grpc::Status ToGrpc(const absl::Status& status);
// "NOT_FOUND".
std::string_view CodeName(const absl::Status& status);

// Collects every fault of a request, so that its author sees all of them at once.
class FieldFaults {
 public:
  void Add(std::string_view field, std::string_view description) {
    faults_.emplace_back(field, description);
  }
  // OK where there is none, else INVALID_ARGUMENT.
  absl::Status ToStatus() const;

 private:
  std::vector<std::pair<std::string, std::string>> faults_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_STATUS_H_
