// The client role of TLS 1.3: against libssl's server, against our own, and against servers that
// break the rules.
#include <functional>

#include <gtest/gtest.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/record/protection.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

Leaf ServerLeaf(KeyType type = KeyType::kEcdsaP256) {
  return Ca().Issue({.type = type, .dns = {"example.test"}});
}

LibsslContext Context13(const Leaf& leaf) {
  LibsslContext context(LibsslServerContext(leaf, 2));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  return context;
}

// Runs until nobody has anything to say; then a word each way under the keys that were agreed on.
testing::AssertionResult ShakesHands(ServerDriver& client, LibsslServer& server) {
  Bytes to_server = client.Begin();
  Bytes to_client;
  while (!to_server.empty() && !client.failure()) {
    to_client = server.Receive(to_server);
    to_server = client.Receive(to_client);
  }
  if (client.failure()) {
    return testing::AssertionFailure() << Describe(client.failure()->reason).label;
  }
  if (!client.established() || !server.done()) return testing::AssertionFailure() << "unfinished";
  // What the handshake's end left, it did not consume.
  const auto unused =
      static_cast<std::ptrdiff_t>(client.received() - client.connection().consumed());
  Bytes rest(to_client.end() - unused, to_client.end());
  Result<ReleasedKeys> keys = ReleaseKeys(client.Take());
  if (!keys.ok()) return testing::AssertionFailure() << "no keys";
  RecordSealer sealer(*RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal));
  RecordOpener opener(*RecordKeys::Create(std::move(keys->read), AeadDirection::kOpen));
  Bytes record;
  if (!sealer.Seal(ContentType::kApplicationData, AsBytes("ping"), 16384, record).ok() ||
      AsText(server.Read(record)) != "ping") {
    return testing::AssertionFailure() << "the server cannot read";
  }
  Append(rest, server.Write(AsBytes("pong")));
  std::string heard;
  for (std::span<uint8_t> stream(rest); !stream.empty();) {
    const size_t size = kRecordHeaderSize + (size_t{stream[3]} << 8 | stream[4]);
    const Result<OpenedRecord> opened = opener.Open(stream.first(size));
    if (!opened.ok()) return testing::AssertionFailure() << "the client cannot read";
    if (opened->type == ContentType::kApplicationData) heard += AsText(opened->fragment);
    stream = stream.subspan(size);
  }
  if (heard != "pong") return testing::AssertionFailure() << "heard " << heard;
  return testing::AssertionSuccess();
}

// RFC 8446 §9.1: among them what every implementation must have.
TEST(Client13, EverySuiteGroupAndKeyWithLibssl) {
  const std::vector<std::pair<NamedGroup, const char*>> groups = {
      {NamedGroup::kX25519, "X25519"},
      {NamedGroup::kSecp256r1, "P-256"},
      {NamedGroup::kSecp384r1, "P-384"},
      {NamedGroup::kSecp521r1, "P-521"}};
  for (const KeyType type : {KeyType::kEcdsaP256, KeyType::kEcdsaP384, KeyType::kEcdsaP521,
                             KeyType::kEd25519, KeyType::kRsa2048}) {
    const Leaf leaf = ServerLeaf(type);
    const LibsslContext context = Context13(leaf);
    for (const CipherSuite suite : ModernProfile().cipher_suites) {
      for (const auto& [group, name] : groups) {
        for (const bool amnesia : {false, true}) {
          ServerKit kit = ClientKit();
          kit.profile.cipher_suites = {suite};
          kit.profile.groups = {group};
          SSL_CTX_set1_groups_list(context.get(), name);
          ServerDriver client(kit, {.server_name = "example.test"});
          client.amnesia = amnesia;
          LibsslServer server(context.get());
          EXPECT_TRUE(ShakesHands(client, server))
              << Name(type) << " " << Name(suite) << " " << name;
          ASSERT_TRUE(client.established());
          EXPECT_EQ(client.established()->cipher_suite, suite);
          EXPECT_EQ(client.established()->group, group);
          EXPECT_EQ(client.established()->server_name, "example.test");
          EXPECT_EQ(client.established()->peer_chain, leaf.chain);
          EXPECT_STREQ(SSL_get_servername(server.ssl(), TLSEXT_NAMETYPE_host_name), "example.test");
        }
      }
    }
  }
}

TEST(Client13, AHelloRetryRequestOfLibssl) {
  const Leaf leaf = ServerLeaf();
  const LibsslContext context = Context13(leaf);
  SSL_CTX_set1_groups_list(context.get(), "P-521:P-384");
  for (const bool amnesia : {false, true}) {
    ServerKit kit = ClientKit();
    kit.profile.groups = {NamedGroup::kX25519, NamedGroup::kSecp384r1};
    ServerDriver client(kit, {.trace = true});
    client.amnesia = amnesia;
    LibsslServer server(context.get());
    EXPECT_TRUE(ShakesHands(client, server));
    EXPECT_EQ(client.established()->group, NamedGroup::kSecp384r1);
    const auto hellos = std::count_if(
        client.messages().begin(), client.messages().end(), [](const TracedMessage& message) {
          return message.content_type == ContentType::kHandshake &&
                 message.bytes[0] == static_cast<uint8_t>(HandshakeType::kClientHello);
        });
    EXPECT_EQ(hellos, 2);
  }
}

int TakeH2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
           void*) {
  static constexpr unsigned char kH2[] = {'h', '2'};
  *out = kH2;
  *size = sizeof(kH2);
  return SSL_TLSEXT_ERR_OK;
}

TEST(Client13, AlpnIsTheServersChoiceAmongOurs) {
  const Leaf leaf = ServerLeaf();
  const LibsslContext context = Context13(leaf);
  SSL_CTX_set_alpn_select_cb(context.get(), &TakeH2, nullptr);
  const ServerKit kit = ClientKit();
  ServerDriver client(kit, {.alpn = {"http/1.1", "h2"}});
  LibsslServer server(context.get());
  EXPECT_TRUE(ShakesHands(client, server));
  EXPECT_EQ(client.established()->alpn, "h2");
  // A choice that was not offered.
  ServerDriver other(kit, {.alpn = {"http/1.1"}});
  LibsslServer again(context.get());
  EXPECT_FALSE(ShakesHands(other, again));
  ASSERT_TRUE(other.failure());
  EXPECT_EQ(other.failure()->reason, Reason::kProtocolNotOffered);
}

TEST(Client13, ClientAuthentication) {
  const Leaf leaf = ServerLeaf();
  const Leaf own = Ca().Issue({.common_name = "me", .server = false, .client = true});
  for (const bool has_own : {false, true}) {
    for (const bool required : {false, true}) {
      for (const bool amnesia : {false, true}) {
        const LibsslContext context = Context13(leaf);
        X509_STORE* store = SSL_CTX_get_cert_store(context.get());
        const Bytes root = Ca().certificate();
        const uint8_t* at = root.data();
        X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(root.size()));
        X509_STORE_add_cert(store, certificate);
        SSL_CTX_add_client_CA(context.get(), certificate);
        X509_free(certificate);
        SSL_CTX_set_verify(context.get(),
                           SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                           nullptr);
        ServerKit kit = ClientKit();
        if (has_own) GiveIdentity(kit, own);
        ServerDriver client(kit);
        client.amnesia = amnesia;
        LibsslServer server(context.get());
        Bytes to_server = client.Begin();
        for (int i = 0; i < 4 && !to_server.empty(); ++i) {
          to_server = client.Receive(server.Receive(to_server));
        }
        // Ours is over when our Finished is out; the server may still refuse.
        EXPECT_TRUE(client.established());
        EXPECT_EQ(server.done(), has_own || !required);
        EXPECT_EQ(SSL_get0_peer_certificate(server.ssl()) != nullptr, has_own);
      }
    }
  }
}

TEST(Client13, TheAuthoritiesAreAskedFor) {
  const Leaf leaf = ServerLeaf();
  ServerKit server_kit = ServerKit::For(leaf, ModernProfile());
  server_kit.profile.client_auth = ClientAuth::kRequired;
  server_kit.profile.certificate_authorities = Ca().Bundle().subjects();
  server_kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
  ServerDriver server(server_kit);
  const ServerKit kit = ClientKit();
  Connection client = Connection::Client({});
  const tls::Context context{kit.profile, SystemRandomness()};
  Stepped begun = Step(std::move(client), Begin{}, context);
  const Bytes flight = server.Receive(begun.output.to_peer);
  const Stepped asked = Step(std::move(begun.connection), FromPeer{flight}, context);
  ASSERT_TRUE(asked.output.question);
  const auto& choose = std::get<Choose>(*asked.output.question);
  EXPECT_TRUE(choose.as_client);
  EXPECT_EQ(choose.certificate_authorities, Ca().Bundle().subjects());
  EXPECT_EQ(choose.schemes, ModernProfile().signature_schemes);
  EXPECT_EQ(asked.connection.state_name(), "AwaitChoice");
}

// ---- Against our own server.

struct Both : OurTwo {
  explicit Both(ServerKit client_kit_in = ClientKit())
      : OurTwo{std::move(client_kit_in), ServerKit::For(ServerLeaf(), ModernProfile())} {}
};

TEST(Client13, MeetsOurOwnServer) {
  for (const size_t piece : {size_t{1}, size_t{7}, SIZE_MAX}) {
    for (const bool amnesia : {false, true}) {
      Both both;
      both.Run(piece, amnesia);
      ASSERT_TRUE(both.client->established() && both.server->established());
      const Established& mine = *both.client->established();
      const Established& theirs = *both.server->established();
      EXPECT_EQ(mine.cipher_suite, theirs.cipher_suite);
      EXPECT_EQ(mine.alpn, "h2");
      EXPECT_EQ(theirs.alpn, "h2");
      EXPECT_EQ(theirs.server_name, "example.test");
      EXPECT_EQ(mine.max_fragment, 16384);
      auto keys = ReleaseKeys(both.client->Take());
      auto other = ReleaseKeys(both.server->Take());
      RecordSealer sealer(*RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal));
      RecordOpener opener(*RecordKeys::Create(std::move(other->read), AeadDirection::kOpen));
      Bytes record;
      ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, AsBytes("x"), 16384, record).ok());
      EXPECT_TRUE(opener.Open(record).ok());
    }
  }
}

TEST(Client13, RecordSizeLimitsHoldBothWays) {
  Both both;
  both.client_kit.profile.record_size_limit = 100;
  both.server_kit.profile.record_size_limit = 200;
  both.Run();
  ASSERT_TRUE(both.client->established() && both.server->established());
  EXPECT_EQ(both.client->established()->max_fragment, 199);
  EXPECT_EQ(both.server->established()->max_fragment, 99);
}

TEST(Client13, AClientCertificateOfEveryKind) {
  for (const KeyType type : {KeyType::kEcdsaP256, KeyType::kEcdsaP384, KeyType::kEcdsaP521,
                             KeyType::kEd25519, KeyType::kRsa2048}) {
    Both both;
    const Leaf own = Ca().Issue({.type = type, .server = false, .client = true});
    GiveIdentity(both.client_kit, own);
    both.server_kit.profile.client_auth = ClientAuth::kRequired;
    both.server_kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
    both.Run(SIZE_MAX, /*amnesia=*/true);
    ASSERT_TRUE(both.server->established()) << Name(type);
    EXPECT_EQ(both.server->established()->peer_chain, own.chain);
    EXPECT_EQ(both.client->established()->signature_scheme, SchemesOf(type).front());
  }
}

// A key that the server cannot take: an empty Certificate, which the server may refuse.
TEST(Client13, WithoutACommonSchemeTheCertificateIsEmpty) {
  Both both;
  const Leaf own = Ca().Issue({.type = KeyType::kEd25519, .server = false, .client = true});
  GiveIdentity(both.client_kit, own);
  both.server_kit.profile.client_auth = ClientAuth::kOptional;
  std::erase(both.server_kit.profile.signature_schemes, SignatureScheme::kEd25519);
  both.server_kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
  both.Run();
  ASSERT_TRUE(both.server->established());
  EXPECT_TRUE(both.server->established()->peer_chain.empty());
}

TEST(Client13, AnUntrustedServerIsUnknownCa) {
  const TestCa other = TestCa::Create("another CA");
  Both both;
  both.client_kit.clients = std::make_shared<const TrustBundle>(other.Bundle());
  both.Run();
  ASSERT_TRUE(both.client->failure());
  EXPECT_EQ(both.client->failure()->reason, Reason::kUnknownCa);
  ASSERT_TRUE(both.server->failure());
  EXPECT_EQ(both.server->failure()->alert, static_cast<uint8_t>(Alert::kUnknownCa));
}

// T16: a certificate, and a key that is not its own.
TEST(Client13, T16_ASignatureByAnotherKeyIsDecryptError) {
  Both both;
  both.server_kit.key = ServerKit::For(ServerLeaf()).key;
  both.Run();
  ASSERT_TRUE(both.client->failure());
  EXPECT_EQ(both.client->failure()->reason, Reason::kBadSignature);
  EXPECT_EQ(both.client->failure()->alert, static_cast<uint8_t>(Alert::kDecryptError));
}

TEST(Client13, T16_ASchemeThatWasNotOfferedIsIllegalParameter) {
  Both both;
  ServerDriver server(both.server_kit);
  // The client takes back an offer between its hello and the answer.
  const ServerKit kit = ClientKit();
  Connection client = Connection::Client({});
  Stepped begun = Step(std::move(client), Begin{}, tls::Context{kit.profile, SystemRandomness()});
  const Bytes flight = server.Receive(begun.output.to_peer);
  Profile narrow = kit.profile;
  narrow.signature_schemes = {SignatureScheme::kRsaPssRsaeSha256};
  const tls::Context context{narrow, SystemRandomness()};
  Stepped asked = Step(std::move(begun.connection), FromPeer{flight}, context);
  ASSERT_TRUE(asked.output.question);
  const PeerVerdict trusted{std::get<VerifyPeer>(*asked.output.question).id, std::nullopt};
  const Stepped last = Step(std::move(asked.connection), Answer(trusted), context);
  ASSERT_TRUE(last.output.failure);
  EXPECT_EQ(last.output.failure->reason, Reason::kSchemeNotOffered);
}

// ---- ServerHellos that break the rules.

struct ServerHelloFields {
  uint16_t version = 0x0303;
  Bytes random = Bytes(32, 0x5e);
  Bytes session_id;
  uint16_t suite = 0x1301;
  uint8_t compression = 0;
  std::vector<std::pair<uint16_t, std::string>> extensions;  // hex bodies

  Bytes Record() const {
    Bytes body;
    Writer writer(body);
    writer.U16(version);
    Append(body, random);
    writer.Opaque8(session_id, {.min = 0, .max = 255});
    writer.U16(suite);
    writer.U8(compression);
    writer.Prefixed(2, {.min = 0, .max = 0xffff}, [&] {
      for (const auto& [type, hex] : extensions) {
        writer.U16(type);
        writer.Opaque16(*FromHex(hex), {.min = 0, .max = 0xffff});
      }
      return true;
    });
    Bytes record;
    Writer out(record);
    out.U8(uint8_t{22});
    out.U16(uint16_t{0x0303});
    out.U16(static_cast<uint16_t>(body.size() + 4));
    out.U8(uint8_t{2});
    out.U24(static_cast<uint32_t>(body.size()));
    Append(record, body);
    return record;
  }
};

const std::string kVersion13 = "0304";
// A point of X25519 that is on the curve.
const std::string kShare =
    "001d0020"
    "09" +
    std::string(62, '0');
const Bytes kRetry(std::begin(kHelloRetryRequestRandom), std::end(kHelloRetryRequestRandom));

class WrongServerHello : public testing::Test {
 protected:
  // A client that has said hello, and its hello's session id.
  WrongServerHello() : client_(kit_) {
    hello_ = client_.Begin();
    const auto parsed = Parse<ClientHello>(ByteView(hello_).subspan(5 + kHandshakeHeaderSize));
    fields_.session_id = Copy(parsed->legacy_session_id);
    fields_.extensions = {{43, kVersion13}, {51, kShare}};
  }
  void ExpectFailure(Reason reason, Alert alert) {
    const Bytes reply = client_.Receive(fields_.Record());
    ASSERT_TRUE(client_.failure());
    EXPECT_EQ(Describe(client_.failure()->reason).label, Describe(reason).label);
    EXPECT_EQ(client_.failure()->alert, static_cast<uint8_t>(alert));
    ASSERT_GE(reply.size(), 7u);
    EXPECT_EQ(ByteView(reply).last(7)[6], static_cast<uint8_t>(alert));
  }

  const ServerKit kit_ = ClientKit();
  ServerDriver client_;
  Bytes hello_;
  ServerHelloFields fields_;
};

TEST_F(WrongServerHello, TheControlIsTaken) {
  client_.Receive(fields_.Record());
  EXPECT_FALSE(client_.failure());
  EXPECT_EQ(client_.connection().state_name(), "WaitEncryptedExtensions");
}
TEST_F(WrongServerHello, WithoutSupportedVersions) {
  fields_.extensions.erase(fields_.extensions.begin());
  ExpectFailure(Reason::kUnsupportedVersion, Alert::kProtocolVersion);
}
TEST_F(WrongServerHello, T6_AVersionThatWasNotOffered) {
  fields_.extensions[0].second = "0303";
  ExpectFailure(Reason::kVersionNotOffered, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, AnotherLegacyVersion) {
  fields_.version = 0x0304;
  ExpectFailure(Reason::kVersionNotOffered, Alert::kIllegalParameter);
}
// RFC 8446 §D.5: whatever else it says.
TEST_F(WrongServerHello, T10_Ssl3) {
  fields_.version = 0x0300;
  ExpectFailure(Reason::kUnsupportedVersion, Alert::kProtocolVersion);
}
TEST_F(WrongServerHello, AnotherSessionId) {
  fields_.session_id[0] ^= 1;
  ExpectFailure(Reason::kSessionIdNotEchoed, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, NoSessionId) {
  fields_.session_id.clear();
  ExpectFailure(Reason::kSessionIdNotEchoed, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, ASuiteThatWasNotOffered) {
  fields_.suite = 0x1304;
  ExpectFailure(Reason::kSuiteNotOffered, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, ASuiteOfTls12) {
  fields_.suite = 0xc02b;
  ExpectFailure(Reason::kSuiteNotOffered, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, T3_Compression) {
  fields_.compression = 1;
  ExpectFailure(Reason::kBadCompression, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, AnExtensionTwice) {
  fields_.extensions.push_back(fields_.extensions[0]);
  ExpectFailure(Reason::kDuplicateExtension, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, AnExtensionNobodyAskedFor) {
  fields_.extensions.emplace_back(0x1234, "");
  ExpectFailure(Reason::kUnsolicitedExtension, Alert::kUnsupportedExtension);
}
TEST_F(WrongServerHello, AnExtensionOfAnotherMessage) {
  fields_.extensions.emplace_back(10, "0002001d");  // supported_groups
  ExpectFailure(Reason::kMisplacedExtension, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, WithoutAShare) {
  fields_.extensions.pop_back();
  ExpectFailure(Reason::kMissingExtension, Alert::kMissingExtension);
}
TEST_F(WrongServerHello, T15_AShareOfAnotherGroup) {
  fields_.extensions[1].second = "00170001aa";
  ExpectFailure(Reason::kKeyShareNotOffered, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, T14_APointOfSmallOrder) {
  fields_.extensions[1].second = "001d0020" + std::string(64, '0');
  ExpectFailure(Reason::kBadKeyShare, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, AShareCutShort) {
  fields_.extensions[1].second =
      "001d0020"
      "0900";
  ExpectFailure(Reason::kDecodeError, Alert::kDecodeError);
}
TEST_F(WrongServerHello, ARetryThatChangesNothing) {
  fields_.random = kRetry;
  fields_.extensions = {{43, kVersion13}};
  ExpectFailure(Reason::kRetryWithoutChange, Alert::kIllegalParameter);
}
// RFC 8446 §4.1.3 and §4.1.4: the random alone makes it a HelloRetryRequest, not TLS 1.2's answer.
TEST_F(WrongServerHello, ARetryWithoutSupportedVersions) {
  fields_.random = kRetry;
  fields_.extensions = {{51, "0017"}};
  ExpectFailure(Reason::kMissingExtension, Alert::kMissingExtension);
}
TEST_F(WrongServerHello, T15_ARetryForTheSameGroup) {
  fields_.random = kRetry;
  fields_.extensions = {{43, kVersion13}, {51, "001d"}};
  ExpectFailure(Reason::kRetryWithoutChange, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, T15_ARetryForAGroupThatWasNotOffered) {
  fields_.random = kRetry;
  fields_.extensions = {{43, kVersion13}, {51, "0018"}};
  ExpectFailure(Reason::kRetryWithoutChange, Alert::kIllegalParameter);
}
TEST_F(WrongServerHello, T15_ASecondRetry) {
  fields_.random = kRetry;
  fields_.extensions = {{43, kVersion13}, {51, "0017"}};
  EXPECT_FALSE(client_.Receive(fields_.Record()).empty());
  ASSERT_FALSE(client_.failure());
  ExpectFailure(Reason::kUnexpectedMessage, Alert::kUnexpectedMessage);
}
TEST_F(WrongServerHello, AnotherSuiteThanTheRetrys) {
  fields_.random = kRetry;
  fields_.extensions = {{43, kVersion13}, {51, "0017"}};
  client_.Receive(fields_.Record());
  ASSERT_FALSE(client_.failure());
  fields_.random = Bytes(32, 1);
  fields_.suite = 0x1302;
  ExpectFailure(Reason::kSuiteNotOffered, Alert::kIllegalParameter);
}

// RFC 8446 §4.2.2: the cookie comes back as it was, and nothing else has changed but the share.
TEST_F(WrongServerHello, T15_TheCookieIsEchoed) {
  fields_.random = kRetry;
  fields_.extensions = {{43, kVersion13}, {44, "0003c0c1c2"}};
  const Bytes reply = client_.Receive(fields_.Record());
  ASSERT_FALSE(client_.failure());
  ASSERT_EQ(ToHex(ByteView(reply).first(6)), "140303000101") << "the compatibility record";
  const ByteView second = ByteView(reply).subspan(6 + 5 + kHandshakeHeaderSize);
  const auto again = Parse<ClientHello>(second);
  const auto first = Parse<ClientHello>(ByteView(hello_).subspan(5 + kHandshakeHeaderSize));
  ASSERT_TRUE(again && first);
  EXPECT_TRUE(Equal(again->random, first->random));
  ASSERT_EQ(again->extensions.size(), first->extensions.size() + 1);
  for (size_t i = 0; i < first->extensions.size(); ++i) {
    EXPECT_EQ(again->extensions[i].type, first->extensions[i].type);
    EXPECT_TRUE(Equal(again->extensions[i].data, first->extensions[i].data));
  }
  EXPECT_EQ(again->extensions.back().type, ExtensionType::kCookie);
  EXPECT_EQ(ToHex(again->extensions.back().data), "0003c0c1c2");
}

// T12: ChangeCipherSpec, which means nothing here, is taken twice at most and with its one body.
TEST_F(WrongServerHello, T12_TooManyChangeCipherSpecs) {
  const Bytes ccs = *FromHex("140303000101");
  for (int i = 0; i < 2; ++i) {
    client_.Receive(ccs);
    EXPECT_FALSE(client_.failure());
  }
  client_.Receive(ccs);
  ASSERT_TRUE(client_.failure());
  EXPECT_EQ(client_.failure()->reason, Reason::kUnexpectedChangeCipherSpec);
}

// T13: every message but a ServerHello is unexpected here.
TEST_F(WrongServerHello, T13_AnyOtherMessage) {
  for (int type = 0; type < 256; ++type) {
    if (type == static_cast<int>(HandshakeType::kServerHello)) continue;
    ServerDriver client(kit_);
    client.Begin();
    Bytes record = *FromHex(
        "1603030004"
        "00000000");
    record[5] = static_cast<uint8_t>(type);
    client.Receive(record);
    ASSERT_TRUE(client.failure()) << type;
    EXPECT_EQ(client.failure()->reason, Reason::kUnexpectedMessage) << type;
  }
}

TEST(Client13, APeerThatIsNoTlsGetsNoAlert) {
  const ServerKit kit = ClientKit();
  ServerDriver client(kit);
  client.Begin();
  EXPECT_TRUE(client.Receive(AsBytes("HTTP/1.1 400 Bad Request\r\n\r\n")).empty());
  ASSERT_TRUE(client.failure());
  EXPECT_EQ(client.failure()->origin, Origin::kClosed);
}

TEST(Client13, AnAlertOfTheServerIsItsFailure) {
  const ServerKit kit = ClientKit();
  ServerDriver client(kit);
  client.Begin();
  EXPECT_TRUE(client.Receive(*FromHex("15030300020228")).empty());
  ASSERT_TRUE(client.failure());
  EXPECT_EQ(client.failure()->origin, Origin::kPeerAlert);
  EXPECT_EQ(client.failure()->alert, 40);
}

}  // namespace
}  // namespace handfast::tls::test
