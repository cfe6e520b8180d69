// The engine on a loopback socket, for peers that are programs: one connection at a time, the
// handshake by Step, then records with the keys that it gave away. One thread, poll and deadlines.
#ifndef HANDFAST_TESTS_INTEROP_TCP_SERVER_H_
#define HANDFAST_TESTS_INTEROP_TCP_SERVER_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/tls/connection/server_driver.h"
#include "tls/connection/connection.h"

namespace handfast::tls::test {

// Enough for the slowest peer on a busy machine; nothing waits this long when all is well.
constexpr std::chrono::milliseconds kPatience{30000};

struct ServeOptions {
  ConnectionOptions connection = {};
  // After this the owner gives up on the handshake (kDeadlineExceeded).
  std::chrono::milliseconds handshake_deadline = kPatience;
  // Behind the handshake: a KeyUpdate before the answer, which asks for the peer's.
  bool update_keys = false;
  // And the test on everything.
  std::chrono::milliseconds patience = kPatience;
};

// What became of one connection.
struct Served {
  std::shared_ptr<const Established> established;
  std::optional<HandshakeFailure> failure;
  std::string state;  // the connection's state by name, when the handshake ended
  // Who holds the kit's credential then; 1: the kit alone, the failed connection has let it go.
  int64_t credential_holders = 0;
  std::shared_ptr<const tls::Session> kept;  // TLS 1.2: what goes by its id
  int client_hellos = 0;                     // 2: after a HelloRetryRequest
  bool certificate_sent = false;
  int key_updates = 0;        // the peer's
  std::string request;        // all plaintext that came
  bool close_notify = false;  // the peer said that it ends
  Bytes sent;                 // the handshake's bytes to the peer
  std::string trouble;        // what the test server itself could not do; empty: nothing

  // For a failed expectation's message.
  std::string ToText() const;
};

// What a line is answered with, so that a peer which echoes its own input proves nothing.
std::string ReplyTo(const std::string& line);
// The body that GET is answered with.
inline constexpr char kBody[] = "a hand, held fast\n";
// The whole answer to all that came so far; nullopt while there must be more.
std::optional<std::string> AnswerTo(const std::string& request);

class TcpServer {
 public:
  // Listens on 127.0.0.1, on a port that the kernel chooses.
  TcpServer();
  ~TcpServer();
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  uint16_t port() const { return port_; }

  // Accepts one connection and serves it to its end: after the handshake comes AnswerTo the
  // request, then close_notify. After a failure the socket is held
  // until the peer has closed it, lest a reset overtake the alert.
  Served Serve(const ServerKit& kit, const ServeOptions& options = {});

 private:
  int listener_ = -1;
  uint16_t port_ = 0;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_TCP_SERVER_H_
