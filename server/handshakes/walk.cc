#include "server/handshakes/walk.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "server/access/error_details_interface.h"

namespace handfast::handshakes {
namespace {

// What makes two calls the same, besides their number.
tls::Digest DigestOf(const StepCall& call) {
  tls::RunningHash hash(tls::HashAlgorithm::kSha256);
  const std::array<uint8_t, 4> head{
      call.message.has_value(),
      call.message ? static_cast<uint8_t>(call.message->content_type) : uint8_t{0},
      call.message ? static_cast<uint8_t>(call.message->type) : uint8_t{0}, call.peer_closed};
  hash.Update(head);
  hash.Update(call.from_peer);
  return hash.Current();
}

std::string Text(const tls::MessageName& name) {
  return name == tls::kChangeCipherSpecName ? "change_cipher_spec" : tls::Name(name.type);
}

bool Contains(const std::vector<tls::MessageName>& names, const tls::MessageName& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status OutOfOrder(const std::string& due) {
  return access::WithReason(absl::FailedPreconditionError(absl::StrCat("what is due is ", due)),
                            "STEP_OUT_OF_ORDER");
}

size_t SizeOf(const StepReply& reply) {
  size_t size = sizeof(reply) + reply.reply.to_peer.size() + reply.unconsumed.size();
  for (const tls::TracedMessage& message : reply.reply.messages) {
    size += sizeof(message) + message.bytes.size();
  }
  return size;
}

}  // namespace

// ---- Numbers and repeats

bool Walk::IsLast(const StepCall& call) const {
  return number_ > 0 && call.number == number_ && tls::Equal(call_.view(), DigestOf(call).view());
}

bool Walk::Repeats(const StepCall& call, StepDone& done) {
  if (!IsLast(call)) return false;
  if (last_) {
    done(last_);
  } else {
    waiting_.push_back(std::move(done));
  }
  return true;
}

absl::Status Walk::CheckNumber(const StepCall& call) const {
  if (call.number == number_ + 1 && !under_way()) return absl::OkStatus();
  return access::WithReason(
      absl::AbortedError(absl::StrCat("the last step was number ", number_,
                                      under_way() ? ", and is still being made" : "",
                                      call.number == number_ ? ", with another input" : "")),
      "STEP_CONFLICT");
}

absl::Status Walk::Check(const StepCall& call, tls::Connection& connection) const {
  if (absl::Status checked = CheckNumber(call); !checked.ok()) return checked;
  if (tls::HeldBytes(connection) + call.from_peer.size() > kMaxHeldForSteps) {
    return access::WithReason(
        absl::ResourceExhaustedError("too many of the peer's bytes wait for their steps"),
        "HELD_BYTES_LIMIT");
  }
  if (!call.message) return absl::OkStatus();
  if (!pieces_.empty()) {
    if (pieces_.front().name == *call.message) return absl::OkStatus();
    return OutOfOrder(absl::StrCat(Text(pieces_.front().name), ", which is ours to send"));
  }
  const std::vector<tls::MessageName> expected = tls::Expected(connection);
  if (!Contains(expected, *call.message)) {
    return OutOfOrder(absl::StrCat(
        "the peer's ", absl::StrJoin(expected, " or ", [](std::string* out, const auto& name) {
          out->append(Text(name));
        })));
  }
  const std::optional<tls::MessageName> held = tls::PeekMessage(connection, call.from_peer);
  // What is not legal here is for the step to refuse, with an alert.
  if (held && *held != *call.message && Contains(expected, *held)) {
    return OutOfOrder(absl::StrCat("the peer's ", Text(*held), ", which came"));
  }
  return absl::OkStatus();
}

void Walk::Accept(const StepCall& call, StepDone done) {
  ++number_;
  call_ = DigestOf(call);
  last_.reset();
  waiting_.push_back(std::move(done));
  pending_.number = number_;
  advances_ = !call.message;
  took_message_ = false;
  peer_closed_ = peer_closed_ || call.peer_closed;
}

void Walk::Finish(tls::Connection* connection) {
  if (!under_way()) return;
  if (connection != nullptr) pending_.next = Next(*connection);
  last_ = std::make_shared<const StepReply>(std::exchange(pending_, {}));
  for (const StepDone& done : std::exchange(waiting_, {})) done(last_);
}

size_t Walk::KeptBytes() const { return SizeOf(pending_) + (last_ ? SizeOf(*last_) : 0); }

void Walk::Refuse(const absl::Status& status) {
  for (const StepDone& done : std::exchange(waiting_, {})) done(status);
}

// ---- The step

void Walk::Collect(tls::Output& output) {
  size_t from = 0;
  for (tls::TracedMessage& message : output.messages) {
    const std::optional<tls::MessageName> name = tls::NameOf(message);
    if (message.from_peer) {
      took_message_ = took_message_ || name.has_value();
      reply().messages.push_back(std::move(message));
      continue;
    }
    const tls::ByteView records =
        tls::ByteView(output.to_peer).subspan(from, message.sent_up_to - from);
    from = message.sent_up_to;
    if (name) {
      Piece piece{.name = *name, .messages = {}, .records = tls::Copy(records)};
      piece.messages.push_back(std::move(message));
      pieces_.push_back(std::move(piece));
    } else {
      tls::Append(pieces_.empty() ? reply().to_peer : pieces_.back().records, records);
      auto& beside = pieces_.empty() ? reply().messages : pieces_.back().messages;
      beside.push_back(std::move(message));
    }
  }
  // The alert of a connection whose handshake was done, and not said to be, is in no message.
  tls::Append(pieces_.empty() ? reply().to_peer : pieces_.back().records,
              tls::ByteView(output.to_peer).subspan(from));
}

bool Walk::HandOut() {
  if (pieces_.empty()) return false;
  Piece piece = std::move(pieces_.front());
  pieces_.erase(pieces_.begin());
  tls::Append(reply().to_peer, piece.records);
  std::move(piece.messages.begin(), piece.messages.end(), std::back_inserter(reply().messages));
  took_message_ = true;
  return true;
}

void Walk::HandOutAll() {
  while (HandOut()) {
  }
}

std::vector<NextStep> Walk::Next(tls::Connection& connection) const {
  if (!pieces_.empty()) return {{.message = pieces_.front().name, .ours = true, .held = true}};
  const std::vector<tls::MessageName> expected = tls::Expected(connection);
  const tls::Ahead ahead = tls::LookAhead(connection, {});
  // No byte more is needed to learn of the end either.
  const bool ends = ahead.ends || (ahead.message && !Contains(expected, *ahead.message));
  std::vector<NextStep> next;
  next.reserve(expected.size());
  for (const tls::MessageName& name : expected) {
    next.push_back({.message = name, .ours = false, .held = ends || ahead.message == name});
  }
  return next;
}

}  // namespace handfast::handshakes
