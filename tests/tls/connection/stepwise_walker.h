// A connection, stepwise or not, that answers its own questions, and shows what each step took and
// said.
#ifndef HANDFAST_TESTS_TLS_CONNECTION_STEPWISE_WALKER_H_
#define HANDFAST_TESTS_TLS_CONNECTION_STEPWISE_WALKER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/tls/connection/fixed_randomness.h"
#include "tests/tls/connection/server_driver.h"
#include "tls/connection/connection.h"
#include "tls/connection/stepwise.h"

namespace handfast::tls::test {

// "certificate", "change_cipher_spec".
inline std::string TextOf(const MessageName& name) {
  return name == kChangeCipherSpecName ? "change_cipher_spec" : std::string(Name(name.type));
}

// What one step led to, its questions' answers included.
struct Taken {
  std::vector<TracedMessage> messages;
  Bytes to_peer;
  // The records of each message of ours, by `sent_up_to`.
  std::vector<Bytes> slices;
  std::optional<HandshakeFailure> failure;
  std::shared_ptr<const Established> established;

  // The peer's messages that are steps.
  std::vector<MessageName> names() const {
    std::vector<MessageName> all;
    for (const TracedMessage& message : messages) {
      const std::optional<MessageName> name = NameOf(message);
      if (message.from_peer && name) all.push_back(*name);
    }
    return all;
  }
  std::string first() const { return names().empty() ? "" : TextOf(names().front()); }
};

class StepwiseWalker {
 public:
  explicit StepwiseWalker(ServerKit kit, ConnectionOptions options = {.stepwise = true})
      : kit_(std::move(kit)),
        connection_(kit_.as_client ? Connection::Client(std::move(options))
                                   : Connection::Server(std::move(options))) {}

  // Save and restore before every step.
  bool amnesia = false;

  Taken Give(const Input& input) {
    Taken taken;
    std::optional<Question> question = StepOnce(input, taken);
    while (question) question = StepOnce(AnswerFrom(kit_, *question), taken);
    return taken;
  }
  // Holds the bytes, then takes one message, where there is a whole one.
  Taken Take(ByteView bytes = {}) {
    if (!bytes.empty()) Give(tls::Hold{bytes});
    return Give(FromPeer{});
  }
  void Hold(ByteView bytes) { Give(tls::Hold{bytes}); }
  Ahead Look(ByteView more = {}) { return LookAhead(*connection_, more); }
  std::string Peek(ByteView more = {}) {
    const std::optional<MessageName> name = PeekMessage(*connection_, more);
    return name ? TextOf(*name) : "";
  }

  Connection& connection() { return *connection_; }
  // The saved form; the connection goes on from it.
  Bytes Saved() {
    Bytes saved = *Save(*std::move(connection_));
    connection_ = *Load(saved);
    return saved;
  }
  void Restore(ByteView saved) { connection_ = *Load(saved); }

 private:
  std::optional<Question> StepOnce(const Input& input, Taken& taken) {
    if (amnesia && !connection_->failed()) Saved();
    Stepped stepped = Step(*std::move(connection_), input, Context{kit_.profile, randomness_});
    connection_ = std::move(stepped.connection);
    Output& output = stepped.output;
    size_t from = 0;
    for (TracedMessage& message : output.messages) {
      if (!message.from_peer) {
        const size_t end = message.sent_up_to;
        taken.slices.push_back(Copy(ByteView(output.to_peer).subspan(from, end - from)));
        from = end;
      }
      taken.messages.push_back(std::move(message));
    }
    Append(taken.to_peer, output.to_peer);
    if (output.failure) taken.failure = output.failure;
    if (output.established) taken.established = output.established;
    return std::move(output.question);
  }

  const ServerKit kit_;
  FixedRandomness randomness_;
  std::optional<Connection> connection_;
};

// Takes one message, and holds that everything that was to be known beforehand came true.
Taken CheckedTake(StepwiseWalker& walker);
// Until there is nothing whole any more: the names, in order. What was said goes to `to_peer`.
std::vector<std::string> TakeAll(StepwiseWalker& walker, Bytes* to_peer = nullptr);

// Takes each message of `bytes` in turn, and tries before each how it shows: at every cut of its
// bytes into held ones, ones to come, and ones that are not there yet. The names, in order.
std::vector<std::string> ExpectSameAtEverySplit(StepwiseWalker& walker, ByteView bytes,
                                                Bytes* to_peer = nullptr);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_TLS_CONNECTION_STEPWISE_WALKER_H_
