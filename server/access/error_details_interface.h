// What a status carries to the edge besides its code and words: a stable reason, the field at
// fault, when to come back. The packages of the service set them, server/rpc turns them into
// google.rpc details. Nothing here knows gRPC or protobuf.
#ifndef HANDFAST_SERVER_ACCESS_ERROR_DETAILS_INTERFACE_H_
#define HANDFAST_SERVER_ACCESS_ERROR_DETAILS_INTERFACE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace handfast::access {

inline constexpr char kReasonUrl[] = "handfast.dev/reason";
inline constexpr char kFieldUrl[] = "handfast.dev/field";
inline constexpr char kRetryDelayUrl[] = "handfast.dev/retry-delay-ms";

// google.rpc.ErrorInfo.reason: UPPER_SNAKE_CASE, stable, documented in the contract.
inline absl::Status WithReason(absl::Status status, std::string_view reason) {
  status.SetPayload(kReasonUrl, absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

// google.rpc.ErrorInfo.metadata: a fact about this occurrence, never a secret.
inline constexpr char kMetadataUrl[] = "handfast.dev/metadata/";
inline absl::Status WithMetadata(absl::Status status, std::string_view key,
                                 std::string_view value) {
  status.SetPayload(absl::StrCat(kMetadataUrl, absl::string_view(key.data(), key.size())),
                    absl::Cord(absl::string_view(value.data(), value.size())));
  return status;
}

// google.rpc.RetryInfo.retry_delay, in milliseconds.
inline absl::Status WithRetryDelayMs(absl::Status status, int64_t delay_ms) {
  status.SetPayload(kRetryDelayUrl, absl::Cord(absl::StrCat(delay_ms)));
  return status;
}

// INVALID_ARGUMENT with a google.rpc.BadRequest.FieldViolation: `field` is the request's field by
// its proto name. `description` must not repeat what the caller sent where that may be a secret.
inline absl::Status InvalidField(std::string_view field, std::string_view description,
                                 std::string_view reason = "INVALID_FIELD") {
  absl::Status status = absl::InvalidArgumentError(
      absl::StrCat(absl::string_view(field.data(), field.size()), ": ",
                   absl::string_view(description.data(), description.size())));
  status.SetPayload(kFieldUrl, absl::Cord(absl::string_view(field.data(), field.size())));
  return WithReason(std::move(status), reason);
}

// NOT_FOUND in the one wording that is used for the unknown and for another tenant's alike, so that
// neither can be told from the other (security.md, S6 and S27).
inline absl::Status NotFound(std::string_view resource) {
  return WithReason(absl::NotFoundError(absl::StrCat(
                        absl::string_view(resource.data(), resource.size()), ": not found")),
                    "NOT_FOUND");
}

inline std::optional<std::string> Payload(const absl::Status& status, const char* url) {
  const auto payload = status.GetPayload(url);
  if (!payload.has_value()) return std::nullopt;
  return static_cast<std::string>(*payload);
}

// Empty where none was set.
inline std::string ReasonOf(const absl::Status& status) {
  return Payload(status, kReasonUrl).value_or("");
}

inline std::optional<std::string> FieldOf(const absl::Status& status) {
  return Payload(status, kFieldUrl);
}

inline std::optional<int64_t> RetryDelayMsOf(const absl::Status& status) {
  int64_t delay_ms = 0;
  const std::optional<std::string> text = Payload(status, kRetryDelayUrl);
  if (!text || !absl::SimpleAtoi(*text, &delay_ms)) return std::nullopt;
  return delay_ms;
}

}  // namespace handfast::access

#endif  // HANDFAST_SERVER_ACCESS_ERROR_DETAILS_INTERFACE_H_
