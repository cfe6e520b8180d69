#include "tests/chaos/caller.h"

#include <chrono>
#include <utility>
#include <vector>

#include "tests/server/rpc/step_call.h"

namespace handfast::chaos {
namespace {

using rpc::test::ReasonOf;
using rpc::test::RelayCall;
using rpc::test::StepCaller;
using tls::Bytes;

// Of a call, and of a stream: after that another replica is asked.
constexpr std::chrono::milliseconds kCallTime{1000};
// More than any handshake has.
constexpr int kMostSteps = 60;
// A handshake that is asked for so often does not get on.
constexpr int kMostTries = 200;

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kCallTime);
  context.set_wait_for_ready(false);
}

bool MayTryAgain(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNAVAILABLE || code == grpc::StatusCode::DEADLINE_EXCEEDED;
}

std::string Words(const std::string& what, const grpc::Status& status) {
  return what + ": " + std::to_string(status.error_code()) + " " + ReasonOf(status) + " " +
         status.error_message();
}

template <class Response>
std::optional<std::string> Judge(const Response& last, const Peer& peer) {
  if (last.has_failure()) return "failed: " + last.failure().reason();
  if (!peer.done()) return "the peer has not finished: " + peer.error();
  return std::nullopt;
}

}  // namespace

void Tally::Add(const Tally& other) {
  calls += other.calls;
  failures += other.failures;
  repeats += other.repeats;
  resumed += other.resumed;
  anew += other.anew;
}

v1::Start Releasing(const std::string& profile, v1::Role role) {
  v1::Start start;
  start.set_role(role);
  start.set_profile(profile);
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  if (role == v1::ROLE_CLIENT) start.set_server_name("example.test");
  return start;
}

Caller::Caller(const Fleet& fleet, uint64_t seed, std::function<void()> answered)
    : fleet_(fleet), random_(seed), answered_(std::move(answered)) {}

size_t Caller::Choose() {
  ++tally_.calls;
  if (preferred_) return *preferred_;
  size_t replica = random_() % kReplicas;
  if (replica == avoided_) replica = (replica + 1 + random_() % (kReplicas - 1)) % kReplicas;
  return replica;
}

bool Caller::Failed(size_t replica) {
  ++tally_.failures;
  preferred_.reset();
  avoided_ = replica;
  return fleet_.AwaitService();
}

std::shared_ptr<grpc::Channel> Caller::To(size_t replica) {
  Line& line = lines_.at(replica);
  if (std::string address = fleet_.address(replica); line.address != address) {
    line = {.address = std::move(address), .channel = fleet_.Channel(replica)};
  }
  return line.channel;
}

grpc::Status Caller::Insist(const Call& call) {
  grpc::Status status;
  for (int i = 0; i < kMostTries; ++i) {
    const size_t replica = Choose();
    status = call(To(replica));
    if (!MayTryAgain(status.error_code())) {
      avoided_.reset();
      answered_();
      return status;
    }
    if (!Failed(replica)) break;
  }
  return status;
}

grpc::Status Caller::StepSomewhere(const std::string& rpc, const v1::StepRequest& request,
                                   v1::StepResponse& response) {
  return Insist([&](const auto& channel) {
    response.Clear();
    return StepCaller(channel, SetDeadline).Step(rpc, request, response);
  });
}

std::optional<std::string> Caller::RunSteps(const v1::Start& start, Peer& peer, bool advance) {
  v1::StartHandshakeResponse begun;
  // One whose answer is lost is nobody's, and ends by its deadline.
  grpc::Status status = Insist([&](const auto& channel) {
    begun.Clear();
    return StepCaller(channel, SetDeadline).Start(start, begun);
  });
  if (!status.ok()) return Words("StartHandshake", status);
  std::vector<v1::Next> next(begun.next().begin(), begun.next().end());
  Bytes from_peer = peer.Receive({});
  for (uint32_t step = 1; step < kMostSteps; ++step) {
    v1::StepRequest request;
    request.set_handshake(begun.handshake());
    request.set_step(step);
    request.set_from_peer(from_peer.data(), from_peer.size());
    const std::string rpc = advance ? "Advance" : rpc::test::NextRpc(next);
    v1::StepResponse reply;
    if (status = StepSomewhere(rpc, request, reply); !status.ok()) return Words(rpc, status);
    if (OneIn(4)) {
      v1::StepResponse again;
      status = StepSomewhere(rpc, request, again);
      if (!status.ok()) return Words("again " + rpc, status);
      if (again.SerializeAsString() != reply.SerializeAsString()) return "two replies to " + rpc;
      ++tally_.repeats;
    }
    from_peer = reply.to_peer().empty() ? Bytes() : peer.Receive(tls::AsBytes(reply.to_peer()));
    if (reply.outcome_case() != v1::StepResponse::OUTCOME_NOT_SET) return Judge(reply, peer);
    if (reply.need_more() && from_peer.empty()) return "nobody has more to say after " + rpc;
    next.assign(reply.next().begin(), reply.next().end());
  }
  return "it has no end";
}

// A handshake as its caller knows it, whatever stream it is in.
struct Caller::Relayed {
  const v1::Start& start;
  Bytes from_peer;             // all of it
  size_t sent = 0;             // of that, in this stream or those before
  std::string handshake = {};  // empty: it has not begun
  uint64_t seen = 0;           // bytes for the peer
  bool waiting = false;        // for the first reply of a stream that resumed it
  bool over = false;
};

void Caller::SendRest(RelayCall& call, Relayed& relayed) {
  while (relayed.sent < relayed.from_peer.size()) {
    const size_t left = relayed.from_peer.size() - relayed.sent;
    const size_t size = OneIn(3) ? 1 + random_() % left : left;
    const auto begin = relayed.from_peer.begin() + static_cast<std::ptrdiff_t>(relayed.sent);
    call.FromPeer(1, Bytes(begin, begin + static_cast<std::ptrdiff_t>(size)));
    relayed.sent += size;
  }
}

std::optional<std::string> Caller::OnReply(Relayed& relayed, Peer& peer,
                                           const v1::RelayResponse& reply) {
  if (relayed.handshake.empty()) {
    if (!reply.resumable()) return "a durable handshake that cannot be resumed";
    relayed.handshake = reply.handshake();
  }
  if (std::exchange(relayed.waiting, false)) relayed.sent = reply.consumed();
  relayed.seen += reply.to_peer().size();
  if (!reply.to_peer().empty()) {
    tls::Append(relayed.from_peer, peer.Receive(tls::AsBytes(reply.to_peer())));
  }
  if (!reply.has_established() && !reply.has_failure()) return std::nullopt;
  relayed.over = true;
  return Judge(reply, peer);
}

// One stream: until the handshake is over, or another stream is needed.
std::optional<std::string> Caller::RunStream(Relayed& relayed, Peer& peer) {
  const size_t replica = Choose();
  RelayCall call(To(replica), SetDeadline);
  if (relayed.handshake.empty()) {
    relayed.sent = 0;
    relayed.waiting = false;
    call.Start(1, relayed.start);
    SendRest(call, relayed);
  } else {
    ++tally_.resumed;
    v1::RelayRequest request;
    request.set_tag(1);
    request.mutable_resume()->set_handshake(relayed.handshake);
    request.mutable_resume()->set_bytes_seen(relayed.seen);
    call.Send(request);
    relayed.waiting = true;
  }
  while (const std::optional<v1::RelayResponse> reply = call.Next()) {
    answered_();
    if (reply->has_error()) {
      const auto code = static_cast<grpc::StatusCode>(reply->error().code());
      if (MayTryAgain(code)) {
        (void)Failed(replica);
        return std::nullopt;
      }
      // A stream that was given up was quicker: what it did is told to who resumes.
      if (ReasonOf(reply->error()) == "HANDSHAKE_TAKEN_OVER") return std::nullopt;
      // The first flight was never made, or never kept: the peer has heard nothing.
      if (code == grpc::StatusCode::NOT_FOUND && relayed.seen == 0) {
        ++tally_.anew;
        relayed.handshake.clear();
        return std::nullopt;
      }
      return "Relay: " + std::to_string(code) + " " + ReasonOf(reply->error()) + " " +
             reply->error().message();
    }
    if (auto lost = OnReply(relayed, peer, *reply); lost || relayed.over) return lost;
    SendRest(call, relayed);
    // What was sent may be worked on there while the next stream goes on elsewhere.
    if (OneIn(6)) return std::nullopt;
  }
  const grpc::Status status = call.Finish();
  if (!MayTryAgain(status.error_code())) return Words("Relay", status);
  (void)Failed(replica);
  return std::nullopt;
}

std::optional<std::string> Caller::RunRelay(const v1::Start& start, Peer& peer) {
  Relayed relayed{.start = start, .from_peer = peer.Receive({})};
  for (int i = 0; i < kMostTries; ++i) {
    std::optional<std::string> lost = RunStream(relayed, peer);
    if (lost || relayed.over) return lost;
  }
  return "it does not get on";
}

}  // namespace handfast::chaos
