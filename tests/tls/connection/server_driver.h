// A server or a client that answers its own connection's questions at once, from a key and a bundle
// in memory: what server/handshakes does, without everything around it.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_SERVER_DRIVER_H_
#define HANDFAST_TESTS_TLS_CONNECTION_SERVER_DRIVER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/tls/crypto/test_ca.h"
#include "tls/connection/connection.h"

namespace handfast::tls::test {

struct ServerKit {
  Profile profile = IntermediateProfile();
  std::shared_ptr<const Credential> credential;
  std::shared_ptr<const PrivateKey> key;
  std::shared_ptr<const TrustBundle> clients;     // null: every peer's chain is unknown_ca
  bool as_client = false;                         // `clients` are then the servers
  bool require_ocsp_response = false;             // as a client, of a server
  int64_t peer_not_after_unix_s = INT64_MAX;      // what the verdict says of the peer's chain
  std::shared_ptr<const TicketKeys> ticket_keys;  // null: no sessions
  Bytes session_binding = {};
  int64_t now_unix_s = kNow;
  bool resume = true;                             // the answer where a session fits
  bool keeps_sessions = false;                    // TLS 1.2: by their id
  std::shared_ptr<const Session> kept = nullptr;  // the one that is

  // The leaf's chain and key, under a profile.
  static ServerKit For(const Leaf& leaf, Profile profile = IntermediateProfile());
};

// Answers one question from the kit.
Answer AnswerFrom(const ServerKit& kit, const Question& question);

class ServerDriver {
 public:
  explicit ServerDriver(const ServerKit& kit, ConnectionOptions options = {},
                        Randomness& randomness = SystemRandomness());
  // A client that offers a session; of the kit only the answers are looked at.
  ServerDriver(const ServerKit& kit, ConnectionOptions options, Session session);
  // A client's first bytes.
  Bytes Begin();

  // Feeds bytes, answers what is asked, and returns all bytes for the peer.
  Bytes Receive(ByteView from_peer);
  // Any other input, without answering.
  Bytes Give(const Input& input);

  // Save and restore before every step: the law of amnesia.
  bool amnesia = false;

  Connection& connection() { return *connection_; }
  Connection Take() { return *std::move(connection_); }
  const std::optional<HandshakeFailure>& failure() const { return failure_; }
  const std::shared_ptr<const Established>& established() const { return established_; }
  const std::vector<TracedMessage>& messages() const { return messages_; }
  // After the handshake: all plaintext, and the tickets, that came so far.
  std::string_view application_data() const { return AsText(application_data_); }
  const std::vector<Bytes>& new_session_tickets() const { return new_session_tickets_; }
  bool peer_closed() const { return peer_closed_; }
  // What the peer stapled, as VerifyPeer last brought it; nullopt: it was not asked.
  const std::optional<Bytes>& stapled() const { return stapled_; }
  // Of the last input.
  bool refused() const { return refused_; }
  // Bytes received so far.
  uint64_t received() const { return received_; }

 private:
  std::optional<Question> StepOnce(const Input& input, Bytes& to_peer);

  const ServerKit& kit_;
  Randomness& randomness_;
  std::optional<Connection> connection_;
  std::optional<HandshakeFailure> failure_;
  std::shared_ptr<const Established> established_;
  std::vector<TracedMessage> messages_;
  Bytes application_data_;
  std::vector<Bytes> new_session_tickets_;
  std::optional<Bytes> stapled_;
  bool peer_closed_ = false;
  bool refused_ = false;
  uint64_t received_ = 0;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_SERVER_DRIVER_H_
