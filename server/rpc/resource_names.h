// `handshakes/{32 hex digits}` and `connections/{32 hex digits}`.
#ifndef HANDFAST_SERVER_RPC_RESOURCE_NAMES_H_
#define HANDFAST_SERVER_RPC_RESOURCE_NAMES_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "server/access/error_details_interface.h"
#include "server/handshakes/owner_interface.h"

namespace handfast::rpc {

inline constexpr std::string_view kHandshakesCollection = "handshakes/";
inline constexpr std::string_view kConnectionsCollection = "connections/";

inline std::string ResourceName(std::string_view collection, const handshakes::Handle& handle) {
  return std::string(collection) + ToHex(handle);
}

inline std::optional<handshakes::Handle> ParseResourceName(std::string_view collection,
                                                           std::string_view name) {
  if (!name.starts_with(collection)) return std::nullopt;
  return handshakes::HandleFromHex(name.substr(collection.size()));
}

// INVALID_ARGUMENT, with the field's name, where it is none.
inline absl::StatusOr<handshakes::Handle> ReadResourceName(std::string_view collection,
                                                           std::string_view field,
                                                           std::string_view name) {
  const auto handle = ParseResourceName(collection, name);
  if (handle) return *handle;
  return access::InvalidField(field, "must be " + std::string(collection) + "{32 hex digits}");
}

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_RESOURCE_NAMES_H_
