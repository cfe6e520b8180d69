// The engine of tls/ in any role and version that it has, under a record layer that refuses next to
// nothing. With a script it is the bad peer. Without one it is a mutant to test tests with: it
// lacks all that tls/connection defends (order of records, ChangeCipherSpec, empty records,
// warnings, data before Finished), and what the engine defends can be switched off.
#ifndef HANDFAST_TESTS_BADPEER_ENGINE_PEER_H_
#define HANDFAST_TESTS_BADPEER_ENGINE_PEER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/badpeer/endpoint.h"
#include "tests/badpeer/flight_writer.h"
#include "tests/tls/connection/fixed_randomness.h"
#include "tests/tls/connection/server_driver.h"
#include "tls/engine/engine.h"
#include "tls/record/deframer.h"

namespace handfast::tls::badpeer {

// Defences that a mutant lacks.
struct Lenience {
  // A message that the engine refuses for one of these is passed over.
  std::vector<Reason> ignored = {};
  // Whatever a Finished says is taken for right.
  bool any_finished = false;
};

struct EnginePeerOptions {
  test::ServerKit kit;  // whose as_client says which role
  ConnectionOptions connection = {};
  Script script = {};
  // As a client: what is offered to be resumed.
  std::function<Session()> session = {};
  // What a CertificateVerify or ServerKeyExchange covers.
  std::function<void(Bytes&)> edit_signed_content = {};
  Lenience lenience = {};
};

class EnginePeer final : public Peer {
 public:
  explicit EnginePeer(EnginePeerOptions options);

  Bytes Begin() override;
  Bytes Receive(ByteView bytes) override;
  bool established() const override { return std::holds_alternative<Connected>(state_); }
  std::string reason() const override { return reason_; }
  std::optional<uint8_t> alert() const override { return alert_; }
  const std::vector<Flight>& sound() const override { return writer_.sound(); }

 private:
  bool over() const { return alert_ || !reason_.empty(); }
  Context context();
  void OnRecord(std::span<uint8_t> record);
  // Only a fatal one counts.
  void OnAlert(ByteView fragment);
  void OnMessage(Bytes message);
  void Apply(Transition transition);
  void CarryOut(Effect& effect);
  void InstallRead(TrafficKeys keys);
  Answer AnswerTo(const Question& question) const;
  // RFC 8446 §4.4.4, RFC 5246 §7.4.9: what this Finished ought to say.
  void SetRight(Bytes& finished) const;
  // So that the transcripts agree on an edited ClientHello.
  void RememberHello();

  EnginePeerOptions options_;
  test::FixedRandomness randomness_;
  EngineState state_;
  FlightWriter writer_;
  RecordOpener opener_;
  std::optional<TrafficKeys> armed_;
  Bytes input_;
  Bytes messages_;
  std::optional<uint8_t> alert_;
  std::string reason_;
};

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_ENGINE_PEER_H_
