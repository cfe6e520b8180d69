#include "tests/sim/relay_exchange.h"

#include <algorithm>
#include <utility>

namespace handfast::sim {

using handshakes::Handle;
using handshakes::Handshake;
using tls::Bytes;

// Where a replica writes its replies. It is called with the handshake's lock held.
class RelayExchange::Inbox final : public handshakes::ReplyListener {
 public:
  explicit Inbox(bool twice) : twice_(twice) {}

  void OnReply(uint64_t, handshakes::Reply reply) override {
    const Bytes bytes = reply.encoded.empty() ? Encode(reply) : std::move(reply.encoded);
    for (int i = 0; i < (twice_ ? 2 : 1); ++i) {
      Told told = Decode(bytes);
      told.to_peer = reply.to_peer;
      replies.push_back(std::move(told));
    }
  }

  std::vector<Told> replies;

 private:
  const bool twice_;
};

RelayExchange::RelayExchange(World& world, std::string name, const Plan& plan)
    : Exchange(world, std::move(name), plan) {}
RelayExchange::~RelayExchange() = default;

void RelayExchange::Act() {
  const size_t replica = dice_.Below(world_.replicas());
  if (!left_.empty() && dice_.OneIn(6)) return SendLate();
  if (stream_) {
    if (dice_.OneIn(world_.weather().reply_lost * 3)) return Leave();
    Receive();
    if (stream_ && !ended()) Send();
    return;
  }
  if (!world_.IsUp(replica) || IsBusy(replica)) return;
  if (handle_) return Resume(replica);
  Begin(replica);
}

void RelayExchange::OnCrash(size_t replica) {
  if (stream_ && stream_->replica == replica) {
    Take(*stream_);
    stream_.reset();
  }
  for (const auto& stream : left_) {
    if (stream->replica == replica) Take(*stream);
  }
  std::erase_if(left_, [&](const auto& stream) { return stream->replica == replica; });
}

template <class Call>
bool RelayExchange::Into(const std::shared_ptr<Stream>& stream, Call call) {
  const size_t replica = stream->replica;
  // Two calls for one handshake take turns; the one that is under way is below on this stack.
  if (!world_.IsUp(replica) || IsBusy(replica)) return false;
  const auto busy = busy_.insert(replica);
  const bool lives = world_.At(replica, [&](Replica& at) { call(at); });
  busy_.erase(busy);
  return lives;
}

void RelayExchange::Begin(size_t replica) {
  handshakes::Start start = NewStart();
  start.encode = [](const Handle&, const handshakes::Reply& reply) { return Encode(reply); };
  auto stream = std::make_shared<Stream>();
  stream->replica = replica;
  stream->inbox = std::make_shared<Inbox>(world_.bug() == Bug::kTellsTwice);
  start.listener = stream->inbox;
  stream->given = dice_.OneIn(3) ? dice_.Below(from_peer().size() + 1) : from_peer().size();
  const Bytes bytes = tls::Copy(from_peer().first(stream->given));
  // The caller is in this stream from now on, whatever it hears.
  stream_ = stream;
  const bool lives = Into(stream, [&](Replica& at) {
    auto begun = at.table.Begin(std::move(start));
    if (!begun.ok()) return Violated("a start is refused");
    stream->handshake = *begun;
    Begun((*begun)->handle(), world_.now().ns);
    (*begun)->Begin(bytes);
  });
  Say("begins at " + std::to_string(replica) + " with " + World::Digest(bytes) +
      (lives ? "" : ": crash"));
  if (lives) Settle(stream);
}

void RelayExchange::Resume(size_t replica) {
  auto stream = std::make_shared<Stream>();
  stream->replica = replica;
  stream->inbox = std::make_shared<Inbox>(world_.bug() == Bug::kTellsTwice);
  stream->position = seen_;
  absl::Status status = absl::UnknownError("crash");
  const Handle handle = *handle_;
  const uint64_t seen = seen_;
  stream_ = stream;
  Into(stream, [&](Replica& at) {
    auto found = at.saved.Find(owner(), handle);
    status = found.status();
    if (!found.ok()) return;
    found->saved.start.encode = [](const Handle&, const handshakes::Reply& reply) {
      return Encode(reply);
    };
    found->saved.start.listener = stream->inbox;
    const auto resumed = at.table.Resume(*std::move(found), handle,
                                         [&](const auto& made) { stream->handshake = made; });
    status = resumed.status();
    if (resumed.ok()) (*resumed)->Resume(seen);
  });
  Say("resumes at " + std::to_string(replica) + " from " + std::to_string(seen) + ": " +
      absl::StatusCodeToString(status.code()));
  if (status.ok()) return Settle(stream);
  if (stream_ == stream) stream_.reset();
  if (ended()) return;
  if (absl::IsNotFound(status)) {
    if (world_.ledger().ToldAnything(handle)) return OnNotFound();
    // Nothing was said under that handle, so nothing was kept: from the start.
    handle_.reset();
  } else if (!absl::IsUnavailable(status) && !absl::IsUnknown(status)) {
    Violated("a resumption is refused: " + status.ToString());
  }
}

void RelayExchange::Settle(const std::shared_ptr<Stream>& stream) {
  const bool known = stream_ == stream || std::ranges::find(left_, stream) != left_.end();
  if (!known && stream->handshake) left_.push_back(stream);
}

void RelayExchange::Give(const std::shared_ptr<Stream>& stream, const Bytes& bytes, bool closed) {
  const std::shared_ptr<Handshake> handshake = stream->handshake;
  if (!handshake) return;
  const bool given = Into(stream, [&](Replica&) {
    if (!bytes.empty()) handshake->FromPeer(bytes);
    if (closed) handshake->PeerClosed();
  });
  Say("gives " + std::to_string(stream->replica) + " " + World::Digest(bytes) +
      (given ? "" : ": busy, or crash"));
}

void RelayExchange::Send() {
  const std::shared_ptr<Stream> stream = stream_;
  if (!stream->handshake || IsBusy(stream->replica) || !world_.IsUp(stream->replica)) return;
  const size_t bad = world_.weather().rival;
  if (dice_.OneIn(bad * 30)) {
    aborted_ = true;
    Say("aborts");
    Into(stream, [handshake = stream->handshake](Replica&) {
      handshake->GiveUp(tls::Reason::kHandshakeAborted);
    });
    return;
  }
  const tls::ByteView waits = from_peer().subspan(std::min(stream->given, from_peer().size()));
  const Bytes bytes =
      tls::Copy(waits.first(dice_.OneIn(3) ? dice_.Below(waits.size() + 1) : waits.size()));
  const bool closed = bytes.empty() && dice_.OneIn(bad * 30);
  if (bytes.empty() && !closed) return;
  closed_ = closed_ || closed;
  stream->given += bytes.size();
  Give(stream, bytes, closed);
}

// What the network still had for a stream that the caller has left.
void RelayExchange::SendLate() {
  const size_t i = dice_.Below(left_.size());
  const std::shared_ptr<Stream> stream = left_[i];
  if (IsBusy(stream->replica) || !world_.IsUp(stream->replica)) return;
  fed_late_ = true;
  Take(*stream);
  // Until it was told something, nobody knows where a resumed one goes on.
  if (!stream->started) return;
  const tls::ByteView waits = from_peer().subspan(std::min(stream->given, from_peer().size()));
  if (dice_.OneIn(8)) {
    Say("the replica notices that a stream is gone");
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(i));
    const std::shared_ptr<Handshake> handshake = stream->handshake;
    Into(stream, [&](Replica&) {
      if (handshake) handshake->Abandon();
    });
    Take(*stream);
  } else if (dice_.OneIn(world_.weather().rival * 2)) {
    // Two callers for one handshake, of which one is wrong.
    spoiled_ = true;
    Give(stream, {0x17, 3, 3, 0, 1, 0}, false);
  } else {
    const Bytes bytes =
        tls::Copy(waits.first(dice_.OneIn(3) ? dice_.Below(waits.size() + 1) : waits.size()));
    stream->given += bytes.size();
    if (!bytes.empty()) Give(stream, bytes, false);
  }
  Take(*stream);
}

std::vector<RelayExchange::Reply> RelayExchange::Take(Stream& stream) {
  std::vector<Reply> taken;
  for (Told& told : std::exchange(stream.inbox->replies, {})) {
    Reply reply{.position = stream.position, .to_peer = told.to_peer, .told = std::move(told)};
    Say("stream at " + std::to_string(stream.replica) + " tells, from " +
        std::to_string(reply.position) + ", " + World::Digest(reply.to_peer) + " " +
        reply.told.reason);
    // A resumed one goes on behind what was consumed.
    if (!std::exchange(stream.started, true)) {
      stream.given = std::max<size_t>(stream.given, reply.told.consumed);
    }
    if (stream.handshake) {
      world_.ledger().Stream(stream.handshake->handle(), reply.position, reply.to_peer);
    }
    stream.position += reply.to_peer.size();
    taken.push_back(std::move(reply));
  }
  return taken;
}

void RelayExchange::Receive() {
  const std::shared_ptr<Stream> stream = stream_;
  if (!stream->handshake || IsBusy(stream->replica)) return;
  for (Reply& reply : Take(*stream)) {
    if (dice_.OneIn(world_.weather().reply_lost)) {
      const size_t part = dice_.Below(reply.to_peer.size() + 1);
      Say("the stream breaks, " + std::to_string(part) + " bytes into the reply");
      if (part > 0) {
        handle_ = stream->handshake->handle();
        ToPeer(tls::ByteView(reply.to_peer).first(part));
        seen_ += part;
      }
      return Leave();
    }
    handle_ = stream->handshake->handle();
    ToPeer(reply.to_peer);
    seen_ += reply.to_peer.size();
    if (reply.told.outcome == Outcome::kStopped) return OnStopped(reply.told.reason);
    OnOutcome(*handle_, reply.told);
    if (ended()) return;
  }
}

void RelayExchange::HearOut() {
  if (stream_) Take(*stream_);
  for (const auto& stream : left_) Take(*stream);
}

void RelayExchange::OnStopped(const std::string& reason) {
  stream_.reset();
  if (reason == "NOT_FOUND") return OnNotFound();
  if (reason == "UNAVAILABLE" || reason == "RESOURCE_EXHAUSTED" || reason == "ABORTED" ||
      reason == "CANCELLED") {
    return;
  }
  // Where nobody else spoke for the caller, it has seen what there was to see.
  const bool explained = fed_late_ || world_.reads_may_be_stale();
  if (reason == "OUT_OF_RANGE" && explained) {
    if (++gaps_ > 3) End("a gap that another stream made");
    return;
  }
  Violated("a stream ends with " + reason);
}

void RelayExchange::Leave() {
  if (stream_->handshake) left_.push_back(stream_);
  stream_.reset();
  Say("leaves its stream");
}

}  // namespace handfast::sim
