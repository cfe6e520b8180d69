// One unary call: who calls, may they, do it, answer. The same for every method, so that none can
// forget the second step.
#ifndef HANDFAST_SERVER_RPC_UNARY_CALL_H_
#define HANDFAST_SERVER_RPC_UNARY_CALL_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include <grpcpp/grpcpp.h>

#include "server/access/error_details_interface.h"
#include "server/access/policy.h"
#include "server/access/work_queue_interface.h"
#include "server/handshakes/clock_interface.h"
#include "server/observe/metrics_interface.h"
#include "server/rpc/call_count.h"
#include "server/rpc/completion.h"
#include "server/rpc/identity.h"
#include "server/rpc/status.h"

namespace handfast::rpc {

// For a call that a queue has held so long, deadline of its own or not, nobody waits any more.
inline constexpr std::chrono::seconds kMaxUnaryWait{30};

struct UnaryServices {
  const access::Policy& policy;
  // For what waits for a disk or makes keys.
  access::WorkQueueInterface& blocking;
  const handshakes::Clock& clock;
  observe::MetricsInterface& metrics;
  CallCount& calls;
};

// Answers a call whose work goes on elsewhere, once; where it is dropped, the call gets
// UNAVAILABLE.
template <class Response>
using Respond = std::function<void(absl::StatusOr<Response>)>;

template <class Request, class Response>
struct UnaryMethod {
  // "/handfast.v1.KeyService/GetKey".
  std::string name;
  // The generated RequestX of the service.
  std::function<void(grpc::ServerContext*, Request*, grpc::ServerAsyncResponseWriter<Response>*,
                     grpc::ServerCompletionQueue*, void* tag)>
      ask;
  std::function<absl::StatusOr<Response>(const access::Principal&, const Request&)> serve;
  // The resource name whose tenant must be the caller's; null: it is about none.
  std::function<const std::string&(const Request&)> resource;
  // The field that holds it.
  std::string_view resource_field = "name";
  bool blocks = false;
  // Wipes what is secret in a request, however its call ended; null: nothing is.
  std::function<void(Request&)> wipe = nullptr;
  // In place of `serve`, where the answer may come later, in any thread. The request lives until
  // then.
  std::function<void(const access::Principal&, const Request&, Respond<Response>)> serve_later =
      nullptr;
  // Wipes what is secret in a response that was sent; null: nothing is.
  std::function<void(Response&)> wipe_response = nullptr;
};

template <class Request, class Response>
class UnaryCall {
 public:
  using Method = UnaryMethod<Request, Response>;

  static void Await(const UnaryServices& services, std::shared_ptr<const Method> method,
                    grpc::ServerCompletionQueue& queue) {
    auto* call = new UnaryCall(services, std::move(method), queue);
    call->method_->ask(&call->context_, &call->request_, &call->writer_, &queue,
                       &call->on_accepted_);
  }

 private:
  UnaryCall(const UnaryServices& services, std::shared_ptr<const Method> method,
            grpc::ServerCompletionQueue& queue)
      : services_(services), counted_(services.calls), method_(std::move(method)), queue_(queue) {}
  ~UnaryCall() {
    if (method_->wipe) method_->wipe(request_);
  }

  void OnAccepted(bool ok) {
    if (!ok) {  // the server shuts down
      delete this;
      return;
    }
    Await(services_, method_, queue_);
    absl::StatusOr<access::Principal> principal = Authorize();
    if (!principal.ok()) return Finish(principal.status());
    if (!method_->blocks && !method_->serve_later) return Serve(*principal);
    auto unanswered = std::make_shared<Unanswered>(this);
    if (method_->serve_later) {
      return method_->serve_later(*principal, request_,
                                  [unanswered](absl::StatusOr<Response> response) {
                                    unanswered->Take()->Respond(std::move(response));
                                  });
    }
    accepted_at_ = services_.clock.Now();
    const absl::Status queued = services_.blocking.Submit(
        principal->tenant, access::Lane::kGeneral,
        [unanswered, principal = *principal] { unanswered->Take()->ServeInTime(principal); });
    if (!queued.ok()) unanswered->Take()->Finish(queued);
  }

  void OnFinished(bool) { delete this; }

  // A call whose work goes on elsewhere: where that is dropped, it is answered all the same.
  class Unanswered {
   public:
    explicit Unanswered(UnaryCall* call) : call_(call) {}
    Unanswered(const Unanswered&) = delete;
    Unanswered& operator=(const Unanswered&) = delete;
    ~Unanswered() {
      if (call_ == nullptr) return;
      call_->Finish(access::WithReason(absl::UnavailableError("the service is shutting down"),
                                       "SHUTTING_DOWN"));
    }
    UnaryCall* Take() { return std::exchange(call_, nullptr); }

   private:
    UnaryCall* call_;
  };

  absl::StatusOr<access::Principal> Authorize() {
    absl::StatusOr<std::string> name = PrincipalOf(*context_.auth_context());
    if (!name.ok()) return name.status();
    if (!method_->resource) return services_.policy.Authorize(*name, method_->name);
    return services_.policy.Authorize(*name, method_->name, method_->resource(request_),
                                      method_->resource_field);
  }

  void ServeInTime(const access::Principal& principal) {
    if (services_.clock.Now() - accepted_at_ > kMaxUnaryWait) {
      return Finish(absl::DeadlineExceededError("the call waited too long for its turn"));
    }
    Serve(principal);
  }

  void Serve(const access::Principal& principal) { Respond(method_->serve(principal, request_)); }

  void Respond(absl::StatusOr<Response> response) {
    if (!response.ok()) return Finish(response.status());
    services_.metrics.RpcFinished(method_->name, "OK");
    // From here on the call may be gone.
    const std::shared_ptr<const Method> method = method_;
    writer_.Finish(*response, grpc::Status::OK, &on_finished_);
    if (method->wipe_response) method->wipe_response(*response);
  }

  void Finish(const absl::Status& status) {
    services_.metrics.RpcFinished(method_->name, CodeName(status));
    writer_.FinishWithError(ToGrpc(status), &on_finished_);
  }

  const UnaryServices& services_;
  const Counted counted_;
  const std::shared_ptr<const Method> method_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  handshakes::MonotonicTime accepted_at_;
  Request request_;
  grpc::ServerAsyncResponseWriter<Response> writer_{&context_};
  CompletionOf<UnaryCall, &UnaryCall::OnAccepted> on_accepted_{this};
  CompletionOf<UnaryCall, &UnaryCall::OnFinished> on_finished_{this};
};

// Asks for calls of `method` on `queue`, for ever.
template <class Request, class Response>
void AwaitUnary(const UnaryServices& services, UnaryMethod<Request, Response> method,
                grpc::ServerCompletionQueue& queue) {
  UnaryCall<Request, Response>::Await(
      services, std::make_shared<const UnaryMethod<Request, Response>>(std::move(method)), queue);
}

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_UNARY_CALL_H_
