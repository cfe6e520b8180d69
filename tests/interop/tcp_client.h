// The engine as a client on a loopback socket, for peers that are programs: the handshake by Step,
// then records with the keys that it gave away. One thread, poll and deadlines.
#ifndef HANDFAST_TESTS_INTEROP_TCP_CLIENT_H_
#define HANDFAST_TESTS_INTEROP_TCP_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/interop/socket_records.h"
#include "tests/tls/connection/server_driver.h"

namespace handfast::tls::test {

// What became of one connection.
struct Spoken {
  std::shared_ptr<const Established> established;
  std::optional<HandshakeFailure> failure;
  std::string state;                  // the connection's state by name, when the handshake ended
  int client_hellos = 0;              // 2: after a HelloRetryRequest
  bool certificate_received = false;  // the server's
  std::string content;                // all plaintext that came
  std::vector<Session> sessions;      // of the server's tickets
  int key_updates = 0;                // the peer's
  bool close_notify = false;          // the peer said that it ends
  std::optional<uint8_t> alert;       // behind the handshake, any other
  std::string trouble;                // what the test client itself could not do; empty: nothing

  // For a failed expectation's message.
  std::string ToText() const;
};

class TcpClient {
 public:
  // Connects to 127.0.0.1. The kit must outlive it; `session` is offered.
  TcpClient(uint16_t port, const ServerKit& kit, ConnectionOptions options,
            std::optional<Session> session = std::nullopt);

  // False where it fails. The rest is for after it.
  bool Handshake();
  void Write(std::string_view text);
  // Sends a KeyUpdate, and asks for the server's.
  void UpdateKeys() { records_.UpdateKeys(); }
  // Reads until the plaintext holds this; false where the server ends before.
  bool ReadUntil(std::string_view text);
  // Says that it ends, and waits until the server has closed.
  Spoken End();

 private:
  static ConnectionOptions Traced(ConnectionOptions options);
  static ServerDriver Driver(const ServerKit& kit, ConnectionOptions options,
                             std::optional<Session> session);
  // False at the end.
  bool ReadPiece();
  void OnAlert(ByteView alert);

  const ServerKit& kit_;
  SocketRecords records_;
  ServerDriver driver_;
  Spoken spoken_;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_TCP_CLIENT_H_
