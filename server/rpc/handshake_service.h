// HandshakeService: the adapter between the contract and server/handshakes.
#ifndef HANDFAST_SERVER_RPC_HANDSHAKE_SERVICE_H_
#define HANDFAST_SERVER_RPC_HANDSHAKE_SERVICE_H_

#include "handfast/v1/handshake.grpc.pb.h"
#include "server/rpc/relay_stream.h"
#include "server/rpc/service.h"
#include "server/rpc/step_calls.h"
#include "server/rpc/unary_call.h"

namespace handfast::rpc {

class HandshakeService final : public Service {
 public:
  HandshakeService(const RelayBackends& relay, const UnaryServices& unary,
                   const DurableServices& durable)
      : relay_{service_, relay},
        unary_(unary),
        durable_(durable),
        steps_{.service = service_,
               .loop = relay.loop,
               .handshakes = relay.handshakes,
               .durable = durable_} {}

  grpc::Service& grpc_service() override { return service_; }
  std::string name() const override { return v1::HandshakeService::service_full_name(); }
  void Await(grpc::ServerCompletionQueue& queue) override;

 private:
  void Start(const access::Principal& principal, const v1::StartHandshakeRequest& request,
             Respond<v1::StartHandshakeResponse> respond);
  void Get(const access::Principal& principal, const v1::GetHandshakeRequest& request,
           Respond<v1::Handshake> respond);
  void Abort(const access::Principal& principal, const v1::AbortHandshakeRequest& request,
             Respond<v1::AbortHandshakeResponse> respond);

  v1::HandshakeService::AsyncService service_;
  const RelayServices relay_;
  const UnaryServices unary_;
  const DurableServices durable_;
  const StepServices steps_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_HANDSHAKE_SERVICE_H_
