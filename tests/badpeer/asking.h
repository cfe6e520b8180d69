// The connection of tls/ under test, whose owner's answers a test may replace: what custody, trust
// and policy may say.
#ifndef HANDFAST_TESTS_BADPEER_ASKING_H_
#define HANDFAST_TESTS_BADPEER_ASKING_H_

#include <functional>
#include <optional>
#include <string>

#include "tests/badpeer/meeting.h"

namespace handfast::tls::badpeer {

// Nullopt: as the kit would answer.
using Answers = std::function<std::optional<Input>(const Question&)>;

inline std::optional<Input> AsTheKit(const Question&) { return std::nullopt; }

class Asking final : public Endpoint {
 public:
  explicit Asking(const Meeting& meeting, Answers answers = AsTheKit)
      : kit_(meeting.kit),
        answers_(std::move(answers)),
        connection_(kit_.as_client ? Connection::Client(meeting.options)
                                   : Connection::Server(meeting.options)) {}

  Bytes Begin() override { return kit_.as_client ? Give(tls::Begin{}) : Bytes(); }
  Bytes Receive(ByteView bytes) override { return Give(FromPeer{bytes}); }
  bool established() const override { return connection_.established(); }
  std::string reason() const override {
    return failure_ ? std::string(Describe(failure_->reason).label) : "";
  }
  std::optional<uint8_t> alert() const override {
    return failure_ ? failure_->alert : std::nullopt;
  }
  // What the end of the stream would lead to here; it does not come.
  Output IfItEnded() { return If(PeerClosed{}); }
  // The same of no end, but nothing yet.
  Output IfItWentOn() { return If(FromPeer{{}}); }

 private:
  Output If(const Input& input) {
    const Bytes saved = *Save(std::move(connection_));
    connection_ = *Load(saved);
    return Step(*Load(saved), input, Context{kit_.profile, randomness_}).output;
  }
  Bytes Give(const Input& input) {
    Bytes to_peer;
    std::optional<Question> question = StepOnce(input, to_peer);
    while (question) {
      const std::optional<Input> answer = answers_(*question);
      question = StepOnce(answer ? *answer : Input(test::AnswerFrom(kit_, *question)), to_peer);
    }
    return to_peer;
  }
  std::optional<Question> StepOnce(const Input& input, Bytes& to_peer) {
    Stepped stepped = Step(std::move(connection_), input, Context{kit_.profile, randomness_});
    connection_ = std::move(stepped.connection);
    Append(to_peer, stepped.output.to_peer);
    if (stepped.output.failure) failure_ = stepped.output.failure;
    return std::move(stepped.output.question);
  }

  const test::ServerKit kit_;
  const Answers answers_;
  test::FixedRandomness randomness_{Bytes{0x7e}};
  Connection connection_;
  std::optional<HandshakeFailure> failure_;
};

inline Outcome TryAsking(const Meeting& meeting, Answers answers) {
  const std::unique_ptr<Peer> peer = meeting.MakePeer();
  Asking asking(meeting, std::move(answers));
  return Meet(asking, *peer);
}

}  // namespace handfast::tls::badpeer

#endif  // HANDFAST_TESTS_BADPEER_ASKING_H_
