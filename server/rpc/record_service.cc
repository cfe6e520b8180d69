#include "server/rpc/record_service.h"

#include <optional>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/rpc/established_view.h"
#include "server/rpc/owner.h"
#include "server/rpc/resource_names.h"
#include "server/rpc/wipe_text.h"

namespace handfast::rpc {
namespace {

using connections::RecordReply;

template <class Request>
std::optional<uint64_t> FirstSeq(const Request& request) {
  return request.has_first_seq() ? std::optional(request.first_seq()) : std::nullopt;
}

// What the three have in common.
template <class Response>
void ShowToPeer(const RecordReply& reply, Response& into) {
  if (!reply.to_peer.empty()) into.set_to_peer(reply.to_peer.data(), reply.to_peer.size());
  into.set_to_peer_offset(reply.to_peer_offset);
}

v1::SealResponse SealedResponse(const RecordReply& reply) {
  v1::SealResponse response;
  ShowToPeer(reply, response);
  response.set_next_seq(reply.next_seal_seq);
  if (reply.failure) Show(*reply.failure, /*detail=*/"", *response.mutable_failure());
  return response;
}

v1::OpenResponse OpenedResponse(const RecordReply& reply) {
  v1::OpenResponse response;
  ShowToPeer(reply, response);
  if (!reply.plaintext.empty()) {
    response.set_plaintext(reply.plaintext.data(), reply.plaintext.size());
  }
  response.set_consumed(static_cast<uint32_t>(reply.consumed));
  response.set_next_seq(reply.next_open_seq);
  response.set_peer_closed(reply.peer_closed);
  response.set_new_session_tickets(static_cast<uint32_t>(reply.new_session_tickets));
  if (reply.failure) Show(*reply.failure, /*detail=*/"", *response.mutable_failure());
  return response;
}

}  // namespace

void RecordService::Await(grpc::ServerCompletionQueue& queue) {
  AwaitSeal(queue);
  AwaitOpen(queue);
  AwaitClose(queue);
  ProtectStream::Await(protect_, queue);
}

void RecordService::AwaitSeal(grpc::ServerCompletionQueue& queue) {
  AwaitUnary<v1::SealRequest, v1::SealResponse>(
      unary_,
      {.name = "/handfast.v1.RecordService/Seal",
       .ask = [this](auto* context, auto* request, auto* writer, auto* on,
                     void* tag) { service_.RequestSeal(context, request, writer, on, on, tag); },
       .serve = nullptr,
       .resource = nullptr,
       .wipe = [](v1::SealRequest& request) { WipeText(*request.mutable_plaintext()); },
       .serve_later = [this](const auto& caller, const auto& request,
                             auto respond) { Seal(caller, request, std::move(respond)); }},
      queue);
}

void RecordService::AwaitOpen(grpc::ServerCompletionQueue& queue) {
  AwaitUnary<v1::OpenRequest, v1::OpenResponse>(
      unary_,
      {.name = "/handfast.v1.RecordService/Open",
       .ask = [this](auto* context, auto* request, auto* writer, auto* on,
                     void* tag) { service_.RequestOpen(context, request, writer, on, on, tag); },
       .serve = nullptr,
       .resource = nullptr,
       .wipe = nullptr,
       .serve_later = [this](const auto& caller, const auto& request,
                             auto respond) { Open(caller, request, std::move(respond)); },
       .wipe_response =
           [](v1::OpenResponse& response) { WipeText(*response.mutable_plaintext()); }},
      queue);
}

void RecordService::AwaitClose(grpc::ServerCompletionQueue& queue) {
  AwaitUnary<v1::CloseRequest, v1::CloseResponse>(
      unary_,
      {.name = "/handfast.v1.RecordService/Close",
       .ask = [this](auto* context, auto* request, auto* writer, auto* on,
                     void* tag) { service_.RequestClose(context, request, writer, on, on, tag); },
       .serve = nullptr,
       .resource = nullptr,
       .wipe = nullptr,
       .serve_later = [this](const auto& caller, const auto& request,
                             auto respond) { Close(caller, request, std::move(respond)); }},
      queue);
}

void RecordService::Seal(const access::Principal& principal, const v1::SealRequest& request,
                         Respond<v1::SealResponse> respond) {
  const auto handle = ReadResourceName(kConnectionsCollection, "connection", request.connection());
  if (!handle.ok()) return respond(handle.status());
  const handshakes::Owner owner = OwnerOf(principal);
  const absl::Status checked = CheckCallBytes(request.plaintext(), "plaintext", /*least=*/1);
  if (!checked.ok()) return respond(checked);
  const connections::SealCall call{.first_seq = FirstSeq(request),
                                   .plaintext = tls::AsBytes(request.plaintext())};
  RunRecordWork(
      backends_, owner, *handle, call.plaintext.size(),
      [this, owner, handle = *handle, call] {
        return backends_.connections.Seal(owner, handle, call);
      },
      [this, respond = std::move(respond), size = call.plaintext.size()](AnswerOrStatus answer) {
        if (!answer.ok()) return respond(answer.status());
        CountSealed(backends_, *answer, size);
        respond(SealedResponse(*answer->reply));
      });
}

void RecordService::Open(const access::Principal& principal, const v1::OpenRequest& request,
                         Respond<v1::OpenResponse> respond) {
  const auto handle = ReadResourceName(kConnectionsCollection, "connection", request.connection());
  if (!handle.ok()) return respond(handle.status());
  const handshakes::Owner owner = OwnerOf(principal);
  const absl::Status checked = CheckCallBytes(request.from_peer(), "from_peer");
  if (!checked.ok()) return respond(checked);
  const connections::OpenCall call{.first_seq = FirstSeq(request),
                                   .from_peer = tls::AsBytes(request.from_peer()),
                                   .peer_closed = request.peer_closed()};
  RunRecordWork(
      backends_, owner, *handle, call.from_peer.size(),
      [this, owner, handle = *handle, call] {
        return backends_.connections.Open(owner, handle, call);
      },
      [this, respond = std::move(respond)](AnswerOrStatus answer) {
        if (!answer.ok()) return respond(answer.status());
        CountOpened(backends_, *answer);
        respond(OpenedResponse(*answer->reply));
      });
}

void RecordService::Close(const access::Principal& principal, const v1::CloseRequest& request,
                          Respond<v1::CloseResponse> respond) {
  const auto handle = ReadResourceName(kConnectionsCollection, "connection", request.connection());
  if (!handle.ok()) return respond(handle.status());
  const handshakes::Owner owner = OwnerOf(principal);
  RunRecordWork(
      backends_, owner, *handle, /*bytes=*/0,
      [this, owner, handle = *handle] { return backends_.connections.Close(owner, handle); },
      [respond = std::move(respond)](AnswerOrStatus answer) {
        if (!answer.ok()) return respond(answer.status());
        v1::CloseResponse response;
        ShowToPeer(*answer->reply, response);
        respond(std::move(response));
      });
}

}  // namespace handfast::rpc
