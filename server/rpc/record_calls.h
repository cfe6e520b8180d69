// What the unary RPCs of records and the stream share: where their work runs, and what of it is
// counted.
#ifndef HANDFAST_SERVER_RPC_RECORD_CALLS_H_
#define HANDFAST_SERVER_RPC_RECORD_CALLS_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "handfast/v1/records.grpc.pb.h"
#include "server/access/policy.h"
#include "server/access/work_queue.h"
#include "server/connections/connections.h"
#include "server/handshakes/clock_interface.h"
#include "server/observe/metrics_interface.h"
#include "server/rpc/call_count.h"
#include "server/rpc/completion_loop.h"

namespace handfast::rpc {

// Up to here a call is worth less than a turn in the queue, 3 us of one core: like a handshake's
// message it is worked on at once where nothing else waits.
inline constexpr size_t kInlineRecordBytes = size_t{4} * 1024;

// All outlive the calls.
struct RecordBackends {
  CompletionLoop& loop;
  access::WorkQueue& work;
  const access::Policy& policy;
  connections::Connections& connections;
  connections::Whereabouts* whereabouts;     // null: there are no other replicas
  access::WorkQueueInterface& durable_work;  // where that is waited for
  const handshakes::Clock& clock;
  observe::MetricsInterface& metrics;
  CallCount& calls;
};

using AnswerOrStatus = absl::StatusOr<connections::RecordAnswer>;

// Answers with what `work` returns, when the owner's tenant's turn has come; where the connection
// is not here, with who has it. To be called from a Completion.
void RunRecordWork(const RecordBackends& backends, const handshakes::Owner& owner,
                   const handshakes::Handle& handle, size_t bytes,
                   std::function<AnswerOrStatus()> work,
                   std::function<void(AnswerOrStatus)> respond);

// INVALID_ARGUMENT; `least`: of application data to seal an empty record would be none.
absl::Status CheckCallBytes(const std::string& bytes, std::string_view field, size_t least = 0);

void CountSealed(const RecordBackends& backends, const connections::RecordAnswer& answer,
                 size_t plaintext);
void CountOpened(const RecordBackends& backends, const connections::RecordAnswer& answer);

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_RECORD_CALLS_H_
