#include "tests/sim/exchange.h"

#include <chrono>
#include <utility>

#include "tests/sim/relay_exchange.h"
#include "tests/sim/step_exchange.h"
#include "tests/tls/connection/fixed_credentials.h"
#include "tls/record/protection.h"

namespace handfast::sim {
namespace {

using handshakes::Handle;
using handshakes::Role;
using tls::Bytes;
using tls::test::ServerKit;

constexpr std::chrono::seconds kDeadline{10};

// The credential's name tells TwoKeys whose key it is.
void Name(ServerKit& kit, const char* name) {
  auto named = std::make_shared<tls::Credential>(*kit.credential);
  named->name = name;
  kit.credential = std::move(named);
}

ServerKit PeerKit(const Plan& plan) {
  ServerKit kit = plan.role == Role::kServer ? ClientKitOf() : ServerKitOf();
  kit.profile.versions = {plan.version};
  kit.profile.client_auth = plan.mutual ? tls::ClientAuth::kRequired : tls::ClientAuth::kNone;
  if (plan.retry && plan.role == Role::kClient) kit.profile.groups = {tls::NamedGroup::kSecp256r1};
  return kit;
}

std::shared_ptr<const handshakes::Profile> ProfileOf(const Plan& plan) {
  auto profile = std::make_shared<handshakes::Profile>();
  profile->tls = ServerKitOf().profile;
  profile->tls.client_auth = plan.mutual ? tls::ClientAuth::kRequired : tls::ClientAuth::kNone;
  if (plan.retry && plan.role == Role::kServer) {
    profile->tls.groups = {tls::NamedGroup::kSecp256r1};
  }
  profile->deadline = kDeadline;
  profile->release_keys = true;
  if (plan.mutual) profile->trust_bundle = "clients";
  profile->server_trust_bundle = "servers";
  profile->durable = true;
  return profile;
}

}  // namespace

const ServerKit& ServerKitOf() {
  static const ServerKit kit = [] {
    ServerKit made = tls::test::FixedKit(tls::ClientAuth::kRequired);
    Name(made, "server");
    return made;
  }();
  return kit;
}

const ServerKit& ClientKitOf() {
  static const ServerKit kit = [] {
    ServerKit made = ServerKit::For(tls::test::FixedClient());
    made.clients = ServerKitOf().clients;
    made.as_client = true;
    Name(made, "client");
    return made;
  }();
  return kit;
}

std::unique_ptr<Exchange> Exchange::Draw(World& world, size_t number) {
  Dice& dice = world.dice();
  const Plan plan{
      .role = dice.OneIn(3) ? Role::kClient : Role::kServer,
      .version = dice.OneIn(2) ? tls::ProtocolVersion::kTls12 : tls::ProtocolVersion::kTls13,
      .mutual = dice.OneIn(3),
      .retry = dice.OneIn(6),
      .release = dice.OneIn(2),
      .trace = dice.OneIn(4)};
  const std::string digit = std::to_string(number);
  if (dice.OneIn(2)) return std::make_unique<StepExchange>(world, "steps " + digit, plan);
  return std::make_unique<RelayExchange>(world, "relay " + digit, plan);
}

Exchange::Exchange(World& world, std::string name, const Plan& plan)
    : world_(world),
      dice_(world.dice()),
      plan_(plan),
      name_(std::move(name)),
      owner_(std::make_shared<const handshakes::Owner>(
          handshakes::Owner{.tenant = "acme", .principal = name_})),
      profile_(ProfileOf(plan)),
      peer_kit_(PeerKit(plan)),
      peer_randomness_(dice_.Next()) {
  tls::ConnectionOptions options{.alpn = {"h2", "http/1.1"}};
  if (plan.role == Role::kServer) options.server_name = "example.test";
  peer_.emplace(peer_kit_, options, peer_randomness_);
  if (plan.role == Role::kServer) from_peer_ = peer_->Begin();
  Say(std::string(plan.role == Role::kServer ? "server" : "client") +
      (plan.version == tls::ProtocolVersion::kTls12 ? " 1.2" : " 1.3") +
      (plan.mutual ? " mutual" : "") + (plan.retry ? " retry" : "") +
      (plan.release ? " release" : ""));
}

handshakes::Start Exchange::NewStart() const {
  handshakes::Start start;
  start.role = plan_.role;
  start.owner = owner_;
  start.profile = profile_;
  start.alpn = {"http/1.1", "h2"};
  if (plan_.role == Role::kClient) start.server_name = "example.test";
  start.release_keys = plan_.release;
  start.owner_may_release = true;
  start.trace = plan_.trace;
  return start;
}

void Exchange::Begun(const Handle& handle, int64_t at_ns) {
  began_ns_ = at_ns;
  world_.ledger().Begin(handle, plan_.version);
}

void Exchange::ToPeer(tls::ByteView bytes) {
  if (bytes.empty()) return;
  const Bytes answer = peer_->Receive(bytes);
  Say("the peer gets " + World::Digest(bytes) + ", says " + World::Digest(answer));
  tls::Append(from_peer_, answer);
}

bool Exchange::PastDeadline() const {
  return world_.now().ns - began_ns_ >
         std::chrono::nanoseconds(kDeadline + std::chrono::seconds(2)).count();
}

void Exchange::End(const std::string& how) {
  Say("ends: " + how);
  how_ = how;
}

void Exchange::Violated(const std::string& what) {
  world_.ledger().Violated(name_ + ": " + what);
  End("violation");
}

void Exchange::OnNotFound() {
  const int64_t lost = world_.store_lost_at_ns();
  // Wall clocks differ by a second at most.
  const int64_t age = world_.now().ns - began_ns_;
  const bool over = age >= std::chrono::nanoseconds(kDeadline - std::chrono::seconds(1)).count();
  if (lost < began_ns_ && !over) return Violated("a handshake is not found");
  End(over ? "too late" : "lost with the store");
}

void Exchange::OnOutcome(const Handle& handle, Told& told) {
  if (told.outcome == Outcome::kFailed) CheckFailure(told.reason);
  if (told.outcome == Outcome::kEstablished) CheckEstablished(handle, told);
}

void Exchange::CheckFailure(const std::string& reason) {
  const int64_t age = world_.now().ns - began_ns_;
  const int64_t deadline = std::chrono::nanoseconds(kDeadline - std::chrono::seconds(1)).count();
  const bool explained = spoiled_ || (aborted_ && reason == "handshake_aborted") ||
                         (closed_ && reason == "peer_closed") ||
                         (reason == "deadline_exceeded" && age >= deadline);
  if (!explained) return Violated("it failed for no reason that the caller gave: " + reason);
  End("failed: " + reason);
}

void Exchange::CheckEstablished(const Handle& handle, Told& told) {
  const auto& theirs = peer_->established();
  if (theirs == nullptr) {
    return Violated("the caller has it established, and the peer has not");
  }
  if (theirs->version != told.version || theirs->cipher_suite != told.suite ||
      theirs->alpn != told.alpn || told.version != plan_.version || told.alpn.empty()) {
    return Violated("the caller and the peer disagree");
  }
  if (told.keys.has_value() != plan_.release) return Violated("keys are told amiss");
  End("established");
  ExchangeRecords(handle, told);
}

void Exchange::ExchangeRecords(const Handle& handle, Told& told) {
  if (!told.keys) return ExchangeByKept(handle);
  tls::RecordSealer sealer(
      *tls::RecordKeys::Create(std::move(told.keys->write), tls::AeadDirection::kSeal));
  tls::RecordOpener opener(
      *tls::RecordKeys::Create(std::move(told.keys->read), tls::AeadDirection::kOpen));
  Bytes record;
  (void)sealer.Seal(tls::ContentType::kApplicationData, tls::AsBytes("ours"), 100, record);
  world_.ledger().Sealed(handle, record);
  (void)peer_->Receive(record);
  Bytes answer = peer_->Give(tls::PlaintextToSend{tls::AsBytes("theirs")});
  const auto opened = opener.Open(answer);
  if (peer_->application_data() != "ours" || !opened.ok() ||
      tls::AsText(opened->fragment) != "theirs") {
    Violated("the released keys are not the peer's");
  }
}

// Where the replica that has it is gone, there is nobody to exchange records with.
void Exchange::ExchangeByKept(const Handle& handle) {
  std::string said;
  for (size_t i = 0; i < world_.replicas(); ++i) {
    tls::Connection* const kept = world_.replica(i).connections.Find(handle);
    if (kept == nullptr) continue;
    const tls::Context context{profile_->tls, world_.replica(i).randomness};
    said += "from " + std::to_string(i);
    const std::string words = "from " + std::to_string(i);
    tls::Stepped sent =
        tls::Step(std::move(*kept), tls::PlaintextToSend{tls::AsBytes(words)}, context);
    world_.ledger().Sealed(handle, sent.output.to_peer);
    (void)peer_->Receive(sent.output.to_peer);
    const Bytes answer = peer_->Give(tls::PlaintextToSend{tls::AsBytes("theirs")});
    tls::Stepped got = tls::Step(std::move(sent.connection), tls::FromPeer{answer}, context);
    *kept = std::move(got.connection);
    if (peer_->application_data() != said || tls::AsText(got.output.application_data) != "theirs") {
      Violated("the kept keys are not the peer's");
    }
  }
}

}  // namespace handfast::sim
