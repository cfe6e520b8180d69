// P5 and P9 of the goals: what a handshake costs the service's process over Relay on a Unix socket,
// gRPC included, beside libssl's server in process; and how long the two exchanges take with one
// handshake in flight.
#include <cstdio>
#include <memory>

#include "tests/bench/relay_load.h"
#include "tests/bench/require.h"
#include "tests/bench/service.h"
#include "tests/bench/stopwatch.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/server_driver.h"

namespace handfast::bench {
namespace {

using tls::Bytes;
using tls::test::Leaf;
using tls::test::LibsslClient;
using tls::test::LibsslOptions;
using tls::test::LibsslServer;
using tls::test::LibsslServerContext;

double LibsslMicros(SSL_CTX* context, const LibsslOptions& options) {
  LibsslClient client(options);
  Stopwatch watch;
  watch.Start();
  auto server = std::make_unique<LibsslServer>(context);
  watch.Stop();
  Bytes to_server = client.Receive({});
  while (!to_server.empty()) {
    watch.Start();
    const Bytes to_client = server->Receive(to_server);
    watch.Stop();
    to_server = client.Receive(to_client);
  }
  watch.Start();
  server.reset();
  watch.Stop();
  return watch.micros();
}

double Percentile(std::vector<double> values, double p) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(p * static_cast<double>(values.size() - 1))];
}

void Measure(const std::string& programs, int rounds) {
  const auto root = tls::test::TestCa::Create("root");
  const Leaf leaf = root.Issue({.dns = {"example.test"}});
  const Folder folder;
  const Service service(programs, folder.path(), leaf,
                        "profiles: [{name: intermediate, base: intermediate, release_keys: true, "
                        "session_tickets: 0}]\n");
  LibsslOptions options;
  options.groups = "X25519:P-256";
  options.cipher_suites = "TLS_AES_128_GCM_SHA256";
  RelayLoad load(service.endpoint(), "");
  SSL_CTX* context = LibsslServerContext(leaf);
  load.Run(500, 64);

  constexpr int kBatch = 1000;
  std::vector<double> ours, libssl, ratios;
  for (int round = 0; round < rounds; ++round) {
    const double before = service.CpuMicros();
    load.Run(kBatch, 64);
    ours.push_back((service.CpuMicros() - before) / kBatch);
    std::vector<double> reference;
    reference.reserve(kBatch / 4);
    for (int i = 0; i < kBatch / 4; ++i) reference.push_back(LibsslMicros(context, options));
    libssl.push_back(Median(reference));
    ratios.push_back(ours.back() / libssl.back());
  }
  std::printf("| measure | ours | peer | ratio | goal |\n|---|---|---|---|---|\n");
  std::printf(
      "| P5 handfastd over Relay, TLS 1.3 full ECDSA, 64 in flight, CPU us | %.0f | libssl in "
      "process %.0f | %.2f | <= 0.8 |\n",
      Median(ours), Median(libssl), Median(ratios));
  const std::vector<double> waits = load.Run(2000, 1);
  std::vector<double> engine;
  const auto kit = tls::test::ServerKit::For(leaf);
  for (int i = 0; i < 300; ++i) {
    LibsslClient client(options);
    const Bytes hello = client.Receive({});
    tls::test::ServerDriver driver(kit);
    Stopwatch watch;
    watch.Start();
    const Bytes flight = driver.Receive(hello);
    watch.Stop();
    const Bytes finished = client.Receive(flight);
    watch.Start();
    driver.Receive(finished);
    watch.Stop();
    engine.push_back(watch.micros());
  }
  const double compute = Median(engine);
  std::printf(
      "| P9 latency that Relay adds to both exchanges, one in flight, us: p50 | %.0f | engine in "
      "process %.0f | - | <= 250 |\n| the same: p99 | %.0f | | - | <= 1000 |\n",
      Percentile(waits, 0.5) - compute, compute, Percentile(waits, 0.99) - compute);
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace handfast::bench

int main(int argc, char** argv) {
  handfast::bench::Require(argc >= 2, "the first argument is the folder of the programs");
  handfast::bench::Measure(argv[1], argc > 2 ? std::atoi(argv[2]) : 7);
}
