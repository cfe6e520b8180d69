#include "tests/client/edge/edge_fixture.h"

#include <sys/socket.h>

#include <cstdlib>
#include <fstream>

#include "tests/support/files.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"
#include "tls/base/bytes.h"

namespace handfast::test {
namespace {

std::vector<std::string> Arguments(const std::string& endpoint,
                                   const std::vector<std::string>& flags) {
  std::vector<std::string> arguments = {Runfile("client/edge/handfast-edge"),
                                        "--endpoint",
                                        endpoint,
                                        "--listen",
                                        "127.0.0.1:0",
                                        "--admin",
                                        "127.0.0.1:0",
                                        "--log-level",
                                        "debug",
                                        "--log-format",
                                        "json"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return arguments;
}

// The text between the quotes behind "name":
std::string JsonField(const std::string& line, const std::string& name) {
  const std::string start = "\"" + name + "\":\"";
  const size_t at = line.find(start);
  if (at == std::string::npos) return {};
  const size_t begin = at + start.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

}  // namespace

Edge::Edge(const std::string& endpoint, const std::vector<std::string>& flags)
    : process_(Arguments(endpoint, flags)) {
  if (!process_.WaitForOutput("\"endpoint\":", kPatience)) return;
  const std::string output = process_.output();
  const std::string line = output.substr(output.find("\"serving\""));
  const std::string listen = JsonField(line, "listen");
  port_ = std::atoi(listen.c_str() + listen.rfind(':') + 1);
  admin_ = JsonField(line, "admin");
}

double Edge::Metric(const std::string& name, const std::string& label) const {
  return Handfastd::Sum(HttpGet(admin_, "/metrics"), name, label);
}

bool Edge::WaitForMetric(const std::string& name, const std::string& label, double value) const {
  return Handfastd::WaitForSum(admin_, name, label, value);
}

int64_t Edge::MemoryKiB() const {
  std::ifstream status("/proc/" + std::to_string(process_.pid()) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoll(line.substr(6));
  }
  return -1;
}

void EdgeTest::SetUp() {
  ASSERT_TRUE(service_.Start()) << service_.output();
  const Issued www = authority_.Issue("www.test", "DNS:www.test,DNS:api.test");
  const Issued wild = authority_.Issue("wild.test", "DNS:*.wild.test", "RSA");
  ASSERT_TRUE(service_.Import("www", www.key, www.chain, /*is_default=*/true));
  ASSERT_TRUE(service_.Import("wild", wild.key, wild.chain, /*is_default=*/false));
}

std::unique_ptr<Edge> EdgeTest::StartEdge(const std::vector<std::string>& flags) {
  auto edge = std::make_unique<Edge>(service_.endpoint(), flags);
  EXPECT_TRUE(edge->serving()) << edge->process().output();
  return edge;
}

TlsClientOptions EdgeTest::Options(int version) const {
  TlsClientOptions options;
  options.ca_file = authority_.file();
  options.version = version;
  return options;
}

void Echo(int fd) {
  char bytes[65536];
  ssize_t got;
  while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
    if (!SendAll(fd, {bytes, static_cast<size_t>(got)})) return;
  }
}

Proxied ReceiveProxied(int fd) {
  Proxied proxied;
  std::string fixed = ReceiveExactly(fd, 16);
  if (fixed.size() < 16) return proxied;
  const size_t length = static_cast<uint8_t>(fixed[14]) << 8 | static_cast<uint8_t>(fixed[15]);
  const std::string body = ReceiveExactly(fd, length);
  const std::string whole = fixed + body;
  if (ParseProxyHeader(tls::AsBytes(whole), proxied.header) != edge::ProxyParse::kDone) {
    ADD_FAILURE() << "malformed header";
    return proxied;
  }
  proxied.tlvs = body.substr(12);
  proxied.rest = ReceiveExactly(fd, 4);
  return proxied;
}

std::string Tlv(const std::string& tlvs, uint8_t type) {
  for (size_t at = 0; at + 3 <= tlvs.size();) {
    const size_t size =
        static_cast<uint8_t>(tlvs[at + 1]) << 8 | static_cast<uint8_t>(tlvs[at + 2]);
    if (static_cast<uint8_t>(tlvs[at]) == type) return tlvs.substr(at + 3, size);
    at += 3 + size;
  }
  return {};
}

}  // namespace handfast::test
