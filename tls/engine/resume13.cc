#include "tls/engine/resume13.h"

#include <algorithm>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/crypto/hkdf.h"
#include "tls/engine/resumption.h"
#include "tls/wire/messages.h"

namespace handfast::tls::tls13 {
namespace {

// Each costs a decryption; clients offer one or two.
constexpr size_t kMaxTriedIdentities = 4;
bool Fits(const Session& session, const std::string& server_name,
          const std::vector<CipherSuite>& suites, const Context& context) {
  if (!MayResume(session, ProtocolVersion::kTls13, server_name, context)) return false;
  const SuiteInfo* suite = FindSuite(session.cipher_suite);
  // RFC 8446 §4.2.11: "the server MUST ensure that it selects a compatible PSK (if any) and cipher
  // suite": one with the hash of the PSK.
  // RFC 8446 §4.6.1: "Any ticket MUST only be resumed with a cipher suite that has the same KDF
  // hash algorithm as that used to establish the original connection."
  return std::any_of(suites.begin(), suites.end(),
                     [&](CipherSuite s) { return FindSuite(s)->hash == suite->hash; });
}

// RFC 8446 §4.2.11.2: the binders are computed over the ClientHello "up to and including the
// PreSharedKeyExtension.identities field", which is all but the list of binders.
ByteView Truncated(ByteView client_hello, const OfferedPsks& psks) {
  size_t binders = sizeof(uint16_t);
  for (const PskBinderEntry& entry : psks.binders) binders += 1 + entry.binder.size();
  return client_hello.first(client_hello.size() - binders);
}

bool BinderIsRight(const Session& session, Transcript transcript, ByteView client_hello,
                   const OfferedPsks& psks, size_t index) {
  const HashAlgorithm hash = FindSuite(session.cipher_suite)->hash;
  transcript.Add(Truncated(client_hello, psks));
  const Digest expected = Binder(hash, ToEarly(hash, session.secret), transcript.Current());
  return ConstantTimeEqual(psks.binders[index].binder, expected.view());
}

constexpr int kMaxTickets = 8;
// Of a NewSessionTicket beside the ticket.
constexpr size_t kTicketOverhead = 32;

}  // namespace

bool OffersPskDheKe(const ClientHelloExtensions& extensions) {
  if (!extensions.psk_key_exchange_modes) return false;
  const ByteView modes = extensions.psk_key_exchange_modes->ke_modes;
  return std::find(modes.begin(), modes.end(), PskKeyExchangeModes::kPskDheKe) != modes.end();
}

Result<std::optional<OfferedSession>> ChooseSession(const ClientHelloExtensions& extensions,
                                                    ByteView client_hello,
                                                    const std::string& server_name,
                                                    const std::vector<CipherSuite>& suites,
                                                    const Context& context) {
  std::optional<OfferedSession> chosen;
  // RFC 8446 §4.1.1: "If the server selects a PSK, then it MUST also select a key establishment
  // mode from the set indicated by the client's "psk_key_exchange_modes" extension (at present, PSK
  // alone or with (EC)DHE)." §4.2.9: "Servers MUST NOT select a key exchange mode that is not
  // listed by the client."
  if (context.ticket_keys == nullptr || context.profile.session_tickets == 0 ||
      !extensions.pre_shared_key || !OffersPskDheKe(extensions)) {
    return chosen;
  }
  const OfferedPsks& psks = *extensions.pre_shared_key;
  const size_t tried = std::min(psks.identities.size(), kMaxTriedIdentities);
  for (size_t i = 0; i < tried; ++i) {
    std::optional<Session> session =
        context.ticket_keys->Open(psks.identities[i].identity, context.session_binding);
    if (!session || !Fits(*session, server_name, suites, context)) continue;
    // RFC 8446 §4.2.11: "Prior to accepting PSK key establishment, the server MUST validate the
    // corresponding binder value [...]. If this value is not present or does not validate, the
    // server MUST abort the handshake."
    Transcript transcript(FindSuite(session->cipher_suite)->hash);
    if (!BinderIsRight(*session, std::move(transcript), client_hello, psks, i)) {
      return Reason::kBadBinder;
    }
    chosen.emplace(OfferedSession{static_cast<uint16_t>(i), *std::move(session)});
    break;
  }
  return chosen;
}

Result<void> FindAgain(const ClientHelloExtensions& extensions, ByteView client_hello,
                       const Transcript& so_far, const Context& context, OfferedSession& session) {
  if (!extensions.pre_shared_key || context.ticket_keys == nullptr) {
    return Reason::kChangedClientHello;
  }
  const OfferedPsks& psks = *extensions.pre_shared_key;
  const size_t tried = std::min(psks.identities.size(), kMaxTriedIdentities);
  for (size_t i = 0; i < tried; ++i) {
    const std::optional<Session> found =
        context.ticket_keys->Open(psks.identities[i].identity, context.session_binding);
    if (!found || !ConstantTimeEqual(SecretAccess::Open(found->secret),
                                     SecretAccess::Open(session.session.secret))) {
      continue;
    }
    if (!BinderIsRight(session.session, so_far, client_hello, psks, i)) return Reason::kBadBinder;
    session.index = static_cast<uint16_t>(i);
    return {};
  }
  // RFC 8446 §4.1.2: after a HelloRetryRequest a client may drop PSKs "which are incompatible with
  // the server's indicated cipher suite", which this one is not.
  return Reason::kChangedClientHello;
}

Result<Bytes> IssueTickets(const Established& negotiated, const MainSecret& main,
                           const Digest& transcript_hash, const Context& context) {
  Bytes messages;
  const uint32_t lifetime = LifetimeOf(negotiated, context);
  const int most = std::min(int{context.profile.session_tickets}, kMaxTickets);
  const int count = negotiated.resumed ? (most + 1) / 2 : most;
  if (context.ticket_keys == nullptr || !context.ticket_keys->seals() || lifetime == 0 ||
      count == 0) {
    return messages;
  }
  Result<TicketSealer> sealer = context.ticket_keys->SealerFor(context.session_binding);
  if (!sealer.ok()) return sealer.reason();
  const HashAlgorithm hash = FindSuite(negotiated.cipher_suite)->hash;
  const HashSecret resumption = ResumptionSecret(hash, main, transcript_hash);
  for (int i = 0; i < count; ++i) {
    // RFC 8446 §4.6.1: the nonce is "unique across all tickets issued on this connection".
    const uint8_t nonce = static_cast<uint8_t>(i);
    const Result<SealedTicket> ticket = sealer->Seal(NewSession(
        negotiated, TicketPsk(hash, resumption, {&nonce, 1}), lifetime, context.now_unix_s));
    // A chain too long for a ticket costs the resumption, not the connection.
    if (!ticket.ok() && ticket.reason() == Reason::kMessageTooLong) return Bytes();
    if (!ticket.ok()) return ticket.reason();
    NewSessionTicket message;
    message.ticket_lifetime = lifetime;
    // RFC 8446 §4.6.1: "The server MUST generate a fresh value for each ticket it sends."
    message.ticket_age_add = ticket->age_add;
    message.ticket_nonce = {&nonce, 1};
    message.ticket = ticket->bytes;
    messages.reserve(static_cast<size_t>(count) * (ticket->bytes.size() + kTicketOverhead));
    if (!AppendMessage(messages, message)) return Reason::kInternalError;
  }
  return messages;
}

}  // namespace handfast::tls::tls13
