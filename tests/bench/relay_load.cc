#include "tests/bench/relay_load.h"

#include <poll.h>
#include <unistd.h>

#include <ctime>
#include <utility>
#include <variant>

#include "tests/bench/require.h"

namespace handfast::bench {

client::Endpoint EndpointOf(const std::string& address) {
  client::Endpoint endpoint;
  endpoint.address = address;
  return endpoint;
}

double WallMicros() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) * 1e-3;
}

RelayLoad::RelayLoad(const std::string& endpoint, const std::string& profile)
    : relay_(EndpointOf(endpoint)) {
  script_.check_signature = false;
  start_.profile = profile;
  start_.release_keys = true;
}

std::vector<double> RelayLoad::Run(int count, int in_flight) {
  std::vector<double> waits;
  for (int i = 0; i < in_flight && i < count; ++i) Begin();
  int begun = static_cast<int>(live_.size());
  std::vector<client::RelayReply> replies;
  while (static_cast<int>(waits.size()) < count) {
    pollfd ready{inbox_.fd(), POLLIN, 0};
    Require(poll(&ready, 1, 10'000) == 1, "the service answers within ten seconds");
    uint64_t wakeups;
    if (read(inbox_.fd(), &wakeups, sizeof(wakeups)) < 0) continue;
    replies.clear();
    inbox_.Take(replies);
    for (client::RelayReply& reply : replies) {
      if (!OnReply(reply, waits)) continue;
      if (begun < count) {
        Begin();
        ++begun;
      }
    }
  }
  return waits;
}

void RelayLoad::Begin() {
  One one{std::make_unique<tls::test::ScriptedClient>(script_), {}, 0, 0};
  const tls::Bytes hello = one.client->Start();
  one.sent = WallMicros();
  const uint64_t key = next_++;
  one.handle = relay_.Start(inbox_, key, start_, "127.0.0.1:1", hello);
  live_.emplace(key, std::move(one));
}

bool RelayLoad::OnReply(client::RelayReply& reply, std::vector<double>& waits) {
  One& one = live_.at(reply.key);
  one.waited += WallMicros() - one.sent;
  const tls::Bytes more = one.client->Receive(tls::AsBytes(reply.to_peer));
  if (auto* done = std::get_if<client::EstablishedHandshake>(&reply.outcome)) {
    Require(one.client->done(), "both sides are done");
    relay_.Terminate(done->info->connection());
    waits.push_back(one.waited);
    live_.erase(reply.key);
    return true;
  }
  if (const auto* refused = std::get_if<client::RpcStatus>(&reply.outcome)) {
    Require(false, refused->message.c_str());
  }
  if (const auto* failed = std::get_if<v1::Failure>(&reply.outcome)) {
    Require(false, failed->reason().c_str());
  }
  one.sent = WallMicros();
  if (!more.empty()) relay_.Send(one.handle, more);
  return false;
}

}  // namespace handfast::bench
