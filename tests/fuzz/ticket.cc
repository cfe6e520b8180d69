// Tickets: what we sealed opens as it was, for its binding alone; nothing else opens.
#include "tls/engine/ticket.h"

#include "tests/fuzz/target.h"
#include "tests/fuzz/ticket_keys.h"
#include "tls/base/secret_access.h"

namespace handfast::fuzz {
namespace {

using namespace tls;  // NOLINT(google-build-using-namespace): a target speaks of nothing else

constexpr uint8_t kOurs = 1;

std::string TextFrom(Choices& choices) { return std::string(AsText(choices.Take(choices.U8()))); }

Session SessionFrom(Choices& choices) {
  Session session;
  session.version = ProtocolVersion::kTls13;
  session.cipher_suite = static_cast<CipherSuite>(choices.U16());
  session.secret = *HashSecret::From(choices.Take(choices.U8() % (HashSecret::kCapacity + 1)));
  session.server_name = TextFrom(choices);
  session.credential = TextFrom(choices);
  session.issued_unix_s = int64_t{choices.U16()} << 32 | choices.U16();
  session.not_after_unix_s = -int64_t{choices.U16()};
  const uint8_t certificates = choices.U8() % 4;
  for (uint8_t i = 0; i < certificates; ++i) {
    session.peer_chain.push_back(Copy(choices.Take(choices.U16())));
  }
  return session;
}

bool Same(const Session& a, const Session& b) {
  return a.version == b.version && a.cipher_suite == b.cipher_suite &&
         Equal(SecretAccess::Open(a.secret), SecretAccess::Open(b.secret)) &&
         a.server_name == b.server_name && a.credential == b.credential &&
         a.peer_chain == b.peer_chain && a.issued_unix_s == b.issued_unix_s &&
         a.not_after_unix_s == b.not_after_unix_s;
}

// Bytes that were never sealed with these keys, though their name may be right.
void CheckForged(ByteView ticket) {
  const TicketKeys keys = TicketKeysOf(Mutant("forged") ? kCorpusKey : kTargetKey);
  Require(!keys.Open(ticket, kBinding).has_value(), "forged");
}

void CheckOurs(ByteView fields, uint16_t flip) {
  const TicketKeys keys = TicketKeysOf(kTargetKey);
  Result<TicketSealer> sealer = keys.SealerFor(kBinding);
  Require(sealer.ok(), "opens_as_sealed");
  Choices choices(fields);
  const Result<SealedTicket> ticket = sealer->Seal(SessionFrom(choices));
  if (!ticket.ok()) return Require(ticket.reason() == Reason::kMessageTooLong, "opens_as_sealed");
  Choices again(fields);
  Session expected = SessionFrom(again);
  if (Mutant("opens_as_sealed")) expected.credential += '!';
  const std::optional<Session> opened = keys.Open(ticket->bytes, kBinding);
  Require(opened && Same(*opened, expected), "opens_as_sealed");
  const ByteView other = Mutant("bound") ? kBinding : AsBytes("another tenant");
  Require(!keys.Open(ticket->bytes, other).has_value(), "bound");
  Bytes altered = ticket->bytes;
  const size_t bit = flip % (altered.size() * 8);
  if (!Mutant("altered")) altered[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  Require(!keys.Open(altered, kBinding).has_value(), "altered");
}

}  // namespace

void OnInput(ByteView input) {
  Choices choices(input);
  if (choices.U8() != kOurs) return CheckForged(choices.rest());
  const uint16_t flip = choices.U16();
  CheckOurs(choices.rest(), flip);
}

}  // namespace handfast::fuzz
