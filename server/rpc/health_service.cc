#include "server/rpc/health_service.h"

#include "server/access/error_details_interface.h"

namespace handfast::rpc {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// One Watch call: says the status, and again whenever it has changed. Guarded by the service's
// lock; it destroys itself when gRPC has let go of it.
class HealthService::Watch {
 public:
  Watch(HealthService& health, grpc::ServerCompletionQueue& queue)
      : health_(health), counted_(health.unary_.calls), queue_(queue) {
    context_.AsyncNotifyWhenDone(&on_over_);
    health_.service_.RequestWatch(&context_, &request_, &writer_, &queue_, &queue_, &on_accepted_);
  }

  // With the lock held. One write at a time: what changed meanwhile is said afterwards.
  void Say() {
    const auto status = health_.StatusOf(request_.service());
    if (writing_ || finishing_ || over_ || said_ == status) return;
    said_ = status;
    HealthCheckResponse response;
    response.set_status(status);
    writing_ = true;
    ++due_;
    writer_.Write(response, &on_written_);
  }

  void Finish(const grpc::Status& status) {
    if (std::exchange(finishing_, true) || over_) return;
    ++due_;
    writer_.Finish(status, &on_finished_);
  }

 private:
  void OnAccepted(bool ok) {
    if (!ok) {
      delete this;
      return;
    }
    new Watch(health_, queue_);
    const absl::Status allowed = Authorize();
    health_.unary_.metrics.RpcFinished("/grpc.health.v1.Health/Watch", CodeName(allowed));
    std::lock_guard lock(health_.mutex_);
    ++due_;  // OnOver
    if (!allowed.ok()) return Finish(ToGrpc(allowed));
    if (health_.ended_) return Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining"));
    health_.watches_.insert(this);
    Say();
  }

  absl::Status Authorize() {
    absl::StatusOr<std::string> name = PrincipalOf(*context_.auth_context());
    if (!name.ok()) return name.status();
    return health_.unary_.policy.Authorize(*name, "/grpc.health.v1.Health/Watch").status();
  }

  void OnWritten(bool ok) {
    Settle([&] {
      writing_ = false;
      if (ok) Say();
    });
  }
  void OnFinished(bool) {
    Settle([] {});
  }
  void OnOver(bool) {
    Settle([&] {
      over_ = true;
      health_.watches_.erase(this);
    });
  }

  template <class Change>
  void Settle(Change change) {
    bool last = false;
    {
      std::lock_guard lock(health_.mutex_);
      change();
      last = --due_ == 0;
    }
    if (last) delete this;
  }

  HealthService& health_;
  const Counted counted_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  HealthCheckRequest request_;
  grpc::ServerAsyncWriter<HealthCheckResponse> writer_{&context_};
  CompletionOf<Watch, &Watch::OnAccepted> on_accepted_{this};
  CompletionOf<Watch, &Watch::OnWritten> on_written_{this};
  CompletionOf<Watch, &Watch::OnFinished> on_finished_{this};
  CompletionOf<Watch, &Watch::OnOver> on_over_{this};
  int due_ = 0;
  bool writing_ = false;
  bool finishing_ = false;
  bool over_ = false;
  HealthCheckResponse::ServingStatus said_ = HealthCheckResponse::UNKNOWN;
};

HealthService::HealthService(const UnaryServices& unary, const std::vector<std::string>& services)
    : unary_(unary) {
  statuses_[""] = HealthCheckResponse::NOT_SERVING;
  for (const std::string& service : services) {
    statuses_[service] = HealthCheckResponse::NOT_SERVING;
  }
}

HealthService::~HealthService() = default;

void HealthService::Await(grpc::ServerCompletionQueue& queue) {
  new Watch(*this, queue);
  AwaitUnary<HealthCheckRequest, HealthCheckResponse>(
      unary_,
      {.name = "/grpc.health.v1.Health/Check",
       .ask = [this](auto* context, auto* request, auto* writer, auto* on,
                     void* tag) { service_.RequestCheck(context, request, writer, on, on, tag); },
       .serve = [this](const auto&, const auto& request) { return Check(request); },
       .resource = nullptr},
      queue);
}

void HealthService::SetServing(bool serving) {
  std::lock_guard lock(mutex_);
  for (auto& [service, status] : statuses_) {
    status = serving ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
  }
  for (Watch* watch : watches_) watch->Say();
}

void HealthService::EndWatches() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  for (Watch* watch : watches_) {
    watch->Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining"));
  }
}

HealthCheckResponse::ServingStatus HealthService::StatusOf(const std::string& service) const {
  const auto found = statuses_.find(service);
  return found == statuses_.end() ? HealthCheckResponse::SERVICE_UNKNOWN : found->second;
}

absl::StatusOr<HealthCheckResponse> HealthService::Check(const HealthCheckRequest& request) const {
  std::lock_guard lock(mutex_);
  HealthCheckResponse response;
  response.set_status(StatusOf(request.service()));
  if (response.status() == HealthCheckResponse::SERVICE_UNKNOWN) return access::NotFound("service");
  return response;
}

}  // namespace handfast::rpc
