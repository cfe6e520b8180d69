#include "server/rpc/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "google/rpc/error_details.pb.h"
#include "server/access/error_details_interface.h"

namespace handfast::rpc {
namespace {

// A serialized google.rpc.BadRequest, where there is more than one violation.
constexpr char kBadRequestUrl[] = "handfast.dev/bad-request";

std::string Reason(const absl::Status& status) {
  std::string reason = access::ReasonOf(status);
  return reason.empty() ? absl::StatusCodeToString(status.code()) : reason;
}

void AddMetadata(const absl::Status& status, google::rpc::ErrorInfo& info) {
  constexpr absl::string_view kPrefix = access::kMetadataUrl;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) {
    if (!absl::ConsumePrefix(&url, kPrefix)) return;
    (*info.mutable_metadata())[static_cast<std::string>(url)] = static_cast<std::string>(value);
  });
}

void AddBadRequest(const absl::Status& status, google::rpc::Status& proto) {
  google::rpc::BadRequest bad_request;
  if (const auto faults = access::Payload(status, kBadRequestUrl)) {
    bad_request.ParseFromString(*faults);
  } else if (const auto field = access::FieldOf(status)) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field(*field);
    violation->set_description(static_cast<std::string>(status.message()));
  } else {
    return;
  }
  proto.add_details()->PackFrom(bad_request);
}

void AddRetryInfo(const absl::Status& status, google::rpc::Status& proto) {
  const auto delay_ms = access::RetryDelayMsOf(status);
  if (!delay_ms) return;
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(*delay_ms / 1000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(*delay_ms % 1000) * 1'000'000);
  proto.add_details()->PackFrom(retry);
}

}  // namespace

google::rpc::Status ToProto(const absl::Status& status) {
  google::rpc::Status proto;
  proto.set_code(static_cast<int>(status.code()));
  proto.set_message(static_cast<std::string>(status.message()));
  google::rpc::ErrorInfo info;
  info.set_reason(Reason(status));
  info.set_domain(kErrorDomain);
  AddMetadata(status, info);
  proto.add_details()->PackFrom(info);
  AddBadRequest(status, proto);
  AddRetryInfo(status, proto);
  return proto;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      static_cast<std::string>(status.message()),
                      ToProto(status).SerializeAsString());
}

std::string_view CodeName(const absl::Status& status) {
  static const auto* const names = [] {
    auto* all = new std::vector<std::string>;
    for (int code = 0; code <= 16; ++code) {
      all->push_back(absl::StatusCodeToString(static_cast<absl::StatusCode>(code)));
    }
    return all;
  }();
  const auto code = static_cast<size_t>(status.code());
  return code < names->size() ? (*names)[code] : std::string_view("UNKNOWN");
}

absl::Status FieldFaults::ToStatus() const {
  if (faults_.empty()) return absl::OkStatus();
  absl::Status status = access::InvalidField(faults_[0].first, faults_[0].second);
  if (faults_.size() == 1) return status;
  google::rpc::BadRequest bad_request;
  for (const auto& [field, description] : faults_) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field(field);
    violation->set_description(description);
  }
  status.SetPayload(kBadRequestUrl, absl::Cord(bad_request.SerializeAsString()));
  return status;
}

}  // namespace handfast::rpc
