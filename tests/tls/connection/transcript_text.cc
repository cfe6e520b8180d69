#include "tests/tls/connection/transcript_text.h"

#include <cstdio>

#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

// Hex in lines of 48 bytes.
std::string HexBlock(const std::string& indent, ByteView bytes) {
  constexpr size_t kPerLine = 48;
  std::string text;
  while (!bytes.empty()) {
    const ByteView line = bytes.first(std::min(bytes.size(), kPerLine));
    text += indent + ToHex(line) + "\n";
    bytes = bytes.subspan(line.size());
  }
  return text;
}

std::string Count(size_t bytes) {
  return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

template <class T>
std::string Join(const std::vector<T>& values) {
  std::string text;
  for (const T& value : values) text += " " + Name(value);
  return text;
}

std::string Hex64(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

struct QuestionText {
  std::string operator()(const Choose& q) const {
    return "Choose " + Hex64(q.id) + ": who am I, for \"" + q.server_name + "\" in " +
           Name(q.version) + "?\n      schemes:" + Join(q.schemes) + "\n";
  }
  std::string operator()(const UsePrivateKey& q) const {
    return "UsePrivateKey " + Hex64(q.id) + ": can you prove it, as \"" + q.credential +
           "\" with " + Name(q.scheme) + "?\n      to be signed:\n" +
           HexBlock("        ", ContentToSign(q.intent));
  }
  std::string operator()(const VerifyPeer& q) const {
    std::string text = "VerifyPeer " + Hex64(q.id) + ": do I trust them?\n";
    for (const Bytes& der : q.chain) text += "      a certificate of " + Count(der.size()) + "\n";
    return text;
  }
};

struct AnswerText {
  std::string operator()(const Chosen& a) const {
    return "Chosen " + Hex64(a.question) + ": " +
           (a.credential ? "\"" + a.credential->name + "\", a chain of " +
                               std::to_string(a.credential->chain.size())
                         : "refused, " + std::string(Describe(a.refusal).label));
  }
  std::string operator()(const PrivateKeyUsed& a) const {
    return "PrivateKeyUsed " + Hex64(a.question) + ": a signature of " + Count(a.signature.size());
  }
  std::string operator()(const PeerVerdict& a) const {
    return "PeerVerdict " + Hex64(a.question) + ": " +
           (a.refusal ? std::string(Describe(*a.refusal).label) : "trusted");
  }
};

std::string MessageText(const TracedMessage& message) {
  std::string name;
  if (message.content_type == ContentType::kHandshake) {
    name = Name(static_cast<HandshakeType>(message.bytes[0]));
  } else if (message.content_type == ContentType::kAlert && message.bytes.size() == 2) {
    name = "alert " + std::string(AlertName(message.bytes[1]));
  } else {
    name = Name(message.content_type);
  }
  return std::string(message.from_peer ? "    read  " : "    wrote ") + name + ", " +
         Count(message.bytes.size()) + (message.encrypted ? ", encrypted" : "") + "\n" +
         HexBlock("      ", message.bytes);
}

std::string OutcomeText(const Output& output) {
  std::string text;
  if (output.question) text += "    asks  " + std::visit(QuestionText(), *output.question);
  if (!output.to_peer.empty()) {
    text += "    sends " + Count(output.to_peer.size()) + "\n";
    for (const Bytes& record : RecordsOf(output.to_peer)) text += HexBlock("      ", record);
  }
  if (output.failure) {
    text += "    fails " + std::string(Describe(output.failure->reason).label);
    if (output.failure->alert) {
      text += ", alert " + std::string(AlertName(*output.failure->alert));
    }
    text += "\n";
  }
  if (const auto& e = output.established) {
    text += "    done  " + Name(e->version) + " " + Name(e->cipher_suite) + " " + Name(e->group) +
            " " + Name(e->signature_scheme) + "\n          server_name \"" + e->server_name +
            "\", alpn \"" + e->alpn + "\", credential \"" + e->credential +
            "\", certificates of the peer: " + std::to_string(e->peer_chain.size()) + "\n";
  }
  return text;
}

}  // namespace

std::string ToText(const std::string& title, const Recording& recording) {
  std::string text = title +
                     "\n\nEach block is one Step: the input, the states before and after, the "
                     "messages that\npassed, the question that it stopped for, and the bytes for "
                     "the peer, a record a paragraph.\n";
  int number = 0;
  for (const Event& event : recording.events) {
    text += "\n" + std::to_string(++number) + ". " + event.state_before + " -> " +
            event.state_after + "\n";
    if (event.from_peer) {
      text += "    input " + Count(event.bytes.size()) + " from the peer\n" +
              HexBlock("      ", event.bytes);
    } else {
      text += "    input " + std::visit(AnswerText(), event.answer) + "\n";
    }
    for (const TracedMessage& message : event.output.messages) text += MessageText(message);
    text += OutcomeText(event.output);
  }
  return text;
}

}  // namespace handfast::tls::test
