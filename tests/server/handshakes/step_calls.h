// Steps as a test takes them, without gRPC.
#ifndef HANDFAST_TESTS_SERVER_HANDSHAKES_STEP_CALLS_H_
#define HANDFAST_TESTS_SERVER_HANDSHAKES_STEP_CALLS_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "server/access/error_details_interface.h"
#include "server/observe/log.h"
#include "tests/server/handshakes/fake_backends.h"
#include "tests/tls/connection/libssl_client.h"

namespace handfast::handshakes::test {

using Answered = absl::StatusOr<std::shared_ptr<const StepReply>>;

// Where the answer of one call arrives.
struct Slot {
  int answers = 0;
  Answered answer = absl::UnknownError("none yet");
};
inline StepDone Into(std::shared_ptr<Slot> slot) {
  return [slot = std::move(slot)](const Answered& answer) {
    ++slot->answers;
    slot->answer = answer;
  };
}

inline tls::MessageName Message(tls::HandshakeType type) {
  return {tls::ContentType::kHandshake, type};
}

// A call whose answer may come later.
inline std::shared_ptr<Slot> Ask(Handshake& handshake, const StepCall& call) {
  auto slot = std::make_shared<Slot>();
  handshake.TakeStep(call, Into(slot));
  return slot;
}
// One that is answered at once.
inline Answered Call(Handshake& handshake, const StepCall& call) {
  const auto slot = Ask(handshake, call);
  EXPECT_EQ(slot->answers, 1);
  return slot->answer;
}

inline std::string ReasonOf(const Answered& answer) {
  return answer.ok() ? "OK" : access::ReasonOf(answer.status());
}

inline const Failed* FailureOf(const Answered& answer) {
  return answer.ok() ? std::get_if<Failed>(&(*answer)->reply.outcome) : nullptr;
}
inline bool Established(const Answered& answer) {
  return answer.ok() && std::holds_alternative<Done>((*answer)->reply.outcome);
}

// The types of the records in `bytes`.
inline std::vector<int> RecordTypes(const tls::Bytes& bytes) {
  std::vector<int> types;
  for (size_t at = 0; at + 5 <= bytes.size();) {
    types.push_back(bytes[at]);
    at += size_t{5} + (size_t{bytes[at + 3]} << 8 | bytes[at + 4]);
  }
  return types;
}

class StepCalls : public testing::Test {
 protected:
  explicit StepCalls(tls::KeyType type = tls::KeyType::kEcdsaP256) : backends_(type) {
    observe::SetLogLevel(observe::Level::kError);
  }

  Start ByStepsStart() const {
    Start start = backends_.NewStart(nullptr);
    start.by_steps = true;
    return start;
  }
  std::shared_ptr<Handshake> Begin(tls::ByteView first = {}) {
    return Begin(ByStepsStart(), first);
  }
  std::shared_ptr<Handshake> Begin(Start start, tls::ByteView first = {}) {
    auto handshake = *table_->Begin(std::move(start));
    handshake->Begin(first);
    return handshake;
  }
  // By the RPC that is due, from step `number` on; the last answer.
  static Answered WalkOn(Handshake& handshake, tls::test::LibsslClient& peer, uint32_t number,
                         tls::Bytes from_peer) {
    Answered answer = absl::UnknownError("no step");
    for (int i = 0; i < 40; ++i) {
      const std::optional<Status> status = handshake.Describe();
      if (!status || status->next.empty()) break;
      const tls::Bytes bytes = std::exchange(from_peer, {});
      answer = Call(handshake, {.message = status->next[0].message,
                                .number = number++,
                                .from_peer = bytes,
                                .peer_closed = false});
      if (!answer.ok() || (*answer)->reply.ended()) break;
      const tls::Bytes& to_peer = (*answer)->reply.to_peer;
      if (!to_peer.empty()) from_peer = peer.Receive(to_peer);
    }
    return answer;
  }
  // After this much of the clock.
  void ReapAfter(std::chrono::nanoseconds time) {
    backends_.clock.Advance(time);
    table_->Reap();
  }
  bool Known(const Handle& handle) { return table_->Find(*backends_.owner, handle) != nullptr; }
  void ExpectAllGivenBack() {
    EXPECT_EQ(table_->live(), 0u);
    EXPECT_EQ(backends_.admission.live, 0);
    EXPECT_EQ(backends_.metrics.started, backends_.metrics.finished);
  }

  const tls::MessageName kClientHello = Message(tls::HandshakeType::kClientHello);
  const tls::MessageName kServerHello = Message(tls::HandshakeType::kServerHello);
  const tls::MessageName kFinished = Message(tls::HandshakeType::kFinished);

  Backends backends_;
  std::unique_ptr<Handshakes> table_ = std::make_unique<Handshakes>(backends_.services);
};

}  // namespace handfast::handshakes::test

#endif  // HANDFAST_TESTS_SERVER_HANDSHAKES_STEP_CALLS_H_
