// A connection whose keys stay in the service, with libssl at the other end.
#ifndef HANDFAST_TESTS_SERVER_CONNECTIONS_KEPT_FIXTURE_H_
#define HANDFAST_TESTS_SERVER_CONNECTIONS_KEPT_FIXTURE_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "server/connections/kept_connection.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::connections::test {

class TurnedClock final : public handshakes::Clock {
 public:
  handshakes::MonotonicTime Now() const override {
    return handshakes::MonotonicTime(std::chrono::nanoseconds(now_ns.load()));
  }
  int64_t UnixSeconds() const override { return 0; }
  void Advance(std::chrono::nanoseconds by) { now_ns += by.count(); }
  std::atomic<int64_t> now_ns{3'600'000'000'000};
};

struct Pair {
  tls::Connection ours;
  std::unique_ptr<tls::test::LibsslClient> peer;
};

// After a handshake; what the peer said behind it comes with its first application data.
inline Pair Established(const tls::test::LibsslOptions& options,
                        const tls::Profile& profile = tls::IntermediateProfile()) {
  static const tls::test::Leaf leaf = tls::test::TestCa::Create("CA").Issue();
  const tls::test::ServerKit kit = tls::test::ServerKit::For(leaf, profile);
  tls::test::ServerDriver server(kit);
  auto peer = std::make_unique<tls::test::LibsslClient>(options);
  tls::Bytes to_server = peer->Receive({});
  while (!server.established()) to_server = peer->Receive(server.Receive(to_server));
  // TLS 1.2: our Finished is the last word.
  if (!to_server.empty()) std::abort();
  return {server.Take(), std::move(peer)};
}

// Bytes that are the same each time, and differ from each other.
inline tls::Bytes Pattern(size_t size, uint8_t seed = 1) {
  tls::Bytes bytes(size);
  uint32_t x = seed;
  for (uint8_t& byte : bytes) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(x >> 24);
  }
  return bytes;
}

}  // namespace handfast::connections::test

#endif  // HANDFAST_TESTS_SERVER_CONNECTIONS_KEPT_FIXTURE_H_
