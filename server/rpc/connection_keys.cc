// ConnectionService: the RPCs whose replies hold keys. They are wiped when they were sent.
#include "server/access/error_details_interface.h"
#include "server/rpc/connection_service.h"
#include "server/rpc/key_release.h"
#include "server/rpc/owner.h"
#include "server/rpc/resource_names.h"
#include "server/rpc/wipe_text.h"

namespace handfast::rpc {
namespace {

// RFC 8446 §7.1: a label has at most 255 bytes, "tls13 " among them.
constexpr size_t kMaxLabelBytes = 249;
constexpr size_t kMaxContextBytes = 65'535;
constexpr uint32_t kMaxExportedBytes = 1024;
constexpr size_t kMaxRequestIdBytes = 64;

absl::Status CheckRequestId(const std::string& request_id) {
  if (request_id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
  return access::InvalidField("request_id", "must be at most 64 bytes");
}

absl::Status Check(const v1::ExportKeyingMaterialRequest& request) {
  if (request.label().empty() || request.label().size() > kMaxLabelBytes) {
    return access::InvalidField("label", "must have 1 to 249 bytes");
  }
  if (request.context().size() > kMaxContextBytes) {
    return access::InvalidField("context", "must have at most 65535 bytes");
  }
  if (request.length() == 0 || request.length() > kMaxExportedBytes) {
    return access::InvalidField("length", "must be from 1 to 1024");
  }
  return absl::OkStatus();
}

}  // namespace

void ConnectionService::AwaitKeys(grpc::ServerCompletionQueue& queue) {
  AwaitUnary<v1::ReleaseKeysRequest, v1::ReleaseKeysResponse>(
      unary_,
      {.name = "/handfast.v1.ConnectionService/ReleaseKeys",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestReleaseKeys(context, request, writer, on, on, tag);
           },
       .serve = [this](const auto& caller,
                       const auto& request) { return ReleaseKeys(caller, request); },
       .resource = nullptr,
       .wipe_response = [](v1::ReleaseKeysResponse& response) { WipeKeys(response); }},
      queue);
  AwaitUnary<v1::UpdateKeysRequest, v1::UpdateKeysResponse>(
      unary_,
      {.name = "/handfast.v1.ConnectionService/UpdateKeys",
       .ask = [this](
                  auto* context, auto* request, auto* writer, auto* on,
                  void* tag) { service_.RequestUpdateKeys(context, request, writer, on, on, tag); },
       .serve = [this](const auto& caller,
                       const auto& request) { return UpdateKeys(caller, request); },
       .resource = nullptr,
       .wipe_response =
           [](v1::UpdateKeysResponse& response) {
             if (response.has_keys()) WipeKeys(*response.mutable_keys());
           }},
      queue);
  AwaitUnary<v1::ExportKeyingMaterialRequest, v1::ExportKeyingMaterialResponse>(
      unary_,
      {.name = "/handfast.v1.ConnectionService/ExportKeyingMaterial",
       .ask =
           [this](auto* context, auto* request, auto* writer, auto* on, void* tag) {
             service_.RequestExportKeyingMaterial(context, request, writer, on, on, tag);
           },
       .serve = [this](const auto& caller, const auto& request) { return Export(caller, request); },
       .resource = nullptr,
       .wipe_response =
           [](v1::ExportKeyingMaterialResponse& response) {
             WipeText(*response.mutable_keying_material());
           }},
      queue);
}

absl::StatusOr<v1::ReleaseKeysResponse> ConnectionService::ReleaseKeys(
    const access::Principal& principal, const v1::ReleaseKeysRequest& request) {
  const auto handle = ReadResourceName(kConnectionsCollection, "name", request.name());
  if (!handle.ok()) return handle.status();
  if (request.kind() != v1::KEY_KIND_TRAFFIC_KEYS &&
      request.kind() != v1::KEY_KIND_TRAFFIC_SECRETS) {
    return access::InvalidField("kind", "must be set, to a kind that is known here");
  }
  if (absl::Status checked = CheckRequestId(request.request_id()); !checked.ok()) return checked;
  const auto kind = request.kind() == v1::KEY_KIND_TRAFFIC_KEYS
                        ? connections::KeyKind::kTrafficKeys
                        : connections::KeyKind::kTrafficSecrets;
  const auto release = connections_.Release(OwnerOf(principal), *handle, kind, request.request_id(),
                                            principal.release_keys);
  if (!release.ok()) return release.status();
  v1::ReleaseKeysResponse response;
  Release(**release, response);
  response.set_to_peer((*release)->to_peer.data(), (*release)->to_peer.size());
  response.set_to_peer_offset((*release)->to_peer_offset);
  return response;
}

absl::StatusOr<v1::UpdateKeysResponse> ConnectionService::UpdateKeys(
    const access::Principal& principal, const v1::UpdateKeysRequest& request) {
  const auto handle = ReadResourceName(kConnectionsCollection, "name", request.name());
  if (!handle.ok()) return handle.status();
  if (request.direction() != v1::KEY_DIRECTION_WRITE &&
      request.direction() != v1::KEY_DIRECTION_READ) {
    return access::InvalidField("direction", "must be set, to one that is known here");
  }
  if (absl::Status checked = CheckRequestId(request.request_id()); !checked.ok()) return checked;
  const auto update = connections_.Update(OwnerOf(principal), *handle,
                                          request.direction() == v1::KEY_DIRECTION_WRITE,
                                          request.request_update(), request.request_id());
  if (!update.ok()) return update.status();
  v1::UpdateKeysResponse response;
  if ((*update)->keys) Release(*(*update)->keys, *response.mutable_keys());
  response.set_to_peer((*update)->to_peer.data(), (*update)->to_peer.size());
  response.set_to_peer_offset((*update)->to_peer_offset);
  return response;
}

absl::StatusOr<v1::ExportKeyingMaterialResponse> ConnectionService::Export(
    const access::Principal& principal, const v1::ExportKeyingMaterialRequest& request) {
  const auto handle = ReadResourceName(kConnectionsCollection, "name", request.name());
  if (!handle.ok()) return handle.status();
  if (absl::Status checked = Check(request); !checked.ok()) return checked;
  v1::ExportKeyingMaterialResponse response;
  std::string& material = *response.mutable_keying_material();
  material.resize(request.length());
  const absl::Status exported = connections_.Export(
      OwnerOf(principal), *handle, request.label(), tls::AsBytes(request.context()),
      {reinterpret_cast<uint8_t*>(material.data()), material.size()});
  if (!exported.ok()) return exported;
  return response;
}

}  // namespace handfast::rpc
