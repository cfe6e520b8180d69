// P12 and P14 of the goals: what a parked handshake takes of memory, and what a handshake costs
// beside 10, 1,000 and 100,000 others that wait for their peers, with as many connections on
// record. In process, without gRPC, which would hide what the tables cost.
#include <malloc.h>

#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "server/connections/connections.h"
#include "server/observe/log.h"
#include "tests/bench/require.h"
#include "tests/bench/stopwatch.h"
#include "tests/server/handshakes/fake_backends.h"
#include "tests/tls/connection/scripted_client.h"

namespace handfast::bench {
namespace {

using handshakes::Handshake;
using tls::Bytes;
using tls::test::ScriptedClient;

constexpr std::array<size_t, 3> kPopulations = {10, 1'000, 100'000};

double Allocated() { return static_cast<double>(mallinfo2().uordblks); }

// A service's tables with so many handshakes parked behind the server's flight.
class World {
 public:
  World(size_t population, bool durable) : durable_(durable) {
    script_.check_signature = false;
    backends_.profile->durable = durable;
    const Bytes hello = ScriptedClient(script_).Start();
    const double before = Allocated();
    parked_.reserve(population);
    for (size_t i = 0; i < population; ++i) {
      parked_.push_back(Begin());
      parked_.back()->Begin(hello);
      replies_->all.clear();
    }
    bytes_each_ = (Allocated() - before) / static_cast<double>(population);
    for (size_t i = 0; i < population; ++i) Finish();
  }

  double bytes_each() const { return bytes_each_; }
  double stored_bytes_each() const {
    return static_cast<double>(store_.bytes()) / static_cast<double>(parked_.size());
  }

  // One handshake from its first byte to its last, in microseconds.
  double Finish() {
    ScriptedClient peer(script_);
    const Bytes hello = peer.Start();
    Stopwatch watch;
    watch.Start();
    auto handshake = Begin();
    handshake->Begin(hello);
    watch.Stop();
    const Bytes finished = peer.Receive(Reply().to_peer);
    watch.Start();
    handshake->FromPeer(finished);
    handshake.reset();
    watch.Stop();
    Require(std::holds_alternative<handshakes::Done>(Reply().outcome), "the handshake is done");
    return watch.micros();
  }

 private:
  std::shared_ptr<Handshake> Begin() {
    handshakes::Start start = backends_.NewStart(replies_);
    start.release_keys = start.owner_may_release = true;
    // What an adapter would keep of a reply, but for the bytes to the peer, is small.
    if (durable_) start.encode = [](const auto&, const auto&) { return Bytes(64); };
    auto begun = table_.Begin(std::move(start));
    Require(begun.ok(), "the handshake begins");
    return *std::move(begun);
  }
  handshakes::Reply Reply() {
    auto reply = replies_->Take();
    Require(reply.has_value(), "the service replies");
    const auto* stopped = std::get_if<handshakes::Stopped>(&reply->outcome);
    if (stopped != nullptr) Require(false, stopped->status.ToString().c_str());
    return *std::move(reply);
  }

  const bool durable_;
  tls::test::ClientScript script_;
  handshakes::test::Backends backends_;
  std::shared_ptr<handshakes::test::Replies> replies_ =
      std::make_shared<handshakes::test::Replies>();
  connections::Connections connections_{backends_.clock, {}};
  store::MemoryStore store_{backends_.clock,
                            {.entries = 8 * kPopulations.back(), .bytes = size_t{8} << 30}};
  handshakes::SavedHandshakes saved_{backends_.clock, store_};
  const handshakes::Services services_{.clock = backends_.clock,
                                       .randomness = tls::SystemRandomness(),
                                       .credentials = backends_.key,
                                       .trust = backends_.trust,
                                       .admission = backends_.admission,
                                       .work = backends_.work,
                                       .connections = connections_,
                                       .metrics = backends_.metrics,
                                       .saved = saved_,
                                       .sessions = backends_.no_sessions};
  handshakes::Handshakes table_{services_};
  std::vector<std::shared_ptr<Handshake>> parked_;
  double bytes_each_ = 0;
};

void Measure(bool durable, int rounds) {
  std::vector<std::unique_ptr<World>> worlds;
  worlds.reserve(kPopulations.size());
  for (const size_t population : kPopulations) {
    worlds.push_back(std::make_unique<World>(population, durable));
  }
  std::vector<std::vector<double>> micros(worlds.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < worlds.size(); ++i) micros[i].push_back(worlds[i]->Finish());
  }
  const char* kind = durable ? "durable, in the memory store" : "not durable";
  std::printf("| %s | %.1f | - | <= 8 |\n",
              (std::string("P12 a parked handshake, ") + kind + ", KiB").c_str(),
              worlds.back()->bytes_each() / 1024);
  if (durable) {
    std::printf("| of these in the store | %.1f | - | - |\n",
                worlds.back()->stored_bytes_each() / 1024);
  }
  const double least = Median(micros[0]);
  for (size_t i = 0; i < worlds.size(); ++i) {
    std::printf("| P14 a handshake, %s, beside %zu others, us | %.0f | %.2f | <= 1.1 |\n", kind,
                kPopulations[i], Median(micros[i]), Median(micros[i]) / least);
  }
}

}  // namespace
}  // namespace handfast::bench

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 2000;
  handfast::observe::SetLogLevel(handfast::observe::Level::kError);
  std::printf("| measure | ours | to 10 others | goal |\n|---|---|---|---|\n");
  handfast::bench::Measure(false, rounds);
  handfast::bench::Measure(true, rounds);
}
