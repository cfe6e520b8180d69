// One handshake message, cut into records in two ways: a server does the same of both.
#include <algorithm>

#include "tests/fuzz/conversation.h"
#include "tests/fuzz/target.h"
#include "tests/tls/connection/scripted_client.h"

namespace handfast::fuzz {
namespace {

constexpr size_t kHeader = 4;
// Of records, so that a run stays short.
constexpr size_t kMostRecords = 600;

// What follows a whole message belongs to the next one, whose place among the records may matter:
// RFC 8446 §5.1 forbids messages across a change of keys.
ByteView OneMessage(ByteView bytes) {
  if (bytes.size() < kHeader) return bytes;
  const size_t length = size_t{bytes[1]} << 16 | size_t{bytes[2]} << 8 | bytes[3];
  return bytes.first(std::min(bytes.size(), kHeader + length));
}

void Feed(Conversation& server, ByteView message, size_t fragment) {
  while (!message.empty()) {
    const ByteView content = message.first(std::min(message.size(), fragment));
    message = message.subspan(content.size());
    server.Receive(tls::test::PlainRecord(tls::ContentType::kHandshake, content));
  }
}

}  // namespace

void OnInput(ByteView input) {
  Choices choices(input);
  const uint16_t wanted = choices.U16();
  const ByteView message = OneMessage(choices.rest());
  const size_t fragment =
      std::clamp<size_t>(wanted, std::max<size_t>(1, message.size() / kMostRecords), 1 << 14);
  Conversation large({});
  Feed(large, message, 1 << 14);
  Conversation small({.amnesia = true});
  Feed(small, Mutant("fragments") && !message.empty() ? message.first(message.size() - 1) : message,
       fragment);
  Require(large.to_peer() == small.to_peer() &&
              large.connection().state_name() == small.connection().state_name(),
          "fragments");
  const auto reason = [](const Conversation& c) {
    return c.failure() ? std::optional(c.failure()->reason) : std::nullopt;
  };
  Require(reason(large) == reason(small), "fragments");
  // The message itself, once more where the first ClientHello is kept, and the rest of a state.
  const size_t most = Mutant("held") ? 16 : (size_t{2} * (64 << 10)) + (8 << 10);
  Require(small.most_held() <= most, "held");
}

}  // namespace handfast::fuzz
