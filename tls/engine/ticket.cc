#include "tls/engine/ticket.h"

#include <cstring>
#include <utility>

#include "tls/base/secret_access.h"
#include "tls/crypto/aead.h"
#include "tls/crypto/hkdf.h"
#include "tls/engine/session_codec.h"

namespace handfast::tls {
namespace {

// Of the sealed session's layout.
constexpr uint8_t kTicketVersion = 2;
constexpr size_t kPrefix = kTicketKeyNameSize + kAeadNonceSize;

// The layout's version, before it.
template <class Io>
bool Versioned(Io& io, Session& session) {
  uint8_t version = kTicketVersion;
  return io.Number(version) && version == kTicketVersion && Fields(io, session);
}

Bytes AssociatedData(ByteView name, ByteView binding) {
  Bytes data = Copy(name);
  Append(data, binding);
  return data;
}

// A plaintext session, wiped when it goes.
struct Plaintext {
  ~Plaintext() { Wipe(bytes); }
  Bytes bytes;
};

// What is fresh in a ticket: a pseudo-random function of all that is sealed and bound.
struct Fresh {
  uint8_t nonce[kAeadNonceSize];
  uint32_t age_add;
};

Fresh FreshFor(const HashSecret& secret, ByteView associated_data, ByteView plaintext) {
  static constexpr std::string_view kLabel = "handfast ticket nonce";
  Hmac hmac(HashAlgorithm::kSha256, SecretAccess::Open(secret));
  const uint64_t size = associated_data.size();
  hmac.Update(AsBytes(kLabel));
  hmac.Update({reinterpret_cast<const uint8_t*>(&size), sizeof(size)});
  hmac.Update(associated_data);
  hmac.Update(plaintext);
  uint8_t value[kMaxDigestSize];
  hmac.Finish(value);
  Fresh fresh;
  static_assert(sizeof(fresh) <= 32);
  std::memcpy(&fresh, value, sizeof(fresh));
  return fresh;
}

}  // namespace

const TicketKey* TicketKeys::Find(ByteView name) const {
  for (const TicketKey& key : keys_) {
    if (Equal(name, key.name)) return &key;
  }
  return nullptr;
}

Result<TicketSealer> TicketKeys::SealerFor(ByteView binding) const {
  if (keys_.empty()) return Reason::kInternalError;
  const TicketKey& key = keys_.front();
  Result<Aead> aead = Aead::Create(AeadAlgorithm::kAes256Gcm, AeadDirection::kSeal, key.key);
  if (!aead.ok()) return aead.reason();
  return TicketSealer(*std::move(aead), AssociatedData(key.name, binding));
}

Result<SealedTicket> TicketSealer::Seal(Session spent) {
  size_t chain = 0;
  for (const Bytes& der : spent.peer_chain) chain += der.size();
  if (chain > kMaxTicketSize) return Reason::kMessageTooLong;
  Plaintext session;
  // Never grown, which would leave a copy behind: all else that is fixed is below 128 bytes.
  session.bytes.reserve(128 + spent.server_name.size() + spent.credential.size() + chain +
                        3 * spent.peer_chain.size());
  SaveFields io(session.bytes);
  if (!Versioned(io, spent)) return Reason::kInternalError;
  const size_t size = kPrefix + session.bytes.size() + kAeadTagSize;
  if (size > kMaxTicketSize) return Reason::kMessageTooLong;
  const Fresh fresh = FreshFor(spent.secret, associated_data_, session.bytes);
  SealedTicket ticket{Bytes(), fresh.age_add};
  ticket.bytes.reserve(size);
  Append(ticket.bytes, ByteView(associated_data_).first(kTicketKeyNameSize));
  Append(ticket.bytes, fresh.nonce);
  ticket.bytes.resize(size);
  const Result<void> sealed =
      aead_.Seal(fresh.nonce, associated_data_, session.bytes, {}, ticket.bytes.data() + kPrefix);
  if (!sealed.ok()) return sealed.reason();
  return ticket;
}

std::optional<Session> TicketKeys::Open(ByteView ticket, ByteView binding) const {
  if (ticket.size() < kPrefix + kAeadTagSize || ticket.size() > kMaxTicketSize) {
    return std::nullopt;
  }
  const TicketKey* key = Find(ticket.first(kTicketKeyNameSize));
  if (key == nullptr) return std::nullopt;
  Result<Aead> aead = Aead::Create(AeadAlgorithm::kAes256Gcm, AeadDirection::kOpen, key->key);
  if (!aead.ok()) return std::nullopt;
  Plaintext sealed{Copy(ticket.subspan(kPrefix))};
  const Result<std::span<uint8_t>> opened =
      aead->Open(ticket.subspan(kTicketKeyNameSize, kAeadNonceSize),
                 AssociatedData(key->name, binding), sealed.bytes);
  if (!opened.ok()) return std::nullopt;
  Reader reader(*opened);
  LoadFields io(reader);
  Session session;
  if (!Versioned(io, session) || !reader.done()) return std::nullopt;
  return session;
}

}  // namespace handfast::tls
