// One Relay stream: many handshakes told apart by tags, one read and one write under way at a time.
// It checks and passes on; what a handshake is stands in server/handshakes.
//
// Life of a stream: Await posts it to a completion queue; gRPC gives it a call; it reads until the
// caller ends or is asked to go elsewhere; when gRPC has let go of it and the last handshake has
// ended, it is destroyed. Its lock may be taken while a handshake's is held, never the other way
// round.
#ifndef HANDFAST_SERVER_RPC_RELAY_STREAM_H_
#define HANDFAST_SERVER_RPC_RELAY_STREAM_H_

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include <grpcpp/grpcpp.h>

#include "handfast/v1/handshake.grpc.pb.h"
#include "server/access/policy.h"
#include "server/handshakes/handshakes.h"
#include "server/handshakes/profile_interface.h"
#include "server/observe/metrics_interface.h"
#include "server/rpc/call_count.h"
#include "server/rpc/completion.h"
#include "server/rpc/completion_loop.h"
#include "server/rpc/durable_calls.h"
#include "server/rpc/key_release.h"

namespace handfast::rpc {

// As the contract says.
inline constexpr size_t kMaxLiveTags = 1024;
inline constexpr size_t kMaxWaitingReplyBytes = size_t{256} * 1024;
// Read, and not worked on yet: as much again, so that a stream's memory is bounded both ways.
inline constexpr size_t kMaxUnprocessedBytes = size_t{256} * 1024;
// What a request weighs in memory besides its bytes, so that many small ones count as well.
inline constexpr size_t kRequestOverhead = 256;
inline size_t WeightOf(const v1::RelayRequest& request) {
  return request.ByteSizeLong() + kRequestOverhead;
}

class RelayStreams;

// What every stream needs; outlives them all.
struct RelayBackends {
  CompletionLoop& loop;
  const access::Policy& policy;
  const handshakes::ProfileSource& profiles;
  handshakes::Handshakes& handshakes;
  const handshakes::Clock& clock;
  observe::MetricsInterface& metrics;
  RelayStreams& streams;
  CallCount& calls;
  handshakes::SavedHandshakes& saved;
  const DurableServices& durable;
};
struct RelayServices {
  v1::HandshakeService::AsyncService& service;
  RelayBackends backends;
};

class RelayStream final : public handshakes::ReplyListener,
                          public std::enable_shared_from_this<RelayStream> {
 public:
  // Takes the next Relay call that comes on `queue`.
  static void Await(const RelayServices& relay, grpc::ServerCompletionQueue& queue);

  // Tells the caller to open new handshakes elsewhere, and ends with the last live one.
  void Drain();
  handshakes::MonotonicTime accepted_at() const { return accepted_at_; }

  void OnReply(uint64_t number, handshakes::Reply reply) override;

 private:
  // One handshake of the stream, and what it is still to be told.
  class Tag;

  RelayStream(const RelayServices& relay, grpc::ServerCompletionQueue& queue);

  void OnAccepted(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void OnOver(bool ok);

  absl::Status Identify();
  void Receive(v1::RelayRequest request);
  void Begin(v1::RelayRequest request);
  void Resume(const v1::RelayRequest& request);
  // In a thread that may wait for the store.
  void GoOn(uint64_t number, const handshakes::Handle& handle, uint64_t bytes_seen);
  absl::Status TakeTag(uint64_t tag);
  absl::StatusOr<std::shared_ptr<Tag>> Open(const v1::RelayRequest& request);
  // The handshake's replies come to this tag.
  void Attach(uint64_t number, handshakes::Start& start);
  // Before anything can end it, lest its last reply find no tag. Null: the stream is over.
  std::shared_ptr<Tag> Enter(uint64_t number,
                             const std::shared_ptr<handshakes::Handshake>& handshake);
  void Enqueue(const std::shared_ptr<Tag>& tag, v1::RelayRequest request);
  void Fail(uint64_t number, absl::Status status);
  void OnProcessed(size_t bytes);

  // With mutex_ held.
  void ReadMore();
  void Write(WipedResponse response);
  void WriteNext();
  void FinishWhenDone();
  void Finish(const absl::Status& status);
  // Lets go of what gRPC held: the last completion has come.
  std::shared_ptr<RelayStream> Settle();

  const RelayServices& relay_;
  const RelayBackends& services_ = relay_.backends;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<v1::RelayResponse, v1::RelayRequest> rpc_{&context_};
  CompletionOf<RelayStream, &RelayStream::OnAccepted> on_accepted_{this};
  CompletionOf<RelayStream, &RelayStream::OnRead> on_read_{this};
  CompletionOf<RelayStream, &RelayStream::OnWritten> on_written_{this};
  CompletionOf<RelayStream, &RelayStream::OnFinished> on_finished_{this};
  CompletionOf<RelayStream, &RelayStream::OnOver> on_over_{this};

  // Set before the first read, constant afterwards.
  access::Principal principal_;
  std::shared_ptr<const handshakes::Owner> owner_;
  handshakes::MonotonicTime accepted_at_;

  // Between OnAccepted and the next read only one thread touches these.
  v1::RelayRequest request_;
  uint64_t highest_tag_ = 0;  // each Start raises it, so that no tag can be used twice

  std::mutex mutex_;
  std::shared_ptr<RelayStream> self_;  // while gRPC holds pointers to this
  int completions_due_ = 0;
  std::optional<Counted> counted_;  // as long as self_
  absl::flat_hash_map<uint64_t, std::shared_ptr<Tag>> tags_;
  std::deque<WipedResponse> replies_;
  size_t reply_bytes_ = 0;  // of replies_ and of the one being written
  size_t writing_bytes_ = 0;
  size_t unprocessed_bytes_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool read_ended_ = false;
  bool draining_ = false;
  bool finishing_ = false;
  bool over_ = false;
  std::string code_ = "CANCELLED";  // how it ended, for the metrics; unless Finish says otherwise
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_RELAY_STREAM_H_
