// grpc.health.v1, for the server as a whole (the empty name) and for each service by name.
#ifndef HANDFAST_SERVER_RPC_HEALTH_SERVICE_H_
#define HANDFAST_SERVER_RPC_HEALTH_SERVICE_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "grpc/health/v1/health.grpc.pb.h"
#include "server/rpc/service.h"
#include "server/rpc/unary_call.h"

namespace handfast::rpc {

class HealthService final : public Service {
 public:
  // Not serving until SetServing says so.
  HealthService(const UnaryServices& unary, const std::vector<std::string>& services);
  ~HealthService() override;

  grpc::Service& grpc_service() override { return service_; }
  std::string name() const override { return grpc::health::v1::Health::service_full_name(); }
  void Await(grpc::ServerCompletionQueue& queue) override;

  // All services at once: they stand and fall together.
  void SetServing(bool serving);
  // Ends what watches, so that a drain need not wait for it.
  void EndWatches();

 private:
  using Response = grpc::health::v1::HealthCheckResponse;
  class Watch;

  Response::ServingStatus StatusOf(const std::string& service) const;
  absl::StatusOr<Response> Check(const grpc::health::v1::HealthCheckRequest& request) const;

  grpc::health::v1::Health::AsyncService service_;
  const UnaryServices unary_;
  mutable std::mutex mutex_;
  absl::flat_hash_map<std::string, Response::ServingStatus> statuses_;
  absl::flat_hash_set<Watch*> watches_;
  bool ended_ = false;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_HEALTH_SERVICE_H_
