#include "tests/tls/connection/scenario.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace handfast::tls::test {

const std::vector<Scenario>& Scenarios() {
  using enum ProtocolVersion;
  using enum ClientAuth;
  static const std::vector<Scenario> scenarios = {
      {"tls13_full", kTls13},
      {"tls13_retry", kTls13, kNone, false, true},
      {"tls13_client_auth", kTls13, kRequired, true},
      {"tls13_retry_client_auth", kTls13, kRequired, true, true},
      {"tls13_no_certificate", kTls13, kOptional},
      {"tls12_full", kTls12},
      {"tls12_client_auth", kTls12, kRequired, true},
      {"tls12_no_certificate", kTls12, kOptional},
  };
  return scenarios;
}

const Scenario& FindScenario(const std::string& name) {
  for (const Scenario& scenario : Scenarios()) {
    if (scenario.name == name) return scenario;
  }
  std::fprintf(stderr, "no scenario %s\n", name.c_str());
  std::abort();
}

// Without hybrids, which EncryptedExtensions would name where the running libcrypto has ML-KEM: the
// bytes are the same with any.
ServerKit KitFor(const Scenario& scenario) {
  ServerKit kit = FixedKit(scenario.client_auth);
  std::erase_if(kit.profile.groups, IsHybrid);
  return kit;
}

ClientScript ScriptFor(const Scenario& scenario) {
  ClientScript script{.version = scenario.version, .hello = HelloFor(scenario.version)};
  if (scenario.certificate) script.certificate = &FixedClient();
  // RFC 8446 §4.2.8: an empty list asks for a HelloRetryRequest.
  if (scenario.retry) script.hello.SetHex(ExtensionType::kKeyShare, "0000");
  return script;
}

Bytes Recording::AllFromClient() const {
  Bytes all;
  for (const Event& event : events) Append(all, event.bytes);
  return all;
}

std::vector<Bytes> RecordsOf(ByteView stream) {
  std::vector<Bytes> records;
  while (!stream.empty()) {
    const size_t size = std::min<size_t>(
        stream.size(), stream.size() < kRecordHeaderSize
                           ? stream.size()
                           : kRecordHeaderSize + (size_t{stream[3]} << 8 | stream[4]));
    records.push_back(Copy(stream.first(size)));
    stream = stream.subspan(size);
  }
  return records;
}

Recording Record(const ServerKit& kit, ClientScript script, ConnectionOptions options) {
  Recording recording;
  FixedRandomness randomness;
  const Context context{kit.profile, randomness};
  std::optional<Connection> connection = Connection::Server(std::move(options));
  ScriptedClient client(std::move(script));
  Bytes to_client;
  // One input, and what it led to.
  const auto give = [&](Event event) -> std::optional<Question> {
    event.state_before = connection->state_name();
    const Input input = event.from_peer ? Input(FromPeer{event.bytes}) : Input(event.answer);
    Stepped stepped = Step(*std::move(connection), input, context);
    connection = std::move(stepped.connection);
    event.state_after = connection->state_name();
    event.output = std::move(stepped.output);
    Append(to_client, event.output.to_peer);
    recording.events.push_back(std::move(event));
    return recording.events.back().output.question;
  };
  Bytes to_server = client.Start();
  while (!to_server.empty()) {
    to_client.clear();
    for (Bytes& record : RecordsOf(to_server)) {
      std::optional<Question> question = give({.from_peer = true, .bytes = std::move(record)});
      while (question) question = give({.answer = AnswerFrom(kit, *question)});
    }
    Append(recording.to_client, to_client);
    to_server = client.Receive(to_client);
  }
  recording.client_done = client.done();
  recording.client_error = client.error();
  return recording;
}

Recording Record(const Scenario& scenario) { return Record(KitFor(scenario), ScriptFor(scenario)); }

// ---- Replayer

uint64_t QuestionId(const Question& question) {
  return std::visit([](const auto& q) { return q.id; }, question);
}
uint64_t QuestionId(const Answer& answer) {
  return std::visit([](const auto& a) { return a.question; }, answer);
}

Replayer::Replayer(const Scenario& scenario, const Recording& recording)
    : kit_(KitFor(scenario)), connection_(Connection::Server({})) {
  for (const Event& event : recording.events) {
    if (!event.from_peer) answers_.push_back(event.answer);
  }
}

void Replayer::Give(const Input& input) {
  if (amnesia && !connection_->failed()) {
    const Result<Bytes> saved = Save(*std::move(connection_));
    Result<Connection> restored = saved.ok() ? Load(*saved) : saved.reason();
    if (!restored.ok()) {
      std::fprintf(stderr, "a saved connection does not load\n");
      std::abort();
    }
    connection_ = *std::move(restored);
  }
  Stepped stepped = Step(*std::move(connection_), input, Context{kit_.profile, randomness_});
  connection_ = std::move(stepped.connection);
  Append(to_client_, stepped.output.to_peer);
  if (stepped.output.established) established_ = stepped.output.established;
  if (stepped.output.failure) failure_ = stepped.output.failure;
}

void Replayer::AnswerAll() {
  while (connection_->question()) {
    const uint64_t id = QuestionId(*connection_->question());
    const Answer* found = nullptr;
    for (const Answer& answer : answers_) {
      if (QuestionId(answer) == id) found = &answer;
    }
    if (found == nullptr) return;
    Give(*found);
  }
}

void Replayer::Receive(ByteView bytes) {
  Give(FromPeer{bytes});
  AnswerAll();
}

void Replayer::Repeat(const Event& event) {
  Give(event.from_peer ? Input(FromPeer{event.bytes}) : Input(event.answer));
}

}  // namespace handfast::tls::test
