// A gRPC service as the server sees it.
#ifndef HANDFAST_SERVER_RPC_SERVICE_H_
#define HANDFAST_SERVER_RPC_SERVICE_H_

#include <string>

#include <grpcpp/grpcpp.h>

namespace handfast::rpc {

class Service {
 public:
  virtual ~Service() = default;
  virtual grpc::Service& grpc_service() = 0;
  // Its full name: "handfast.v1.KeyService".
  virtual std::string name() const = 0;
  // Asks for the first call of each method on this queue.
  virtual void Await(grpc::ServerCompletionQueue& queue) = 0;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_SERVICE_H_
