#include "server/rpc/handshake_service.h"

#include "server/access/error_details_interface.h"
#include "server/rpc/resource_names.h"
#include "server/rpc/start_request.h"
#include "server/rpc/step_response.h"

namespace handfast::rpc {
namespace {

absl::Status Unknown() { return access::NotFound("handshake"); }

}  // namespace

void HandshakeService::Await(grpc::ServerCompletionQueue& queue) {
  RelayStream::Await(relay_, queue);
  AwaitSteps(steps_, unary_, queue);
  AwaitUnary<v1::StartHandshakeRequest, v1::StartHandshakeResponse>(
      unary_,
      {.name = "/handfast.v1.HandshakeService/StartHandshake",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestStartHandshake(context, request, writer, on, on, tag);
           },
       .serve = [this](const auto& caller, const auto& request) { return Start(caller, request); },
       .resource = nullptr},
      queue);
  AwaitUnary<v1::GetHandshakeRequest, v1::Handshake>(
      unary_,
      {.name = "/handfast.v1.HandshakeService/GetHandshake",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestGetHandshake(context, request, writer, on, on, tag);
           },
       .serve = [this](const auto& caller, const auto& request) { return Get(caller, request); },
       .resource = nullptr},
      queue);
  AwaitUnary<v1::AbortHandshakeRequest, v1::AbortHandshakeResponse>(
      unary_,
      {.name = "/handfast.v1.HandshakeService/AbortHandshake",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestAbortHandshake(context, request, writer, on, on, tag);
           },
       .serve = [this](const auto& caller, const auto& request) { return Abort(caller, request); },
       .resource = nullptr},
      queue);
}

absl::StatusOr<std::shared_ptr<handshakes::Handshake>> HandshakeService::Find(
    const access::Principal& principal, const std::string& name) {
  const auto handle = ParseResourceName(kHandshakesCollection, name);
  if (!handle) return access::InvalidField("name", "must be handshakes/{32 hex digits}");
  auto handshake = relay_.backends.handshakes.Find(
      {.tenant = principal.tenant, .principal = principal.name}, *handle);
  if (!handshake) return Unknown();
  return handshake;
}

absl::StatusOr<v1::StartHandshakeResponse> HandshakeService::Start(
    const access::Principal& principal, const v1::StartHandshakeRequest& request) {
  absl::StatusOr<handshakes::Start> start =
      ReadStart(request.start(), principal.tenant, relay_.backends.profiles);
  if (!start.ok()) return start.status();
  start->owner = std::make_shared<const handshakes::Owner>(
      handshakes::Owner{.tenant = principal.tenant, .principal = principal.name});
  start->owner_may_release = principal.release_keys;
  start->by_steps = true;
  const auto handshake = relay_.backends.handshakes.Begin(*std::move(start));
  if (!handshake.ok()) return handshake.status();
  (*handshake)->Begin(tls::AsBytes(request.start().from_peer()));
  v1::StartHandshakeResponse response;
  response.set_handshake(ResourceName(kHandshakesCollection, (*handshake)->handle()));
  if (const auto status = (*handshake)->Describe()) Show(status->next, *response.mutable_next());
  return response;
}

absl::StatusOr<v1::Handshake> HandshakeService::Get(const access::Principal& principal,
                                                    const v1::GetHandshakeRequest& request) {
  const auto handshake = Find(principal, request.name());
  if (!handshake.ok()) return handshake.status();
  const std::optional<handshakes::Status> status = (*handshake)->Describe();
  if (!status) return Unknown();
  v1::Handshake response;
  response.set_name(request.name());
  response.set_state(std::string(status->state));
  response.set_profile(status->profile);
  response.set_remaining_ms(static_cast<uint32_t>(status->remaining.count()));
  response.set_consumed(status->consumed);
  response.set_step(status->step);
  Show(status->next, *response.mutable_next());
  return response;
}

absl::StatusOr<v1::AbortHandshakeResponse> HandshakeService::Abort(
    const access::Principal& principal, const v1::AbortHandshakeRequest& request) {
  const auto handshake = Find(principal, request.name());
  if (!handshake.ok()) return handshake.status();
  const bool was_live =
      (*handshake)
          ->Stop(access::WithReason(absl::AbortedError("AbortHandshake was called"),
                                    "HANDSHAKE_ABORTED"));
  if (!was_live) return Unknown();
  return v1::AbortHandshakeResponse();
}

}  // namespace handfast::rpc
