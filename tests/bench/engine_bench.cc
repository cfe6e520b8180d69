// P1 and P2 of the goals: CPU time of the server's side of a handshake in this process, ours beside
// libssl's, with the crypto floor, in interleaved rounds of one run. The client is libssl for both
// and is not counted. Neither side sends tickets.
#include <cstdio>
#include <cstdlib>

#include "tests/bench/floor.h"
#include "tests/bench/libssl_server.h"
#include "tests/bench/require.h"
#include "tests/bench/stopwatch.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/server_driver.h"

namespace handfast::bench {
namespace {

using tls::Bytes;
using tls::ByteView;
using tls::test::Leaf;
using tls::test::LibsslClient;
using tls::test::LibsslOptions;
using tls::test::ServerDriver;
using tls::test::ServerKit;
using tls::test::TestCa;

// One handshake; the time of the server's share, its making and its end included.
template <class Make>
double ServerMicros(const LibsslOptions& options, Make make) {
  LibsslClient client(options);
  Stopwatch watch;
  watch.Start();
  auto server = make();
  watch.Stop();
  Bytes to_server = client.Receive({});
  while (!to_server.empty()) {
    watch.Start();
    const Bytes to_client = server->Receive(to_server);
    watch.Stop();
    to_server = client.Receive(to_client);
  }
  Require(client.done(), "the handshake is done");
  watch.Start();
  server.reset();
  watch.Stop();
  return watch.micros();
}

// The floor's operations, where a client's work went before, as it does before a server's.
double FloorMicros(const LibsslOptions& options, Floor& floor) {
  LibsslClient client(options);
  const Bytes hello = client.Receive({});
  Stopwatch watch;
  watch.Start();
  floor.Handshake13();
  watch.Stop();
  return watch.micros();
}

struct Row {
  const char* name;
  tls::KeyType key;
  int version;
  const char* goal;
};

void Measure(const Row& row, int rounds, int batch) {
  const TestCa root = TestCa::Create("root");
  const Leaf leaf = root.Issue({.type = row.key, .dns = {"example.test"}});
  const ServerKit kit = ServerKit::For(leaf);
  SSL_CTX* context = LibsslServerContext(leaf);
  Floor floor(leaf.key_pkcs8, row.key == tls::KeyType::kRsa2048);
  LibsslOptions options;
  options.version = row.version;
  options.groups = "X25519:P-256";
  (row.version == TLS1_3_VERSION ? options.cipher_suites : options.cipher_list) =
      row.version == TLS1_3_VERSION       ? "TLS_AES_128_GCM_SHA256"
      : row.key == tls::KeyType::kRsa2048 ? "ECDHE-RSA-AES128-GCM-SHA256"
                                          : "ECDHE-ECDSA-AES128-GCM-SHA256";
  const auto engine = [&] { return std::make_unique<ServerDriver>(kit); };
  const auto reference = [&] { return std::make_unique<LibsslServer>(context); };
  std::vector<double> ours, libssl, lowest, to_floor, to_libssl;
  for (int round = -1; round < rounds; ++round) {
    std::vector<double> a, b, c;
    for (int i = 0; i < batch; ++i) {
      a.push_back(ServerMicros(options, engine));
      b.push_back(ServerMicros(options, reference));
      c.push_back(FloorMicros(options, floor));
    }
    if (round < 0) continue;  // the first warms up
    ours.push_back(Median(a));
    libssl.push_back(Median(b));
    lowest.push_back(Median(c));
    to_floor.push_back(Median(a) / Median(c));
    to_libssl.push_back(Median(a) / Median(b));
  }
  SSL_CTX_free(context);
  std::printf("| %s | %.0f | %.0f | %.0f | %.2f | %.2f | %s |\n", row.name, Median(ours),
              Median(libssl), Median(lowest), Median(to_floor), Median(to_libssl), row.goal);
}

}  // namespace
}  // namespace handfast::bench

int main(int argc, char** argv) {
  using handfast::bench::Measure;
  using handfast::tls::KeyType;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  std::printf(
      "| server's handshake, CPU us | engine | libssl | floor | /floor | /libssl | goal |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  Measure({"P1 TLS 1.3 full, X25519 + ECDSA P-256", KeyType::kEcdsaP256, TLS1_3_VERSION,
           "<= 1.25 floor, <= 0.6 libssl"},
          rounds, 40);
  Measure(
      {"P2 TLS 1.3 full, X25519 + RSA-2048", KeyType::kRsa2048, TLS1_3_VERSION, "<= 1.05 floor"},
      rounds, 20);
  Measure({"TLS 1.2 full, X25519 + ECDSA P-256", KeyType::kEcdsaP256, TLS1_2_VERSION, "-"}, rounds,
          40);
  Measure({"TLS 1.2 full, X25519 + RSA-2048", KeyType::kRsa2048, TLS1_2_VERSION, "-"}, rounds, 20);
}
