// A TLS client for tests: deterministic, of both versions, and wrong in any way that a test asks
// for. It runs on the pieces of tls/, whose own truth is tested against libssl and RFC 8448.
//
//   ScriptedClient client({.version = ProtocolVersion::kTls13});
//   ServerDriver server(kit);
//   Bytes to_server = client.Start();
//   while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
#ifndef HANDFAST_TESTS_TLS_CONNECTION_SCRIPTED_CLIENT_H_
#define HANDFAST_TESTS_TLS_CONNECTION_SCRIPTED_CLIENT_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/tls/connection/hello_fields.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/engine/key_schedule.h"
#include "tls/engine/key_schedule12.h"
#include "tls/engine/transcript.h"
#include "tls/record/protection.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {

// One record of the client's last flight, before it is protected.
struct FlightRecord {
  ContentType type = ContentType::kHandshake;
  Bytes content;
  bool encrypted = false;
};
using Flight = std::vector<FlightRecord>;

struct ClientScript {
  ProtocolVersion version = ProtocolVersion::kTls13;
  // Empty cipher_suites: HelloFor(version).
  HelloFields hello = {};
  // Shown where a certificate is asked for; null: an empty Certificate.
  const Leaf* certificate = nullptr;
  SignatureScheme scheme = SignatureScheme::kEd25519;
  // False: the server's signature is not looked at, for a bench that wants a cheap client.
  bool check_signature = true;

  // Each may spoil what a sound client would have sent.
  std::function<void(HelloFields&)> edit_second_hello = {};
  // What the client's CertificateVerify covers.
  std::function<void(Bytes&)> edit_signed_content = {};
  // Static RSA: the whole block that is encrypted, 00 02, padding, 00, premaster secret.
  std::function<void(Bytes&)> edit_rsa_block = {};
  // From Certificate to Finished, each message in a record of its own, ChangeCipherSpec among them.
  std::function<void(Flight&)> edit_flight = {};
};

class ScriptedClient {
 public:
  explicit ScriptedClient(ClientScript script);

  // The ClientHello, in a record.
  Bytes Start();
  // Takes bytes from the server and returns what a client says next; empty where it waits.
  Bytes Receive(ByteView from_server);

  // Both Finished are verified and all of ours is sent.
  bool done() const { return done_; }
  // The server's alert; after one nothing more is said.
  const std::optional<uint8_t>& alert() const { return alert_; }
  // What was wrong with the server; empty: nothing.
  const std::string& error() const { return error_; }
  const Bytes& server_random() const { return server_random_; }
  CipherSuite cipher_suite() const { return suite_ ? suite_->suite : CipherSuite{}; }
  const std::vector<Bytes>& server_messages() const { return server_messages_; }
  // Under the keys of the moment: those of application data when done().
  RecordSealer& sealer() { return sealer_; }
  RecordOpener& opener() { return opener_; }

 private:
  void OnRecord(std::span<uint8_t> record);
  void OnMessage(ByteView message);
  void On13(HandshakeType type, ByteView message, ByteView body);
  void On12(HandshakeType type, ByteView message, ByteView body);
  void OnServerHello13(ByteView message, ByteView body);
  void OnServerHello12(ByteView message, ByteView body);
  void OnRetry(const ServerHello& retry, ByteView message);
  void OnServerFinished13(ByteView message, ByteView body);
  void OnServerKeyExchange(ByteView body);
  Bytes ExchangeKeys(SharedSecret& premaster);
  Bytes RsaExchangeKeys(SharedSecret& premaster);
  void OnServerHelloDone();
  void CheckSignature(SignatureScheme scheme, ByteView content, ByteView signature);
  Bytes Sign(Bytes content) const;
  void Send(const Flight& flight);
  void Error(const std::string& what);

  ClientScript script_;
  Bytes first_hello_;
  Bytes from_server_;
  Bytes messages_;
  Bytes out_;
  std::vector<Bytes> server_messages_;

  const SuiteInfo* suite_ = nullptr;
  Bytes server_random_;
  std::vector<Bytes> server_chain_;
  bool certificate_requested_ = false;
  bool retried_ = false;
  Bytes whole_;  // the transcript, from the first message on
  Transcript transcript_;
  RecordSealer sealer_;
  RecordOpener opener_;
  std::optional<TrafficKeys> armed_;

  // TLS 1.3
  MainSecret main_;
  HashSecret client_finished_key_;
  HashSecret server_finished_key_;
  // TLS 1.2
  bool extended_master_secret_ = false;
  bool encrypt_then_mac_ = false;
  NamedGroup group_{};
  Bytes server_public_;
  MasterSecret master_;

  bool done_ = false;
  std::optional<uint8_t> alert_;
  std::string error_;
};

// A plaintext record.
Bytes PlainRecord(ContentType type, ByteView content, uint16_t version = 0x0303);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_SCRIPTED_CLIENT_H_
