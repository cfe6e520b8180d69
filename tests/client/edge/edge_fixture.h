// A real handfastd with credentials for www.test (ECDSA, the default) and *.wild.test (RSA), and
// edges in front of the test's own backends.
#ifndef HANDFAST_TESTS_CLIENT_EDGE_EDGE_FIXTURE_H_
#define HANDFAST_TESTS_CLIENT_EDGE_EDGE_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "client/edge/proxy_protocol.h"
#include "tests/support/authority.h"
#include "tests/support/handfastd.h"
#include "tests/support/process.h"
#include "tests/support/tls_client.h"

namespace handfast::test {

class Edge {
 public:
  // `flags` are added to --endpoint, --listen, --admin and --log-level debug.
  Edge(const std::string& endpoint, const std::vector<std::string>& flags);

  bool serving() const { return port_ != 0; }
  int port() const { return port_; }
  std::string admin() const { return admin_; }
  Process& process() { return process_; }
  // The value of one of its metrics, all labels together or those lines with `label`.
  double Metric(const std::string& name, const std::string& label = "") const;
  // Until the metric has the value; false: patience was over.
  bool WaitForMetric(const std::string& name, const std::string& label, double value) const;
  // Resident memory, in KiB.
  int64_t MemoryKiB() const;

 private:
  Process process_;
  int port_ = 0;
  std::string admin_;
};

class EdgeTest : public testing::Test {
 protected:
  void SetUp() override;

  std::unique_ptr<Edge> StartEdge(const std::vector<std::string>& flags);
  // Trusts the authority, asks for www.test.
  TlsClientOptions Options(int version = 0) const;

  Authority authority_;
  Handfastd service_;
};

// The same for TLS 1.3 and 1.2.
class EdgeVersionTest : public EdgeTest, public testing::WithParamInterface<int> {};

// Echoes until the end, then ends.
void Echo(int fd);

// What --send-proxy-v2 puts in front of the client's bytes, and the first four of these.
struct Proxied {
  edge::ProxyHeader header;
  std::string tlvs;
  std::string rest;
};
Proxied ReceiveProxied(int fd);

// The value of a type in TLVs; sub-TLVs of SSL begin at its sixth byte.
std::string Tlv(const std::string& tlvs, uint8_t type);

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_CLIENT_EDGE_EDGE_FIXTURE_H_
