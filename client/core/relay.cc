#include "client/core/relay.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <grpcpp/channel.h>

#include "client/core/channel.h"
#include "client/core/relay_stream.h"
#include "handfast/v1/connections.grpc.pb.h"

namespace handfast::client {
namespace {

// Terminations in a second. Each is a call of its own, dearer than a handshake's share of the
// stream, and what it ends is a mere record: the service forgets its oldest by itself.
constexpr int kMaxTerminations = 100;
// Nobody waits for the answer; this only bounds the call's own life.
constexpr auto kTerminationDeadline = std::chrono::seconds(5);

struct Termination final : Completion {
  void OnComplete(bool /*ok*/) override { delete this; }
  grpc::ClientContext context;
  grpc::Status status;
  v1::TerminateConnectionResponse response;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::TerminateConnectionResponse>> rpc;
};

}  // namespace

struct Relay::State {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::HandshakeService::Stub> handshakes;
  std::unique_ptr<v1::ConnectionService::Stub> connections;
  grpc::CompletionQueue queue;
  std::thread thread;
  std::atomic<int> terminations{0};
  std::atomic<int64_t> terminations_since{0};

  std::mutex mutex;
  std::condition_variable all_ended;
  // Those that take new handshakes, or did when last looked at.
  std::vector<std::shared_ptr<RelayStream>> streams;
  // Those that have not ended.
  std::vector<std::weak_ptr<RelayStream>> open;
  size_t open_count = 0;
  bool closing = false;

  void Serve() {
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) static_cast<Completion*>(tag)->OnComplete(ok);
  }

  // A stream other than those of `streams`; null where there are too many. With mutex held.
  std::shared_ptr<RelayStream> OpenStream() {
    std::erase_if(streams, [](const auto& stream) { return stream->closed(); });
    std::erase_if(open, [](const auto& stream) { return stream.expired(); });
    if (closing || streams.size() >= kMaxStreams) return nullptr;
    auto stream = std::make_shared<RelayStream>();
    streams.push_back(stream);
    open.push_back(stream);
    ++open_count;
    stream->Open(*handshakes, queue, [this] { OnStreamEnded(); });
    return stream;
  }

  void OnStreamEnded() {
    const std::lock_guard lock(mutex);
    if (--open_count == 0) all_ended.notify_all();
  }
};

Relay::Relay(const Endpoint& endpoint) : state_(std::make_unique<State>()) {
  state_->channel = OpenChannel(endpoint);
  state_->handshakes = v1::HandshakeService::NewStub(state_->channel);
  state_->connections = v1::ConnectionService::NewStub(state_->channel);
  state_->thread = std::thread([state = state_.get()] { state->Serve(); });
  const std::lock_guard lock(state_->mutex);
  state_->OpenStream();
}

Relay::~Relay() {
  std::vector<std::shared_ptr<RelayStream>> open;
  {
    std::unique_lock lock(state_->mutex);
    state_->closing = true;
    for (const auto& stream : state_->open) open.push_back(stream.lock());
    for (const auto& stream : open) {
      if (stream != nullptr) stream->Cancel();
    }
    // A stream reads again after each message, which a queue that is shut down would not forgive.
    state_->all_ended.wait(lock, [this] { return state_->open_count == 0; });
  }
  state_->queue.Shutdown();
  state_->thread.join();
}

RelayHandle Relay::Start(RelayInbox& inbox, uint64_t key, const StartOptions& options,
                         std::string_view peer_address, tls::ByteView from_peer) {
  const tls::ByteView first = from_peer.first(std::min(from_peer.size(), kMaxFromPeerBytes));
  v1::RelayRequest request;
  v1::Start& start = *request.mutable_start();
  start.set_role(v1::ROLE_SERVER);
  start.set_profile(options.profile);
  start.set_credential(options.credential);
  for (const std::string& protocol : options.alpn) start.add_alpn(protocol);
  if (options.release_keys) start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  start.set_deadline_ms(options.deadline_ms);
  start.set_peer_address(std::string(peer_address));
  start.set_trace(options.trace);
  start.set_from_peer(first.data(), first.size());
  RelayHandle handle = StartOne(inbox, key, request);
  Send(handle, from_peer.subspan(first.size()));
  return handle;
}

RelayHandle Relay::Resume(RelayInbox& inbox, uint64_t key, const std::string& handshake,
                          uint64_t bytes_seen) {
  v1::RelayRequest request;
  request.mutable_resume()->set_handshake(handshake);
  request.mutable_resume()->set_bytes_seen(bytes_seen);
  return StartOne(inbox, key, request);
}

RelayHandle Relay::StartOne(RelayInbox& inbox, uint64_t key, const v1::RelayRequest& request) {
  {
    const std::lock_guard lock(state_->mutex);
    for (const auto& stream : state_->streams) {
      const auto tag = stream->Start(inbox, key, request);
      if (tag) return {stream, *tag};
    }
    if (const auto stream = state_->OpenStream(); stream != nullptr) {
      const auto tag = stream->Start(inbox, key, request);
      if (tag) return {stream, *tag};
    }
  }
  RelayReply reply;
  reply.key = key;
  reply.outcome = RpcStatus{.code = RpcCode::kResourceExhausted,
                            .message = "too many handshakes wait on this relay",
                            .reason = {},
                            .details = {}};
  inbox.Put(std::move(reply));
  return {};
}

void Relay::Send(const RelayHandle& handle, tls::ByteView from_peer) {
  while (handle && !from_peer.empty()) {
    const tls::ByteView piece = from_peer.first(std::min(from_peer.size(), kMaxFromPeerBytes));
    handle.stream_->Send(handle.tag_, piece);
    from_peer = from_peer.subspan(piece.size());
  }
}

void Relay::PeerClosed(const RelayHandle& handle) {
  if (handle) handle.stream_->PeerClosed(handle.tag_);
}

void Relay::Abort(const RelayHandle& handle) {
  if (handle) handle.stream_->Abort(handle.tag_);
}

void Relay::Terminate(const std::string& connection) {
  const int64_t second = std::chrono::duration_cast<std::chrono::seconds>(
                             std::chrono::steady_clock::now().time_since_epoch())
                             .count();
  if (state_->terminations_since.exchange(second) != second) state_->terminations = 0;
  if (++state_->terminations > kMaxTerminations) return;
  // Deletes itself when it is complete.
  auto* call = new Termination();
  call->context.set_deadline(std::chrono::system_clock::now() + kTerminationDeadline);
  v1::TerminateConnectionRequest request;
  request.set_name(connection);
  call->rpc =
      state_->connections->AsyncTerminateConnection(&call->context, request, &state_->queue);
  call->rpc->Finish(&call->response, &call->status, call);
}

bool Relay::healthy() const {
  return state_->channel->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY;
}

}  // namespace handfast::client
