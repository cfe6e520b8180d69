// The TLS 1.2 suites that no built-in profile but `legacy` turns on, against libssl in process:
// suite x key type x {encrypt-then-MAC, extended master secret, amnesia}, and records both ways.
#include <map>

#include <gtest/gtest.h>

#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/server_driver.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/cipher_suite.h"
#include "tls/engine/key_schedule12.h"
#include "tls/record/protection.h"

namespace handfast::tls::test {
namespace {

const TestCa& Root() {
  static const TestCa root = TestCa::Create("root");
  return root;
}

const Leaf& ServerLeaf(KeyType type) {
  static std::map<KeyType, Leaf> leaves;
  const auto found = leaves.find(type);
  if (found != leaves.end()) return found->second;
  return leaves[type] = Root().Issue({.type = type, .dns = {"example.test"}});
}

struct Cell {
  CipherSuite suite;
  KeyType key;
};

// Every TLS 1.2 suite that is implemented, but those of libssl_test.
std::vector<Cell> Cells() {
  std::vector<Cell> cells;
  for (uint32_t id = 0; id <= 0xffff; ++id) {
    const SuiteInfo* info = FindSuite(static_cast<CipherSuite>(id));
    if (info == nullptr || info->version != ProtocolVersion::kTls12) continue;
    if (info->key_exchange == SuiteKeyExchange::kEcdhe && !info->cbc) continue;
    const bool rsa = info->authentication == SuiteAuthentication::kRsa;
    for (KeyType key : rsa ? std::vector{KeyType::kRsa2048, KeyType::kRsa3072}
                           : std::vector{KeyType::kEcdsaP256, KeyType::kEcdsaP384,
                                         KeyType::kEcdsaP521, KeyType::kEd25519}) {
      cells.push_back({info->suite, key});
    }
  }
  return cells;
}

// Runs both sides until neither has anything to say.
void Shake(LibsslClient& client, ServerDriver& server) {
  Bytes to_server = client.Receive({});
  while (!to_server.empty()) {
    const Bytes to_client = server.Receive(to_server);
    to_server = client.Receive(to_client);
  }
}

// Our record layer with keys from what libssl agreed on, behind the two Finished.
KeyBlock KeysOf(SSL* ssl, const SuiteInfo& suite, bool encrypt_then_mac) {
  MasterSecret master;
  const SSL_SESSION* session = SSL_get_session(ssl);
  SSL_SESSION_get_master_key(session, SecretAccess::Fill(master.secret, 48).data(), 48);
  HelloRandom client;
  HelloRandom server;
  SSL_get_client_random(ssl, client.data(), client.size());
  SSL_get_server_random(ssl, server.data(), server.size());
  KeyBlock keys = ExpandKeys(suite, master, client, server, encrypt_then_mac);
  keys.client.sequence = keys.server.sequence = 1;
  return keys;
}

void ExchangeRecords(LibsslClient& client, KeyBlock keys) {
  RecordSealer sealer(*RecordKeys::Create(std::move(keys.server), AeadDirection::kSeal));
  RecordOpener opener(*RecordKeys::Create(std::move(keys.client), AeadDirection::kOpen));
  for (size_t size : {1, 15, 16, 200, 16384}) {
    const Bytes sent(size, 0x2a);
    Bytes record = client.Write(sent);
    const Result<OpenedRecord> opened = opener.Open(record);
    ASSERT_TRUE(opened.ok()) << size;
    EXPECT_TRUE(Equal(opened->fragment, sent)) << size;
  }
  const Bytes big(40000, 7);
  Bytes sealed;
  ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, big, kMaxPlaintext, sealed).ok());
  ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, {}, kMaxPlaintext, sealed).ok());
  ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, big, 100, sealed).ok());
  EXPECT_EQ(client.Read(sealed).size(), 2 * big.size());
}

class LibsslLegacyTest : public testing::TestWithParam<Cell> {
 protected:
  const SuiteInfo& suite() const { return *FindSuite(GetParam().suite); }
  ServerKit Kit() const {
    ServerKit kit = ServerKit::For(ServerLeaf(GetParam().key));
    kit.profile.cipher_suites = {GetParam().suite};
    kit.profile.groups.insert(kit.profile.groups.end(),
                              {NamedGroup::kSecp521r1, NamedGroup::kFfdhe2048});
    kit.profile.require_extended_master_secret = false;
    return kit;
  }
  LibsslOptions Options() const {
    LibsslOptions options;
    options.version = TLS1_2_VERSION;
    options.cipher_list =
        std::string(OPENSSL_cipher_name(Name(GetParam().suite).c_str())) + ":@SECLEVEL=0";
    options.groups = "X25519:P-256:P-384:P-521";
    options.server_name = "example.test";
    options.trusted_pem = Root().root_pem();
    return options;
  }
};

TEST_P(LibsslLegacyTest, HandshakeAndRecords) {
  const ServerKit kit = Kit();
  for (bool etm : {false, true}) {
    if (etm && !suite().cbc) continue;
    for (bool ems : {false, true}) {
      for (bool amnesia : {false, true}) {
        SCOPED_TRACE(testing::Message() << etm << ems << amnesia);
        LibsslOptions options = Options();
        if (!etm) options.ssl_options |= SSL_OP_NO_ENCRYPT_THEN_MAC;
        if (!ems) options.ssl_options |= SSL_OP_NO_EXTENDED_MASTER_SECRET;
        LibsslClient client(options);
        ServerDriver server(kit);
        server.amnesia = amnesia;
        Shake(client, server);
        ASSERT_TRUE(client.done()) << client.error();
        ASSERT_NE(server.established(), nullptr);
        EXPECT_EQ(server.established()->cipher_suite, GetParam().suite);
        EXPECT_EQ(SSL_get_extms_support(client.ssl()), ems ? 1 : 0);
        EXPECT_EQ(server.connection().consumed(), server.received());
        ExchangeRecords(client, KeysOf(client.ssl(), suite(), etm));
      }
    }
  }
}

TEST_P(LibsslLegacyTest, MutualAuthentication) {
  ServerKit kit = Kit();
  kit.profile.client_auth = ClientAuth::kRequired;
  kit.clients = std::make_shared<TrustBundle>(Root().Bundle());
  const Leaf client_leaf = Root().Issue(
      {.type = GetParam().key, .uris = {"spiffe://a/b"}, .server = false, .client = true});
  for (bool amnesia : {false, true}) {
    LibsslOptions options = Options();
    options.certificate = &client_leaf;
    LibsslClient client(options);
    ServerDriver server(kit);
    server.amnesia = amnesia;
    Shake(client, server);
    ASSERT_TRUE(client.done()) << client.error();
    ASSERT_NE(server.established(), nullptr);
    EXPECT_TRUE(Equal(server.established()->peer_chain.front(), client_leaf.chain.front()));
    // libssl asks for encrypt-then-MAC wherever it can.
    ExchangeRecords(client, KeysOf(client.ssl(), suite(), true));
  }
}

// Keys are given away under an AEAD alone.
TEST_P(LibsslLegacyTest, KeyRelease) {
  const ServerKit kit = Kit();
  LibsslClient client(Options());
  ServerDriver server(kit);
  Shake(client, server);
  ASSERT_NE(server.established(), nullptr);
  const Result<ReleasedKeys> keys = ReleaseKeys(server.Take());
  EXPECT_EQ(keys.ok(), !suite().cbc);
  if (!keys.ok()) {
    EXPECT_EQ(keys.reason(), Reason::kKeysNotReleasable);
  }
}

// Off unless the profile lists it.
TEST_P(LibsslLegacyTest, IsOffInTheBuiltInProfiles) {
  for (Profile profile : {ModernProfile(), IntermediateProfile()}) {
    profile.require_extended_master_secret = false;
    const ServerKit kit = ServerKit::For(ServerLeaf(GetParam().key), profile);
    LibsslClient client(Options());
    ServerDriver server(kit);
    Shake(client, server);
    EXPECT_EQ(server.established(), nullptr);
  }
}

std::string CellName(const testing::TestParamInfo<Cell>& info) {
  return Name(info.param.suite) + "_" + std::string(Name(info.param.key));
}
INSTANTIATE_TEST_SUITE_P(All, LibsslLegacyTest, testing::ValuesIn(Cells()), CellName);

}  // namespace
}  // namespace handfast::tls::test
