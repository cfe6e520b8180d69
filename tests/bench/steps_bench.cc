// The step RPCs, one by one: what each costs the service's process and how long its caller waits,
// with one handshake in flight; and all of them beside the same handshake over Relay.
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "client/core/step_order.h"
#include "client/core/steps.h"
#include "tests/bench/relay_load.h"
#include "tests/bench/require.h"
#include "tests/bench/service.h"
#include "tests/bench/stopwatch.h"
#include "tests/tls/connection/scripted_client.h"

namespace handfast::bench {
namespace {

using tls::Bytes;
using tls::test::ScriptedClient;

struct Spent {
  std::vector<double> cpu;
  std::vector<double> wall;
};

// Handshakes through the step RPCs, and what each RPC took, in the order of their first calls.
class StepsLoad {
 public:
  StepsLoad(const Service& service, tls::ProtocolVersion version)
      : service_(service), steps_(EndpointOf(service.endpoint())) {
    script_.version = version;
    script_.check_signature = false;
  }

  void Run(int count) {
    for (int i = 0; i < count; ++i) Handshake();
  }

  void Print() const {
    double cpu = 0, wall = 0;
    for (const std::string& name : names_) {
      const Spent& spent = spent_.at(name);
      std::printf("| %s | %.0f | %.0f |\n", name.c_str(), Median(spent.cpu), Median(spent.wall));
      cpu += Median(spent.cpu);
      wall += Median(spent.wall);
    }
    std::printf("| all %zu calls | %.0f | %.0f |\n", names_.size(), cpu, wall);
  }

 private:
  template <class Call>
  auto Timed(const std::string& name, Call call) {
    const double cpu = service_.CpuMicros();
    const double wall = WallMicros();
    auto called = call();
    Spent& spent = spent_[name];
    if (spent.cpu.empty()) names_.push_back(name);
    spent.wall.push_back(WallMicros() - wall);
    spent.cpu.push_back(service_.CpuMicros() - cpu);
    Require(called.status.code == client::RpcCode::kOk, called.status.message.c_str());
    return std::move(called.reply);
  }

  void Handshake() {
    ScriptedClient peer(script_);
    v1::Start start;
    start.set_role(v1::ROLE_SERVER);
    start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
    const auto started = Timed("StartHandshake", [&] { return steps_.Start(start); });
    client::StepOrder order;
    order.OnReply(started.next());
    v1::StepRequest request;
    request.set_handshake(started.handshake());
    Bytes from_peer = peer.Start();
    for (uint32_t number = 1;; ++number) {
      request.set_step(number);
      request.set_from_peer(from_peer.data(), from_peer.size());
      from_peer.clear();
      const v1::Step step = order.step();
      const client::StepReply reply =
          Timed(std::string(client::RpcName(step)) + (order.needs_bytes() ? ", the peer's" : ""),
                [&] { return steps_.Take(step, request); });
      Require(!reply.response.has_failure() && !reply.response.need_more(), "the step is made");
      from_peer = peer.Receive(tls::AsBytes(reply.response.to_peer()));
      if (reply.response.has_established()) {
        Require(peer.done(), "both sides are done");
        steps_.Terminate(reply.response.established().connection());
        return;
      }
      order.OnReply(reply.response.next());
    }
  }

  const Service& service_;
  client::Steps steps_;
  tls::test::ClientScript script_;
  std::vector<std::string> names_;
  std::map<std::string, Spent> spent_;
};

void Measure(const std::string& programs, int count) {
  const auto leaf = tls::test::TestCa::Create("root").Issue({.dns = {"example.test"}});
  const Folder folder;
  const Service service(programs, folder.path(), leaf,
                        "profiles: [{name: intermediate, base: intermediate, release_keys: true, "
                        "session_tickets: 0}]\n");
  RelayLoad relay(service.endpoint(), "");
  relay.Run(200, 1);
  const double before = service.CpuMicros();
  const std::vector<double> waits = relay.Run(count, 1);
  const double relayed = (service.CpuMicros() - before) / count;
  for (const auto version : {tls::ProtocolVersion::kTls13, tls::ProtocolVersion::kTls12}) {
    StepsLoad(service, version).Run(200);
    StepsLoad load(service, version);
    load.Run(count);
    std::printf("| %s by steps, ECDSA, one in flight | service, CPU us | round trip p50, us |\n",
                version == tls::ProtocolVersion::kTls13 ? "TLS 1.3" : "TLS 1.2");
    std::printf("|---|---|---|\n");
    load.Print();
    if (version == tls::ProtocolVersion::kTls13) {
      std::printf("| the same over Relay | %.0f | %.0f |\n", relayed, Median(waits));
    }
    std::printf("\n");
  }
}

}  // namespace
}  // namespace handfast::bench

int main(int argc, char** argv) {
  handfast::bench::Require(argc >= 2, "the first argument is the folder of the programs");
  handfast::bench::Measure(argv[1], argc > 2 ? std::atoi(argv[2]) : 1000);
}
