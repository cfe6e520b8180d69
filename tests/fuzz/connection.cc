// A connection that is fed any bytes: three bytes choose who we are, where the stream is cut and
// how often it is repeated.
#include <algorithm>

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/target.h"

namespace handfast::fuzz {
namespace {

// Six times the longest message: the ones that are kept (a hello, a chain, both again in the
// transcript of TLS 1.2), the unfinished one, and what waits behind an open question.
constexpr size_t kMostHeld = size_t{6} * (size_t{64} << 10);

Setup SetupFrom(uint8_t choice) {
  Setup setup;
  setup.as_client = (choice & 1) != 0;
  setup.client_auth = static_cast<tls::ClientAuth>((choice >> 1 & 3) % 3);
  setup.tickets = (choice & 8) != 0;
  setup.recorded_randomness = Mutant("never_connected");
  return setup;
}

void CheckEnd(Conversation& conversation) {
  Require(!conversation.connection().established(), "never_connected");
  // Without a failure it wants more; then the end of the transport ends it, and no alert is ours.
  const bool had_failed = conversation.connection().failed();
  Require(!conversation.connection().question(), "ends_or_wants_more");
  if (!Mutant("ends_or_wants_more")) conversation.Close();
  Require(conversation.connection().failed(), "ends_or_wants_more");
  Require(had_failed || conversation.failure()->reason == tls::Reason::kPeerClosed,
          "ends_or_wants_more");
}

}  // namespace

void OnInput(ByteView input) {
  Choices choices(input);
  Setup setup = SetupFrom(choices.U8());
  const uint8_t cut = choices.U8();
  const int times = 1 + choices.U8() % 16;
  const ByteView stream = choices.rest();

  Conversation whole(setup);
  for (int i = 0; i < times; ++i) whole.Receive(stream);

  setup.amnesia = true;
  Conversation parts(setup);
  const size_t at = stream.size() * cut / 256;
  for (int i = 0; i < times; ++i) {
    parts.Receive(stream.first(at));
    ByteView second = stream.subspan(at);
    if (Mutant("cuts") && !second.empty()) second = second.first(second.size() - 1);
    parts.Receive(second);
  }
  Require(whole.SameAs(parts), "cuts");
  Require(parts.most_held() <= (Mutant("held") ? 16 : kMostHeld), "held");
  CheckEnd(whole);
  CheckEnd(parts);
}

}  // namespace handfast::fuzz
