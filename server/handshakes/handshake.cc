#include "server/handshakes/handshake.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/handshakes/finished.h"

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

double Seconds(MonotonicTime::duration duration) {
  return std::chrono::duration<double>(duration).count();
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
      admitted_(std::move(admitted)),
      connection_(NewConnection()) {}

tls::Connection Handshake::NewConnection() const {
  tls::ConnectionOptions options{.alpn = start_.alpn,
                                 .server_name = start_.server_name,
                                 .trace = start_.trace || start_.explain};
  return start_.role == Role::kClient ? tls::Connection::Client(std::move(options))
                                      : tls::Connection::Server(std::move(options));
}

void Handshake::Begin(tls::ByteView bytes) {
  std::lock_guard lock(mutex_);
  if (!connection_) return;
  Reply reply;
  if (start_.role == Role::kClient) {
    Drive(tls::Begin{}, reply);
  } else if (!bytes.empty()) {
    Drive(tls::FromPeer{bytes}, reply);
  }
  Deliver(std::move(reply));
}

void Handshake::FromPeer(tls::ByteView bytes) {
  std::lock_guard lock(mutex_);
  if (!connection_) return;
  Reply reply;
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
  StepOnce(tls::GiveUp{reason}, reply);
  Deliver(std::move(reply));
}

bool Handshake::Stop(absl::Status status) {
  std::lock_guard lock(mutex_);
  if (!connection_) return false;
  Reply reply;
  detail_ = static_cast<std::string>(status.message());
  StepOnce(tls::GiveUp{tls::Reason::kHandshakeAborted}, reply);
  reply.outcome = Stopped{std::move(status)};
  Deliver(std::move(reply));
  return true;
}

void Handshake::Abandon() {
  std::lock_guard lock(mutex_);
  start_.listener.reset();
  if (!connection_) return;
  Reply reply;
  detail_ = "the caller's stream ended";
  StepOnce(tls::GiveUp{tls::Reason::kHandshakeAborted}, reply);
}

std::optional<Status> Handshake::Describe() {
  std::lock_guard lock(mutex_);
  if (!connection_) return std::nullopt;
  const auto remaining =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - services_.clock.Now());
  return Status{.state = connection_->state_name(),
                .profile = start_.profile->tls.name,
                .remaining = std::max(remaining, std::chrono::milliseconds(0)),
                .consumed = connection_->consumed()};
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
  tls::Stepped stepped =
      tls::Step(*std::move(connection_), input, {start_.profile->tls, services_.randomness});
  connection_ = std::move(stepped.connection);
  tls::Output& output = stepped.output;
  Merge(reply.to_peer, std::move(output.to_peer));
  KeepMessages(std::move(output.messages), reply);
  reply.consumed = connection_->consumed();
  if (output.established) {
    Establish(output.established, reply);
  } else if (output.failure) {
    reply.outcome = Failed{.failure = *output.failure, .detail = detail_};
    connection_.reset();
    Finish(nullptr, &*output.failure);
  }
  return std::move(output.question);
}

std::optional<tls::Answer> Handshake::AnswerNow(tls::Question& question, Reply& reply) {
  if (const auto* choose = std::get_if<tls::Choose>(&question)) return Choose(*choose);
  if (const auto* verify = std::get_if<tls::VerifyPeer>(&question)) return Verify(*verify);
  return Sign(std::move(std::get<tls::UsePrivateKey>(question)), reply);
}

tls::Chosen Handshake::Choose(const tls::Choose& question) {
  tls::Chosen chosen = services_.credentials.Choose(owner_->tenant, question, start_.credential,
                                                    start_.profile->tls.refuse_unknown_names);
  chosen.question = question.id;
  if (question.as_client && chosen.credential == nullptr) {
    // The handshake goes on without; should the server mind, its alert alone would not say why.
    detail_ = "no certificate was shown to the server: ";
    detail_ += tls::Describe(chosen.refusal).label;
  }
  return chosen;
}

std::optional<tls::Answer> Handshake::Sign(tls::UsePrivateKey question, Reply& reply) {
  const access::Lane lane = access::LaneFor(question.scheme);
  // What is quick is done where the step runs: a hop between threads costs as much.
  if (lane == access::Lane::kGeneral) return UseKey(question);
  waiting_ = true;
  absl::Status queued = services_.work.Submit(
      owner_->tenant, lane, [self = shared_from_this(), question = std::move(question)] {
        self->OnSigned(self->UseKey(question));
      });
  if (queued.ok()) return std::nullopt;
  waiting_ = false;
  detail_ = static_cast<std::string>(queued.message());
  StepOnce(tls::GiveUp{tls::Reason::kHandshakeAborted}, reply);
  reply.outcome = Stopped{std::move(queued)};
  return std::nullopt;
}

tls::PrivateKeyUsed Handshake::UseKey(const tls::UsePrivateKey& question) {
  const MonotonicTime began = services_.clock.Now();
  tls::PrivateKeyUsed used = services_.credentials.Use(owner_->tenant, question);
  used.question = question.id;
  services_.metrics.PrivateKeyUsed({.operation = observe::Operation::kSign,
                                    .scheme = question.scheme,
                                    .ok = used.ok(),
                                    .duration_s = Seconds(services_.clock.Now() - began)});
  return used;
}

void Handshake::OnSigned(tls::PrivateKeyUsed answer) {
  std::lock_guard lock(mutex_);
  if (!connection_) return;
  waiting_ = false;
  Reply reply;
  Drive(tls::Answer(std::move(answer)), reply);
  Deliver(std::move(reply));
}

const std::string& Handshake::trust_bundle() const {
  return start_.role == Role::kClient ? start_.profile->server_trust_bundle
                                      : start_.profile->trust_bundle;
}

tls::PeerVerdict Handshake::Verify(const tls::VerifyPeer& question) {
  const int64_t now = services_.clock.UnixSeconds();
  trust::Verification verification =
      start_.role == Role::kClient
          ? services_.trust.VerifyServer(
                trust_bundle(),
                {.chain = question.chain,
                 .server_name = start_.server_name,
                 .ocsp_response = question.ocsp_response,
                 .require_ocsp_response = start_.profile->require_ocsp_staple},
                now)
          : services_.trust.VerifyClient(trust_bundle(), question.chain, now);
  if (verification.refusal) detail_ = std::move(verification.detail);
  return {.question = question.id, .refusal = verification.refusal};
}

void Handshake::Establish(const std::shared_ptr<const tls::Established>& established,
                          Reply& reply) {
  tls::Connection value = *std::exchange(connection_, std::nullopt);
  EstablishedConnection connection{
      .handle = handle_,
      .owner = owner_,
      .established = established,
      .verified_by = established->peer_chain.empty() ? "" : trust_bundle(),
      .established_at = services_.clock.Now(),
      .kept = std::nullopt};
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
      const tls::HandshakeFailure failure{
          .reason = keys.reason(), .origin = tls::Origin::kLocal, .alert = std::nullopt};
      reply.outcome = Failed{.failure = failure, .detail = "the keys could not be released"};
      return Finish(nullptr, &failure);
    }
    done.keys = *std::move(keys);
  } else {
    connection.kept = std::move(value);
  }
  services_.connections.Add(std::move(connection));
  reply.outcome = std::move(done);
  Finish(established.get(), nullptr);
}

void Handshake::Finish(const tls::Established* established, const tls::HandshakeFailure* failure) {
  Report({.role = start_.role == Role::kClient ? "client" : "server",
          .owner = *owner_,
          .handle = handle_,
          .profile = start_.profile->tls.name,
          .peer_address = start_.peer_address,
          .detail = detail_,
          .duration_s = Seconds(services_.clock.Now() - started_),
          .established = established,
          .failure = failure,
          .keys_released = established != nullptr && start_.release_keys},
         services_.metrics);
  admitted_ = access::Admitted();
  table_.OnEnd(handle_);
}

// What was asked for: to be shown, or to be explained.
void Handshake::KeepMessages(std::vector<tls::TracedMessage> messages, Reply& reply) {
  for (tls::TracedMessage& message : messages) {
    if (start_.explain && message.from_peer &&
        message.content_type == tls::ContentType::kHandshake &&
        message.bytes[0] == static_cast<uint8_t>(tls::HandshakeType::kClientHello)) {
      client_hello_ = message.bytes;
    }
    if (start_.trace) reply.messages.push_back(std::move(message));
  }
}

// One message a flight: what comes before the signature waits for it.
void Handshake::Hold(Reply reply) {
  held_ = held_ ? Join(*std::move(held_), std::move(reply)) : std::move(reply);
}

void Handshake::Deliver(Reply reply) {
  if (!start_.listener) return;
  const bool ended = reply.ended();
  if (waiting_ && !ended) return Hold(std::move(reply));
  if (held_) reply = Join(*std::exchange(held_, std::nullopt), std::move(reply));
  const bool says_something = ended || !reply.to_peer.empty() || !reply.messages.empty();
  if (!says_something && announced_) return;
  announced_ = true;
  start_.listener->OnReply(start_.tag, std::move(reply));
  if (ended) start_.listener.reset();
}

}  // namespace handfast::handshakes
