#include "tests/tls/connection/wrong_peer.h"

#include <utility>

namespace handfast::tls::test {

Outcome Shake(const ServerKit& kit, ClientScript script, ConnectionOptions options) {
  FixedRandomness randomness;
  ServerDriver server(kit, std::move(options), randomness);
  ScriptedClient client(std::move(script));
  Outcome outcome;
  Bytes to_server = client.Start();
  while (!to_server.empty()) {
    const Bytes to_client = server.Receive(to_server);
    if (!to_client.empty()) outcome.last_record = RecordsOf(to_client).back();
    to_server = client.Receive(to_client);
  }
  outcome.established = server.established() != nullptr;
  if (outcome.established) outcome.group = server.established()->group;
  outcome.failure = server.failure();
  outcome.alert_at_client = client.alert();
  outcome.client_done = client.done();
  outcome.client_error = client.error();
  outcome.server_random = client.server_random();
  outcome.cipher_suite = client.cipher_suite();
  return outcome;
}

Outcome Feed(ByteView bytes, const ServerKit& kit) {
  FixedRandomness randomness;
  ServerDriver server(kit, {}, randomness);
  const Bytes to_client = server.Receive(bytes);
  Outcome outcome;
  outcome.established = server.established() != nullptr;
  outcome.failure = server.failure();
  if (!to_client.empty()) {
    outcome.last_record = RecordsOf(to_client).back();
    const Bytes& last = outcome.last_record;
    if (last.size() == 7 && last[0] == 21) outcome.alert_at_client = last[6];
  }
  return outcome;
}

ClientScript Sound(ProtocolVersion version) {
  return {.version = version, .hello = HelloFor(version)};
}

testing::AssertionResult Refused(const Outcome& outcome, Reason reason, Alert alert) {
  if (outcome.established) return testing::AssertionFailure() << "it was established";
  if (!outcome.failure) return testing::AssertionFailure() << "nothing was refused";
  if (outcome.failure->reason != reason) {
    return testing::AssertionFailure() << "for " << Describe(outcome.failure->reason).label;
  }
  const auto number = static_cast<uint8_t>(alert);
  if (outcome.failure->alert != number || outcome.failure->origin != Origin::kLocal) {
    return testing::AssertionFailure()
           << "with alert " << int{outcome.failure->alert.value_or(255)};
  }
  if (outcome.alert_at_client != number) {
    return testing::AssertionFailure()
           << "but the client read no such alert: " << outcome.client_error;
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult Succeeded(const Outcome& outcome) {
  if (outcome.established && outcome.client_done && outcome.client_error.empty()) {
    return testing::AssertionSuccess();
  }
  auto result = testing::AssertionFailure() << "client: " << outcome.client_error;
  if (outcome.failure) result << " server: " << Describe(outcome.failure->reason).label;
  return result;
}

size_t IndexOf(const Flight& flight, HandshakeType type) {
  for (size_t i = 0; i < flight.size(); ++i) {
    if (flight[i].type == ContentType::kHandshake && !flight[i].content.empty() &&
        flight[i].content[0] == static_cast<uint8_t>(type)) {
      return i;
    }
  }
  return flight.size();
}

}  // namespace handfast::tls::test
