// What a call to the service came to, without gRPC's types.
#ifndef HANDFAST_CLIENT_CORE_RPC_STATUS_H_
#define HANDFAST_CLIENT_CORE_RPC_STATUS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace handfast::client {

// The canonical codes (google.rpc.Code) that callers here tell apart.
enum class RpcCode : int {
  kOk = 0,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kUnauthenticated = 16,
};

struct RpcStatus {
  // May hold a code that RpcCode does not name.
  RpcCode code = RpcCode::kOk;
  std::string message;
  // google.rpc.ErrorInfo.reason; empty where there was none.
  std::string reason;
  // Field violations as "field: description", one a line.
  std::string details;

  bool ok() const { return code == RpcCode::kOk; }
};

// A reply, or why there is none.
template <class Reply>
struct Called {
  RpcStatus status;
  Reply reply;
};

// "PERMISSION_DENIED"; "CODE_42" where it has no name.
std::string CodeName(RpcCode code);

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_RPC_STATUS_H_
