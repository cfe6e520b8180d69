// grpc.reflection.v1alpha: the contract, from the service itself.
#ifndef HANDFAST_SERVER_RPC_REFLECTION_SERVICE_H_
#define HANDFAST_SERVER_RPC_REFLECTION_SERVICE_H_

#include <string>
#include <vector>

#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "server/rpc/service.h"
#include "server/rpc/unary_call.h"

namespace handfast::rpc {

class ReflectionService final : public Service {
 public:
  // `services` are listed in this order.
  ReflectionService(const UnaryServices& unary, std::vector<std::string> services);

  grpc::Service& grpc_service() override { return service_; }
  std::string name() const override {
    return grpc::reflection::v1alpha::ServerReflection::service_full_name();
  }
  void Await(grpc::ServerCompletionQueue& queue) override;

  grpc::reflection::v1alpha::ServerReflectionResponse Answer(
      const grpc::reflection::v1alpha::ServerReflectionRequest& request) const;

 private:
  class Stream;

  grpc::reflection::v1alpha::ServerReflection::AsyncService service_;
  const UnaryServices unary_;
  const std::vector<std::string> services_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_REFLECTION_SERVICE_H_
