#include "server/rpc/handshake_service.h"

#include "server/access/error_details_interface.h"
#include "server/rpc/owner.h"
#include "server/rpc/resource_names.h"
#include "server/rpc/start_request.h"
#include "server/rpc/step_response.h"

namespace handfast::rpc {
namespace {

absl::Status Unknown() { return access::NotFound("handshake"); }

absl::StatusOr<handshakes::Handle> HandleOf(const std::string& name) {
  return ReadResourceName(kHandshakesCollection, "name", name);
}

v1::StartHandshakeResponse StartedResponse(const handshakes::Handle& handle,
                                           const std::vector<handshakes::NextStep>& next) {
  v1::StartHandshakeResponse response;
  response.set_handshake(ResourceName(kHandshakesCollection, handle));
  Show(next, *response.mutable_next());
  return response;
}

v1::Handshake View(const std::string& name, const handshakes::Status& status) {
  v1::Handshake response;
  response.set_name(name);
  response.set_state(std::string(status.state));
  response.set_profile(status.profile);
  response.set_remaining_ms(static_cast<uint32_t>(status.remaining.count()));
  response.set_consumed(status.consumed);
  response.set_step(status.step);
  Show(status.next, *response.mutable_next());
  return response;
}

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
       .serve = nullptr,
       .resource = nullptr,
       .wipe = nullptr,
       .serve_later = [this](const auto& caller, const auto& request,
                             auto respond) { Start(caller, request, std::move(respond)); }},
      queue);
  AwaitUnary<v1::GetHandshakeRequest, v1::Handshake>(
      unary_,
      {.name = "/handfast.v1.HandshakeService/GetHandshake",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestGetHandshake(context, request, writer, on, on, tag);
           },
       .serve = nullptr,
       .resource = nullptr,
       .wipe = nullptr,
       .serve_later = [this](const auto& caller, const auto& request,
                             auto respond) { Get(caller, request, std::move(respond)); }},
      queue);
  AwaitUnary<v1::AbortHandshakeRequest, v1::AbortHandshakeResponse>(
      unary_,
      {.name = "/handfast.v1.HandshakeService/AbortHandshake",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestAbortHandshake(context, request, writer, on, on, tag);
           },
       .serve = nullptr,
       .resource = nullptr,
       .wipe = nullptr,
       .serve_later = [this](const auto& caller, const auto& request,
                             auto respond) { Abort(caller, request, std::move(respond)); }},
      queue);
}

void HandshakeService::Start(const access::Principal& principal,
                             const v1::StartHandshakeRequest& request,
                             Respond<v1::StartHandshakeResponse> respond) {
  absl::StatusOr<handshakes::Start> start =
      ReadStart(request.start(), principal.tenant, relay_.backends.profiles);
  if (!start.ok()) return respond(start.status());
  start->owner = std::make_shared<const handshakes::Owner>(OwnerOf(principal));
  start->owner_may_release = principal.release_keys;
  start->by_steps = true;
  const tls::ByteView from_peer = tls::AsBytes(request.start().from_peer());
  if (start->profile->durable) {
    return Later<v1::StartHandshakeResponse>(
        durable_, principal.tenant, std::move(respond),
        [this, start = *start, from_peer]() -> absl::StatusOr<v1::StartHandshakeResponse> {
          const auto started = durable_.handshakes.Begin(start, from_peer);
          if (!started.ok()) return started.status();
          return StartedResponse(started->handle, started->next);
        });
  }
  const auto handshake = relay_.backends.handshakes.Begin(*std::move(start));
  if (!handshake.ok()) return respond(handshake.status());
  const auto begin = [handshake = *handshake,
                      from_peer]() -> absl::StatusOr<v1::StartHandshakeResponse> {
    handshake->Begin(from_peer);
    const std::optional<handshakes::Status> status = handshake->Describe();
    return StartedResponse(handshake->handle(),
                           status ? status->next : std::vector<handshakes::NextStep>());
  };
  if (!(*handshake)->begins_slowly()) return respond(begin());
  const absl::Status queued = durable_.work.Submit(principal.tenant, access::Lane::kGeneral,
                                                   [respond, begin] { respond(begin()); });
  if (queued.ok()) return;
  (*handshake)->Abandon();
  respond(queued);
}

void HandshakeService::Get(const access::Principal& principal,
                           const v1::GetHandshakeRequest& request, Respond<v1::Handshake> respond) {
  const auto handle = HandleOf(request.name());
  if (!handle.ok()) return respond(handle.status());
  const handshakes::Owner owner = OwnerOf(principal);
  if (const auto handshake = relay_.backends.handshakes.Find(owner, *handle)) {
    const std::optional<handshakes::Status> status = handshake->Describe();
    return respond(status ? absl::StatusOr<v1::Handshake>(View(request.name(), *status))
                          : Unknown());
  }
  Later<v1::Handshake>(
      durable_, principal.tenant, std::move(respond),
      [this, owner, handle = *handle, &name = request.name()]() -> absl::StatusOr<v1::Handshake> {
        const auto status = durable_.handshakes.Describe(owner, handle);
        if (!status.ok()) return status.status();
        return View(name, *status);
      });
}

void HandshakeService::Abort(const access::Principal& principal,
                             const v1::AbortHandshakeRequest& request,
                             Respond<v1::AbortHandshakeResponse> respond) {
  const auto handle = HandleOf(request.name());
  if (!handle.ok()) return respond(handle.status());
  const handshakes::Owner owner = OwnerOf(principal);
  if (const auto handshake = relay_.backends.handshakes.Find(owner, *handle)) {
    const bool was_live = handshake->Stop(
        access::WithReason(absl::AbortedError("AbortHandshake was called"), "HANDSHAKE_ABORTED"));
    if (!was_live) return respond(Unknown());
    return respond(v1::AbortHandshakeResponse());
  }
  Later<v1::AbortHandshakeResponse>(
      durable_, principal.tenant, std::move(respond),
      [this, owner, handle = *handle]() -> absl::StatusOr<v1::AbortHandshakeResponse> {
        const absl::Status aborted = durable_.handshakes.Abort(owner, handle);
        if (!aborted.ok()) return aborted;
        return v1::AbortHandshakeResponse();
      });
}

}  // namespace handfast::rpc
