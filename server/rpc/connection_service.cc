#include "server/rpc/connection_service.h"

#include "server/access/error_details_interface.h"
#include "server/rpc/established_view.h"
#include "server/rpc/owner.h"
#include "server/rpc/resource_names.h"

namespace handfast::rpc {
namespace {

constexpr uint32_t kMaxPageSize = 1000;
constexpr uint32_t kPageSize = 100;

void View(const connections::Described& described, v1::Connection& into) {
  into.set_name(ResourceName(kConnectionsCollection, described.handle));
  Show(*described.established, described.handle, described.verified_by,
       *into.mutable_established());
  into.set_age_ms(static_cast<uint64_t>(described.age.count()));
  into.set_keys_released(described.keys_released);
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
  AwaitUnary<v1::ListConnectionsRequest, v1::ListConnectionsResponse>(
      unary_,
      {.name = "/handfast.v1.ConnectionService/ListConnections",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestListConnections(context, request, writer, on, on, tag);
           },
       .serve = [this](const auto& caller, const auto& request) { return List(caller, request); },
       .resource = nullptr},
      queue);
  AwaitKeys(queue);
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
  const auto handle = ReadResourceName(kConnectionsCollection, "name", request.name());
  if (!handle.ok()) return handle.status();
  const auto found = connections_.Find(OwnerOf(principal), *handle);
  if (!found) return access::NotFound("connection");
  v1::Connection response;
  View(*found, response);
  return response;
}

absl::StatusOr<v1::ListConnectionsResponse> ConnectionService::List(
    const access::Principal& principal, const v1::ListConnectionsRequest& request) {
  if (request.page_size() > kMaxPageSize) {
    return access::InvalidField("page_size", "must be at most 1000");
  }
  const size_t size = request.page_size() == 0 ? kPageSize : request.page_size();
  std::optional<handshakes::Handle> after;
  if (!request.page_token().empty()) {
    after = handshakes::HandleFromHex(request.page_token());
    if (!after) return access::InvalidField("page_token", "must be from the previous reply");
  }
  // One more than the page shows whether there is a next one.
  auto found = connections_.List(OwnerOf(principal), after, size + 1);
  v1::ListConnectionsResponse response;
  if (found.size() > size) {
    found.pop_back();
    response.set_next_page_token(ToHex(found.back().handle));
  }
  for (const auto& connection : found) View(connection, *response.add_connections());
  return response;
}

absl::StatusOr<v1::TerminateConnectionResponse> ConnectionService::Terminate(
    const access::Principal& principal, const v1::TerminateConnectionRequest& request) {
  const auto handle = ReadResourceName(kConnectionsCollection, "name", request.name());
  if (!handle.ok()) return handle.status();
  const auto ended = connections_.Terminate(OwnerOf(principal), *handle);
  if (!ended) return access::NotFound("connection");
  v1::TerminateConnectionResponse response;
  response.set_keys_released(ended->keys_released);
  return response;
}

}  // namespace handfast::rpc
