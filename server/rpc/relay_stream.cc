#include "server/rpc/relay_stream.h"

#include <utility>

#include "server/access/error_details_interface.h"
#include "server/rpc/identity.h"
#include "server/rpc/owner.h"
#include "server/rpc/relay_response.h"
#include "server/rpc/relay_streams.h"
#include "server/rpc/relay_tag.h"
#include "server/rpc/resource_names.h"
#include "server/rpc/start_request.h"
#include "server/rpc/status.h"

namespace handfast::rpc {
namespace {

constexpr char kMethod[] = "/handfast.v1.HandshakeService/Relay";

// Handshakes take tens of milliseconds: by then some of a thousand have ended.
constexpr int64_t kLiveTagsRetryDelayMs = 50;
// Another replica, or this one after its restart.
constexpr int64_t kDrainRetryDelayMs = 1000;

absl::Status Draining() {
  return access::WithRetryDelayMs(
      access::WithReason(absl::UnavailableError("the service is going away: open handshakes on "
                                                "another stream"),
                         "DRAINING"),
      kDrainRetryDelayMs);
}

}  // namespace

void RelayStream::Await(const RelayServices& relay, grpc::ServerCompletionQueue& queue) {
  std::shared_ptr<RelayStream> stream(new RelayStream(relay, queue));
  stream->self_ = stream;
  stream->completions_due_ = 1;
  stream->counted_.emplace(relay.backends.calls);
  stream->context_.AsyncNotifyWhenDone(&stream->on_over_);
  relay.service.RequestRelay(&stream->context_, &stream->rpc_, &queue, &queue,
                             &stream->on_accepted_);
}

RelayStream::RelayStream(const RelayServices& relay, grpc::ServerCompletionQueue& queue)
    : relay_(relay), queue_(queue) {}

// ---- What gRPC tells.

void RelayStream::OnAccepted(bool ok) {
  std::shared_ptr<RelayStream> alive;
  if (!ok) {  // the server shuts down; there will be no OnOver
    std::lock_guard lock(mutex_);
    alive = Settle();
    return;
  }
  Await(relay_, queue_);
  accepted_at_ = services_.clock.Now();
  absl::Status identified = Identify();
  const bool welcome = identified.ok() && services_.streams.Add(shared_from_this());
  if (identified.ok() && !welcome) identified = Draining();
  std::lock_guard lock(mutex_);
  if (welcome) {
    ReadMore();
  } else {
    Finish(identified);
  }
  ++completions_due_;  // OnOver
  alive = Settle();
}

void RelayStream::OnRead(bool ok) {
  if (ok) Receive(std::move(request_));
  request_ = v1::RelayRequest();
  std::shared_ptr<RelayStream> alive;  // destroyed after the lock is let go
  std::lock_guard lock(mutex_);
  reading_ = false;
  if (!ok) read_ended_ = true;
  ReadMore();
  FinishWhenDone();
  alive = Settle();
}

void RelayStream::OnWritten(bool ok) {
  std::shared_ptr<RelayStream> alive;
  std::lock_guard lock(mutex_);
  writing_ = false;
  reply_bytes_ -= std::exchange(writing_bytes_, 0);
  if (!ok) over_ = true;
  WriteNext();
  ReadMore();
  FinishWhenDone();
  alive = Settle();
}

void RelayStream::OnFinished(bool) {
  std::shared_ptr<RelayStream> alive;
  std::lock_guard lock(mutex_);
  alive = Settle();
}

void RelayStream::OnOver(bool) {
  services_.streams.Remove(this);
  absl::flat_hash_map<uint64_t, std::shared_ptr<Tag>> left;
  {
    std::lock_guard lock(mutex_);
    over_ = true;
    left.swap(tags_);
    replies_.clear();
  }
  for (auto& [number, tag] : left) tag->handshake().Abandon();
  std::shared_ptr<RelayStream> alive;
  std::lock_guard lock(mutex_);
  services_.metrics.RpcFinished(kMethod, code_);
  alive = Settle();
}

absl::Status RelayStream::Identify() {
  absl::StatusOr<std::string> name = PrincipalOf(*context_.auth_context());
  if (!name.ok()) return name.status();
  absl::StatusOr<access::Principal> principal = services_.policy.Authorize(*name, kMethod);
  if (!principal.ok()) return principal.status();
  principal_ = *std::move(principal);
  owner_ = std::make_shared<const handshakes::Owner>(OwnerOf(principal_));
  return absl::OkStatus();
}

// ---- What the caller says.

void RelayStream::Receive(v1::RelayRequest request) {
  if (request.has_start()) return Begin(std::move(request));
  if (request.has_resume()) return Resume(request);
  const uint64_t number = request.tag();
  std::shared_ptr<Tag> tag;
  {
    std::lock_guard lock(mutex_);
    if (auto found = tags_.find(number); found != tags_.end()) tag = found->second;
  }
  if (request.event_case() == v1::RelayRequest::EVENT_NOT_SET) {
    return Fail(number, access::InvalidField("event", "must be set"));
  }
  if (request.from_peer().size() > kMaxFromPeerBytes) {
    return Fail(number, access::InvalidField("from_peer", "must have at most 65536 bytes"));
  }
  if (tag) return Enqueue(tag, std::move(request));
  // It has ended, and the caller did not know yet: what comes late is dropped.
  if (number <= highest_tag_) return;
  Fail(number, access::InvalidField("tag", "its first request must be start"));
}

void RelayStream::Begin(v1::RelayRequest request) {
  const uint64_t number = request.tag();
  absl::StatusOr<std::shared_ptr<Tag>> tag = Open(request);
  if (!tag.ok()) return Fail(number, tag.status());
  Enqueue(*tag, std::move(request));
}

void RelayStream::Resume(const v1::RelayRequest& request) {
  const uint64_t number = request.tag();
  absl::Status taken = TakeTag(number);
  const auto handle = ParseResourceName(kHandshakesCollection, request.resume().handshake());
  if (taken.ok() && !handle) {
    taken = access::InvalidField("resume.handshake", "must be handshakes/{32 hex digits}");
  }
  if (taken.ok()) {
    taken = services_.durable.work.Submit(
        principal_.tenant, access::Lane::kGeneral,
        [self = shared_from_this(), number, handle = *handle,
         seen = request.resume().bytes_seen()] { self->GoOn(number, handle, seen); });
  }
  if (!taken.ok()) Fail(number, taken);
}

void RelayStream::GoOn(uint64_t number, const handshakes::Handle& handle, uint64_t bytes_seen) {
  absl::StatusOr<handshakes::SavedHandshakes::Found> found = services_.saved.Find(*owner_, handle);
  if (found.ok() && found->saved.walk) {
    found = access::WithReason(absl::FailedPreconditionError("the handshake goes by steps"),
                               "BY_STEPS");
  }
  if (!found.ok()) return Fail(number, found.status());
  Attach(number, found->saved.start);
  std::shared_ptr<Tag> tag;
  const auto resumed = services_.handshakes.Resume(
      *std::move(found), handle, [&](const auto& handshake) { tag = Enter(number, handshake); });
  if (!resumed.ok()) return Fail(number, resumed.status());
  if (!tag) return (*resumed)->Abandon();
  (*resumed)->Resume(bytes_seen);
}

absl::Status RelayStream::TakeTag(uint64_t tag) {
  if (tag == 0) return access::InvalidField("tag", "0 stands for the stream");
  if (tag <= highest_tag_) {
    return access::InvalidField("tag", "must be greater than every tag before it on this stream",
                                "TAG_REUSED");
  }
  highest_tag_ = tag;
  std::lock_guard lock(mutex_);
  if (draining_) return Draining();
  if (tags_.size() < kMaxLiveTags) return absl::OkStatus();
  services_.metrics.Refused("STREAM_HANDSHAKES_LIMIT");
  return access::WithRetryDelayMs(
      access::WithReason(absl::ResourceExhaustedError("too many live handshakes on this stream"),
                         "STREAM_HANDSHAKES_LIMIT"),
      kLiveTagsRetryDelayMs);
}

absl::StatusOr<std::shared_ptr<RelayStream::Tag>> RelayStream::Open(
    const v1::RelayRequest& request) {
  if (absl::Status taken = TakeTag(request.tag()); !taken.ok()) return taken;
  absl::StatusOr<handshakes::Start> start =
      ReadStart(request.start(), owner_->tenant, services_.profiles);
  if (!start.ok()) return start.status();
  start->owner = owner_;
  start->owner_may_release = principal_.release_keys;
  Attach(request.tag(), *start);
  std::shared_ptr<Tag> tag;
  const auto begun = services_.handshakes.Begin(
      *std::move(start), [&](const auto& handshake) { tag = Enter(request.tag(), handshake); });
  if (!begun.ok()) return begun.status();
  if (tag) return tag;
  (*begun)->Abandon();
  return std::make_shared<Tag>(shared_from_this(), *begun);
}

void RelayStream::Attach(uint64_t number, handshakes::Start& start) {
  start.listener = shared_from_this();
  start.tag = number;
  if (!start.profile->durable) return;
  start.encode = [](const auto& of, const auto& reply) { return Encode(of, reply); };
}

std::shared_ptr<RelayStream::Tag> RelayStream::Enter(
    uint64_t number, const std::shared_ptr<handshakes::Handshake>& handshake) {
  auto tag = std::make_shared<Tag>(shared_from_this(), handshake);
  std::lock_guard lock(mutex_);
  if (over_) return nullptr;
  tags_[number] = tag;
  return tag;
}

void RelayStream::Enqueue(const std::shared_ptr<Tag>& tag, v1::RelayRequest request) {
  // What waits for the store, not on a thread that polls.
  const bool waits =
      request.has_start() ? tag->handshake().begins_slowly() : tag->handshake().durable();
  bool must_run = false;
  {
    std::lock_guard lock(mutex_);
    unprocessed_bytes_ += WeightOf(request);
    must_run = tag->Push(std::move(request));
  }
  if (!must_run) return;
  if (!waits) return services_.loop.Do(tag);
  absl::Status queued =
      services_.durable.work.Submit(tag->tenant(), access::Lane::kGeneral, [tag] { tag->Run(); });
  if (!queued.ok()) tag->Refuse(std::move(queued));
}

void RelayStream::Fail(uint64_t number, absl::Status status) {
  std::shared_ptr<Tag> tag;
  {
    std::lock_guard lock(mutex_);
    if (auto found = tags_.find(number); found != tags_.end()) tag = found->second;
    if (!tag) Write(WipedResponse(ErrorOf(number, status)));
  }
  // A live one ends with this error; the peer gets its alert.
  if (tag) tag->handshake().Stop(std::move(status));
}

void RelayStream::OnProcessed(size_t bytes) {
  std::lock_guard lock(mutex_);
  unprocessed_bytes_ -= bytes;
  ReadMore();
}

// ---- What the handshakes say.

void RelayStream::OnReply(uint64_t number, handshakes::Reply reply) {
  const bool ended = reply.ended();
  std::shared_ptr<Tag> tag;
  {
    std::lock_guard lock(mutex_);
    if (over_) return;
    if (auto found = tags_.find(number); found != tags_.end()) tag = found->second;
  }
  if (!tag) return;
  const handshakes::Handle& handle = tag->handshake().handle();
  WipedResponse response(ToProto(number, handle, reply));
  std::lock_guard lock(mutex_);
  if (over_) return;
  if (!tag->named()) {
    response.get().set_handshake(ResourceName(kHandshakesCollection, handle));
    response.get().set_resumable(tag->handshake().durable());
  }
  if (ended) tags_.erase(number);
  Write(std::move(response));
  FinishWhenDone();
}

void RelayStream::Drain() {
  std::lock_guard lock(mutex_);
  if (over_ || finishing_ || draining_) return;
  draining_ = true;
  Write(WipedResponse(DrainNotice()));
  FinishWhenDone();
}

// ---- With the lock held.

void RelayStream::ReadMore() {
  if (reading_ || read_ended_ || over_ || finishing_) return;
  if (reply_bytes_ >= kMaxWaitingReplyBytes || unprocessed_bytes_ >= kMaxUnprocessedBytes) return;
  reading_ = true;
  ++completions_due_;
  rpc_.Read(&request_, &on_read_);
}

void RelayStream::Write(WipedResponse response) {
  if (over_ || finishing_) return;
  reply_bytes_ += response.get().ByteSizeLong();
  replies_.push_back(std::move(response));
  WriteNext();
}

void RelayStream::WriteNext() {
  if (writing_ || over_ || finishing_ || replies_.empty()) return;
  WipedResponse response = std::move(replies_.front());
  replies_.pop_front();
  writing_bytes_ = response.get().ByteSizeLong();
  grpc::WriteOptions options;
  // More will follow at once: one system call for all of them.
  if (!replies_.empty()) options.set_buffer_hint();
  writing_ = true;
  ++completions_due_;
  rpc_.Write(response.get(), options, &on_written_);
}

void RelayStream::FinishWhenDone() {
  if (over_ || writing_ || !replies_.empty() || !tags_.empty()) return;
  if (read_ended_) {
    Finish(absl::OkStatus());
  } else if (draining_) {
    Finish(Draining());
  }
}

void RelayStream::Finish(const absl::Status& status) {
  if (std::exchange(finishing_, true)) return;
  code_ = CodeName(status);
  ++completions_due_;
  rpc_.Finish(ToGrpc(status), &on_finished_);
}

std::shared_ptr<RelayStream> RelayStream::Settle() {
  if (--completions_due_ > 0) return nullptr;
  counted_.reset();
  return std::move(self_);
}

}  // namespace handfast::rpc
