// The scripted client of tests/tls/connection as a bad peer: a TLS 1.2 client that shares no engine
// with the server under test, and whose hello and RSA block are the test's to fill.
#ifndef HANDFAST_TESTS_BADPEER_SCRIPTED_PEER_H_
#define HANDFAST_TESTS_BADPEER_SCRIPTED_PEER_H_

#include <optional>
#include <string>
#include <vector>

#include "tests/badpeer/endpoint.h"
#include "tests/badpeer/flight_writer.h"
#include "tests/tls/connection/scripted_client.h"

namespace handfast::tls::badpeer {

class ScriptedPeer final : public Peer {
 public:
  // Of TLS 1.2; its edit_flight is taken.
  ScriptedPeer(test::ClientScript client, Script script);

  Bytes Begin() override;
  Bytes Receive(ByteView bytes) override;
  bool established() const override { return client_.done() && client_.error().empty(); }
  std::string reason() const override { return client_.error(); }
  std::optional<uint8_t> alert() const override { return client_.alert(); }
  const std::vector<Flight>& sound() const override { return writer_.sound(); }

 private:
  test::ClientScript Capture(test::ClientScript client);

  test::Flight captured_;
  test::ScriptedClient client_;
  FlightWriter writer_;
};

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_SCRIPTED_PEER_H_
