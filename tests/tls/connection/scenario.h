// The handshakes that several tests run: each version, with and without client authentication and
// HelloRetryRequest, the same bytes in every run; and a record of one, to be replayed.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_SCENARIO_H_
#define HANDFAST_TESTS_TLS_CONNECTION_SCENARIO_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/tls/connection/fixed_credentials.h"
#include "tests/tls/connection/fixed_randomness.h"
#include "tests/tls/connection/scripted_client.h"
#include "tls/connection/connection.h"

namespace handfast::tls::test {

struct Scenario {
  std::string name;
  ProtocolVersion version;
  ClientAuth client_auth = ClientAuth::kNone;
  bool certificate = false;
  bool retry = false;
};

const std::vector<Scenario>& Scenarios();
const Scenario& FindScenario(const std::string& name);
ServerKit KitFor(const Scenario& scenario);
ClientScript ScriptFor(const Scenario& scenario);

// What one input led to.
struct Event {
  bool from_peer = false;
  Bytes bytes = {};    // from_peer
  Answer answer = {};  // else
  std::string state_before = {};
  std::string state_after = {};
  Output output = {};
};

// A stream cut into its records; what is left over comes last.
std::vector<Bytes> RecordsOf(ByteView stream);

// A handshake between the scripted client and a server that answers from the kit, input by input:
// one record of the client's, or one answer.
struct Recording {
  std::vector<Event> events;
  Bytes to_client;
  bool client_done = false;
  std::string client_error;

  Bytes AllFromClient() const;
  bool established() const { return !events.empty() && events.back().output.established; }
};

Recording Record(const ServerKit& kit, ClientScript script, ConnectionOptions options = {});
Recording Record(const Scenario& scenario);

// A server that is given a recording's answers, and so needs no keys and always does the same.
class Replayer {
 public:
  Replayer(const Scenario& scenario, const Recording& recording);

  // Feeds bytes and answers what is asked.
  void Receive(ByteView bytes);
  // One input, without answering.
  void Give(const Input& input);
  // Answers the open question, if there is one, and those that follow.
  void AnswerAll();
  // The event as it was recorded.
  void Repeat(const Event& event);

  // Save and restore before every input.
  bool amnesia = false;

  Connection& connection() { return *connection_; }
  void Set(Connection connection) { connection_ = std::move(connection); }
  Connection Take() { return *std::move(connection_); }
  const Bytes& to_client() const { return to_client_; }
  const std::shared_ptr<const Established>& established() const { return established_; }
  const std::optional<HandshakeFailure>& failure() const { return failure_; }

 private:
  ServerKit kit_;
  FixedRandomness randomness_;
  std::vector<Answer> answers_;
  std::optional<Connection> connection_;
  Bytes to_client_;
  std::shared_ptr<const Established> established_;
  std::optional<HandshakeFailure> failure_;
};

uint64_t QuestionId(const Question& question);
uint64_t QuestionId(const Answer& answer);

// For INSTANTIATE_TEST_SUITE_P.
template <class Info>
std::string ScenarioName(const Info& info) {
  return info.param.name;
}

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_SCENARIO_H_
