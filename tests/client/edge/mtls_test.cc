// The service over TCP, where certificates say who calls: the command line as operator, the edge as
// caller, and whoever is neither. And the edge before a profile that demands certificates of its
// own clients, whose names it passes on.

#include <sys/socket.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "client/edge/address.h"
#include "tests/client/edge/edge_fixture.h"
#include "tests/support/authority.h"
#include "tests/support/files.h"
#include "tests/support/handfastd.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"
#include "tests/support/tls_client.h"

namespace handfast::test {
namespace {

constexpr int kTls12 = 0x0303;
constexpr int kTls13 = 0x0304;

constexpr char kOperator[] = "URI:spiffe://example.test/operator";
constexpr char kCaller[] = "URI:spiffe://example.test/edge";
constexpr char kServiceName[] = "handfastd.test";

// Exit codes of the command line.
constexpr int kUnreachable = 3;
constexpr int kNotAllowed = 4;

std::string Document(const Issued& service, const std::string& ca_file) {
  return R"(listeners:
  - tcp:
      address: "127.0.0.1:0"
      certificate_file: )" +
         service.chain_file + R"(
      key_file: )" +
         service.key_file + R"(
      client_ca_file: )" +
         ca_file + R"(
principals:
  - name: spiffe://example.test/operator
    tenant: default
    roles: [operator]
  - name: spiffe://example.test/edge
    tenant: default
    roles: [caller]
    release_keys: true
trust_bundles:
  - name: clients
    file: )" +
         ca_file + R"(
profiles:
  - name: demands
    base: intermediate
    client_auth: required
    trust_bundle: clients
    release_keys: true
default_profile: demands
)";
}

std::string LocalAddress(int fd) {
  edge::Address address;
  address.size = sizeof address.storage;
  if (getsockname(fd, address.raw(), &address.size) != 0) return "unknown";
  return ToText(address);
}

struct Ran {
  int code = -1;
  std::string output;  // of both streams
  bool Says(const std::string& words) const { return output.find(words) != std::string::npos; }
};

class MutualTlsTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteFile(folder_.File("handfast.yaml"),
              Document(authority_.Issue("handfastd", std::string("DNS:") + kServiceName),
                       authority_.file()));
    ASSERT_TRUE(service_.Start()) << service_.output();
    operator_ = WithClientCertificate("operator", kOperator);
    caller_ = WithClientCertificate("edge", kCaller);
    const Issued www = authority_.Issue("www.test", "DNS:www.test");
    const Ran taken =
        Handfast(operator_, {"keys", "import", "--id", "www", "--default", "--key-file",
                             www.key_file, "--chain-file", www.chain_file});
    ASSERT_EQ(taken.code, 0) << taken.output;
    ASSERT_TRUE(taken.Says("credential: tenants/default/credentials/www (active)\n"))
        << taken.output;
  }

  Issued WithClientCertificate(const std::string& common_name, const std::string& names) {
    return authority_.Issue(common_name, names, "EC", "clientAuth");
  }

  // How a caller shows who it is, and whom it expects.
  std::vector<std::string> Identity(const Issued& caller, const std::string& service_name) const {
    return {"--tls-cert", caller.chain_file, "--tls-key",         caller.key_file,
            "--tls-ca",   authority_.file(), "--tls-server-name", service_name};
  }

  // The command line, as `caller`.
  Ran Handfast(const Issued& caller, const std::vector<std::string>& command,
               const std::string& service_name = kServiceName) const {
    std::vector<std::string> arguments = {Runfile("client/cli/handfast"), "--endpoint",
                                          service_.address()};
    for (const std::string& flag : Identity(caller, service_name)) arguments.push_back(flag);
    arguments.insert(arguments.end(), command.begin(), command.end());
    Process process(arguments);
    process.CloseInput();
    Ran ran;
    ran.code = process.WaitForExit(kPatience).value_or(-1);
    ran.output = process.output();
    return ran;
  }

  // An edge, as `caller`.
  std::unique_ptr<Edge> StartEdge(const Issued& caller, std::vector<std::string> flags) const {
    for (const std::string& flag : Identity(caller, kServiceName)) flags.push_back(flag);
    auto edge = std::make_unique<Edge>(service_.address(), flags);
    EXPECT_TRUE(edge->serving()) << edge->process().output();
    return edge;
  }

  // Of a client of the edge that shows no certificate.
  TlsClientOptions Options(int version) const {
    TlsClientOptions options;
    options.ca_file = authority_.file();
    options.version = version;
    return options;
  }
  TlsClientOptions Options(int version, const Issued& shown) const {
    TlsClientOptions options = Options(version);
    options.certificate_file = shown.chain_file;
    options.key_file = shown.key_file;
    return options;
  }

  // What a backend is told of a client that shows this certificate.
  Proxied ToldOf(const Issued& shown) const {
    std::promise<Proxied> told;
    Server backend([&](int fd) { told.set_value(ReceiveProxied(fd)); });
    const auto edge = StartEdge(caller_, {"--backend", backend.address(), "--send-proxy-v2"});
    TlsClient client(edge->port(), Options(kTls13, shown));
    auto future = told.get_future();
    if (!client.ok() || !client.Write("data") ||
        future.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << client.error() << edge->process().output();
      return {};
    }
    return future.get();
  }

  Authority authority_;
  TempFolder folder_;
  Handfastd service_{{"--config", folder_.File("handfast.yaml")}};
  Issued operator_;
  Issued caller_;
};

class MutualTlsVersionTest : public MutualTlsTest, public testing::WithParamInterface<int> {};

// ---- Those who are named.

TEST_F(MutualTlsTest, TheOperatorSeesTheKeyThatWasImported) {
  const Ran list = Handfast(operator_, {"keys", "list"});
  EXPECT_EQ(list.code, 0) << list.output;
  EXPECT_TRUE(list.Says("tenants/default/keys/www  ecdsa-p256")) << list.output;
  EXPECT_FALSE(list.Says("PRIVATE"));
}

TEST_P(MutualTlsVersionTest, TheBackendIsToldWhoTheClientIs) {
  std::promise<Proxied> told;
  Server backend([&](int fd) {
    told.set_value(ReceiveProxied(fd));
    Echo(fd);
  });
  const auto edge = StartEdge(caller_, {"--backend", backend.address(), "--send-proxy-v2"});
  const Issued alice = WithClientCertificate("alice", "URI:spiffe://example.test/alice");
  TlsClient client(edge->port(), Options(GetParam(), alice));
  ASSERT_TRUE(client.ok()) << client.error() << edge->process().output();
  ASSERT_TRUE(client.Write("data"));
  auto future = told.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready) << edge->process().output();
  const Proxied proxied = future.get();
  EXPECT_EQ(ToText(proxied.header.source), LocalAddress(client.fd()));
  EXPECT_EQ(ToText(proxied.header.destination), "127.0.0.1:" + std::to_string(edge->port()));
  EXPECT_EQ(Tlv(proxied.tlvs, 0x02), "www.test");
  const std::string ssl = Tlv(proxied.tlvs, 0x20);
  ASSERT_GT(ssl.size(), 5u);
  EXPECT_EQ(ssl.substr(0, 5), std::string("\x03\x00\x00\x00\x00", 5)) << "shown, and verified";
  EXPECT_EQ(Tlv(ssl.substr(5), 0x21), GetParam() == kTls13 ? "TLSv1.3" : "TLSv1.2");
  EXPECT_EQ(Tlv(ssl.substr(5), 0x22), "alice");
  EXPECT_EQ(Tlv(proxied.tlvs, edge::kProxyIdentityTlv), "spiffe://example.test/alice");

  EXPECT_EQ(proxied.rest, "data");
  ASSERT_TRUE(client.Write("and more"));
  EXPECT_EQ(client.ReadExactly(8), "and more");
  client.CloseWrite();
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.ended_cleanly());
}

TEST_P(MutualTlsVersionTest, AClientWithoutCertificateReachesNoBackend) {
  Server backend(Echo);
  const auto edge = StartEdge(caller_, {"--backend", backend.address()});
  TlsClient client(edge->port(), Options(GetParam()));
  EXPECT_EQ(client.Read(), "");
  EXPECT_FALSE(client.ok() && client.ended_cleanly());
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_handshakes_total", "no_client_certificate", 1));
  EXPECT_EQ(backend.connections(), 0);
}

INSTANTIATE_TEST_SUITE_P(Versions, MutualTlsVersionTest, testing::Values(kTls12, kTls13),
                         [](const auto& version) {
                           return version.param == kTls13 ? "Tls13" : "Tls12";
                         });

// A subject that looks like another one when it is written down, or means two things at once.
TEST_F(MutualTlsTest, TheCommonNameIsToldAsItIs) {
  const std::pair<std::string, std::string> cases[] = {
      {"Doe, John", "Doe, John"},
      {"alice/O=x,CN=admin", "alice"},  // RFC 2253: O=x\,CN=admin,CN=alice
      {"alice/CN=admin", ""},
  };
  for (const auto& [subject, common_name] : cases) {
    SCOPED_TRACE(subject);
    const Proxied proxied =
        ToldOf(WithClientCertificate(subject, "URI:spiffe://example.test/somebody"));
    const std::string ssl = Tlv(proxied.tlvs, 0x20);
    ASSERT_GT(ssl.size(), 5u);
    EXPECT_EQ(ssl.substr(0, 5), std::string("\x03\x00\x00\x00\x00", 5));
    EXPECT_EQ(Tlv(ssl.substr(5), 0x22), common_name);
    EXPECT_EQ(Tlv(proxied.tlvs, edge::kProxyIdentityTlv), "spiffe://example.test/somebody");
  }
}

// ---- Those who are not.

TEST_F(MutualTlsTest, EachPrincipalDoesItsOwnWorkAlone) {
  const Ran list = Handfast(caller_, {"keys", "list"});
  EXPECT_EQ(list.code, kNotAllowed);
  EXPECT_TRUE(list.Says("PERMISSION_DENIED")) << list.output;
  EXPECT_TRUE(list.Says("ROLE_REQUIRED")) << list.output;

  Server backend(Echo);
  const auto edge = StartEdge(operator_, {"--backend", backend.address()});
  TlsClient client(edge->port(), Options(kTls13));
  EXPECT_FALSE(client.ok());
  EXPECT_TRUE(edge->process().WaitForOutput("\"code\":\"PERMISSION_DENIED\"", kPatience));
  EXPECT_EQ(backend.connections(), 0);
}

TEST_F(MutualTlsTest, ACertificateOfTheSameAuthorityIsNotEnough) {
  const std::pair<std::string, std::string> cases[] = {
      {"URI:spiffe://example.test/stranger", "UNKNOWN_PRINCIPAL"},
      {"DNS:nameless.test", "NO_IDENTITY"},
  };
  for (const auto& [names, reason] : cases) {
    SCOPED_TRACE(names);
    const Issued caller = WithClientCertificate("edge", names);
    const Ran list = Handfast(caller, {"keys", "list"});
    EXPECT_EQ(list.code, kNotAllowed);
    EXPECT_TRUE(list.Says("UNAUTHENTICATED")) << list.output;
    EXPECT_TRUE(list.Says(reason)) << list.output;

    Server backend(Echo);
    const auto edge = StartEdge(caller, {"--backend", backend.address()});
    TlsClient client(edge->port(), Options(kTls13));
    EXPECT_FALSE(client.ok());
    EXPECT_NE(client.error().find("internal error"), std::string::npos) << client.error();
    EXPECT_TRUE(edge->process().WaitForOutput("\"reason\":\"" + reason + "\"", kPatience))
        << edge->process().output();
    EXPECT_EQ(backend.connections(), 0);
  }
}

TEST_F(MutualTlsTest, WithoutACertificateThereIsNoConnection) {
  const std::string address = service_.address();
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  for (const int version : {kTls12, kTls13}) {
    SCOPED_TRACE(version);
    TlsClientOptions nobody = Options(version);
    nobody.server_name = kServiceName;
    nobody.alpn = {"h2"};
    TlsClient refused(port, nobody);
    // In TLS 1.3 a client is done before it is judged: what counts is that nothing comes.
    EXPECT_EQ(refused.Read(), "");
    TlsClientOptions known = Options(version, operator_);
    known.server_name = kServiceName;
    known.alpn = {"h2"};
    TlsClient welcome(port, known);
    ASSERT_TRUE(welcome.ok()) << welcome.error();
    EXPECT_NE(welcome.Read(), "") << "HTTP/2 begins with the server's SETTINGS";
  }
}

TEST_F(MutualTlsTest, ANameVouchedForByAnotherAuthorityIsNoName) {
  Authority elsewhere;
  const Issued forged = elsewhere.Issue("operator", kOperator, "EC", "clientAuth");
  const Ran list = Handfast(forged, {"keys", "list"});
  EXPECT_EQ(list.code, kUnreachable) << list.output;
}

// And the other way round.
TEST_F(MutualTlsTest, AServiceOfAnotherNameIsNotTalkedTo) {
  const Ran list = Handfast(operator_, {"keys", "list"}, "other.test");
  EXPECT_EQ(list.code, kUnreachable) << list.output;
}

}  // namespace
}  // namespace handfast::test
