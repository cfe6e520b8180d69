// ConnectionService: the adapter between the contract and server/connections.
#ifndef HANDFAST_SERVER_RPC_CONNECTION_SERVICE_H_
#define HANDFAST_SERVER_RPC_CONNECTION_SERVICE_H_

#include "handfast/v1/connections.grpc.pb.h"
#include "server/connections/connections.h"
#include "server/rpc/service.h"
#include "server/rpc/unary_call.h"

namespace handfast::rpc {

class ConnectionService final : public Service {
 public:
  ConnectionService(connections::Connections& connections, const UnaryServices& unary)
      : connections_(connections), unary_(unary) {}

  grpc::Service& grpc_service() override { return service_; }
  std::string name() const override { return v1::ConnectionService::service_full_name(); }
  void Await(grpc::ServerCompletionQueue& queue) override;

 private:
  absl::StatusOr<v1::Connection> Get(const access::Principal& principal,
                                     const v1::GetConnectionRequest& request);
  absl::StatusOr<v1::TerminateConnectionResponse> Terminate(
      const access::Principal& principal, const v1::TerminateConnectionRequest& request);
  absl::StatusOr<v1::ListConnectionsResponse> List(const access::Principal& principal,
                                                   const v1::ListConnectionsRequest& request);

  // In connection_keys.cc.
  void AwaitKeys(grpc::ServerCompletionQueue& queue);
  absl::StatusOr<v1::ReleaseKeysResponse> ReleaseKeys(const access::Principal& principal,
                                                      const v1::ReleaseKeysRequest& request);
  absl::StatusOr<v1::UpdateKeysResponse> UpdateKeys(const access::Principal& principal,
                                                    const v1::UpdateKeysRequest& request);
  absl::StatusOr<v1::ExportKeyingMaterialResponse> Export(
      const access::Principal& principal, const v1::ExportKeyingMaterialRequest& request);

  v1::ConnectionService::AsyncService service_;
  connections::Connections& connections_;
  const UnaryServices unary_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_CONNECTION_SERVICE_H_
