// Calls about handshakes that are in the store: they wait for it, on threads that may.
#ifndef HANDFAST_SERVER_RPC_DURABLE_CALLS_H_
#define HANDFAST_SERVER_RPC_DURABLE_CALLS_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

#include "server/access/work_queue_interface.h"
#include "server/handshakes/durable.h"
#include "server/rpc/unary_call.h"

namespace handfast::rpc {

// Both outlive the calls.
struct DurableServices {
  handshakes::DurableHandshakes& handshakes;
  access::WorkQueueInterface& work;
};

// Answers with what `work` returns, when the tenant's turn has come.
template <class Response>
void Later(const DurableServices& durable, const std::string& tenant, Respond<Response> respond,
           std::function<absl::StatusOr<Response>()> work) {
  const absl::Status queued = durable.work.Submit(
      tenant, access::Lane::kGeneral, [respond, work = std::move(work)] { respond(work()); });
  if (!queued.ok()) respond(queued);
}

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_DURABLE_CALLS_H_
