// The law that the legal moves are a header: the two tables are printed from what compiles, and
// compared with tests/testdata/moves.txt. A move that was added or lost shows here.
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/testdata/golden.h"
#include "tls/engine/engine.h"

namespace handfast::tls::test {
namespace {

// A state's name alone does not tell the version.
template <class State>
std::string TitleOf() {
  constexpr bool kTls13 = std::is_same_v<State, tls13::WaitRetriedClientHello> ||
                          std::is_same_v<State, tls13::AwaitPrivateKey> ||
                          std::is_same_v<State, tls13::WaitCertificate> ||
                          std::is_same_v<State, tls13::AwaitVerdict> ||
                          std::is_same_v<State, tls13::WaitCertificateVerify> ||
                          std::is_same_v<State, tls13::WaitFinished>;
  constexpr bool kShared = std::is_same_v<State, WaitClientHello> ||
                           std::is_same_v<State, AwaitChoice> || std::is_same_v<State, Connected> ||
                           std::is_same_v<State, Failed>;
  constexpr bool kClient =
      std::is_same_v<State, client::Start> || std::is_same_v<State, client::WaitServerHello>;
  constexpr bool kClient13 = std::is_same_v<State, client13::WaitEncryptedExtensions> ||
                             std::is_same_v<State, client13::WaitCertificateOrRequest> ||
                             std::is_same_v<State, client13::AwaitChoice> ||
                             std::is_same_v<State, client13::WaitCertificate> ||
                             std::is_same_v<State, client13::AwaitVerdict> ||
                             std::is_same_v<State, client13::WaitCertificateVerify> ||
                             std::is_same_v<State, client13::WaitFinished> ||
                             std::is_same_v<State, client13::AwaitPrivateKey>;
  constexpr bool kClient12 = std::is_same_v<State, client12::WaitCertificate> ||
                             std::is_same_v<State, client12::AwaitVerdict> ||
                             std::is_same_v<State, client12::WaitServerKeyExchange> ||
                             std::is_same_v<State, client12::WaitRequestOrDone> ||
                             std::is_same_v<State, client12::AwaitChoice> ||
                             std::is_same_v<State, client12::WaitServerHelloDone> ||
                             std::is_same_v<State, client12::AwaitPrivateKey> ||
                             std::is_same_v<State, client12::WaitNewSessionTicket> ||
                             std::is_same_v<State, client12::WaitFinished> ||
                             std::is_same_v<State, client12::WaitCertificateStatus>;
  const std::string prefix = kShared     ? ""
                             : kClient   ? "client::"
                             : kClient13 ? "client13::"
                             : kClient12 ? "client12::"
                             : kTls13    ? "tls13::"
                                         : "tls12::";
  return prefix + std::string(State::kName);
}

// Column titles: a message's type, and the version where the two lay it out apart.
template <class M>
std::string ColumnOf() {
  std::string name = Name(M::kType);
  if constexpr (std::is_same_v<M, tls13::Certificate> ||
                std::is_same_v<M, tls13::CertificateRequest>) {
    name += "13";
  } else if constexpr (std::is_same_v<M, tls12::Certificate> ||
                       std::is_same_v<M, tls12::CertificateRequest>) {
    name += "12";
  }
  return name;
}

std::string Padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

struct Table {
  std::vector<std::string> columns;
  std::vector<std::pair<std::string, std::vector<bool>>> rows;

  int legal() const {
    int count = 0;
    for (const auto& row : rows) count += std::count(row.second.begin(), row.second.end(), true);
    return count;
  }
};

// Columns are numbered, and spelt out above the table.
std::string Print(const std::string& title, const Table& table) {
  constexpr size_t kFirst = 36;
  std::string text = title + "\n\n";
  for (size_t i = 0; i < table.columns.size(); ++i) {
    text += "  " + Padded(std::to_string(i + 1), 3) + table.columns[i] + "\n";
  }
  std::string head = Padded("", kFirst);
  for (size_t i = 0; i < table.columns.size(); ++i) head += Padded(std::to_string(i + 1), 3);
  const auto trimmed = [](std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
  };
  text += "\n" + trimmed(head);
  for (const auto& [name, legal] : table.rows) {
    std::string line = Padded(name, kFirst);
    for (bool cell : legal) line += Padded(cell ? "X" : ".", 3);
    text += trimmed(line);
  }
  return text;
}

template <class State, class... M>
std::vector<bool> MessageCells(MessageList<M...>) {
  return {LegalMessage<State, M>...};
}
template <class State, class... A>
std::vector<bool> AnswerCells(std::type_identity<std::variant<A...>>) {
  return {LegalAnswer<State, A>...};
}

template <class... M>
std::vector<std::string> Columns(MessageList<M...>) {
  return {ColumnOf<M>()...};
}

template <class... State>
Table MessageTable(std::type_identity<std::variant<State...>>) {
  return {Columns(Messages()), {{TitleOf<State>(), MessageCells<State>(Messages())}...}};
}
template <class... State>
Table AnswerTable(std::type_identity<std::variant<State...>>) {
  return {{"Chosen", "PrivateKeyUsed", "PeerVerdict"},
          {{TitleOf<State>(), AnswerCells<State>(std::type_identity<Answer>())}...}};
}

TEST(Moves, AreThoseOfTheFile) {
  const Table messages = MessageTable(std::type_identity<EngineState>());
  const Table answers = AnswerTable(std::type_identity<EngineState>());
  handfast::test::ExpectGolden(
      "moves.txt",
      "Every legal move, as the headers moves_hello.h, moves13.h, moves12.h, moves_client.h and\n"
      "moves_client12.h declare them. X: legal. Any other message in a Wait state is "
      "unexpected_message; any other answer\n"
      "is dropped.\n\n" +
          Print("The peer's messages, by state.", messages) + "\n" +
          Print("Answers, by state.", answers));
}

// The law itself: a state that waits for the peer takes one message and no answer, one that awaits
// an answer takes that and no message, and an end takes nothing.
TEST(Moves, EachStateTakesOneThing) {
  const Table messages = MessageTable(std::type_identity<EngineState>());
  const Table answers = AnswerTable(std::type_identity<EngineState>());
  ASSERT_EQ(messages.rows.size(), std::variant_size_v<EngineState>);
  for (size_t i = 0; i < messages.rows.size(); ++i) {
    const std::string& name = messages.rows[i].first;
    const auto count = [](const std::vector<bool>& cells) {
      return std::count(cells.begin(), cells.end(), true);
    };
    const bool waits = name.find("Wait") != std::string::npos;
    const bool awaits = name.find("Await") != std::string::npos;
    // RFC 8446 appendix A.1 has one state in which two messages are legal: WAIT_CERT_CR. RFC 5246
    // §7.3 has one in its CertificateRequest.
    const bool either =
        name.find("OrRequest") != std::string::npos || name.find("RequestOr") != std::string::npos;
    // RFC 6066 §8 has a server that may leave out its CertificateStatus: what comes then is what
    // would come without it, in either kind of key exchange.
    const bool may_be_left_out = name == "client12::WaitCertificateStatus";
    const int legal = may_be_left_out ? 4 : either ? 2 : 1;
    EXPECT_EQ(count(messages.rows[i].second), waits ? legal : 0) << name;
    EXPECT_EQ(count(answers.rows[i].second), awaits ? 1 : 0) << name;
  }
  EXPECT_EQ(messages.legal(), 28);
  EXPECT_EQ(answers.legal(), 12);
}

}  // namespace
}  // namespace handfast::tls::test
