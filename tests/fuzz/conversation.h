// One connection of ours and a peer that may say anything: the questions are answered from a fixed
// kit, and what must hold of every connection is asked at every step.
#ifndef HANDFAST_TESTS_FUZZ_CONVERSATION_H_
#define HANDFAST_TESTS_FUZZ_CONVERSATION_H_

#include <optional>
#include <string>

#include "tests/tls/connection/server_driver.h"
#include "tls/connection/connection.h"

namespace handfast::fuzz {

struct Setup {
  bool as_client = false;
  tls::ClientAuth client_auth = tls::ClientAuth::kNone;
  bool tickets = false;
  // The randomness of the handshakes in the corpus. A peer that repeats what it said there gets
  // through with it, and with no other.
  bool recorded_randomness = false;
  // Save and load before every step.
  bool amnesia = false;
};

// Each pair and each random value follows from one byte.
class SeededRandomness : public tls::Randomness {
 public:
  explicit SeededRandomness(bool recorded) : recorded_(recorded) {}
  tls::Result<void> Fill(std::span<uint8_t> out) override;
  tls::Result<tls::KeyPair> NewKeyPair(tls::NamedGroup group) override;

 private:
  bool recorded_;
};

const tls::test::ServerKit& KitOf(const Setup& setup);

// The session that the client of the corpus brings, and the target's server takes.
tls::Session CorpusSession();

class Conversation {
 public:
  explicit Conversation(const Setup& setup);

  // Bytes from the peer, given as a transport would: at most 16 KiB at once.
  void Receive(tls::ByteView bytes);
  // The transport ends.
  void Close();

  // What must be the same however the bytes were cut.
  bool SameAs(const Conversation& other) const;

  const tls::Bytes& to_peer() const { return to_peer_; }
  const tls::Connection& connection() const { return *connection_; }
  const std::optional<tls::HandshakeFailure>& failure() const { return failure_; }
  // The largest saved form: nearly all that a connection holds.
  size_t most_held() const { return most_held_; }

 private:
  void Give(const tls::Input& input);
  void Forget();
  void CheckStep(const tls::Output& output, bool had_ended);

  Setup setup_;
  const tls::test::ServerKit& kit_;
  SeededRandomness randomness_;
  std::optional<tls::Connection> connection_;
  tls::Bytes to_peer_;
  std::optional<tls::HandshakeFailure> failure_;
  size_t most_held_ = 0;
};

}  // namespace handfast::fuzz

#endif  // HANDFAST_TESTS_FUZZ_CONVERSATION_H_
