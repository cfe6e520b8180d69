// P13 of the goals: what durability on Redis costs a full handshake, and whether a second replica
// makes each dearer. Cores are too few here for two replicas to be twice as quick at the same time:
// what is measured is CPU time a handshake, of which as many cores make as much more.
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/relay_load.h"
#include "tests/bench/require.h"
#include "tests/bench/service.h"
#include "tests/bench/stopwatch.h"
#include "tests/support/redis_server.h"

namespace handfast::bench {
namespace {

constexpr int kBatch = 1000;
constexpr int kInFlight = 64;

std::string Document(const std::string& store_key, const std::string& redis) {
  return "profiles:\n"
         "- {name: intermediate, base: intermediate, release_keys: true, session_tickets: 0}\n"
         "- {name: durable, base: intermediate, release_keys: true, durable: true, "
         "session_tickets: 0}\n"
         "store: {redis: {address: \"" +
         redis + "\", key_file: " + store_key + "}}\n";
}

void Measure(const std::string& programs, int rounds) {
  const auto leaf = tls::test::TestCa::Create("root").Issue({.dns = {"example.test"}});
  test::RedisServer redis;
  redis.Start();
  const Folder folder, second_folder;
  const std::string document =
      Document(folder.Write("store.key", std::string(64, '7') + "\n"), redis.address());
  const Service one(programs, folder.path(), leaf, document);
  const Service two(programs, second_folder.path(), leaf, document);
  RelayLoad plain(one.endpoint(), "intermediate");
  RelayLoad durable(one.endpoint(), "durable");
  RelayLoad elsewhere(two.endpoint(), "durable");
  for (RelayLoad* load : {&plain, &durable, &elsewhere}) load->Run(kBatch / 2, kInFlight);

  std::vector<double> without, with, in_redis, both, shares, growths;
  for (int round = 0; round < rounds; ++round) {
    double before = one.CpuMicros();
    plain.Run(kBatch, kInFlight);
    without.push_back((one.CpuMicros() - before) / kBatch);

    before = one.CpuMicros();
    double redis_before = CpuMicrosOf(redis.pid());
    durable.Run(kBatch, kInFlight);
    with.push_back((one.CpuMicros() - before) / kBatch);
    in_redis.push_back((CpuMicrosOf(redis.pid()) - redis_before) / kBatch);
    shares.push_back((with.back() - without.back()) / with.back());

    before = one.CpuMicros() + two.CpuMicros();
    std::thread other([&] { elsewhere.Run(kBatch, kInFlight / 2); });
    durable.Run(kBatch, kInFlight / 2);
    other.join();
    both.push_back((one.CpuMicros() + two.CpuMicros() - before) / (2 * kBatch));
    growths.push_back(both.back() / with.back());
  }
  std::printf("| full TLS 1.3 handshake over Relay, ECDSA, CPU us | measured | ratio | goal |\n");
  std::printf("|---|---|---|---|\n");
  std::printf("| handfastd, not durable | %.0f | | |\n", Median(without));
  std::printf("| P13 handfastd, durable on Redis: the store's share | %.0f | %.2f | <= 0.10 |\n",
              Median(with), Median(shares));
  std::printf("| Redis itself | %.0f | | |\n", Median(in_redis));
  std::printf("| P13 each of two replicas on one Redis, to one alone | %.0f | %.2f | <= 1.11 |\n",
              Median(both), Median(growths));
}

}  // namespace
}  // namespace handfast::bench

int main(int argc, char** argv) {
  using handfast::bench::Require;
  Require(argc >= 2, "the first argument is the folder of the programs");
  Require(handfast::test::RedisServer::IsInstalled(), "redis-server is installed");
  handfast::bench::Measure(argv[1], argc > 2 ? std::atoi(argv[2]) : 5);
}
