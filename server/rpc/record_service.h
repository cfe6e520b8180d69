// RecordService: the adapter between the contract and the records of server/connections.
#ifndef HANDFAST_SERVER_RPC_RECORD_SERVICE_H_
#define HANDFAST_SERVER_RPC_RECORD_SERVICE_H_

#include "handfast/v1/records.grpc.pb.h"
#include "server/rpc/protect_stream.h"
#include "server/rpc/record_calls.h"
#include "server/rpc/service.h"
#include "server/rpc/unary_call.h"

namespace handfast::rpc {

class RecordService final : public Service {
 public:
  RecordService(const RecordBackends& backends, const UnaryServices& unary)
      : protect_{service_, backends}, unary_(unary) {}

  grpc::Service& grpc_service() override { return service_; }
  std::string name() const override { return v1::RecordService::service_full_name(); }
  void Await(grpc::ServerCompletionQueue& queue) override;

 private:
  void AwaitSeal(grpc::ServerCompletionQueue& queue);
  void AwaitOpen(grpc::ServerCompletionQueue& queue);
  void AwaitClose(grpc::ServerCompletionQueue& queue);
  void Seal(const access::Principal& principal, const v1::SealRequest& request,
            Respond<v1::SealResponse> respond);
  void Open(const access::Principal& principal, const v1::OpenRequest& request,
            Respond<v1::OpenResponse> respond);
  void Close(const access::Principal& principal, const v1::CloseRequest& request,
             Respond<v1::CloseResponse> respond);

  v1::RecordService::AsyncService service_;
  const ProtectServices protect_;
  const RecordBackends& backends_ = protect_.backends;
  const UnaryServices unary_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_RECORD_SERVICE_H_
