// gRPC inside client/core: the channel to an endpoint, and statuses out of gRPC's types. Only this
// package includes it; others use service.h and relay.h.
#ifndef HANDFAST_CLIENT_CORE_CHANNEL_H_
#define HANDFAST_CLIENT_CORE_CHANNEL_H_

#include <memory>

#include <grpcpp/channel.h>

#include "client/core/endpoint.h"
#include "client/core/rpc_status.h"
#include "google/rpc/status.pb.h"

namespace handfast::client {

// Connects when first used, and again whenever the connection is lost. Every call makes a
// connection of its own: two relays shall not share one.
std::shared_ptr<grpc::Channel> OpenChannel(const Endpoint& endpoint);

RpcStatus FromGrpc(const grpc::Status& status);
RpcStatus FromProto(const google::rpc::Status& status);

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_CHANNEL_H_
