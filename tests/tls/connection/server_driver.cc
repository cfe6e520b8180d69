#include "tests/tls/connection/server_driver.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tls/engine/use_private_key.h"

namespace handfast::tls::test {

ServerKit ServerKit::For(const Leaf& leaf, Profile profile) {
  ServerKit kit;
  kit.profile = std::move(profile);
  kit.key = std::make_shared<PrivateKey>(leaf.Key());
  auto credential = std::make_shared<Credential>();
  credential->name = "leaf";
  credential->chain = leaf.chain;
  const auto schemes = SchemesOf(kit.key->type());
  credential->schemes.assign(schemes.begin(), schemes.end());
  kit.credential = std::move(credential);
  return kit;
}

Answer AnswerFrom(const ServerKit& kit, const Question& question) {
  if (const auto* choose = std::get_if<Choose>(&question)) {
    const bool known = kit.kept != nullptr && choose->session_id == kit.kept->session_id;
    return Chosen{choose->id, kit.credential, Reason::kNoCredential,
                  choose->session_credential.has_value() && kit.resume, known ? kit.kept : nullptr};
  }
  if (const auto* use = std::get_if<UsePrivateKey>(&question)) {
    return Use(*kit.key, *use);
  }
  const auto& verify = std::get<VerifyPeer>(question);
  if (kit.clients == nullptr) return PeerVerdict{verify.id, Reason::kUnknownCa};
  TrustParameters parameters;
  parameters.purpose = kit.as_client ? Purpose::kTlsServer : Purpose::kTlsClient;
  parameters.now_unix_s = kNow;
  parameters.ocsp_response = verify.ocsp_response;
  parameters.require_ocsp_response = kit.require_ocsp_response;
  return PeerVerdict{verify.id, kit.clients->Verify(verify.chain, parameters).reason,
                     kit.peer_not_after_unix_s};
}

ServerDriver::ServerDriver(const ServerKit& kit, ConnectionOptions options, Randomness& randomness)
    : kit_(kit),
      randomness_(randomness),
      connection_(kit.as_client ? Connection::Client(std::move(options))
                                : Connection::Server(std::move(options))) {}

ServerDriver::ServerDriver(const ServerKit& kit, ConnectionOptions options, Session session)
    : kit_(kit),
      randomness_(SystemRandomness()),
      connection_(Connection::Client(std::move(options), std::move(session))) {}

Bytes ServerDriver::Begin() { return Give(tls::Begin{}); }

std::optional<Question> ServerDriver::StepOnce(const Input& input, Bytes& to_peer) {
  if (amnesia && !connection_->failed()) {
    Result<Bytes> saved = Save(*std::move(connection_));
    Result<Connection> restored = saved.ok() ? Load(*saved) : saved.reason();
    if (!restored.ok()) {
      std::fprintf(stderr, "a saved connection does not load\n");
      std::abort();
    }
    connection_ = *std::move(restored);
  }
  Stepped stepped = Step(*std::move(connection_), input,
                         Context{kit_.profile, randomness_, kit_.ticket_keys.get(),
                                 kit_.session_binding, kit_.now_unix_s, kit_.keeps_sessions});
  connection_ = std::move(stepped.connection);
  Append(to_peer, stepped.output.to_peer);
  if (stepped.output.failure) failure_ = stepped.output.failure;
  if (stepped.output.established) established_ = stepped.output.established;
  for (TracedMessage& message : stepped.output.messages) messages_.push_back(std::move(message));
  Append(application_data_, stepped.output.application_data);
  for (Bytes& ticket : stepped.output.new_session_tickets) {
    new_session_tickets_.push_back(std::move(ticket));
  }
  peer_closed_ = peer_closed_ || stepped.output.peer_closed;
  refused_ = stepped.output.refused;
  if (stepped.output.question) {
    const auto* verify = std::get_if<VerifyPeer>(&*stepped.output.question);
    if (verify != nullptr) stapled_ = verify->ocsp_response;
  }
  return std::move(stepped.output.question);
}

Bytes ServerDriver::Receive(ByteView from_peer) {
  received_ += from_peer.size();
  Bytes to_peer;
  std::optional<Question> question = StepOnce(FromPeer{from_peer}, to_peer);
  while (question) question = StepOnce(AnswerFrom(kit_, *question), to_peer);
  return to_peer;
}

Bytes ServerDriver::Give(const Input& input) {
  Bytes to_peer;
  StepOnce(input, to_peer);
  return to_peer;
}

}  // namespace handfast::tls::test
