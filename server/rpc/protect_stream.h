// One Protect stream: the records of one connection in both directions, request after request. Of
// reading, working and writing one is under way at a time, so a stream holds one request and one
// reply, and its order is the connection's.
#ifndef HANDFAST_SERVER_RPC_PROTECT_STREAM_H_
#define HANDFAST_SERVER_RPC_PROTECT_STREAM_H_

#include <optional>
#include <string>

#include <grpcpp/grpcpp.h>

#include "handfast/v1/records.grpc.pb.h"
#include "server/rpc/completion.h"
#include "server/rpc/record_calls.h"

namespace handfast::rpc {

struct ProtectServices {
  v1::RecordService::AsyncService& service;
  RecordBackends backends;
};

class ProtectStream {
 public:
  // Takes the next Protect call that comes on `queue`.
  static void Await(const ProtectServices& services, grpc::ServerCompletionQueue& queue);

 private:
  class Unanswered;

  ProtectStream(const ProtectServices& services, grpc::ServerCompletionQueue& queue);
  ~ProtectStream();

  void OnAccepted(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);

  absl::Status Identify();
  absl::Status Check();
  // Of request_, when the tenant's turn has come.
  AnswerOrStatus Work();
  void Answer(const AnswerOrStatus& answer);
  void Read();
  void Finish(const absl::Status& status);

  const ProtectServices& services_;
  const Counted counted_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<v1::ProtectResponse, v1::ProtectRequest> rpc_{&context_};
  CompletionOf<ProtectStream, &ProtectStream::OnAccepted> on_accepted_{this};
  CompletionOf<ProtectStream, &ProtectStream::OnRead> on_read_{this};
  CompletionOf<ProtectStream, &ProtectStream::OnWritten> on_written_{this};
  CompletionOf<ProtectStream, &ProtectStream::OnFinished> on_finished_{this};

  access::Principal principal_;
  std::optional<handshakes::Handle> handle_;  // from the first request on
  v1::ProtectRequest request_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_PROTECT_STREAM_H_
