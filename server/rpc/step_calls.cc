#include "server/rpc/step_calls.h"

#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/rpc/key_release.h"
#include "server/rpc/owner.h"
#include "server/rpc/resource_names.h"
#include "server/rpc/start_request.h"
#include "server/rpc/step_response.h"

namespace handfast::rpc {
namespace {

using Service = v1::HandshakeService::AsyncService;
using Ask = void (Service::*)(grpc::ServerContext*, v1::StepRequest*,
                              grpc::ServerAsyncResponseWriter<v1::StepResponse>*,
                              grpc::CompletionQueue*, grpc::ServerCompletionQueue*, void*);

// In the order of StepNames().
constexpr Ask kAsk[] = {
    &Service::RequestClientHello,
    &Service::RequestServerHello,
    &Service::RequestEncryptedExtensions,
    &Service::RequestCertificate,
    &Service::RequestCertificateStatus,
    &Service::RequestServerKeyExchange,
    &Service::RequestCertificateRequest,
    &Service::RequestServerHelloDone,
    &Service::RequestClientKeyExchange,
    &Service::RequestCertificateVerify,
    &Service::RequestChangeCipherSpec,
    &Service::RequestNewSessionTicket,
    &Service::RequestFinished,
    &Service::RequestAdvance,
};

handshakes::StepCall CallOf(const StepName& name, const v1::StepRequest& request) {
  return {.message = name.message,
          .number = request.step(),
          .from_peer = tls::AsBytes(request.from_peer()),
          .peer_closed = request.peer_closed()};
}

// One call's work, for the loop to run when the tenant's turn has come.
class StepTask final : public Task {
 public:
  StepTask(std::shared_ptr<handshakes::Handshake> handshake, const StepName& name,
           const v1::StepRequest& request, Respond<v1::StepResponse> respond)
      : handshake_(std::move(handshake)),
        name_(name),
        request_(request),
        respond_(std::move(respond)) {}

  const std::string& tenant() const override { return handshake_->owner().tenant; }
  void Refuse(absl::Status status) override { respond_(std::move(status)); }
  void Run() override {
    handshake_->TakeStep(CallOf(name_, request_),
                         [respond = respond_, handle = handshake_->handle()](const auto& reply) {
                           if (!reply.ok()) return respond(reply.status());
                           respond(ToProto(handle, **reply));
                         });
  }

 private:
  const std::shared_ptr<handshakes::Handshake> handshake_;
  const StepName& name_;
  const v1::StepRequest& request_;
  const Respond<v1::StepResponse> respond_;
};

tls::Bytes Encode(const handshakes::Handle& handle, const handshakes::StepReply& reply) {
  v1::StepResponse response = ToProto(handle, reply);
  tls::Bytes bytes(response.ByteSizeLong());
  response.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  WipeKeys(response);
  return bytes;
}

// The step of a handshake that is in the store.
absl::StatusOr<v1::StepResponse> TakeDurably(handshakes::DurableHandshakes& durable,
                                             const handshakes::Owner& owner,
                                             const handshakes::Handle& handle,
                                             const handshakes::StepCall& call) {
  absl::StatusOr<tls::Bytes> reply = durable.TakeStep(owner, handle, call, Encode);
  if (!reply.ok()) return reply.status();
  v1::StepResponse response;
  const bool parsed = response.ParseFromArray(reply->data(), static_cast<int>(reply->size()));
  tls::Wipe(*reply);
  if (!parsed) return absl::InternalError("a reply that was kept cannot be read");
  return response;
}

absl::StatusOr<handshakes::Handle> Check(const v1::StepRequest& request) {
  const auto handle = ReadResourceName(kHandshakesCollection, "handshake", request.handshake());
  if (!handle.ok()) return handle.status();
  if (request.step() == 0) return access::InvalidField("step", "begins at 1");
  if (request.from_peer().size() > kMaxFromPeerBytes) {
    return access::InvalidField("from_peer", "must have at most 65536 bytes");
  }
  return *handle;
}

void Serve(const StepServices& services, const StepName& name, const access::Principal& principal,
           const v1::StepRequest& request, Respond<v1::StepResponse> respond) {
  const absl::StatusOr<handshakes::Handle> handle = Check(request);
  if (!handle.ok()) return respond(handle.status());
  const handshakes::Owner owner = OwnerOf(principal);
  auto handshake = services.handshakes.Find(owner, *handle);
  if (!handshake) {
    return Later<v1::StepResponse>(
        services.durable, principal.tenant, std::move(respond),
        [&durable = services.durable.handshakes, owner, handle = *handle,
         call = CallOf(name, request)] { return TakeDurably(durable, owner, handle, call); });
  }
  services.loop.Do(
      std::make_shared<StepTask>(std::move(handshake), name, request, std::move(respond)));
}

}  // namespace

void AwaitSteps(const StepServices& services, const UnaryServices& unary,
                grpc::ServerCompletionQueue& queue) {
  static_assert(std::size(kAsk) == kStepRpcs);
  for (size_t i = 0; i < std::size(kAsk); ++i) {
    const StepName& name = StepNames()[i];
    AwaitUnary<v1::StepRequest, v1::StepResponse>(
        unary,
        {.name = std::string("/handfast.v1.HandshakeService/") + name.rpc,
         .ask = [&service = services.service, ask = kAsk[i]](
                    auto* context, auto* request, auto* writer, auto* on,
                    void* tag) { (service.*ask)(context, request, writer, on, on, tag); },
         .serve = nullptr,
         .resource = nullptr,
         .wipe = nullptr,
         .serve_later =
             [&services, &name](const auto& principal, const auto& request, auto respond) {
               Serve(services, name, principal, request, std::move(respond));
             },
         .wipe_response = [](v1::StepResponse& response) { WipeKeys(response); }},
        queue);
  }
}

}  // namespace handfast::rpc
