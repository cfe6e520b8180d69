// P1 to P4 of the goals: CPU time of the server's side of a handshake in this process, ours
// beside libssl's, with the crypto floor, in interleaved rounds of one run. The client is libssl
// for both and is not counted. In TLS 1.3 both sides send two tickets after a full handshake and
// one after a resumed one, in TLS 1.2 one after a full handshake; the floor counts what libcrypto
// does for them.
#include <cstdio>
#include <cstdlib>

#include "tests/bench/floor.h"
#include "tests/bench/require.h"
#include "tests/bench/stopwatch.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/server_driver.h"

namespace handfast::bench {
namespace {

using tls::Bytes;
using tls::ByteView;
using tls::test::Leaf;
using tls::test::LibsslClient;
using tls::test::LibsslOptions;
using tls::test::LibsslServer;
using tls::test::LibsslServerContext;
using tls::test::ServerDriver;
using tls::test::ServerKit;
using tls::test::TestCa;

// As many as libssl sends by default, and as the built-in profiles do.
constexpr size_t kTickets = 2;

struct Row {
  const char* name;
  tls::KeyType key;
  int version;
  bool resumed;
  const char* goal;
};

// The two servers of a row, and what their client offers.
struct Sides {
  explicit Sides(const Row& row)
      : leaf(TestCa::Create("root").Issue({.type = row.key, .dns = {"example.test"}})),
        kit(ServerKit::For(leaf)),
        context(LibsslServerContext(leaf, kTickets)),
        floor(leaf.key_pkcs8, row.key == tls::KeyType::kRsa2048) {
    std::vector<tls::TicketKey> keys(1);
    keys[0].key = *tls::AeadKey::From(Bytes(32, 1));
    kit.ticket_keys = std::make_shared<const tls::TicketKeys>(std::move(keys));
    options.version = row.version;
    options.groups = "X25519:P-256";
    (row.version == TLS1_3_VERSION ? options.cipher_suites : options.cipher_list) =
        row.version == TLS1_3_VERSION       ? "TLS_AES_128_GCM_SHA256"
        : row.key == tls::KeyType::kRsa2048 ? "ECDHE-RSA-AES128-GCM-SHA256"
                                            : "ECDHE-ECDSA-AES128-GCM-SHA256";
  }
  ~Sides() { SSL_CTX_free(context); }
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;

  auto Engine() const { return std::make_unique<ServerDriver>(kit); }
  auto Reference() const { return std::make_unique<LibsslServer>(context); }

  const Leaf leaf;
  ServerKit kit;
  SSL_CTX* context;
  Floor floor;
  LibsslOptions options;
};

// One handshake.
struct Measured {
  double micros;  // the server's share, its making and its end included
  SSL_SESSION* session;
};

// `session`: offered, and then it must be resumed; null: a full handshake, and `keep` asks for its
// session.
template <class Make>
Measured Measure(LibsslOptions options, SSL_SESSION* session, bool keep, Make make) {
  // libssl spends a session that is resumed.
  SSL_SESSION* const copy = session == nullptr ? nullptr : SSL_SESSION_dup(session);
  options.session = copy;
  LibsslClient client(options);
  Stopwatch watch;
  watch.Start();
  auto server = make();
  watch.Stop();
  Bytes to_server = client.Receive({});
  Bytes to_client;
  while (!to_server.empty()) {
    watch.Start();
    to_client = server->Receive(to_server);
    watch.Stop();
    to_server = client.Receive(to_client);
  }
  Require(client.done() && client.resumed() == (session != nullptr), "the handshake is done");
  watch.Start();
  server.reset();
  watch.Stop();
  if (copy != nullptr) SSL_SESSION_free(copy);
  Measured measured{watch.micros(), nullptr};
  if (!keep) return measured;
  client.Read({});  // the tickets behind the handshake
  Require(!client.sessions().empty(), "a ticket");
  measured.session = client.sessions().front();
  SSL_SESSION_up_ref(measured.session);
  return measured;
}

// The floor's operations for the flight that comes now.
void Flight(Floor& floor, const Sides& sides, bool resumed, bool first) {
  if (sides.options.version == TLS1_3_VERSION) {
    if (resumed) {
      first ? floor.ResumedHello13() : floor.ResumedFinished13();
    } else {
      first ? floor.Hello13() : floor.Finished13();
    }
  } else if (resumed) {
    first ? floor.ResumedHello12() : floor.ResumedFinished12();
  } else {
    first ? floor.Hello12() : floor.Finished12();
  }
}

// The floor's operations where a server has its own: when a client's flight has been made, which
// takes a handshake with libssl's server, uncounted. `session` as Measure has it.
double FloorMicros(Sides& sides, SSL_SESSION* session) {
  LibsslOptions options = sides.options;
  SSL_SESSION* const copy = session == nullptr ? nullptr : SSL_SESSION_dup(session);
  options.session = copy;
  LibsslClient client(options);
  LibsslServer server(sides.context);
  Stopwatch watch;
  int flights = 0;
  for (Bytes flight = client.Receive({}); !flight.empty();
       flight = client.Receive(server.Receive(flight))) {
    watch.Start();
    Flight(sides.floor, sides, session != nullptr, flights == 0);
    watch.Stop();
    ++flights;
  }
  Require(client.done() && flights == 2, "the handshake has two flights of the client's");
  if (copy != nullptr) SSL_SESSION_free(copy);
  return watch.micros();
}

void MeasureRow(const Row& row, int rounds, int batch) {
  Sides sides(row);
  const auto engine = [&] { return sides.Engine(); };
  const auto reference = [&] { return sides.Reference(); };
  SSL_SESSION* ours_session = nullptr;
  SSL_SESSION* theirs_session = nullptr;
  if (row.resumed) {
    ours_session = Measure(sides.options, nullptr, true, engine).session;
    theirs_session = Measure(sides.options, nullptr, true, reference).session;
  }
  std::vector<double> ours, libssl, lowest, to_floor, to_libssl;
  for (int round = -1; round < rounds; ++round) {
    std::vector<double> a, b, c;
    for (int i = 0; i < batch; ++i) {
      a.push_back(Measure(sides.options, ours_session, false, engine).micros);
      b.push_back(Measure(sides.options, theirs_session, false, reference).micros);
      c.push_back(FloorMicros(sides, theirs_session));
    }
    if (round < 0) continue;  // the first warms up
    ours.push_back(Median(a));
    libssl.push_back(Median(b));
    lowest.push_back(Median(c));
    to_floor.push_back(Median(a) / Median(c));
    to_libssl.push_back(Median(a) / Median(b));
  }
  SSL_SESSION_free(ours_session);
  SSL_SESSION_free(theirs_session);
  std::printf("| %s | %.0f | %.0f | %.0f | %.2f | %.2f | %s |\n", row.name, Median(ours),
              Median(libssl), Median(lowest), Median(to_floor), Median(to_libssl), row.goal);
}

}  // namespace
}  // namespace handfast::bench

int main(int argc, char** argv) {
  using handfast::bench::MeasureRow;
  using handfast::tls::KeyType;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  std::printf(
      "| server's handshake, CPU us | engine | libssl | floor | /floor | /libssl | goal |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  MeasureRow({"P1 TLS 1.3 full, X25519 + ECDSA P-256, 2 tickets", KeyType::kEcdsaP256,
              TLS1_3_VERSION, false, "<= 1.25 floor, <= 0.6 libssl"},
             rounds, 40);
  MeasureRow({"P2 TLS 1.3 full, X25519 + RSA-2048, 2 tickets", KeyType::kRsa2048, TLS1_3_VERSION,
              false, "<= 1.05 floor"},
             rounds, 20);
  MeasureRow({"P3 TLS 1.3 resumed, X25519, 1 ticket", KeyType::kEcdsaP256, TLS1_3_VERSION, true,
              "<= 1.25 floor, <= 0.6 libssl"},
             rounds, 40);
  MeasureRow({"P4 TLS 1.2 abbreviated, by ticket", KeyType::kEcdsaP256, TLS1_2_VERSION, true,
              "<= 3 floor, <= 0.4 libssl"},
             rounds, 100);
  MeasureRow({"TLS 1.2 full, X25519 + ECDSA P-256, 1 ticket", KeyType::kEcdsaP256, TLS1_2_VERSION,
              false, "-"},
             rounds, 40);
  MeasureRow(
      {"TLS 1.2 full, X25519 + RSA-2048, 1 ticket", KeyType::kRsa2048, TLS1_2_VERSION, false, "-"},
      rounds, 20);
}
