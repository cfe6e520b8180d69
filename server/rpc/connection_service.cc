#include "server/rpc/connection_service.h"

#include "server/access/error_details_interface.h"
#include "server/rpc/established_view.h"
#include "server/rpc/resource_names.h"

namespace handfast::rpc {
namespace {

absl::Status Malformed() {
  return access::InvalidField("name", "must be connections/{32 hex digits}");
}

handshakes::Owner OwnerOf(const access::Principal& principal) {
  return {.tenant = principal.tenant, .principal = principal.name};
}

}  // namespace

void ConnectionService::Await(grpc::ServerCompletionQueue& queue) {
  AwaitUnary<v1::GetConnectionRequest, v1::Connection>(
      unary_,
      {.name = "/handfast.v1.ConnectionService/GetConnection",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestGetConnection(context, request, writer, on, on, tag);
           },
       .serve = [this](const auto& caller, const auto& request) { return Get(caller, request); },
       .resource = nullptr},
      queue);
  AwaitUnary<v1::TerminateConnectionRequest, v1::TerminateConnectionResponse>(
      unary_,
      {.name = "/handfast.v1.ConnectionService/TerminateConnection",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestTerminateConnection(context, request, writer, on, on, tag);
           },
       .serve = [this](const auto& caller,
                       const auto& request) { return Terminate(caller, request); },
       .resource = nullptr},
      queue);
}

absl::StatusOr<v1::Connection> ConnectionService::Get(const access::Principal& principal,
                                                      const v1::GetConnectionRequest& request) {
  const auto handle = ParseResourceName(kConnectionsCollection, request.name());
  if (!handle) return Malformed();
  const auto found = connections_.Find(OwnerOf(principal), *handle);
  if (!found) return access::NotFound("connection");
  v1::Connection response;
  response.set_name(request.name());
  Show(*found->established, found->handle, found->verified_by, *response.mutable_established());
  response.set_age_ms(static_cast<uint64_t>(found->age.count()));
  response.set_keys_released(found->keys_released);
  return response;
}

absl::StatusOr<v1::TerminateConnectionResponse> ConnectionService::Terminate(
    const access::Principal& principal, const v1::TerminateConnectionRequest& request) {
  const auto handle = ParseResourceName(kConnectionsCollection, request.name());
  if (!handle) return Malformed();
  const auto ended = connections_.Terminate(OwnerOf(principal), *handle);
  if (!ended) return access::NotFound("connection");
  v1::TerminateConnectionResponse response;
  response.set_keys_released(ended->keys_released);
  return response;
}

}  // namespace handfast::rpc
