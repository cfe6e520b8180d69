// How a handshake's three questions are answered.
#include <optional>
#include <string>
#include <utility>

#include "server/handshakes/handshake.h"

namespace handfast::handshakes {
std::optional<tls::Answer> Handshake::AnswerNow(tls::Question& question, Reply& reply) {
  if (const auto* choose = std::get_if<tls::Choose>(&question)) return Choose(*choose);
  if (const auto* verify = std::get_if<tls::VerifyPeer>(&question)) return Verify(*verify);
  return Sign(std::move(std::get<tls::UsePrivateKey>(question)), reply);
}

std::optional<tls::Answer> Handshake::Choose(const tls::Choose& question) {
  if (question.session_id.empty()) return ChooseNow(question, nullptr);
  if (start_.profile->durable) {  // in a thread that may wait
    return ChooseNow(question, services_.sessions.FindServerSession(
                                   owner_->tenant, session_binding_, question.session_id));
  }
  waiting_ = true;
  if (services_.sessions.FindServerSessionLater(
          owner_->tenant, session_binding_, question.session_id,
          [self = shared_from_this(), question](std::shared_ptr<const tls::Session> kept) {
            self->OnFound(question, std::move(kept));
          })) {
    return std::nullopt;
  }
  waiting_ = false;
  return ChooseNow(question, nullptr);
}

void Handshake::OnFound(const tls::Choose& question, std::shared_ptr<const tls::Session> kept) {
  std::lock_guard lock(mutex_);
  if (connection_) GoOn(ChooseNow(question, std::move(kept)));
}

tls::Chosen Handshake::ChooseNow(const tls::Choose& question,
                                 std::shared_ptr<const tls::Session> kept) {
  if (question.session_credential && MayResumeWith(*question.session_credential)) {
    tls::Chosen resumed;
    resumed.question = question.id;
    resumed.resume = true;
    return resumed;
  }
  tls::Chosen chosen = services_.credentials.Choose(owner_->tenant, question, start_.credential,
                                                    start_.profile->tls.refuse_unknown_names);
  chosen.question = question.id;
  if (kept != nullptr && MayResumeWith(kept->credential)) chosen.session = std::move(kept);
  if (question.as_client && chosen.credential == nullptr) {
    // The handshake goes on without; should the server mind, its alert alone would not say why.
    detail_ = "no certificate was shown to the server: ";
    detail_ += tls::Describe(chosen.refusal).label;
  }
  return chosen;
}

std::optional<tls::Answer> Handshake::Sign(tls::UsePrivateKey question, Reply& reply) {
  const access::Lane lane = access::LaneFor(question.scheme);
  // What is quick is done where the step runs: a hop between threads costs as much. A durable one
  // is in a thread that may wait.
  if (lane == access::Lane::kGeneral || start_.profile->durable) return UseKey(question);
  if (walk_) walk_->stalled.reset();
  waiting_ = true;
  absl::Status queued = services_.work.Submit(
      owner_->tenant, lane,
      [self = shared_from_this(), question] { self->OnSigned(self->UseKey(question)); });
  if (queued.ok()) return std::nullopt;
  waiting_ = false;
  if (walk_) {
    // The caller may come again with the same step.
    walk_->stalled = std::move(question);
    walk_->Refuse(queued);
    return std::nullopt;
  }
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
  return {.question = question.id,
          .refusal = verification.refusal,
          .not_after_unix_s = verification.not_after_unix_s};
}

}  // namespace handfast::handshakes
