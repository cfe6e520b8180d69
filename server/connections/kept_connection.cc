#include "server/connections/kept_connection.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/access/error_details_interface.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/random.h"
#include "tls/record/deframer.h"

namespace handfast::connections {
namespace {

// By then replies that are kept now are forgotten, or their callers have gone on.
constexpr int64_t kKeptRepliesRetryDelayMs = 1000;

absl::Status Ended() { return access::NotFound("connection"); }

absl::Status Released() {
  return access::WithReason(absl::FailedPreconditionError("the keys were released"),
                            "KEYS_RELEASED");
}

absl::Status Mismatch(uint64_t expected) {
  absl::Status status = access::WithReason(
      absl::FailedPreconditionError(absl::StrCat("the next record is number ", expected)),
      "SEQUENCE_MISMATCH");
  return access::WithMetadata(std::move(status), "expected_seq", absl::StrCat(expected));
}

// What makes two calls of one direction the same.
tls::Digest DigestOf(const SealCall& call) {
  if (!call.first_seq) return {};
  return tls::Hash(tls::HashAlgorithm::kSha256, call.plaintext);
}

tls::Digest DigestOf(const OpenCall& call) {
  if (!call.first_seq) return {};
  tls::RunningHash hash(tls::HashAlgorithm::kSha256);
  const uint8_t closed = call.peer_closed ? 1 : 0;
  hash.Update({&closed, 1});
  hash.Update(call.from_peer);
  return hash.Current();
}

struct Whole {
  size_t bytes = 0;
  uint64_t records = 0;
};

// The whole records at the front of `stream`. What cannot become one belongs to them: the engine
// says what is wrong with it.
Whole WholeRecords(tls::ByteView stream, size_t max_ciphertext) {
  Whole whole;
  for (;;) {
    const tls::ByteView rest = stream.subspan(whole.bytes);
    const auto header = tls::PeekRecord(rest, /*first_record=*/false, max_ciphertext);
    if (!header.ok()) return {stream.size(), whole.records + 1};
    if (!header->has_value()) return whole;
    const size_t size = tls::kRecordHeaderSize + (*header)->length;
    if (rest.size() < size) return whole;
    whole.bytes += size;
    ++whole.records;
  }
}

size_t MaxCiphertext(const tls::Established& established) {
  const tls::SuiteInfo* suite = tls::FindSuite(established.cipher_suite);
  return suite != nullptr && suite->cbc ? tls::kMaxCbcCiphertext : tls::kMaxCiphertext;
}

}  // namespace

KeptConnection::Kept::Kept(uint64_t first_seq, tls::Digest input,
                           std::shared_ptr<const RecordReply> reply, handshakes::MonotonicTime at,
                           KeptReplyBytes& counted)
    : first_seq(first_seq), input(input), reply(std::move(reply)), at(at), counted(counted) {
  counted += this->reply->to_peer.size() + this->reply->plaintext.size();
}

KeptConnection::Kept::~Kept() { counted -= reply->to_peer.size() + reply->plaintext.size(); }

KeptConnection::KeptConnection(tls::Connection connection, const handshakes::Clock& clock,
                               std::shared_ptr<KeptReplyBytes> kept, KeepSession keep_session)
    : clock_(clock),
      kept_bytes_(std::move(kept)),
      keep_session_(std::move(keep_session)),
      max_fragment_(connection.agreed()->max_fragment),
      max_ciphertext_(MaxCiphertext(*connection.agreed())),
      connection_(std::move(connection)) {}

KeptConnection::~KeptConnection() = default;

absl::StatusOr<RecordAnswer> KeptConnection::Seal(const SealCall& call) {
  const tls::Digest input = DigestOf(call);
  std::lock_guard lock(mutex_);
  const auto last = Check(seal_, call.first_seq, input);
  if (!last.ok()) return last.status();
  if (*last) return RecordAnswer{*last, /*repeated=*/true};
  if (close_) {
    return access::WithReason(absl::FailedPreconditionError("close_notify was sent"),
                              "WRITE_CLOSED");
  }
  auto reply = std::make_shared<RecordReply>();
  Take(Step(tls::PlaintextToSend{call.plaintext}), *reply);
  if (!reply->failure) {
    reply->records = (call.plaintext.size() + max_fragment_ - 1) / max_fragment_;
    seal_.next_seq += reply->records;
  }
  return Finish(std::move(reply), seal_, call.first_seq, input);
}

absl::StatusOr<RecordAnswer> KeptConnection::Open(const OpenCall& call) {
  const tls::Digest input = DigestOf(call);
  std::lock_guard lock(mutex_);
  const auto last = Check(open_, call.first_seq, input);
  if (!last.ok()) return last.status();
  if (*last) return RecordAnswer{*last, /*repeated=*/true};
  const Whole whole = WholeRecords(call.from_peer, max_ciphertext_);
  auto reply = std::make_shared<RecordReply>();
  reply->consumed = whole.bytes;
  reply->records = whole.records;
  Take(Step(tls::FromPeer{call.from_peer.first(whole.bytes)}), *reply);
  // The end comes behind what is cut off: half a record is no clean end.
  if (call.peer_closed && !reply->failure) Take(Step(tls::PeerClosed{}), *reply);
  if (reply->failure || reply->peer_closed) reply->consumed = call.from_peer.size();
  open_.next_seq += whole.records;
  // Nothing was used, so nothing has happened: the next call begins here again, with more.
  const bool nothing = whole.bytes == 0 && !reply->failure && !call.peer_closed;
  if (!nothing) return Finish(std::move(reply), open_, call.first_seq, input);
  reply->next_open_seq = open_.next_seq;
  reply->to_peer_offset = to_peer_;
  return RecordAnswer{std::move(reply)};
}

absl::StatusOr<RecordAnswer> KeptConnection::Close() {
  std::lock_guard lock(mutex_);
  if (!connection_) return Ended();
  if (released_) return Released();
  if (close_) return RecordAnswer{close_, /*repeated=*/true};
  auto reply = std::make_shared<RecordReply>();
  Take(Step(tls::CloseWrite{}), *reply);
  Direction unkept;
  close_ = Finish(std::move(reply), unkept, std::nullopt, {}).reply;
  return RecordAnswer{close_};
}

void KeptConnection::End() {
  std::lock_guard lock(mutex_);
  connection_.reset();
  ended_ = true;
  ended_at_ = clock_.Now();
  seal_.last.reset();
  open_.last.reset();
  close_.reset();
  release_ = {};
  write_update_ = {};
  read_update_ = {};
}

bool KeptConnection::ForgetOld() {
  const handshakes::MonotonicTime now = clock_.Now();
  std::lock_guard lock(mutex_);
  for (Direction* direction : {&seal_, &open_}) {
    if (direction->last && now - direction->last->at > kReplyKept) direction->last.reset();
  }
  ForgetReleases(now);
  return !connection_ && now - ended_at_ > kReplyKept;
}

absl::StatusOr<std::shared_ptr<const RecordReply>> KeptConnection::Check(
    const Direction& direction, std::optional<uint64_t> first_seq, const tls::Digest& input) const {
  if (first_seq && direction.last && direction.last->first_seq == *first_seq) {
    if (tls::Equal(direction.last->input.view(), input.view())) return direction.last->reply;
    // Where the last call used no record, another input is the next call.
    if (connection_ && *first_seq != direction.next_seq) {
      return access::WithReason(
          absl::AbortedError("the last call had the same first_seq and another input"),
          "SEQUENCE_CONFLICT");
    }
  }
  if (!connection_) return Ended();
  if (released_) return Released();
  if (first_seq && *first_seq != direction.next_seq) return Mismatch(direction.next_seq);
  if (first_seq && *kept_bytes_ >= kMaxKeptReplyBytes) {
    return access::WithRetryDelayMs(
        access::WithReason(absl::ResourceExhaustedError("too many replies are kept"),
                           "KEPT_REPLIES_LIMIT"),
        kKeptRepliesRetryDelayMs);
  }
  return nullptr;
}

tls::Output KeptConnection::Step(const tls::Input& input) {
  // Behind the handshake nothing of it is asked for.
  static const tls::Profile* const profile = new tls::Profile;
  const tls::Context context{.profile = *profile, .randomness = tls::SystemRandomness()};
  tls::Stepped stepped = tls::Step(*std::exchange(connection_, std::nullopt), input, context);
  connection_ = std::move(stepped.connection);
  return std::move(stepped.output);
}

void KeptConnection::Take(tls::Output output, RecordReply& reply) {
  tls::Append(reply.to_peer, std::exchange(undelivered_, {}));
  tls::Append(reply.to_peer, output.to_peer);
  if (!output.application_data.empty()) reply.plaintext = std::move(output.application_data);
  reply.peer_closed = reply.peer_closed || output.peer_closed;
  reply.new_session_tickets += output.new_session_tickets.size();
  reply.failure = output.failure;
  if (keep_session_ && !reply.failure) KeepSessions(output.new_session_tickets);
}

void KeptConnection::KeepSessions(const std::vector<tls::Bytes>& new_session_tickets) {
  for (const tls::Bytes& message : new_session_tickets) {
    tls::Result<tls::Session> session =
        tls::ReadNewSessionTicket(*connection_, message, clock_.UnixSeconds());
    // One that is too long to be offered is no fault of the connection's.
    if (session.ok()) keep_session_(*std::move(session));
  }
}

RecordAnswer KeptConnection::Finish(std::shared_ptr<RecordReply> reply, Direction& direction,
                                    std::optional<uint64_t> first_seq, const tls::Digest& input) {
  reply->to_peer_offset = to_peer_;
  to_peer_ += reply->to_peer.size();
  reply->next_seal_seq = seal_.next_seq;
  reply->next_open_seq = open_.next_seq;
  if (reply->failure) {
    connection_.reset();
    ended_ = true;
    ended_at_ = clock_.Now();
  }
  direction.last.reset();
  if (first_seq) {
    direction.last = std::make_unique<Kept>(*first_seq, input, reply, clock_.Now(), *kept_bytes_);
  }
  return RecordAnswer{std::move(reply)};
}

}  // namespace handfast::connections
