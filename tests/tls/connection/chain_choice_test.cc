// The signatures within a chain against what the peer takes in certificates (RFC 8446 §4.2.3,
// §4.4.2.2 and §4.4.2.3, RFC 5246 §7.4.2, §7.4.4 and §7.4.6), in both roles.
#include <gtest/gtest.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;

// Its leaves have keys for ECDSA, and are signed with rsa_pkcs1_sha256.
const TestCa& RsaCa() {
  static const TestCa ca = TestCa::Create("RSA CA", {.type = KeyType::kRsa2048});
  return ca;
}

void Describe(ServerKit& kit) {
  auto credential = std::make_shared<Credential>(*kit.credential);
  credential->signatures = SignaturesOf(credential->chain);
  kit.credential = std::move(credential);
}

// All but RSASSA-PKCS1-v1_5, in handshake and certificates alike.
Profile WithoutPkcs1(ProtocolVersion version) {
  Profile profile = IntermediateProfile();
  profile.versions = {version};
  profile.signature_schemes = ModernProfile().signature_schemes;
  return profile;
}

class ChainChoice : public testing::TestWithParam<ProtocolVersion> {
 protected:
  // The server's leaf is of the RSA authority, and the client's too, where it has one.
  OurTwo Two() const {
    OurTwo two{ClientKit(), ServerKit::For(RsaCa().Issue({.dns = {"example.test"}}))};
    two.client_kit.clients = std::make_shared<const TrustBundle>(RsaCa().Bundle());
    two.server_kit.clients = two.client_kit.clients;
    two.client_kit.profile = IntermediateProfile();
    two.client_kit.profile.versions = {GetParam()};
    Describe(two.server_kit);
    return two;
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, ChainChoice, testing::Values(kTls12, kTls13),
                         [](const auto& info) { return info.param == kTls13 ? "Tls13" : "Tls12"; });

TEST_P(ChainChoice, AServersChainThatTheClientTakes) {
  OurTwo two = Two();
  two.Run();
  EXPECT_TRUE(two.client->established() && two.server->established());
}

// RFC 5246 §7.4.2: they MUST be of the list. RFC 8446 §4.4.2.2: "it SHOULD continue the handshake
// by sending the client a certificate chain of its choice".
TEST_P(ChainChoice, AServersChainThatTheClientDoesNotTake) {
  OurTwo two = Two();
  two.client_kit.profile = WithoutPkcs1(GetParam());
  for (const bool amnesia : {false, true}) {
    two.Run(SIZE_MAX, amnesia);
    if (GetParam() == kTls13) {
      EXPECT_TRUE(two.client->established() && two.server->established());
      continue;
    }
    ASSERT_TRUE(two.server->failure());
    EXPECT_EQ(two.server->failure()->reason, Reason::kNoCommonSignatureScheme);
    EXPECT_EQ(two.server->failure()->alert, static_cast<uint8_t>(Alert::kHandshakeFailure));
  }
}

// RFC 8446 §4.2.3: signature_algorithms_cert is what counts where it is sent, and TLS 1.2 "SHOULD
// also process this extension".
TEST_P(ChainChoice, SignatureAlgorithmsCertCountsForChains) {
  OurTwo two = Two();
  two.client_kit.profile = WithoutPkcs1(GetParam());
  two.client_kit.profile.certificate_schemes = {SignatureScheme::kRsaPkcs1Sha256};
  two.Run();
  EXPECT_TRUE(two.client->established() && two.server->established());
  // It replaces the other list, and does not add to it.
  two.client_kit.profile = IntermediateProfile();
  two.client_kit.profile.versions = {GetParam()};
  two.client_kit.profile.certificate_schemes = {SignatureScheme::kEcdsaSecp256r1Sha256};
  two.Run();
  EXPECT_EQ(two.server->established() != nullptr, GetParam() == kTls13);
}

// What the question says, byte for byte of the list.
TEST_P(ChainChoice, TheQuestionSaysWhatTheClientTakes) {
  for (const bool cert : {false, true}) {
    ServerKit kit = ClientKit();
    kit.profile = WithoutPkcs1(GetParam());
    if (cert) kit.profile.certificate_schemes = {SignatureScheme::kRsaPkcs1Sha384};
    ServerDriver client(kit);
    const OurTwo two = Two();
    const tls::Context context{two.server_kit.profile, SystemRandomness()};
    const Bytes hello = client.Begin();
    const Stepped asked = Step(Connection::Server({}), FromPeer{hello}, context);
    ASSERT_TRUE(asked.output.question);
    SchemeSet expected =
        SchemeSet::Of(cert ? kit.profile.certificate_schemes : kit.profile.signature_schemes);
    // RFC 8422 §5.4: TLS 1.2 does not name the curve.
    if (GetParam() == kTls12) expected.AddAnyCurve();
    EXPECT_EQ(std::get<Choose>(*asked.output.question).certificate_schemes, expected);
  }
}

// RFC 8446 §4.4.2.3, RFC 5246 §7.4.4: a client has no such way out, and shows none.
TEST_P(ChainChoice, AClientsChain) {
  struct Row {
    const char* what;
    bool pkcs1;       // the server signs and is signed to with it
    bool pkcs1_cert;  // it takes it in certificates (TLS 1.3 alone can say so)
    bool shown;
  };
  const std::vector<Row> rows = {{"taken", true, false, true},
                                 {"not taken", false, false, false},
                                 {"taken in certificates", false, true, GetParam() == kTls13}};
  for (const Row& row : rows) {
    for (const bool amnesia : {false, true}) {
      OurTwo two = Two();
      GiveIdentity(two.client_kit, RsaCa().Issue({.server = false, .client = true}));
      Describe(two.client_kit);
      if (!row.pkcs1) two.server_kit.profile = WithoutPkcs1(GetParam());
      if (row.pkcs1_cert) {
        two.server_kit.profile.certificate_schemes = {SignatureScheme::kRsaPkcs1Sha256};
      }
      two.server_kit.profile.client_auth = ClientAuth::kOptional;
      two.Run(SIZE_MAX, amnesia);
      ASSERT_TRUE(two.server->established()) << row.what;
      EXPECT_EQ(!two.server->established()->peer_chain.empty(), row.shown) << row.what;
    }
  }
}

// RFC 8446 §4.2.3: sent where our two lists differ, in a ClientHello and in a CertificateRequest.
TEST(SignatureAlgorithmsCert, IsSentWhereItDiffers) {
  for (const Profile& profile : {ModernProfile(), IntermediateProfile(), LegacyProfile()}) {
    OurTwo two{ClientKit(), ServerKit::For(Ca().Issue({.dns = {"example.test"}}), profile)};
    two.client_kit.profile = profile;
    two.server_kit.profile.client_auth = ClientAuth::kOptional;
    ServerDriver server(two.server_kit);
    ServerDriver client(two.client_kit, {.trace = true});
    client.Receive(server.Receive(client.Begin()));
    int asked = 0;
    for (const TracedMessage& message : client.messages()) {
      const ByteView body =
          ByteView(message.bytes)
              .subspan(std::min<size_t>(kHandshakeHeaderSize, message.bytes.size()));
      if (message.content_type != ContentType::kHandshake) continue;
      const Extensions* extensions = nullptr;
      const auto hello = message.bytes[0] == 1 ? Parse<ClientHello>(body) : std::nullopt;
      const auto request =
          message.bytes[0] == 13 ? Parse<tls13::CertificateRequest>(body) : std::nullopt;
      if (hello) extensions = &hello->extensions;
      if (request) extensions = &request->extensions;
      if (extensions == nullptr) continue;
      ++asked;
      const Extension* sent = Find(*extensions, ExtensionType::kSignatureAlgorithmsCert);
      ASSERT_EQ(sent != nullptr, profile.name == "modern");
      if (sent == nullptr) continue;
      const auto list = Parse<SignatureSchemeList>(sent->data);
      ASSERT_TRUE(list);
      EXPECT_EQ(list->schemes, IntermediateProfile().signature_schemes);
    }
    EXPECT_EQ(asked, 2) << profile.name;
  }
}

}  // namespace
}  // namespace handfast::tls::test
