// One Relay stream on gRPC's asynchronous API, and the handshakes on it. Requests come from any
// thread; completions from the one thread that serves the completion queue.
#ifndef HANDFAST_CLIENT_CORE_RELAY_STREAM_H_
#define HANDFAST_CLIENT_CORE_RELAY_STREAM_H_

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>

#include "client/core/relay.h"
#include "handfast/v1/handshake.grpc.pb.h"

namespace handfast::client {

// Something that waits for a completion.
class Completion {
 public:
  virtual ~Completion() = default;
  virtual void OnComplete(bool ok) = 0;
};

class RelayStream : public std::enable_shared_from_this<RelayStream> {
 public:
  RelayStream() = default;
  RelayStream(const RelayStream&) = delete;
  RelayStream& operator=(const RelayStream&) = delete;

  // It then lives until the stream has ended, whoever else still holds it; `on_ended` is the last
  // that it does, and the queue must not be shut down before.
  void Open(v1::HandshakeService::Stub& stub, grpc::CompletionQueue& queue,
            std::function<void()> on_ended);

  // The first request of a tag, but for the tag. Nullopt where the stream is full, drains or has
  // ended.
  std::optional<uint64_t> Start(RelayInbox& inbox, uint64_t key, v1::RelayRequest request);
  void Send(uint64_t tag, tls::ByteView from_peer);
  void PeerClosed(uint64_t tag);
  void Abort(uint64_t tag);

  // Ends the stream now.
  void Cancel() { context_.TryCancel(); }

  // It takes no new handshake any more.
  bool closed() const;

 private:
  struct Slot {
    uint64_t tag = 0;  // 0: free
    RelayInbox* inbox = nullptr;
    uint64_t key = 0;
  };
  struct Event final : Completion {
    Event(RelayStream* owner, void (RelayStream::*function)(bool))
        : stream(owner), on_complete(function) {}
    void OnComplete(bool ok) override { (stream->*on_complete)(ok); }
    RelayStream* stream;
    void (RelayStream::*on_complete)(bool);
  };

  void OnStarted(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnWritesDone(bool ok);
  void OnFinished(bool ok);

  // All with mutex_ held.
  Slot* Find(uint64_t tag);
  void Free(Slot& slot);
  void Enqueue(v1::RelayRequest request);
  void WriteNext();
  void EndWhenIdle();

  void Deliver();
  void FillReply(RelayReply& reply);

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::RelayRequest, v1::RelayResponse>> rpc_;
  Event on_started_{this, &RelayStream::OnStarted};
  Event on_read_{this, &RelayStream::OnRead};
  Event on_written_{this, &RelayStream::OnWritten};
  Event on_writes_done_{this, &RelayStream::OnWritesDone};
  Event on_finished_{this, &RelayStream::OnFinished};

  // Of the completion queue's thread alone.
  v1::RelayResponse response_;
  grpc::Status status_;
  std::shared_ptr<RelayStream> self_;
  std::function<void()> on_ended_;

  mutable std::mutex mutex_;
  std::array<Slot, kMaxHandshakesPerStream> slots_;
  std::vector<uint16_t> free_slots_;
  size_t next_unused_slot_ = 0;
  size_t live_ = 0;
  uint64_t next_generation_ = 1;
  std::deque<v1::RelayRequest> waiting_;
  bool started_ = false;
  bool writing_ = false;
  bool reading_ended_ = false;
  bool finishing_ = false;
  bool draining_ = false;
  bool writes_done_ = false;
};

}  // namespace handfast::client

#endif  // HANDFAST_CLIENT_CORE_RELAY_STREAM_H_
