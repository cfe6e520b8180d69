#include "server/handshakes/handshake.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/access/error_details_interface.h"

namespace handfast::handshakes {
namespace {

MonotonicTime DeadlineOf(const Start& start, MonotonicTime now) {
  const auto most = start.profile->deadline;
  return now + (start.deadline.count() > 0 ? std::min(start.deadline, most) : most);
}

void Merge(tls::Bytes& into, tls::Bytes more) {
  if (into.empty()) {
    into = std::move(more);
  } else {
    tls::Append(into, more);
  }
}

Reply Join(Reply first, Reply then) {
  Merge(first.to_peer, std::move(then.to_peer));
  std::move(then.messages.begin(), then.messages.end(), std::back_inserter(first.messages));
  first.consumed = then.consumed;
  first.outcome = std::move(then.outcome);
  return first;
}

}  // namespace

Handshake::Handshake(const Services& services, Start start, Handle handle,
                     access::Admitted admitted, Table& table)
    : services_(services),
      handle_(handle),
      owner_(start.owner),
      started_(services.clock.Now()),
      deadline_(DeadlineOf(start, started_)),
      table_(table),
      start_(std::move(start)),
      session_binding_(NewBinding()),
      ticket_keys_(services.sessions.CurrentTicketKeys()),
      admitted_(std::move(admitted)),
      connection_(NewConnection()),
      journal_(JournalOf(start_)) {
  if (start_.by_steps) walk_.emplace();
}

Handshake::Handshake(const Services& services, SavedHandshake saved, Handle handle,
                     access::Admitted admitted, Table& table, uint64_t generation)
    : services_(services),
      handle_(handle),
      owner_(saved.start.owner),
      started_(services.clock.Now() - saved.age),
      deadline_(services.clock.Now() + saved.left),
      table_(table),
      start_(saved.start),
      session_binding_(saved.session_binding),
      ticket_keys_(services.sessions.CurrentTicketKeys()),
      admitted_(std::move(admitted)),
      connection_(std::move(saved.connection)),
      walk_(std::move(saved.walk)),
      detail_(std::move(saved.detail)),
      journal_(JournalOf(start_)),
      client_hello_(std::move(saved.client_hello)) {
  if (walk_) walk_->established = connection_->agreed();
  if (!journal_) return;
  journal_->generation = generation;
  journal_->resumed = std::make_unique<SavedHandshake>(std::move(saved));
}

std::unique_ptr<Handshake::Journal> Handshake::JournalOf(const Start& start) {
  return start.profile->durable && !start.by_steps ? std::make_unique<Journal>() : nullptr;
}

SavedHandshake Handshake::Freeze() {
  std::lock_guard lock(mutex_);
  const MonotonicTime now = services_.clock.Now();
  return {.start = std::move(start_),
          .age = now - started_,
          .left = deadline_ - now,
          .detail = std::move(detail_),
          .client_hello = std::move(client_hello_),
          .session_binding = session_binding_,
          .connection = std::exchange(connection_, std::nullopt),
          .walk = std::exchange(walk_, std::nullopt),
          .last_reply = {},
          .input_digest = {},
          .to_peer = {}};
}

tls::Connection Handshake::NewConnection(std::optional<tls::Session> session) const {
  tls::ConnectionOptions options{.alpn = start_.alpn,
                                 .server_name = start_.server_name,
                                 .trace = start_.trace || start_.explain,
                                 .stepwise = start_.by_steps};
  return start_.role == Role::kClient
             ? tls::Connection::Client(std::move(options), std::move(session))
             : tls::Connection::Server(std::move(options));
}

void Handshake::Begin(tls::ByteView bytes) {
  std::lock_guard lock(mutex_);
  if (!connection_) return;
  Reply reply;
  if (start_.role == Role::kClient) {
    OfferSession();
    Drive(tls::Begin{}, ReplyOf(reply));
  } else if (walk_) {
    StepOnce(tls::Hold{bytes}, ReplyOf(reply));
  } else if (!bytes.empty()) {
    if (journal_) tls::Append(journal_->input, bytes);
    Drive(tls::FromPeer{bytes}, reply);
  }
  Settle(std::move(reply));
}

void Handshake::FromPeer(tls::ByteView bytes) {
  std::lock_guard lock(mutex_);
  if (!connection_) return;
  Reply reply;
  if (journal_) tls::Append(journal_->input, bytes);
  if (!bytes.empty()) Drive(tls::FromPeer{bytes}, reply);
  Deliver(std::move(reply));
}

void Handshake::PeerClosed() {
  std::lock_guard lock(mutex_);
  if (!connection_) return;
  Reply reply;
  Drive(tls::PeerClosed{}, reply);
  Deliver(std::move(reply));
}

void Handshake::GiveUp(tls::Reason reason) {
  std::lock_guard lock(mutex_);
  if (!connection_) return;
  Reply reply;
  StepOnce(tls::GiveUp{reason}, ReplyOf(reply));
  Settle(std::move(reply));
}

bool Handshake::Stop(absl::Status status) {
  std::lock_guard lock(mutex_);
  if (!connection_) return false;
  Reply reply;
  if (journal_ && !absl::IsAborted(status)) {
    Leave(std::move(status), reply);
    Tell(std::move(reply));
    return true;
  }
  detail_ = static_cast<std::string>(status.message());
  StepOnce(tls::GiveUp{tls::Reason::kHandshakeAborted}, ReplyOf(reply));
  // By steps it is a failure like any other: a status could not bring the alert.
  if (!walk_) reply.outcome = Stopped{std::move(status)};
  Settle(std::move(reply));
  return true;
}

void Handshake::Abandon() {
  std::lock_guard lock(mutex_);
  start_.listener.reset();
  if (!connection_) return;
  Reply reply;
  if (journal_) return Leave(absl::CancelledError(), reply);
  detail_ = "the caller's stream ended";
  StepOnce(tls::GiveUp{tls::Reason::kHandshakeAborted}, ReplyOf(reply));
  if (walk_) {
    walk_->Refuse(access::WithReason(absl::UnavailableError("the service is shutting down"),
                                     "SHUTTING_DOWN"));
  }
}

std::optional<Status> Handshake::Describe() {
  std::lock_guard lock(mutex_);
  if (!connection_) return std::nullopt;
  const auto remaining =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - services_.clock.Now());
  return Status{.state = connection_->state_name(),
                .profile = start_.profile->tls.name,
                .remaining = std::max(remaining, std::chrono::milliseconds(0)),
                .consumed = connection_->consumed(),
                .step = walk_ ? walk_->number() : 0,
                .next = walk_ ? walk_->Next(*connection_) : std::vector<NextStep>()};
}

void Handshake::Drive(const tls::Input& input, Reply& reply) {
  std::optional<tls::Question> question = StepOnce(input, reply);
  while (question) {
    std::optional<tls::Answer> answer = AnswerNow(*question, reply);
    if (!answer) return;
    question = StepOnce(*std::move(answer), reply);
  }
}

std::optional<tls::Question> Handshake::StepOnce(const tls::Input& input, Reply& reply) {
  tls::Stepped stepped = tls::Step(*std::move(connection_), input, Context());
  connection_ = std::move(stepped.connection);
  tls::Output& output = stepped.output;
  KeepClientHello(output.messages);
  if (walk_) {
    walk_->Collect(output);
    if (output.failure) walk_->HandOutAll();
  } else {
    Merge(reply.to_peer, std::move(output.to_peer));
    if (start_.trace) std::ranges::move(output.messages, std::back_inserter(reply.messages));
  }
  reply.consumed = connection_->consumed();
  if (output.established && walk_) {
    walk_->established = output.established;
  } else if (output.established) {
    Establish(output.established, reply);
  } else if (output.failure) {
    reply.outcome = Failed{.failure = *output.failure, .detail = detail_};
    connection_.reset();
    Finish(nullptr, &*output.failure);
  }
  return std::move(output.question);
}

void Handshake::OnSigned(tls::PrivateKeyUsed answer) {
  std::lock_guard lock(mutex_);
  if (connection_) GoOn(std::move(answer));
}

void Handshake::GoOn(tls::Answer answer) {
  waiting_ = false;
  Reply reply;
  Drive(std::move(answer), ReplyOf(reply));
  if (walk_) return ContinueStep();
  Deliver(std::move(reply));
}

void Handshake::Establish(const std::shared_ptr<const tls::Established>& established,
                          Reply& reply) {
  tls::Connection value = *std::exchange(connection_, std::nullopt);
  if (walk_) walk_->SetUnconsumed(tls::TakeHeldBytes(value));
  TakeLeftSession(value);
  EstablishedConnection connection{
      .handle = handle_,
      .owner = owner_,
      .established = established,
      .verified_by = established->peer_chain.empty() ? "" : trust_bundle(),
      .established_at = services_.clock.Now(),
      .keep_session = KeeperOfSessions(),
      .kept = std::nullopt,
      .durable = start_.profile->durable,
      .may_release = start_.profile->release_keys};
  Done done{
      .established = established, .verified_by = connection.verified_by, .keys = std::nullopt};
  if (start_.explain) {
    done.explanations = tls::Explain(start_.profile->tls, start_.alpn, client_hello_, *established);
  }
  if (start_.release_keys) {
    // Only here: the suite depends on the peer, and a profile may list AES-CBC beside others, whose
    // keys can be released.
    tls::Result<tls::ReleasedKeys> keys = tls::ReleaseKeys(std::move(value));
    if (!keys.ok()) {
      left_session_.reset();
      const tls::HandshakeFailure failure{
          .reason = keys.reason(), .origin = tls::Origin::kLocal, .alert = std::nullopt};
      reply.outcome = Failed{.failure = failure, .detail = "the keys could not be released"};
      return Finish(nullptr, &failure);
    }
    done.keys = *std::move(keys);
  } else {
    connection.kept = std::move(value);
  }
  reply.outcome = std::move(done);
  if (journal_) {
    journal_->connection = std::move(connection);
    journal_->established = established;
    return;
  }
  services_.connections.Add(std::move(connection));
  if (!start_.profile->durable) KeepSession();
  Finish(established.get(), nullptr);
}

void Handshake::Finish(const tls::Established* established, const tls::HandshakeFailure* failure) {
  admitted_ = access::Admitted();
  table_.OnEnd({.role = start_.role == Role::kClient ? "client" : "server",
                .owner = *owner_,
                .handle = handle_,
                .profile = start_.profile->tls.name,
                .peer_address = start_.peer_address,
                .detail = detail_,
                .duration_s = Seconds(services_.clock.Now() - started_),
                .established = established,
                .failure = failure,
                .keys_released = established != nullptr && start_.release_keys,
                .durable = start_.profile->durable},
               walk_ ? std::optional(walk_->KeptBytes()) : std::nullopt);
}

void Handshake::KeepClientHello(const std::vector<tls::TracedMessage>& messages) {
  if (!start_.explain) return;
  for (const tls::TracedMessage& message : messages) {
    if (message.from_peer && message.content_type == tls::ContentType::kHandshake &&
        message.bytes[0] == static_cast<uint8_t>(tls::HandshakeType::kClientHello)) {
      client_hello_ = message.bytes;
    }
  }
}

// One message a flight: what comes before the signature waits for it.
void Handshake::Hold(Reply reply) {
  held_ = held_ ? Join(*std::move(held_), std::move(reply)) : std::move(reply);
}

void Handshake::Settle(Reply reply) {
  if (!walk_) return Deliver(std::move(reply));
  if (!connection_) walk_->Finish(nullptr);
}

void Handshake::Deliver(Reply reply) {
  if (!start_.listener) return;
  const bool ended = reply.ended();
  if (waiting_ && !ended) return Hold(std::move(reply));
  if (held_) reply = Join(*std::exchange(held_, std::nullopt), std::move(reply));
  const bool says_something = ended || !reply.to_peer.empty() || !reply.messages.empty();
  if (!says_something && announced_) return;
  if (journal_) Checkpoint(reply);
  Tell(std::move(reply));
}

void Handshake::Tell(Reply reply) {
  if (!start_.listener) return;
  announced_ = true;
  const bool ended = reply.ended();
  start_.listener->OnReply(start_.tag, std::move(reply));
  if (ended) start_.listener.reset();
}

}  // namespace handfast::handshakes
