// A durable handshake in a Relay stream: it lives here, and each flight of ours is in the store
// before it is told. Whoever resumes it, here or elsewhere, has it from then on; this one loses the
// next swap.
#include <algorithm>
#include <optional>
#include <utility>

#include "server/access/error_details_interface.h"
#include "server/handshakes/handshake.h"
#include "tls/connection/stepwise.h"
#include "tls/crypto/hash.h"

namespace handfast::handshakes {
namespace {

absl::Status TakenOver() {
  return access::WithReason(absl::AbortedError("the handshake goes on in another stream"),
                            "HANDSHAKE_TAKEN_OVER");
}

}  // namespace

void Handshake::Checkpoint(Reply& reply) {
  // Its time ends in the store as well. Whoever has resumed it may have said something else to the
  // peer by now, under the same key and nonce: what is not saved is not said, the alert neither.
  auto* failed = std::get_if<Failed>(&reply.outcome);
  if (failed != nullptr && failed->failure.reason == tls::Reason::kDeadlineExceeded) {
    if (journal_->generation == 0) return;
    reply.to_peer.clear();
    std::erase_if(reply.messages, [](const auto& message) { return !message.from_peer; });
    failed->failure.alert.reset();
    return;
  }
  if (reply.to_peer.empty() && !reply.ended()) {
    // What led to no word to the peer is done again by who resumes: the owner keeps those bytes.
    reply.consumed = journal_->input_from;
    return;
  }
  const size_t used = reply.consumed - journal_->input_from;
  const tls::Digest input =
      tls::Hash(tls::HashAlgorithm::kSha256, tls::ByteView(journal_->input).first(used));
  tls::Bytes sent = tls::Copy(journal_->sent);
  tls::Append(sent, reply.to_peer);
  SavedHandshake next{.start = start_,
                      .age = services_.clock.Now() - started_,
                      .left = deadline_ - services_.clock.Now(),
                      .detail = detail_,
                      .client_hello = client_hello_,
                      .session_binding = session_binding_,
                      .aborted = false,
                      .connection = std::exchange(connection_, std::nullopt),
                      .walk = std::nullopt,
                      .last_reply = EncodeWithoutBytes(reply),
                      .input_digest = tls::Copy(input.view()),
                      .consumed = reply.consumed,
                      .to_peer = sent};
  const auto prepared = services_.saved.Prepare(std::move(next));
  if (!prepared.ok()) return Leave(prepared.status(), reply);
  const absl::StatusOr<uint64_t> written = Write(**prepared);
  if (absl::IsAborted(written.status())) return OnLost(input.view(), reply);
  if (!written.ok()) return Leave(written.status(), reply);
  journal_->generation = *written;
  journal_->sent = std::move(sent);
  journal_->input.erase(journal_->input.begin(),
                        journal_->input.begin() + static_cast<std::ptrdiff_t>(used));
  journal_->input_from = reply.consumed;
  Publish();
  if (reply.ended()) return;
  // Saving spends the value: it goes on as whoever resumes it would.
  tls::Result<SavedHandshake> again = Load((*prepared)->bytes, services_.clock.UnixMilliseconds());
  if (!again.ok()) return Leave(absl::InternalError("the handshake cannot be loaded"), reply);
  connection_ = std::move(again->connection);
}

// The bytes for the peer are kept apart: who resumes may lack more than the last reply's.
tls::Bytes Handshake::EncodeWithoutBytes(Reply& reply) {
  tls::Bytes to_peer = std::exchange(reply.to_peer, {});
  tls::Bytes encoded = start_.encode(handle_, reply);
  reply.to_peer = std::move(to_peer);
  return encoded;
}

absl::StatusOr<uint64_t> Handshake::Write(const SavedHandshakes::Sealable& next) {
  if (journal_->generation == 0) return services_.saved.Put(*owner_, handle_, next);
  return services_.saved.Swap(*owner_, handle_, journal_->generation, next);
}

void Handshake::Publish() {
  if (journal_->connection) services_.connections.Add(*std::move(journal_->connection));
  journal_->connection.reset();
  if (!journal_->established) return;
  KeepSession();
  Finish(std::exchange(journal_->established, nullptr).get(), nullptr);
}

void Handshake::OnLost(tls::ByteView input_digest, Reply& reply) {
  absl::StatusOr<SavedHandshakes::Found> winner = services_.saved.Find(*owner_, handle_);
  if (!winner.ok()) return Leave(winner.status(), reply);
  if (!tls::Equal(winner->saved.input_digest, input_digest)) return Leave(TakenOver(), reply);
  journal_->generation = winner->generation;
  journal_->connection.reset();
  journal_->established.reset();
  left_session_.reset();
  const size_t used = winner->saved.consumed - journal_->input_from;
  if (winner->saved.connection) {
    // Its held bytes are what the other stream brought, cut elsewhere; whoever has more of them
    // here sends them again.
    tls::TakeHeldBytes(*winner->saved.connection);
    if (journal_->input.size() > used) return Leave(TakenOver(), reply);
  }
  journal_->input.erase(journal_->input.begin(),
                        journal_->input.begin() +
                            static_cast<std::ptrdiff_t>(std::min(used, journal_->input.size())));
  TellAgain(std::move(winner->saved), journal_->sent.size(), reply);
}

void Handshake::TellAgain(SavedHandshake saved, size_t seen, Reply& reply) {
  reply = Reply();
  reply.to_peer =
      tls::Copy(tls::ByteView(saved.to_peer).subspan(std::min(seen, saved.to_peer.size())));
  reply.encoded = std::move(saved.last_reply);
  reply.consumed = saved.consumed;
  journal_->sent = std::move(saved.to_peer);
  journal_->input_from = saved.consumed;
  connection_ = std::move(saved.connection);
  if (connection_) return;
  // Whoever won has reported it.
  reply.outcome = Told{};
  admitted_ = access::Admitted();
  table_.OnLeft(handle_);
}

void Handshake::Leave(absl::Status status, Reply& reply) {
  connection_.reset();
  journal_->connection.reset();
  journal_->established.reset();
  left_session_.reset();
  reply = Reply();
  reply.outcome = Stopped{std::move(status)};
  admitted_ = access::Admitted();
  table_.OnLeft(handle_);
}

void Handshake::Resume(uint64_t bytes_seen) {
  std::lock_guard lock(mutex_);
  const auto resumed = std::move(journal_->resumed);
  SavedHandshake& saved = *resumed;
  Reply reply;
  if (bytes_seen > saved.to_peer.size()) {
    Leave(access::WithReason(absl::OutOfRangeError("bytes_seen is more than were sent"),
                             "RESUME_GAP"),
          reply);
    return Tell(std::move(reply));
  }
  // The owner sends again what was not consumed.
  if (connection_) tls::TakeHeldBytes(*connection_);
  saved.connection = std::exchange(connection_, std::nullopt);
  TellAgain(std::move(saved), bytes_seen, reply);
  Tell(std::move(reply));
}

}  // namespace handfast::handshakes
