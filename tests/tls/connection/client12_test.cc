// The client role of TLS 1.2: against libssl's server, against our own, and against servers that
// break the rules.
#include <functional>

#include <gtest/gtest.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/plain_flight.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/record/protection.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

const Leaf& LeafFor(SuiteAuthentication authentication) {
  static const Leaf ecdsa = Ca().Issue({.type = KeyType::kEcdsaP256, .dns = {"example.test"}});
  static const Leaf rsa = Ca().Issue({.type = KeyType::kRsa2048, .dns = {"example.test"}});
  return authentication == SuiteAuthentication::kEcdsa ? ecdsa : rsa;
}

std::vector<CipherSuite> Suites12() {
  std::vector<CipherSuite> suites;
  for (const CipherSuite suite : LegacyProfile().cipher_suites) {
    if (FindSuite(suite)->version == ProtocolVersion::kTls12) suites.push_back(suite);
  }
  return suites;
}

LibsslContext Context12(const Leaf& leaf) {
  LibsslContext context(LibsslServerContext(leaf));
  SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  EVP_PKEY* ffdhe = nullptr;
  EVP_PKEY_CTX* generator = EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr);
  EVP_PKEY_keygen_init(generator);
  EVP_PKEY_CTX_set_group_name(generator, "ffdhe2048");
  EVP_PKEY_generate(generator, &ffdhe);
  EVP_PKEY_CTX_free(generator);
  SSL_CTX_set0_tmp_dh_pkey(context.get(), ffdhe);
  return context;
}

// Runs until nobody has anything to say; then, where the keys may be had, a word from each side.
testing::AssertionResult ShakesHands(ServerDriver& client, LibsslServer& server) {
  Bytes to_server = client.Begin();
  while (!to_server.empty() && !client.failure()) {
    to_server = client.Receive(server.Receive(to_server));
  }
  if (client.failure()) {
    return testing::AssertionFailure() << Describe(client.failure()->reason).label;
  }
  if (!client.established() || !server.done()) return testing::AssertionFailure() << "unfinished";
  if (FindSuite(client.established()->cipher_suite)->cbc) return testing::AssertionSuccess();
  Result<ReleasedKeys> keys = ReleaseKeys(client.Take());
  if (!keys.ok()) return testing::AssertionFailure() << "no keys";
  RecordSealer sealer(*RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal));
  RecordOpener opener(*RecordKeys::Create(std::move(keys->read), AeadDirection::kOpen));
  Bytes record;
  if (!sealer.Seal(ContentType::kApplicationData, AsBytes("ping"), 16384, record).ok() ||
      AsText(server.Read(record)) != "ping") {
    return testing::AssertionFailure() << "the server cannot read";
  }
  Bytes answer = server.Write(AsBytes("pong"));
  const Result<OpenedRecord> opened = opener.Open(answer);
  if (!opened.ok() || AsText(opened->fragment) != "pong") {
    return testing::AssertionFailure() << "the client cannot read";
  }
  return testing::AssertionSuccess();
}

// RFC 5246 §9: among them the one that every implementation must have.
TEST(Client12, EverySuiteWithLibssl) {
  for (const CipherSuite suite : Suites12()) {
    const Leaf& leaf = LeafFor(FindSuite(suite)->authentication);
    const LibsslContext context = Context12(leaf);
    for (const bool amnesia : {false, true}) {
      ServerKit kit = Client12Kit(Tls12Only(LegacyProfile()));
      kit.profile.cipher_suites = {suite};
      ServerDriver client(kit, {.server_name = "example.test"});
      client.amnesia = amnesia;
      LibsslServer server(context.get());
      EXPECT_TRUE(ShakesHands(client, server)) << Name(suite);
      ASSERT_TRUE(client.established()) << Name(suite);
      EXPECT_EQ(client.established()->version, ProtocolVersion::kTls12);
      EXPECT_EQ(client.established()->cipher_suite, suite);
      EXPECT_EQ(client.established()->peer_chain, leaf.chain);
      EXPECT_EQ(SSL_get_extms_support(server.ssl()), 1);
    }
  }
}

// Both versions are offered, and the server has only one of them.
TEST(Client12, AnOfferOfBothVersionsMeetsEither) {
  const Leaf& leaf = LeafFor(SuiteAuthentication::kEcdsa);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const LibsslContext context(LibsslServerContext(leaf));
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    const ServerKit kit = Client12Kit(IntermediateProfile());
    ServerDriver client(kit, {.server_name = "example.test"});
    LibsslServer server(context.get());
    Bytes to_server = client.Begin();
    while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
    ASSERT_TRUE(client.established());
    EXPECT_TRUE(server.done());
    EXPECT_EQ(static_cast<int>(client.established()->version), version);
  }
}

TEST(Client12, EveryCurveWithLibssl) {
  const std::vector<std::pair<NamedGroup, const char*>> groups = {
      {NamedGroup::kX25519, "X25519"},
      {NamedGroup::kSecp256r1, "P-256"},
      {NamedGroup::kSecp384r1, "P-384"},
      {NamedGroup::kSecp521r1, "P-521"}};
  const LibsslContext context = Context12(LeafFor(SuiteAuthentication::kRsa));
  for (const auto& [group, name] : groups) {
    ServerKit kit = Client12Kit();
    kit.profile.groups = {group};
    ASSERT_EQ(SSL_CTX_set1_groups_list(context.get(), name), 1);
    ServerDriver client(kit);
    LibsslServer server(context.get());
    EXPECT_TRUE(ShakesHands(client, server)) << name;
    ASSERT_TRUE(client.established());
    EXPECT_EQ(client.established()->group, group);
  }
}

// RFC 5246 §7.4.6, §7.4.7 and §7.4.8: libssl takes the flight in this order alone.
TEST(Client12, ClientAuthenticationWithLibssl) {
  for (const KeyType type :
       {KeyType::kEcdsaP256, KeyType::kEcdsaP384, KeyType::kEd25519, KeyType::kRsa2048}) {
    for (const bool has_own : {false, true}) {
      const Leaf own = Ca().Issue({.type = type, .server = false, .client = true});
      const LibsslContext context = Context12(LeafFor(SuiteAuthentication::kEcdsa));
      const Bytes root = Ca().certificate();
      const uint8_t* at = root.data();
      X509* certificate = d2i_X509(nullptr, &at, static_cast<long>(root.size()));
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), certificate);
      SSL_CTX_add_client_CA(context.get(), certificate);
      X509_free(certificate);
      SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
      ServerKit kit = Client12Kit();
      if (has_own) GiveIdentity(kit, own);
      ServerDriver client(kit);
      client.amnesia = true;
      LibsslServer server(context.get());
      EXPECT_TRUE(ShakesHands(client, server)) << Name(type);
      EXPECT_EQ(SSL_get0_peer_certificate(server.ssl()) != nullptr, has_own) << Name(type);
    }
  }
}

// ---- Against our own server.

struct Both : OurTwo {
  explicit Both(CipherSuite suite = CipherSuite::kEcdheEcdsaAes128GcmSha256)
      : OurTwo{Client12Kit(Tls12Only(LegacyProfile())),
               ServerKit::For(LeafFor(FindSuite(suite)->authentication), LegacyProfile())} {
    client_kit.profile.cipher_suites = {suite};
  }
};

TEST(Client12, MeetsOurOwnServerUnderEverySuite) {
  for (const CipherSuite suite : Suites12()) {
    for (const size_t piece : {size_t{1}, SIZE_MAX}) {
      Both both(suite);
      both.Run(piece, /*amnesia=*/piece == 1);
      ASSERT_TRUE(both.client->established() && both.server->established()) << Name(suite);
      EXPECT_EQ(both.client->established()->cipher_suite, suite);
      EXPECT_EQ(both.client->established()->alpn, "h2");
      EXPECT_EQ(both.server->established()->server_name, "example.test");
      EXPECT_EQ(both.client->established()->group, both.server->established()->group);
      // T5: a TLS 1.2 secret is exported to nobody, in either role.
      Bytes exported(32);
      EXPECT_FALSE(Export(both.client->connection(), "EXPORTER-x", {}, exported).ok());
      EXPECT_FALSE(Export(both.server->connection(), "EXPORTER-x", {}, exported).ok());
    }
  }
}

TEST(Client12, RecordSizeLimitsHoldBothWays) {
  Both both;
  both.client_kit.profile.record_size_limit = 100;
  both.server_kit.profile.record_size_limit = 200;
  both.Run();
  ASSERT_TRUE(both.client->established() && both.server->established());
  EXPECT_EQ(both.client->established()->max_fragment, 200);
  EXPECT_EQ(both.server->established()->max_fragment, 100);
}

TEST(Client12, AClientCertificateOfEveryKind) {
  for (const KeyType type : {KeyType::kEcdsaP256, KeyType::kEcdsaP384, KeyType::kEcdsaP521,
                             KeyType::kEd25519, KeyType::kRsa2048}) {
    Both both;
    const Leaf own = Ca().Issue({.type = type, .server = false, .client = true});
    GiveIdentity(both.client_kit, own);
    both.server_kit.profile.client_auth = ClientAuth::kRequired;
    both.server_kit.profile.certificate_authorities = Ca().Bundle().subjects();
    both.server_kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
    both.Run(SIZE_MAX, /*amnesia=*/true);
    ASSERT_TRUE(both.server->established()) << Name(type);
    EXPECT_EQ(both.server->established()->peer_chain, own.chain);
    EXPECT_EQ(both.client->established()->signature_scheme, SchemesOf(type).front());
  }
}

// RFC 5246 §7.4.6: "If no suitable certificate is available, the client MUST send a certificate
// message containing no certificates."
TEST(Client12, WithoutACommonSchemeTheCertificateIsEmpty) {
  Both both;
  GiveIdentity(both.client_kit,
               Ca().Issue({.type = KeyType::kEd25519, .server = false, .client = true}));
  both.server_kit.profile.client_auth = ClientAuth::kOptional;
  std::erase(both.server_kit.profile.signature_schemes, SignatureScheme::kEd25519);
  both.server_kit.clients = std::make_shared<const TrustBundle>(Ca().Bundle());
  both.Run();
  ASSERT_TRUE(both.server->established());
  EXPECT_TRUE(both.server->established()->peer_chain.empty());
}

// RFC 5246 §7.4.4: certificate_types that leave out the kind of our key.
TEST(Client12, ACertificateTypeThatWasNotAskedForIsNotChosen) {
  for (const uint8_t type : {uint8_t{1}, uint8_t{64}}) {
    Both both;
    both.server_kit.profile.client_auth = ClientAuth::kOptional;
    ServerDriver server(both.server_kit);
    const tls::Context context{both.client_kit.profile, SystemRandomness(), nullptr, {}, kNow};
    Stepped client = Step(Connection::Client({}), Begin{}, context);
    PlainFlight flight(server.Receive(client.output.to_peer));
    const uint8_t types[] = {type};
    flight.Edit<tls12::CertificateRequest>(3, [&](auto& m) { m.certificate_types = types; });
    client = Step(std::move(client.connection), FromPeer{flight.Records()}, context);
    ASSERT_TRUE(client.output.question);
    const PeerVerdict trusted{std::get<VerifyPeer>(*client.output.question).id, std::nullopt};
    client = Step(std::move(client.connection), Answer(trusted), context);
    ASSERT_TRUE(client.output.question);
    const auto& choose = std::get<Choose>(*client.output.question);
    ASSERT_FALSE(choose.schemes.empty());
    for (const SignatureScheme scheme : choose.schemes) {
      const std::string name = Name(scheme);
      EXPECT_EQ(name.starts_with("rsa"), type == 1) << name;
    }
  }
}

TEST(Client12, AnUntrustedServerIsUnknownCa) {
  const TestCa other = TestCa::Create("another CA");
  Both both;
  both.client_kit.clients = std::make_shared<const TrustBundle>(other.Bundle());
  both.Run();
  ASSERT_TRUE(both.client->failure() && both.server->failure());
  EXPECT_EQ(both.client->failure()->reason, Reason::kUnknownCa);
  EXPECT_EQ(both.server->failure()->alert, static_cast<uint8_t>(Alert::kUnknownCa));
}

TEST(Client12, T16_ASignatureByAnotherKeyIsDecryptError) {
  Both both;
  both.server_kit.key =
      ServerKit::For(Ca().Issue({.type = KeyType::kEcdsaP256, .dns = {"example.test"}})).key;
  both.Run();
  ASSERT_TRUE(both.client->failure());
  EXPECT_EQ(both.client->failure()->reason, Reason::kBadSignature);
  EXPECT_EQ(both.client->failure()->alert, static_cast<uint8_t>(Alert::kDecryptError));
}

// ---- Servers that break a rule.

// A whole handshake but for `spoil`, which changes the server's first flight.
std::optional<HandshakeFailure> FailureOf(Both& both,
                                          const std::function<void(PlainFlight&)>& spoil) {
  ServerDriver server(both.server_kit);
  ServerDriver client(both.client_kit, {.alpn = {"h2"}, .server_name = "example.test"});
  PlainFlight flight(server.Receive(client.Begin()));
  spoil(flight);
  server.Receive(client.Receive(flight.Records()));
  return client.failure();
}

struct WrongHello {
  const char* rule;
  Reason reason;
  std::function<void(ServerHello&)> spoil;
};

void RemoveExtension(ServerHello& hello, ExtensionType type) {
  std::erase_if(hello.extensions, [&](const Extension& e) { return e.type == type; });
}

TEST(Client12, WrongServerHellos) {
  static constexpr uint8_t kSomething[] = {1, 7};
  static constexpr uint8_t kAlpnUnknown[] = {0, 3, 2, 'h', '9'};
  static constexpr uint8_t kCompressedOnly[] = {1, 1};
  const std::vector<WrongHello> rows = {
      {"RFC 8446 §D.1: a version that was not offered", Reason::kUnsupportedVersion,
       [](ServerHello& h) { h.legacy_version = static_cast<ProtocolVersion>(0x0302); }},
      {"RFC 5246 §7.4.1.3: a suite that was not offered", Reason::kSuiteNotOffered,
       [](ServerHello& h) { h.cipher_suite = CipherSuite::kEcdheEcdsaAes256GcmSha384; }},
      {"RFC 5246 §7.4.1.3: TLS 1.3's suite", Reason::kSuiteNotOffered,
       [](ServerHello& h) { h.cipher_suite = CipherSuite::kTlsAes128GcmSha256; }},
      {"RFC 5246 §7.4.1.3: a compression that was not offered", Reason::kBadCompression,
       [](ServerHello& h) { h.legacy_compression_method = 1; }},
      {"RFC 5246 §7.4.1.4: an extension that was not asked for", Reason::kUnsolicitedExtension,
       [](ServerHello& h) {
         h.extensions.push_back({ExtensionType::kCertificateAuthorities, {}});
       }},
      {"RFC 5246 §7.4.1.4: an extension twice", Reason::kDuplicateExtension,
       [](ServerHello& h) { h.extensions.push_back(h.extensions.front()); }},
      {"RFC 8446 §4.2: an extension that has no place here", Reason::kMisplacedExtension,
       [](ServerHello& h) {
         h.extensions.push_back({ExtensionType::kSupportedGroups, {}});
       }},
      {"RFC 5746 §3.4: renegotiation_info is missing", Reason::kRenegotiationInfoRequired,
       [](ServerHello& h) { RemoveExtension(h, ExtensionType::kRenegotiationInfo); }},
      {"RFC 5746 §3.4: renegotiation_info is not empty", Reason::kBadRenegotiationInfo,
       [](ServerHello& h) {
         RemoveExtension(h, ExtensionType::kRenegotiationInfo);
         h.extensions.push_back({ExtensionType::kRenegotiationInfo, kSomething});
       }},
      {"RFC 7627 §5.3: extended_master_secret is missing", Reason::kExtendedMasterSecretRequired,
       [](ServerHello& h) { RemoveExtension(h, ExtensionType::kExtendedMasterSecret); }},
      {"RFC 7627 §5.1: extended_master_secret has a body", Reason::kDecodeError,
       [](ServerHello& h) {
         RemoveExtension(h, ExtensionType::kExtendedMasterSecret);
         h.extensions.push_back({ExtensionType::kExtendedMasterSecret, kSomething});
       }},
      {"RFC 8422 §5.2: no uncompressed points", Reason::kBadKeyShare,
       [](ServerHello& h) {
         RemoveExtension(h, ExtensionType::kEcPointFormats);
         h.extensions.push_back({ExtensionType::kEcPointFormats, kCompressedOnly});
       }},
      {"RFC 7301 §3.1: a protocol that was not offered", Reason::kProtocolNotOffered,
       [](ServerHello& h) {
         RemoveExtension(h, ExtensionType::kAlpn);
         h.extensions.push_back({ExtensionType::kAlpn, kAlpnUnknown});
       }},
  };
  for (const WrongHello& row : rows) {
    Both both;
    both.client_kit.profile.require_extended_master_secret = true;
    const auto failure =
        FailureOf(both, [&](PlainFlight& flight) { flight.Edit<ServerHello>(0, row.spoil); });
    ASSERT_TRUE(failure) << row.rule;
    EXPECT_EQ(failure->reason, row.reason) << row.rule;
  }
  // The control: the same way through without a change.
  Both sound;
  EXPECT_FALSE(FailureOf(sound, [](PlainFlight&) {}));
}

// RFC 7366 §3: no encrypt-then-MAC under an AEAD.
TEST(Client12, EncryptThenMacUnderAnAeadIsIllegalParameter) {
  Both both;
  both.client_kit.profile.cipher_suites.push_back(CipherSuite::kEcdheEcdsaAes128CbcSha256);
  const auto failure = FailureOf(both, [](PlainFlight& flight) {
    flight.Edit<ServerHello>(0, [](ServerHello& hello) {
      hello.extensions.push_back({ExtensionType::kEncryptThenMac, {}});
    });
  });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->reason, Reason::kMisplacedExtension);
}

// An echo of a session_id that brought no TLS 1.2 session.
TEST(Client12, ASessionThatWasNotOfferedIsNotResumed) {
  Both both;
  both.client_kit.profile.versions = {ProtocolVersion::kTls13, ProtocolVersion::kTls12};
  both.client_kit.profile.cipher_suites.push_back(CipherSuite::kTlsAes128GcmSha256);
  both.server_kit.profile = Tls12Only();
  ServerDriver server(both.server_kit);
  ServerDriver client(both.client_kit);
  const Bytes hello = client.Begin();
  const auto ours =
      *Parse<ClientHello>(ByteView(hello).subspan(kRecordHeaderSize + kHandshakeHeaderSize));
  PlainFlight flight(server.Receive(hello));
  flight.Edit<ServerHello>(
      0, [&](ServerHello& h) { h.legacy_session_id_echo = ours.legacy_session_id; });
  client.Receive(flight.Records());
  ASSERT_TRUE(client.failure());
  EXPECT_EQ(client.failure()->reason, Reason::kBadSelectedIdentity);
  EXPECT_EQ(client.failure()->alert, static_cast<uint8_t>(Alert::kIllegalParameter));
}

TEST(Client12, T6_ADowngradeBySomebodyBetweenIsSeen) {
  for (const bool between : {false, true}) {
    ServerKit server_kit = ServerKit::For(LeafFor(SuiteAuthentication::kEcdsa));
    // The control: a server that has nothing better.
    if (!between) server_kit.profile = Tls12Only();
    ServerDriver server(server_kit);
    const ServerKit kit = Client12Kit(IntermediateProfile());
    ServerDriver client(kit);
    PlainFlight hello(client.Begin());
    if (between) {
      hello.Edit<ClientHello>(0, [](ClientHello& h) {
        std::erase_if(h.extensions, [](const Extension& e) {
          return e.type == ExtensionType::kSupportedVersions;
        });
      });
    }
    client.Receive(server.Receive(hello.Records()));
    EXPECT_EQ(client.failure().has_value(), between);
    if (!between) continue;
    EXPECT_EQ(client.failure()->reason, Reason::kDowngraded);
    EXPECT_EQ(client.failure()->alert, static_cast<uint8_t>(Alert::kIllegalParameter));
  }
}

struct WrongExchange {
  const char* rule;
  Reason reason;
  std::function<void(tls12::ServerKeyExchange&)> spoil;
};

TEST(Client12, WrongServerKeyExchanges) {
  static constexpr uint8_t kShort[] = {4, 1, 2, 3};
  const std::vector<WrongExchange> rows = {
      {"RFC 8422 §5.4: a curve that was not offered", Reason::kKeyShareNotOffered,
       [](tls12::ServerKeyExchange& m) { m.params.named_curve = static_cast<NamedGroup>(0x001a); }},
      {"RFC 8422 §5.4: explicit parameters", Reason::kKeyShareNotOffered,
       [](tls12::ServerKeyExchange& m) { m.params.curve_type = 1; }},
      {"RFC 5246 §7.4.3: another key's scheme", Reason::kSchemeNotOffered,
       [](tls12::ServerKeyExchange& m) { m.algorithm = SignatureScheme::kRsaPssRsaeSha256; }},
      {"RFC 5246 §7.4.3: a scheme that was not offered", Reason::kSchemeNotOffered,
       [](tls12::ServerKeyExchange& m) { m.algorithm = static_cast<SignatureScheme>(0x0203); }},
      {"RFC 5246 §7.4.3: the signature is not over these parameters", Reason::kBadSignature,
       [](tls12::ServerKeyExchange& m) { m.params.point = kShort; }},
  };
  for (const WrongExchange& row : rows) {
    Both both;
    const auto failure = FailureOf(
        both, [&](PlainFlight& flight) { flight.Edit<tls12::ServerKeyExchange>(2, row.spoil); });
    ASSERT_TRUE(failure) << row.rule;
    EXPECT_EQ(failure->reason, row.reason) << row.rule;
  }
}

// RFC 5246 §7.3: every message of the flight left out, doubled, and swapped with the next.
TEST(Client12, T13_AFlightOutOfOrderIsUnexpected) {
  for (size_t i = 0; i < 4; ++i) {
    Both left_out;
    auto failure = FailureOf(left_out, [&](PlainFlight& flight) { flight.Drop(i); });
    if (i < 3) {
      ASSERT_TRUE(failure) << i;
      EXPECT_EQ(failure->reason, Reason::kUnexpectedMessage) << i;
    } else {
      EXPECT_FALSE(failure) << "it waits for ServerHelloDone";
    }
    Both doubled;
    failure = FailureOf(doubled, [&](PlainFlight& flight) { flight.Double(i); });
    ASSERT_TRUE(failure) << i;
    EXPECT_EQ(failure->reason, Reason::kUnexpectedMessage) << i;
    if (i == 3) continue;
    Both swapped;
    failure = FailureOf(swapped, [&](PlainFlight& flight) { flight.Swap(i, i + 1); });
    ASSERT_TRUE(failure) << i;
    EXPECT_EQ(failure->reason, Reason::kUnexpectedMessage) << i;
  }
}

// RFC 5246 §7.4.1.1: HelloRequest "will be ignored by the client" in a handshake, and is no part of
// it; but not without end.
TEST(Client12, HelloRequestsArePassedOver) {
  for (const size_t count : {1, 4, 5}) {
    Both both;
    ServerDriver server(both.server_kit);
    ServerDriver client(both.client_kit);
    PlainFlight flight(server.Receive(client.Begin()));
    for (size_t i = 0; i < count; ++i) flight.Insert(1, {0, 0, 0, 0});
    Bytes to_server = client.Receive(flight.Records());
    while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
    EXPECT_EQ(client.established() != nullptr, count <= 4) << count;
    if (count > 4) {
      EXPECT_EQ(client.failure()->reason, Reason::kTooManyWarnings);
    }
  }
}

TEST(Client12, T22_AChangedFlightShowsAtTheEnd) {
  Both both;
  ServerDriver server(both.server_kit);
  ServerDriver client(both.client_kit);
  // A byte of a HelloRequest would be passed over; one that the server never sent is not.
  PlainFlight flight(server.Receive(client.Begin()));
  flight.Edit<tls12::Certificate>(
      1, [](tls12::Certificate& m) { m.certificate_list.push_back(m.certificate_list.front()); });
  const Bytes to_server = client.Receive(flight.Records());
  server.Receive(to_server);
  ASSERT_TRUE(server.failure());
  // Under the extended master secret the two have other keys, too.
  EXPECT_EQ(server.failure()->reason, Reason::kBadRecordMac);
}

}  // namespace
}  // namespace handfast::tls::test
