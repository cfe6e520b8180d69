// Clients that finish handshakes with a service through its Relay RPC.
#ifndef HANDFAST_TESTS_BENCH_RELAY_LOAD_H_
#define HANDFAST_TESTS_BENCH_RELAY_LOAD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/core/relay.h"
#include "tests/tls/connection/scripted_client.h"

namespace handfast::bench {

double WallMicros();

// "unix:/..."
client::Endpoint EndpointOf(const std::string& address);

// Drives clients through one relay, some at a time. They are cheaper than a server, so that one
// thread of them keeps the service busy. Of one thread.
class RelayLoad {
 public:
  // `profile`: the service's; empty: its default one.
  RelayLoad(const std::string& endpoint, const std::string& profile);

  // Finishes `count` handshakes; returns the time each spent waiting for the service.
  std::vector<double> Run(int count, int in_flight);

 private:
  struct One {
    std::unique_ptr<tls::test::ScriptedClient> client;
    client::RelayHandle handle;
    double sent = 0;
    double waited = 0;
  };

  void Begin();
  // True where the handshake is done.
  bool OnReply(client::RelayReply& reply, std::vector<double>& waits);

  tls::test::ClientScript script_;
  client::StartOptions start_;
  client::RelayInbox inbox_;
  std::map<uint64_t, One> live_;
  uint64_t next_ = 1;
  client::Relay relay_;
};

}  // namespace handfast::bench

#endif  // HANDFAST_TESTS_BENCH_RELAY_LOAD_H_
