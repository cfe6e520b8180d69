// ClientHellos that bring a session of TLS 1.3 and little else: what RFC 8446 §9.2 asks of them,
// and what is asked once the session is not taken. The session is made here, for its secret is
// needed.
#include <gtest/gtest.h>

#include "tests/tls/connection/wrong_peer.h"
#include "tls/engine/key_schedule.h"
#include "tls/wire/client_hello_extensions.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

constexpr HashAlgorithm kHash = HashAlgorithm::kSha256;

std::shared_ptr<const TicketKeys> Keys() {
  TicketKey key;
  key.name.fill(7);
  key.key = *AeadKey::From(Bytes(32, 7));
  std::vector<TicketKey> keys;
  keys.push_back(std::move(key));
  return std::make_shared<const TicketKeys>(std::move(keys));
}

ServerKit Kit() {
  ServerKit kit = FixedKit();
  kit.ticket_keys = Keys();
  return kit;
}

HashSecret Psk() { return *HashSecret::From(Bytes(32, 0x51)); }

Bytes Ticket() {
  Session session;
  session.version = kTls13;
  session.cipher_suite = CipherSuite::kTlsAes128GcmSha256;
  session.secret = Psk();
  session.server_name = "example.test";
  session.credential = "leaf";
  session.issued_unix_s = kNow;
  session.not_after_unix_s = kNow + 1000;
  return Keys()->SealerFor({})->Seal(std::move(session))->bytes;
}

// A sound hello with the session, its binder right, but for what `change` does before that.
Bytes Hello(const std::function<void(HelloFields&)>& change) {
  HelloFields hello = HelloFor(kTls13);
  change(hello);
  hello.SetHex(ExtensionType::kPskKeyExchangeModes, "0101");
  const Bytes ticket = Ticket();
  const Bytes zeros(DigestSize(kHash), 0);
  hello.Set(ExtensionType::kPreSharedKey, Serialize(OfferedPsks{{{ticket, 0}}, {{zeros}}}));
  Bytes message = hello.Message();
  const size_t binders = 2 + 1 + zeros.size();
  const Digest truncated = Hash(kHash, ByteView(message).first(message.size() - binders));
  const Digest binder = Binder(kHash, ToEarly(kHash, Psk()), truncated);
  std::copy(binder.view().begin(), binder.view().end(),
            message.end() - static_cast<std::ptrdiff_t>(binder.size));
  return message;
}

void Nothing(HelloFields&) {}
void DropSchemes(HelloFields& hello) { hello.Remove(ExtensionType::kSignatureAlgorithms); }

struct Answered {
  std::string state;
  bool resumed = false;
  std::optional<HandshakeFailure> failure;
};

// As far as the server goes without the client.
Answered Ask(const ServerKit& kit, const Bytes& hello, bool amnesia = false) {
  ServerDriver server(kit);
  server.amnesia = amnesia;
  const Bytes answer = server.Receive(PlainRecord(ContentType::kHandshake, hello));
  Answered answered{std::string(server.connection().state_name()), false, server.failure()};
  if (answered.failure || answer.empty()) return answered;
  const size_t size = size_t{answer[3]} << 8 | answer[4];
  const auto message = Parse<ServerHello>(
      ByteView(answer).subspan(kRecordHeaderSize, size).subspan(kHandshakeHeaderSize));
  answered.resumed = message && Find(message->extensions, ExtensionType::kPreSharedKey) != nullptr;
  return answered;
}

TEST(PskHello, NeedsNoSignatureAlgorithmsWhereTheSessionIsTaken) {
  for (const auto& change : {Nothing, DropSchemes}) {
    for (const bool amnesia : {false, true}) {
      const Answered answered = Ask(Kit(), Hello(change), amnesia);
      EXPECT_FALSE(answered.failure);
      EXPECT_TRUE(answered.resumed);
      EXPECT_EQ(answered.state, "WaitFinished");
    }
  }
}

// RFC 8446 §4.2.3: whoever is to see a certificate says what may sign for it.
TEST(PskHello, NeedsThemWhereItIsNot) {
  ServerKit refused = Kit();
  refused.resume = false;
  ServerKit unopened = Kit();
  unopened.session_binding = Bytes{1};
  ServerKit none = Kit();
  none.ticket_keys = nullptr;
  for (const ServerKit* kit : {&refused, &unopened, &none}) {
    const Answered without = Ask(*kit, Hello(DropSchemes));
    ASSERT_TRUE(without.failure);
    EXPECT_EQ(without.failure->reason, Reason::kMissingExtension);
    EXPECT_EQ(without.failure->alert, static_cast<uint8_t>(Alert::kMissingExtension));
    // The control: a full handshake.
    const Answered with = Ask(*kit, Hello(Nothing));
    EXPECT_FALSE(with.failure);
    EXPECT_FALSE(with.resumed);
  }
}

// RFC 8446 §9.2: a key share is asked of all, for nothing else is resumed with.
TEST(PskHello, NeedsAKeyShare) {
  for (const ExtensionType type : {ExtensionType::kKeyShare, ExtensionType::kSupportedGroups}) {
    const Answered answered = Ask(Kit(), Hello([type](HelloFields& hello) { hello.Remove(type); }));
    ASSERT_TRUE(answered.failure) << Name(type);
    EXPECT_EQ(answered.failure->reason, Reason::kMissingExtension);
  }
}

TEST(PskHello, IsResumedAfterARetryToo) {
  const Bytes hello = Hello([](HelloFields& fields) {
    DropSchemes(fields);
    fields.Set(ExtensionType::kKeyShare, Serialize(KeyShareClientHello{}));
  });
  const Answered answered = Ask(Kit(), hello);
  EXPECT_FALSE(answered.failure);
  EXPECT_EQ(answered.state, "WaitRetriedClientHello");
}

}  // namespace
}  // namespace handfast::tls::test
