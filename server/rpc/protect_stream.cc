#include "server/rpc/protect_stream.h"

#include <memory>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/rpc/established_view.h"
#include "server/rpc/identity.h"
#include "server/rpc/owner.h"
#include "server/rpc/resource_names.h"
#include "server/rpc/status.h"
#include "server/rpc/wipe_text.h"

namespace handfast::rpc {
namespace {

constexpr char kMethod[] = "/handfast.v1.RecordService/Protect";

// Null: the event has none.
const std::string* BytesOf(const v1::ProtectRequest& request) {
  switch (request.event_case()) {
    case v1::ProtectRequest::kPlaintext:
      return &request.plaintext();
    case v1::ProtectRequest::kFromPeer:
      return &request.from_peer();
    case v1::ProtectRequest::kLastFromPeer:
      return &request.last_from_peer();
    default:
      return nullptr;
  }
}

void Show(const connections::RecordReply& reply, v1::ProtectResponse& into) {
  into.set_plaintext(reply.plaintext.data(), reply.plaintext.size());
  into.set_consumed(static_cast<uint32_t>(reply.consumed));
  into.set_to_peer(reply.to_peer.data(), reply.to_peer.size());
  into.set_to_peer_offset(reply.to_peer_offset);
  into.set_next_seal_seq(reply.next_seal_seq);
  into.set_next_open_seq(reply.next_open_seq);
  into.set_peer_closed(reply.peer_closed);
  into.set_new_session_tickets(static_cast<uint32_t>(reply.new_session_tickets));
  if (reply.failure) rpc::Show(*reply.failure, /*detail=*/"", *into.mutable_failure());
}

}  // namespace

// A request whose work is dropped with the queue: its stream ends all the same.
class ProtectStream::Unanswered {
 public:
  explicit Unanswered(ProtectStream* stream) : stream_(stream) {}
  Unanswered(const Unanswered&) = delete;
  Unanswered& operator=(const Unanswered&) = delete;
  ~Unanswered() {
    if (stream_ == nullptr) return;
    stream_->Finish(access::WithReason(absl::UnavailableError("the service is shutting down"),
                                       "SHUTTING_DOWN"));
  }
  ProtectStream& stream() { return *stream_; }
  ProtectStream* Take() { return std::exchange(stream_, nullptr); }

 private:
  ProtectStream* stream_;
};

void ProtectStream::Await(const ProtectServices& services, grpc::ServerCompletionQueue& queue) {
  auto* stream = new ProtectStream(services, queue);
  services.service.RequestProtect(&stream->context_, &stream->rpc_, &queue, &queue,
                                  &stream->on_accepted_);
}

ProtectStream::ProtectStream(const ProtectServices& services, grpc::ServerCompletionQueue& queue)
    : services_(services), counted_(services.backends.calls), queue_(queue) {}

ProtectStream::~ProtectStream() = default;

void ProtectStream::OnAccepted(bool ok) {
  if (!ok) {  // the server shuts down
    delete this;
    return;
  }
  Await(services_, queue_);
  if (absl::Status identified = Identify(); !identified.ok()) return Finish(identified);
  Read();
}

absl::Status ProtectStream::Identify() {
  absl::StatusOr<std::string> name = PrincipalOf(*context_.auth_context());
  if (!name.ok()) return name.status();
  absl::StatusOr<access::Principal> principal = services_.backends.policy.Authorize(*name, kMethod);
  if (!principal.ok()) return principal.status();
  principal_ = *std::move(principal);
  return absl::OkStatus();
}

void ProtectStream::Read() { rpc_.Read(&request_, &on_read_); }

void ProtectStream::OnRead(bool ok) {
  if (!ok) return Finish(absl::OkStatus());
  if (absl::Status checked = Check(); !checked.ok()) return Finish(checked);
  const std::string* bytes = BytesOf(request_);
  auto unanswered = std::make_shared<Unanswered>(this);
  RunRecordWork(
      services_.backends, OwnerOf(principal_), *handle_, bytes == nullptr ? 0 : bytes->size(),
      [unanswered] { return unanswered->stream().Work(); },
      [unanswered](AnswerOrStatus answer) { unanswered->Take()->Answer(answer); });
}

absl::Status ProtectStream::Check() {
  if (handle_.has_value() != request_.connection().empty()) {
    return access::InvalidField("connection", "must be in the first request, and in it alone");
  }
  if (!handle_) {
    const auto handle =
        ReadResourceName(kConnectionsCollection, "connection", request_.connection());
    if (!handle.ok()) return handle.status();
    handle_ = *handle;
  }
  switch (request_.event_case()) {
    case v1::ProtectRequest::kPlaintext:
      return CheckCallBytes(request_.plaintext(), "plaintext", /*least=*/1);
    case v1::ProtectRequest::kFromPeer:
      return CheckCallBytes(request_.from_peer(), "from_peer");
    case v1::ProtectRequest::kLastFromPeer:
      return CheckCallBytes(request_.last_from_peer(), "last_from_peer");
    case v1::ProtectRequest::kCloseWrite:
      return absl::OkStatus();
    default:
      return access::InvalidField("event", "must be set");
  }
}

AnswerOrStatus ProtectStream::Work() {
  const RecordBackends& backends = services_.backends;
  const handshakes::Owner owner = OwnerOf(principal_);
  if (request_.has_close_write()) return backends.connections.Close(owner, *handle_);
  const tls::ByteView bytes = tls::AsBytes(*BytesOf(request_));
  if (request_.has_plaintext()) {
    auto answer =
        backends.connections.Seal(owner, *handle_, {.first_seq = std::nullopt, .plaintext = bytes});
    if (answer.ok()) CountSealed(backends, *answer, bytes.size());
    return answer;
  }
  auto answer = backends.connections.Open(owner, *handle_,
                                          {.first_seq = std::nullopt,
                                           .from_peer = bytes,
                                           .peer_closed = request_.has_last_from_peer()});
  if (answer.ok()) CountOpened(backends, *answer);
  return answer;
}

void ProtectStream::Answer(const AnswerOrStatus& answer) {
  if (request_.has_plaintext()) WipeText(*request_.mutable_plaintext());
  if (!answer.ok()) return Finish(answer.status());
  v1::ProtectResponse response;
  Show(*answer->reply, response);
  // It is serialized at once; and from then on another thread may have ended this stream.
  if (response.has_failure()) {
    services_.backends.metrics.RpcFinished(kMethod, "OK");
    rpc_.WriteAndFinish(response, grpc::WriteOptions(), grpc::Status::OK, &on_finished_);
  } else {
    rpc_.Write(response, &on_written_);
  }
  WipeText(*response.mutable_plaintext());
}

void ProtectStream::OnWritten(bool ok) {
  if (!ok) return Finish(absl::CancelledError());
  Read();
}

void ProtectStream::OnFinished(bool) { delete this; }

void ProtectStream::Finish(const absl::Status& status) {
  services_.backends.metrics.RpcFinished(kMethod, CodeName(status));
  rpc_.Finish(ToGrpc(status), &on_finished_);
}

}  // namespace handfast::rpc
