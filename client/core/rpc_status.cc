#include "client/core/rpc_status.h"

namespace handfast::client {

std::string CodeName(RpcCode code) {
  static constexpr std::string_view kNames[] = {
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED",
      "FAILED_PRECONDITION",
      "ABORTED",
      "OUT_OF_RANGE",
      "UNIMPLEMENTED",
      "INTERNAL",
      "UNAVAILABLE",
      "DATA_LOSS",
      "UNAUTHENTICATED",
  };
  const auto number = static_cast<size_t>(code);
  if (number < std::size(kNames)) return std::string(kNames[number]);
  return "CODE_" + std::to_string(static_cast<int>(code));
}

}  // namespace handfast::client
