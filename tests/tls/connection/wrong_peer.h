// Runs a client that is wrong in one way, and says how the server took it.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_WRONG_PEER_H_
#define HANDFAST_TESTS_TLS_CONNECTION_WRONG_PEER_H_

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "tests/tls/connection/scenario.h"

namespace handfast::tls::test {

struct Outcome {
  bool established = false;
  std::optional<HandshakeFailure> failure;
  // What the client read; nullopt: no alert.
  std::optional<uint8_t> alert_at_client;
  // Both Finished were good, as the client saw it.
  bool client_done = false;
  std::string client_error;
  Bytes server_random;
  CipherSuite cipher_suite{};
  NamedGroup group{};  // where it was established
  // The last record that the server sent.
  Bytes last_record;
};

// The scripted client against a server with `kit`.
Outcome Shake(const ServerKit& kit, ClientScript script, ConnectionOptions options = {});
// One stream of bytes against a server with the fixed credentials.
Outcome Feed(ByteView bytes, const ServerKit& kit = FixedKit());

// A sound script of one version, to be spoilt.
ClientScript Sound(ProtocolVersion version);

// Passes where the handshake was refused for `reason` and the client was told `alert`.
testing::AssertionResult Refused(const Outcome& outcome, Reason reason, Alert alert);
testing::AssertionResult Succeeded(const Outcome& outcome);

// Where the flight's message of this type stands; the flight's size where it is not.
size_t IndexOf(const Flight& flight, HandshakeType type);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_WRONG_PEER_H_
