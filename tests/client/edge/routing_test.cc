// Who gets the connection, and what they are told: SNI routes, ALPN, the PROXY protocol.

#include <arpa/inet.h>
#include <netinet/in.h>

#include <future>

#include <gtest/gtest.h>

#include "client/edge/proxy_protocol.h"
#include "tests/client/edge/edge_fixture.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"

namespace handfast::test {
namespace {

std::function<void(int)> Says(const std::string& name) {
  return [name](int fd) { (void)SendAll(fd, name); };
}

TEST_F(EdgeTest, RoutesByServerName) {
  Server fallback(Says("default"));
  Server api(Says("api"));
  Server wild(Says("wild"));
  auto edge = StartEdge({"--backend", fallback.address(), "--route", "api.test=" + api.address(),
                         "--route", "*.wild.test=" + wild.address()});
  const std::pair<std::string, std::string> cases[] = {{"www.test", "default"},
                                                       {"api.test", "api"},
                                                       {"a.wild.test", "wild"},
                                                       {"B.Wild.Test", "wild"}};
  for (const auto& [name, backend] : cases) {
    TlsClientOptions options = Options();
    options.server_name = name;
    TlsClient client(edge->port(), options);
    ASSERT_TRUE(client.ok()) << name << " " << client.error();
    EXPECT_EQ(client.ReadAll(), backend) << name;
  }
}

TEST_F(EdgeTest, NoRouteIsUnrecognizedName) {
  Server api(Says("api"));
  auto edge = StartEdge({"--route", "api.test=" + api.address()});
  TlsClient client(edge->port(), Options());
  EXPECT_EQ(client.Read(), "");
  EXPECT_NE(client.error().find("unrecognized name"), std::string::npos) << client.error();
  EXPECT_EQ(api.connections(), 0);
}

TEST_F(EdgeTest, NegotiatesTheBackendsProtocols) {
  Server backend(Says("x"));
  auto edge = StartEdge({"--backend", backend.address(), "--alpn", "http/1.1,acme"});
  TlsClientOptions options = Options();
  options.alpn = {"h2", "acme"};
  TlsClient client(edge->port(), options);
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.alpn(), "acme");
  options.alpn = {"h2"};
  TlsClient stranger(edge->port(), options);
  EXPECT_FALSE(stranger.ok());
  EXPECT_NE(stranger.error().find("no application protocol"), std::string::npos)
      << stranger.error();
}

TEST_F(EdgeTest, TellsTheBackendWhoTheClientIs) {
  std::promise<Proxied> received;
  Server backend([&](int fd) { received.set_value(ReceiveProxied(fd)); });
  auto edge = StartEdge({"--backend", backend.address(), "--send-proxy-v2", "--alpn", "acme"});
  TlsClientOptions options = Options(0x0304);
  options.alpn = {"acme"};
  TlsClient client(edge->port(), options);
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Write("data"));
  const Proxied proxied = received.get_future().get();
  EXPECT_EQ(proxied.rest, "data");
  EXPECT_EQ(ToText(proxied.header.destination), "127.0.0.1:" + std::to_string(edge->port()));
  EXPECT_EQ(ToText(proxied.header.source).rfind("127.0.0.1:", 0), 0u);
  EXPECT_EQ(Tlv(proxied.tlvs, 0x01), "acme");
  EXPECT_EQ(Tlv(proxied.tlvs, 0x02), "www.test");
  const std::string ssl = Tlv(proxied.tlvs, 0x20);
  ASSERT_GT(ssl.size(), 5u);
  EXPECT_EQ(ssl.substr(0, 5), std::string("\x01\x00\x00\x00\x01", 5)) << "no certificate";
  EXPECT_EQ(Tlv(ssl.substr(5), 0x21), "TLSv1.3");
  EXPECT_EQ(Tlv(ssl.substr(5), 0x23).rfind("TLS_", 0), 0u);
  EXPECT_EQ(Tlv(proxied.tlvs, edge::kProxyIdentityTlv), "");
}

// A server that speaks first gets its header at once.
TEST_F(EdgeTest, SendsTheHeaderBeforeAnyData) {
  Server backend([](int fd) {
    (void)ReceiveExactly(fd, 16);
    (void)SendAll(fd, "220 ready");
  });
  auto edge = StartEdge({"--backend", backend.address(), "--send-proxy-v2"});
  TlsClient client(edge->port(), Options());
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.ReadExactly(9), "220 ready");
}

std::string HeaderFrom(const std::string& source, const std::string& destination) {
  tls::Bytes header;
  AppendProxyHeader(*edge::ParseAddress(source), *edge::ParseAddress(destination), {}, header);
  return std::string(tls::AsText(header));
}

TEST_F(EdgeTest, PassesOnABalancersHeader) {
  std::promise<Proxied> received;
  Server backend([&](int fd) { received.set_value(ReceiveProxied(fd)); });
  auto edge = StartEdge({"--backend", backend.address(), "--accept-proxy-v2", "--send-proxy-v2"});
  TlsClientOptions options = Options();
  options.preface = HeaderFrom("192.0.2.7:1234", "198.51.100.1:443");
  TlsClient client(edge->port(), options);
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Write("data"));
  const Proxied proxied = received.get_future().get();
  EXPECT_EQ(ToText(proxied.header.source), "192.0.2.7:1234");
  EXPECT_EQ(ToText(proxied.header.destination), "198.51.100.1:443");
}

TEST_F(EdgeTest, WithoutTheHeaderItPromisedABalancerIsRefused) {
  Server backend(Says("x"));
  auto edge = StartEdge({"--backend", backend.address(), "--accept-proxy-v2"});
  TlsClient client(edge->port(), Options());
  EXPECT_FALSE(client.ok());
  EXPECT_TRUE(edge->WaitForMetric("handfast_edge_connections_ended_total", "bad_proxy_header", 1));
}

TEST_F(EdgeTest, AndWithOneThatIsNotAcceptedToo) {
  Server backend(Says("x"));
  auto edge = StartEdge({"--backend", backend.address()});
  TlsClientOptions options = Options();
  options.preface = HeaderFrom("192.0.2.7:1234", "198.51.100.1:443");
  TlsClient client(edge->port(), options);
  EXPECT_FALSE(client.ok());
}

TEST_F(EdgeTest, ForwardsToAUnixSocketAndReadsItsFile) {
  TempFolder folder;
  Process backend({FindProgram("python3"), "-c",
                   "import socket,sys\n"
                   "s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()\n"
                   "print('up',flush=True)\n"
                   "c=s.accept()[0]; c.sendall(b'from a unix socket'); c.close()\n",
                   folder.File("backend.sock")});
  ASSERT_TRUE(backend.WaitForOutput("up", kPatience));
  WriteFile(folder.File("edge.yaml"), "backend: unix:" + folder.File("backend.sock") +
                                          "\nhandshake-timeout: 5\nroutes:\n  api.test: "
                                          "127.0.0.1:9\n");
  auto edge = StartEdge({"--config", folder.File("edge.yaml")});
  TlsClient client(edge->port(), Options());
  ASSERT_TRUE(client.ok()) << client.error();
  EXPECT_EQ(client.ReadAll(), "from a unix socket");
}

}  // namespace
}  // namespace handfast::test
