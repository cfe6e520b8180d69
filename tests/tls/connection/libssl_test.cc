// The whole handshake against libssl, in process: version x suite x key type x group x client
// authentication, records both ways with the released keys, and every cell again with amnesia.
#include <map>

#include <gtest/gtest.h>

#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/server_driver.h"
#include "tls/base/secret_access.h"
#include "tls/record/deframer.h"
#include "tls/record/protection.h"

namespace handfast::tls::test {
namespace {

constexpr KeyType kKeyTypes[] = {KeyType::kRsa2048,   KeyType::kRsa3072,   KeyType::kEcdsaP256,
                                 KeyType::kEcdsaP384, KeyType::kEcdsaP521, KeyType::kEd25519};

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

// Runs both sides until neither has anything to say.
void Shake(LibsslClient& client, ServerDriver& server) {
  Bytes to_server = client.Receive({});
  while (!to_server.empty()) {
    const Bytes to_client = server.Receive(to_server);
    to_server = client.Receive(to_client);
  }
}

// Both directions with the keys that the connection gives away.
void ExchangeRecords(LibsslClient& client, ServerDriver& server) {
  Result<ReleasedKeys> keys = ReleaseKeys(server.Take());
  ASSERT_TRUE(keys.ok());
  RecordSealer sealer(*RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal));
  RecordOpener opener(*RecordKeys::Create(std::move(keys->read), AeadDirection::kOpen));
  const Bytes ping = Copy(AsBytes("ping"));
  Bytes record = client.Write(ping);
  const Result<OpenedRecord> opened = opener.Open(record);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->type, ContentType::kApplicationData);
  EXPECT_TRUE(Equal(opened->fragment, ping));
  const Bytes big(40000, 7);
  Bytes sealed;
  ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, big, kMaxPlaintext, sealed).ok());
  EXPECT_EQ(client.Read(sealed), big);
}

struct Cell {
  KeyType key;
  int version;
  std::string suites;
  std::string groups;
};

std::vector<Cell> Cells() {
  std::vector<Cell> cells;
  for (KeyType key : kKeyTypes) {
    for (const char* suite :
         {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
      for (const char* groups : {"X25519", "P-256", "P-384:X25519"}) {
        cells.push_back({key, TLS1_3_VERSION, suite, groups});
      }
    }
    const bool rsa = key == KeyType::kRsa2048 || key == KeyType::kRsa3072;
    for (const char* suite : {"AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"}) {
      const std::string prefix = rsa ? "ECDHE-RSA-" : "ECDHE-ECDSA-";
      for (const char* groups : {"X25519:P-256:P-384:P-521", "P-256:P-384:P-521"}) {
        cells.push_back({key, TLS1_2_VERSION, prefix + suite, groups});
      }
    }
  }
  return cells;
}

std::string CellName(const testing::TestParamInfo<Cell>& info) {
  std::string name = std::string(Name(info.param.key)) + "_" +
                     (info.param.version == TLS1_3_VERSION ? "13_" : "12_") + info.param.suites +
                     "_" + info.param.groups;
  for (char& c : name) {
    if (!isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

class LibsslTest : public testing::TestWithParam<Cell> {
 protected:
  LibsslOptions ClientOptions() const {
    const Cell& cell = GetParam();
    LibsslOptions options;
    options.version = cell.version;
    (cell.version == TLS1_3_VERSION ? options.cipher_suites : options.cipher_list) = cell.suites;
    options.groups = cell.groups;
    options.server_name = "example.test";
    options.alpn = {"h2", "http/1.1"};
    options.trusted_pem = Root().root_pem();
    return options;
  }
};

TEST_P(LibsslTest, ServerAuthentication) {
  const ServerKit kit = ServerKit::For(ServerLeaf(GetParam().key));
  for (bool amnesia : {false, true}) {
    LibsslClient client(ClientOptions());
    ServerDriver server(kit, {.alpn = {"http/1.1"}});
    server.amnesia = amnesia;
    Shake(client, server);
    ASSERT_TRUE(client.done()) << client.error();
    ASSERT_NE(server.established(), nullptr);
    EXPECT_EQ(server.established()->alpn, "http/1.1");
    EXPECT_EQ(server.established()->server_name, "example.test");
    EXPECT_EQ(server.connection().consumed(), server.received());
    ExchangeRecords(client, server);
  }
}

TEST_P(LibsslTest, MutualAuthentication) {
  ServerKit kit = ServerKit::For(ServerLeaf(GetParam().key));
  kit.profile.client_auth = ClientAuth::kRequired;
  kit.clients = std::make_shared<TrustBundle>(Root().Bundle());
  kit.profile.certificate_authorities = kit.clients->subjects();
  const Leaf client_leaf = Root().Issue(
      {.type = GetParam().key, .uris = {"spiffe://a/b"}, .server = false, .client = true});
  for (bool amnesia : {false, true}) {
    LibsslOptions options = ClientOptions();
    options.certificate = &client_leaf;
    LibsslClient client(options);
    ServerDriver server(kit);
    server.amnesia = amnesia;
    Shake(client, server);
    ASSERT_TRUE(client.done()) << client.error();
    ASSERT_NE(server.established(), nullptr);
    // libssl adds the root where it knows it.
    EXPECT_TRUE(Equal(server.established()->peer_chain.front(), client_leaf.chain.front()));
    ExchangeRecords(client, server);
  }
}

TEST_P(LibsslTest, MissingClientCertificate) {
  ServerKit kit = ServerKit::For(ServerLeaf(GetParam().key));
  kit.clients = std::make_shared<TrustBundle>(Root().Bundle());
  kit.profile.client_auth = ClientAuth::kOptional;
  {
    LibsslClient client(ClientOptions());
    ServerDriver server(kit);
    Shake(client, server);
    ASSERT_NE(server.established(), nullptr) << client.error();
    EXPECT_TRUE(server.established()->peer_chain.empty());
    ExchangeRecords(client, server);
  }
  kit.profile.client_auth = ClientAuth::kRequired;
  LibsslClient client(ClientOptions());
  ServerDriver server(kit);
  Shake(client, server);
  ASSERT_TRUE(server.failure().has_value());
  EXPECT_EQ(server.failure()->reason, Reason::kNoClientCertificate);
  // RFC 8446 §4.4.2.4, RFC 5246 §7.4.6.
  EXPECT_EQ(*server.failure()->alert, GetParam().version == TLS1_3_VERSION ? 116 : 40);
}

// RFC 8446 §4.1.4: the share is of a group that the profile has not; another one is asked for.
class LibsslRetryTest : public LibsslTest {};
TEST_P(LibsslRetryTest, HelloRetryRequest) {
  ServerKit kit = ServerKit::For(ServerLeaf(GetParam().key));
  kit.profile.groups = {NamedGroup::kSecp521r1};
  for (bool amnesia : {false, true}) {
    LibsslOptions options = ClientOptions();
    options.groups = GetParam().groups + ":P-521";
    LibsslClient client(options);
    ServerDriver server(kit, {.trace = true});
    server.amnesia = amnesia;
    Shake(client, server);
    ASSERT_NE(server.established(), nullptr) << client.error();
    EXPECT_EQ(server.established()->group, NamedGroup::kSecp521r1);
    EXPECT_EQ(server.connection().consumed(), server.received());
    ExchangeRecords(client, server);
  }
}

INSTANTIATE_TEST_SUITE_P(All, LibsslTest, testing::ValuesIn(Cells()), CellName);

std::vector<Cell> RetryCells() {
  std::vector<Cell> cells = Cells();
  std::erase_if(cells, [](const Cell& cell) { return cell.version != TLS1_3_VERSION; });
  return cells;
}
INSTANTIATE_TEST_SUITE_P(All, LibsslRetryTest, testing::ValuesIn(RetryCells()), CellName);

}  // namespace
}  // namespace handfast::tls::test
