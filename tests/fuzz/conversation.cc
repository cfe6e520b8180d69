#include "tests/fuzz/conversation.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tests/fuzz/target.h"
#include "tests/fuzz/ticket_keys.h"
#include "tests/tls/connection/fixed_credentials.h"
#include "tests/tls/connection/fixed_randomness.h"

namespace handfast::fuzz {
namespace {

using tls::test::ServerKit;

constexpr size_t kTransportRead = size_t{16} << 10;

ServerKit MakeKit(bool as_client, tls::ClientAuth client_auth) {
  // The client's kit trusts the issuer too, which is in the kit of whoever asks for certificates.
  ServerKit kit = tls::test::FixedKit(as_client ? tls::ClientAuth::kOptional : client_auth);
  if (as_client) {
    ServerKit client = ServerKit::For(tls::test::FixedClient(), tls::ModernProfile());
    client.clients = kit.clients;
    kit = std::move(client);
  }
  kit.as_client = as_client;
  kit.ticket_keys = std::make_shared<const tls::TicketKeys>(TicketKeysOf(kTargetKey));
  kit.session_binding = tls::Copy(kBinding);
  return kit;
}

tls::Connection Start(const Setup& setup) {
  if (!setup.as_client) return tls::Connection::Server({.alpn = {"h2"}, .trace = true});
  tls::ConnectionOptions options{.alpn = {"h2"}, .server_name = "example.test", .trace = true};
  if (!setup.tickets) return tls::Connection::Client(std::move(options));
  return tls::Connection::Client(std::move(options), CorpusSession());
}

}  // namespace

tls::Result<void> SeededRandomness::Fill(std::span<uint8_t> out) {
  const int first = recorded_ ? 0 : 0x91;
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<uint8_t>(first + static_cast<int>(i));
  return {};
}

tls::Result<tls::KeyPair> SeededRandomness::NewKeyPair(tls::NamedGroup group) {
  return tls::KeyPair::FromPrivate(group, tls::test::FixedScalar(group, recorded_ ? 0x5a : 0x3c));
}

const ServerKit& KitOf(const Setup& setup) {
  static std::map<std::pair<bool, tls::ClientAuth>, ServerKit> kits;
  const std::pair key(setup.as_client, setup.client_auth);
  const auto found = kits.find(key);
  if (found != kits.end()) return found->second;
  return kits.emplace(key, MakeKit(setup.as_client, setup.client_auth)).first->second;
}

tls::Session CorpusSession() {
  const auto make = [] {
    tls::Session session;
    session.version = tls::ProtocolVersion::kTls13;
    session.cipher_suite = tls::CipherSuite::kTlsAes128GcmSha256;
    session.secret = *tls::HashSecret::From(tls::Bytes(32, 0x55));
    session.server_name = "example.test";
    session.credential = "leaf";
    session.issued_unix_s = tls::test::kNow;
    session.not_after_unix_s = tls::test::kNow + 3600;
    return session;
  };
  tls::Session session = make();
  tls::Result<tls::TicketSealer> sealer = TicketKeysOf(kTargetKey).SealerFor(kBinding);
  session.ticket = sealer->Seal(make())->bytes;
  return session;
}

Conversation::Conversation(const Setup& setup)
    : setup_(setup),
      kit_(KitOf(setup)),
      randomness_(setup.recorded_randomness),
      connection_(Start(setup)) {
  if (setup.as_client) Give(tls::Begin{});
}

void Conversation::Receive(ByteView bytes) {
  while (!bytes.empty()) {
    const ByteView read = bytes.first(std::min(bytes.size(), kTransportRead));
    bytes = bytes.subspan(read.size());
    Give(tls::FromPeer{read});
    while (connection_->question()) Give(tls::test::AnswerFrom(kit_, *connection_->question()));
  }
}

void Conversation::Close() { Give(tls::PeerClosed{}); }

void Conversation::Forget() {
  if (!setup_.amnesia || connection_->failed()) return;
  tls::Result<Bytes> saved = Save(*std::move(connection_));
  Require(saved.ok(), "amnesia");
  if (Mutant("amnesia")) saved->back() ^= 1;
  most_held_ = std::max(most_held_, saved->size());
  tls::Result<tls::Connection> loaded = tls::Load(*saved);
  Require(loaded.ok(), "amnesia");
  connection_ = *std::move(loaded);
}

void Conversation::Give(const tls::Input& input) {
  Forget();
  const bool had_ended = connection_->failed() || connection_->established();
  tls::Stepped stepped = tls::Step(
      *std::move(connection_), input,
      tls::Context{kit_.profile, randomness_, setup_.tickets ? kit_.ticket_keys.get() : nullptr,
                   kit_.session_binding, kit_.now_unix_s});
  connection_ = std::move(stepped.connection);
  CheckStep(stepped.output, had_ended);
  tls::Append(to_peer_, stepped.output.to_peer);
  if (stepped.output.failure) failure_ = stepped.output.failure;
}

// The end comes once, is told once, and an alert that is told was sent.
void Conversation::CheckStep(const tls::Output& output, bool had_ended) {
  const bool silent = output.to_peer.empty() && !output.failure && !output.established &&
                      !output.question && output.messages.empty();
  Require(!had_ended || silent, "one_end");
  const bool told = output.failure.has_value() != Mutant("one_end");
  Require(had_ended || told == connection_->failed(), "one_end");
  if (!output.failure) return;
  Require(!output.question && !output.established && !connection_->question(), "one_end");
  const bool alert_is_ours =
      output.failure->alert.has_value() && output.failure->origin == tls::Origin::kLocal;
  Require(!alert_is_ours || !output.to_peer.empty(), "one_end");
}

bool Conversation::SameAs(const Conversation& other) const {
  const auto reason = [](const Conversation& c) {
    return c.failure_ ? std::optional(c.failure_->reason) : std::nullopt;
  };
  return to_peer_ == other.to_peer_ && reason(*this) == reason(other) &&
         connection_->state_name() == other.connection_->state_name() &&
         connection_->consumed() == other.connection_->consumed();
}

}  // namespace handfast::fuzz
