#include "tests/sim/conversation.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "server/access/error_details_interface.h"
#include "tests/sim/exchange.h"

namespace handfast::sim {

using connections::Connections;
using connections::RecordReply;
using tls::Bytes;
using tls::ByteView;

Conversation::Conversation(RecordsWorld& world, size_t number)
    : world_(world),
      dice_(world.dice()),
      name_("caller " + std::to_string(number)),
      owner_(std::make_shared<handshakes::Owner>(handshakes::Owner{"acme", name_})),
      handle_{.high = 7, .low = number},
      ours_kit_(ServerKitOf()),
      peer_kit_(ClientKitOf()),
      randomness_(world.dice().Next()),
      life_(world.lives()) {
  const bool tls12 = dice_.OneIn(3);
  ours_kit_.profile.client_auth = tls::ClientAuth::kNone;
  peer_kit_.profile.versions = {tls12 ? tls::ProtocolVersion::kTls12
                                      : tls::ProtocolVersion::kTls13};
  tls::test::ServerDriver ours(ours_kit_, {}, randomness_);
  peer_.emplace(peer_kit_, tls::ConnectionOptions{.server_name = "example.test"}, randomness_);
  for (Bytes to_ours = peer_->Begin(); !to_ours.empty();) {
    to_ours = peer_->Receive(ours.Receive(to_ours));
  }
  if (!ours.established() || !peer_->established()) std::abort();
  // Saving spends a value: each goes on as the one that is loaded.
  const auto again = [](tls::Connection connection, Bytes& saved) {
    auto bytes = tls::Save(std::move(connection));
    if (!bytes.ok()) std::abort();
    saved = *std::move(bytes);
    auto loaded = tls::Load(saved);
    if (!loaded.ok()) std::abort();
    return *std::move(loaded);
  };
  Bytes peer_saved;
  peer_->connection() = again(peer_->Take(), peer_saved);
  nonces_ = std::make_unique<NonceTable>(std::move(peer_saved));
  world.owner().Add({.handle = handle_,
                     .owner = owner_,
                     .established = ours.established(),
                     .verified_by = "",
                     .established_at = {},
                     .kept = again(ours.Take(), saved_)});
  world_.Say(name_ + (tls12 ? ": TLS 1.2" : ": TLS 1.3"));
}

Bytes Conversation::Text(size_t size) {
  Bytes text(size);
  (void)randomness_.Fill(text);
  return text;
}

void Conversation::End(const std::string& how) {
  world_.Say(name_ + " ends: " + how);
  how_ = how;
  world_.owner().Terminate(*owner_, handle_);
}

// ---- Calls.

Conversation::Answer Conversation::Ask(Connections& table, const Call& call) {
  std::optional<uint64_t> first_seq = call.first_seq;
  if (world_.bug() == RecordBug::kRetriesAnew && call.made) first_seq.reset();
  if (call.seal) {
    return table.Seal(*owner_, handle_, {.first_seq = first_seq, .plaintext = call.input});
  }
  return table.Open(
      *owner_, handle_,
      {.first_seq = first_seq, .from_peer = call.input, .peer_closed = call.peer_closed});
}

Conversation::Answer Conversation::Make(Call& call) {
  Answer answer = Ask(world_.owner(), call);
  if (world_.bug() == RecordBug::kForgetsTheInput && absl::IsAborted(answer.status())) {
    // The state before the call, and the call made on it.
    Connections rewound(handshakes::SystemClock(), {});
    auto loaded = tls::Load(saved_);
    if (!loaded.ok()) std::abort();
    rewound.Add({.handle = handle_,
                 .owner = owner_,
                 .established = loaded->agreed(),
                 .verified_by = "",
                 .established_at = {},
                 .kept = *std::move(loaded)});
    answer = rewound.Seal(*owner_, handle_, {.first_seq = std::nullopt, .plaintext = call.input});
  }
  if (!answer.ok()) return answer;
  if (!nonces_->Add(answer->reply->to_peer)) Violated("a nonce protects two records");
  if (call.made && !tls::Equal(call.to_peer, answer->reply->to_peer)) {
    Violated("a retry got other bytes");
  }
  if (!call.made) call.made_ns = world_.now().ns;
  call.made = true;
  call.to_peer = tls::Copy(answer->reply->to_peer);
  return answer;
}

void Conversation::Send(Call& call) {
  if (dice_.OneIn(world_.trouble())) return world_.Say(name_ + ": a request is lost");
  const Answer answer = Make(call);
  if (dice_.OneIn(world_.trouble())) return world_.Say(name_ + ": a reply is lost");
  const bool seal = call.seal;
  if (answer.ok()) {
    OnReply(call, *answer->reply);
  } else {
    OnError(call, answer.status());
  }
  if (ended()) return;
  (seal ? last_seal_ : last_open_) = std::move(call);
  (seal ? seal_ : open_).reset();
}

void Conversation::OnReply(Call& call, const RecordReply& reply) {
  if (reply.failure && !call.peer_closed) Violated("it failed, and the peer is sound");
  Hand(reply.to_peer_offset, reply.to_peer);
  if (call.seal) {
    seal_seq_ = reply.next_seal_seq;
    tls::Append(sent_, call.input);
    return;
  }
  open_seq_ = reply.next_open_seq;
  tls::Append(heard_, reply.plaintext);
  from_peer_.erase(from_peer_.begin(),
                   from_peer_.begin() + static_cast<std::ptrdiff_t>(reply.consumed));
  if (heard_.size() > said_.size() || !tls::Equal(heard_, ByteView(said_).first(heard_.size()))) {
    Violated("what came out is not what the peer said");
  }
}

void Conversation::OnError(const Call& call, const absl::Status& status) {
  const std::string reason = access::ReasonOf(status);
  if (reason == "NOT_FOUND" && life_ != world_.lives()) return End("lost with its owner");
  const int64_t age = world_.now().ns - call.made_ns;
  const bool forgotten =
      call.made && age > std::chrono::nanoseconds(connections::kReplyKept).count();
  if (reason == "SEQUENCE_MISMATCH" && forgotten) return End("lost a reply for too long");
  Violated("refused: " + reason);
}

// In the order of the offsets, whichever reply came first.
void Conversation::Hand(uint64_t offset, const Bytes& to_peer) {
  if (!to_peer.empty()) to_peer_[offset] = to_peer;
  for (auto next = to_peer_.find(handed_); next != to_peer_.end(); next = to_peer_.find(handed_)) {
    tls::Append(from_peer_, peer_->Receive(next->second));
    handed_ += next->second.size();
    to_peer_.erase(next);
  }
  if (peer_->failure()) Violated("the peer cannot read it");
}

// ---- What may happen.

void Conversation::PeerSpeaks() {
  if (dice_.OneIn(4)) tls::Append(from_peer_, peer_->Give(tls::UpdateKeys{dice_.OneIn(2)}));
  const Bytes text = Text(1 + dice_.Below(300));
  tls::Append(from_peer_, peer_->Give(tls::PlaintextToSend{text}));
  tls::Append(said_, text);
}

void Conversation::NextSeal() {
  if (!seal_) {
    seal_ = Call{.seal = true,
                 .first_seq = seal_seq_,
                 .input = Text(1 + dice_.Below(dice_.OneIn(8) ? 20'000 : 200))};
  }
  Send(*seal_);
}

void Conversation::NextOpen(bool all) {
  if (!open_) {
    const size_t size = all ? from_peer_.size() : dice_.Below(from_peer_.size() + 1);
    open_ = Call{.first_seq = open_seq_, .input = tls::Copy(ByteView(from_peer_).first(size))};
  }
  Send(*open_);
}

// A call that was answered comes once more, late.
void Conversation::Duplicate() {
  std::optional<Call>& last = dice_.OneIn(2) ? last_seal_ : last_open_;
  if (!last || !last->made) return;
  // Where it used nothing it is no more than a look.
  if (!last->seal && open_seq_ == last->first_seq) return;
  if (world_.bug() != RecordBug::kNone && world_.bug() != RecordBug::kRetriesAnew) return;
  const Answer answer = Make(*last);
  if (answer.ok() && !answer->repeated) Violated("a call was made twice");
}

// Another program with the same identity brings something else under the last number.
void Conversation::Rival() {
  const std::optional<Call>& last = seal_ && seal_->made ? seal_ : last_seal_;
  if (!last || !last->made) return;
  Call rival{.seal = true, .first_seq = last->first_seq, .input = Text(50)};
  const Answer answer = Make(rival);
  if (answer.ok()) Violated("a number was taken twice");
}

void Conversation::AskElsewhere() {
  const std::optional<Call>& call = seal_ ? seal_ : last_seal_;
  if (!call) return;
  Call elsewhere = *call;
  if (world_.bug() == RecordBug::kTakesOver) elsewhere.first_seq = 0;
  const Answer answer = Ask(world_.other(), elsewhere);
  if (answer.ok() && !nonces_->Add(answer->reply->to_peer)) {
    Violated("a nonce protects two records");
  }
  if (world_.bug() == RecordBug::kTakesOver) return;
  if (answer.ok() || access::ReasonOf(answer.status()) != "NOT_FOUND")
    Violated("another replica knows it");
}

// The owner's own KeyUpdate, between whatever else is under way.
void Conversation::UpdateKeys() {
  const auto update = world_.owner().Update(*owner_, handle_, /*write=*/true,
                                            /*request_update=*/dice_.OneIn(2), "");
  if (!update.ok()) {
    if (access::ReasonOf(update.status()) != "NO_NEXT_KEYS") OnError({}, update.status());
    return;
  }
  if (!nonces_->Add((*update)->to_peer)) Violated("a nonce protects two records");
  Hand((*update)->to_peer_offset, (*update)->to_peer);
}

void Conversation::OnCrash() {
  auto loaded = tls::Load(saved_);
  if (!loaded.ok()) std::abort();
  world_.other().Terminate(*owner_, handle_);
  world_.other().Add({.handle = handle_,
                      .owner = owner_,
                      .established = loaded->agreed(),
                      .verified_by = "",
                      .established_at = {},
                      .kept = *std::move(loaded)});
}

void Conversation::Act() {
  switch (dice_.Below(10)) {
    case 0:
    case 1:
      return PeerSpeaks();
    case 2:
    case 3:
    case 4:
      return NextSeal();
    case 5:
    case 6:
    case 7:
      return NextOpen(/*all=*/false);
    case 8:
      return dice_.OneIn(2) ? Duplicate() : Rival();
    default:
      return dice_.OneIn(2) ? AskElsewhere() : UpdateKeys();
  }
}

void Conversation::Wind() {
  if (seal_) return NextSeal();
  if (open_ || !from_peer_.empty()) return NextOpen(/*all=*/true);
  if (!to_peer_.empty()) return Violated("bytes for the peer are missing");
  if (tls::AsText(sent_) != peer_->application_data()) {
    return Violated("the peer did not hear what was sent");
  }
  if (!tls::Equal(heard_, said_)) return Violated("what the peer said did not all come out");
  if (!peer_->peer_closed()) {
    const auto closed = world_.owner().Close(*owner_, handle_);
    if (!closed.ok()) {
      return OnError({.seal = true}, closed.status());
    }
    if (!nonces_->Add(closed->reply->to_peer)) Violated("a nonce protects two records");
    Hand(closed->reply->to_peer_offset, closed->reply->to_peer);
    tls::Append(from_peer_, peer_->Give(tls::CloseWrite{}));
    return;
  }
  End("done");
}

}  // namespace handfast::sim
