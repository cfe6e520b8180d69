#include "tls/engine/resume12.h"

#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/engine/moves12.h"
#include "tls/engine/negotiation.h"
#include "tls/engine/resumption.h"
#include "tls/engine/server_flight12.h"

namespace handfast::tls::tls12 {
namespace {

constexpr size_t kSessionIdSize = 32;

HashSecret CopyOf(const HashSecret& secret) {
  return *HashSecret::From(SecretAccess::Open(secret));
}

Session CopyOf(const Session& kept) {
  Session session;
  session.version = kept.version;
  session.cipher_suite = kept.cipher_suite;
  session.secret = CopyOf(kept.secret);
  session.server_name = kept.server_name;
  session.credential = kept.credential;
  session.peer_chain = kept.peer_chain;
  session.issued_unix_s = kept.issued_unix_s;
  session.not_after_unix_s = kept.not_after_unix_s;
  session.session_id = kept.session_id;
  return session;
}

Result<bool> Fits(const Session& session, const std::string& server_name, const Offer12& offer,
                  const Context& context) {
  // RFC 5246 §7.4.1.2: the client's list holds the suite of the session that it brings.
  if (!MayResume(session, ProtocolVersion::kTls12, server_name, context) ||
      !Contains(offer.cipher_suites, session.cipher_suite)) {
    return false;
  }
  // RFC 7627 §5.3: "If the original session used the "extended_master_secret" extension but the new
  // ClientHello does not contain it, the server MUST abort the abbreviated handshake." Sessions
  // without it are never made.
  if (!offer.extended_master_secret) return Reason::kExtendedMasterSecretRequired;
  return true;
}

bool TakesTickets(const Context& context) {
  return context.ticket_keys != nullptr && context.profile.session_tickets > 0;
}

bool IssuesTickets(const Context& context) {
  return TakesTickets(context) && context.ticket_keys->seals();
}

}  // namespace

Result<std::optional<Session>> SessionOfTicket(const ClientHelloExtensions& extensions,
                                               const std::string& server_name, const Offer12& offer,
                                               const Context& context) {
  std::optional<Session> session;
  if (!TakesTickets(context) || !extensions.session_ticket || extensions.session_ticket->empty()) {
    return session;
  }
  session = context.ticket_keys->Open(*extensions.session_ticket, context.session_binding);
  if (!session) return session;
  const Result<bool> fits = Fits(*session, server_name, offer, context);
  if (!fits.ok()) return fits.reason();
  if (!*fits) session.reset();
  return session;
}

Result<std::optional<Session>> SessionOfCaller(const Session& kept, const Hello& hello,
                                               const Offer12& offer, const Context& context) {
  std::optional<Session> session;
  if (kept.session_id.empty() || kept.session_id != hello.legacy_session_id) return session;
  const Result<bool> fits = Fits(kept, hello.negotiated->server_name, offer, context);
  if (!fits.ok()) return fits.reason();
  if (*fits) session = CopyOf(kept);
  return session;
}

Result<Resumable> PlanResumption(const Offer12& offer, const Context& context) {
  Resumable plan;
  // Without the extended master secret a resumed session could be another's (triple handshake).
  if (!offer.extended_master_secret) return plan;
  plan.new_session_ticket = offer.session_ticket && IssuesTickets(context);
  if (plan.new_session_ticket || !context.keeps_sessions) return plan;
  // RFC 5246 §7.4.1.2: "Warning: Because the SessionID is transmitted without encryption or
  // immediate MAC protection, servers MUST NOT place confidential information in session
  // identifiers or let the contents of fake session identifiers cause any breach of security." It
  // is random.
  plan.session_id.resize(kSessionIdSize);
  if (Result<void> drawn = context.randomness.FillPublic(plan.session_id); !drawn.ok()) {
    return drawn.reason();
  }
  return plan;
}

Transition Resume(AwaitChoice state, Offer12 offer, Session session, const Context& context) {
  Hello& hello = state.hello;
  Established& negotiated = *hello.negotiated;
  negotiated.cipher_suite = session.cipher_suite;
  negotiated.credential = std::move(session.credential);
  negotiated.peer_chain = std::move(session.peer_chain);
  negotiated.not_after_unix_s = session.not_after_unix_s;
  negotiated.resumed = true;
  MarkDowngrade(context.profile, hello.server_random);
  Bytes flight;
  // RFC 5077 §3.4: "If the server accepts the ticket and the Session ID is not empty, then it MUST
  // respond with the same Session ID present in the ClientHello."
  if (!AppendServerHello(hello, offer, context.profile, {.session_id = hello.legacy_session_id},
                         flight)) {
    return Fail(Reason::kInternalError);
  }
  const SuiteInfo& suite = *FindSuite(negotiated.cipher_suite);
  Transcript transcript(suite.hash);
  transcript.Add(state.client_hello);
  transcript.Add(flight);
  MasterSecret master{std::move(session.secret)};
  KeyBlock keys = ExpandKeys(suite, master, ClientRandomOf(state.client_hello), hello.server_random,
                             EncryptsThenMacs(negotiated, offer));
  const auto verify_data =
      FinishedVerifyData12(suite.hash, master, "server finished", transcript.Current());
  Bytes finished;
  if (!AppendMessage(finished, Finished{verify_data})) return Fail(Reason::kInternalError);
  transcript.Add(finished);
  std::vector<Effect> effects;
  effects.reserve(5);
  effects.emplace_back(SendMessages{std::move(flight)});
  // RFC 5246 §7.3: "At this point, both client and server MUST send ChangeCipherSpec messages and
  // proceed directly to Finished messages."
  effects.emplace_back(SendChangeCipherSpec{});
  effects.emplace_back(InstallWriteKeys{std::move(keys.server), negotiated.max_fragment});
  effects.emplace_back(SendMessages{std::move(finished)});
  effects.emplace_back(
      ArmReadKeys{std::move(keys.client), MaxPlaintext(context.profile, hello.record_size_limit)});
  return {
      WaitResumedFinished{std::move(hello.negotiated), std::move(transcript), std::move(master)},
      std::move(effects), std::nullopt};
}

Transition On(WaitResumedFinished state, const Received<Finished>& received, const Context&) {
  const HashAlgorithm hash = FindSuite(state.negotiated->cipher_suite)->hash;
  const Result<void> checked =
      CheckFinished12(hash, state.master, "client finished", state.transcript.Current(),
                      received.message.verify_data);
  if (!checked.ok()) return Fail(checked.reason());
  return {Connected{std::move(state.negotiated), {}, {}, {}}, {}, std::nullopt};
}

Result<Bytes> IssueTicket(const Established& negotiated, const MasterSecret& master,
                          const Context& context) {
  tls12::NewSessionTicket message;
  Bytes ticket;
  const uint32_t lifetime = LifetimeOf(negotiated, context);
  if (IssuesTickets(context) && lifetime > 0) {
    Result<TicketSealer> sealer = context.ticket_keys->SealerFor(context.session_binding);
    if (!sealer.ok()) return sealer.reason();
    Result<SealedTicket> sealed =
        sealer->Seal(NewSession(negotiated, CopyOf(master.secret), lifetime, context.now_unix_s));
    // A chain too long for a ticket costs the resumption, not the connection.
    if (sealed.ok()) {
      ticket = std::move(sealed->bytes);
      message.ticket_lifetime_hint = lifetime;
    } else if (sealed.reason() != Reason::kMessageTooLong) {
      return sealed.reason();
    }
  }
  message.ticket = ticket;
  Bytes out;
  if (!AppendMessage(out, message)) return Reason::kInternalError;
  return out;
}

std::optional<Session> SessionToKeep(const Established& negotiated, MasterSecret master,
                                     Bytes session_id, const Context& context) {
  const uint32_t lifetime = LifetimeOf(negotiated, context);
  if (session_id.empty() || lifetime == 0) return std::nullopt;
  Session session = NewSession(negotiated, std::move(master.secret), lifetime, context.now_unix_s);
  session.session_id = std::move(session_id);
  return session;
}

}  // namespace handfast::tls::tls12
