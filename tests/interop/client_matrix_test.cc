// The matrix of our client role: every server x version x key type x column, a program at a time
// with the engine as its client, and the outcome of all beside client_matrix.txt.
#include <algorithm>
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "tests/interop/cell.h"
#include "tests/interop/pki.h"
#include "tests/interop/servers.h"
#include "tests/interop/tcp_client.h"

namespace handfast::tls::test {
namespace {

constexpr char kGolden[] = "tests/interop/client_matrix.txt";

bool Is13(const Cell& cell) { return cell.version == ProtocolVersion::kTls13; }

ServerKit KitFor(const Cell& cell) {
  ServerKit kit;
  Profile profile = Is13(cell) ? ModernProfile() : IntermediateProfile();
  profile.versions = {cell.version};
  // RFC 8422 §5.1: in TLS 1.2 a certificate's curve must be one that the client names.
  if (cell.key == KeyType::kEcdsaP521) profile.groups.push_back(NamedGroup::kSecp521r1);
  if (Shows(cell.auth)) {
    kit = ServerKit::For(ClientLeaf(cell.key), profile);
  } else {
    kit.profile = profile;
  }
  kit.as_client = true;
  kit.clients = std::make_shared<const TrustBundle>(Root().Bundle());
  return kit;
}

Post PostFor(const Cell& cell) {
  Post post{.stack = cell.stack, .version = cell.version, .key = cell.key, .auth = cell.auth};
  // Our one share is for X25519.
  if (cell.way == Way::kRetry) post.groups = {NamedGroup::kSecp256r1};
  if (cell.way == Way::kAlpn) post.alpn = kProtocol;
  return post;
}

// What became of a cell: the connection that counts, and what the server says, where it has words
// for it.
struct Conversation {
  bool ready = false;  // the server came up
  Spoken first = {};   // before a resumed one
  Spoken last = {};
  bool answered = false;
  bool refused = false;         // behind the handshake
  bool said_too_early = false;  // the server, of the first connection: that it was resumed
  std::map<Fact, bool> server_says = {};
  std::string output = {};

  std::string ToText() const {
    return first.ToText() + "\n" + last.ToText() + "\nserver's output:\n" + output;
  }
};

bool IsSo(const Cell& cell, Fact fact) {
  switch (fact) {
    case Fact::kResumed:
      return cell.way == Way::kResumed;
    case Fact::kProtocol:
      return cell.way == Way::kAlpn;
    case Fact::kCertificate:
      return Shows(cell.auth);
  }
  return false;
}

Spoken Speak(const Cell& cell, const ServerKit& kit, ForeignServer& server, int number,
             std::optional<Session> session) {
  ConnectionOptions options{.server_name = kServerName};
  if (cell.way == Way::kAlpn) options.alpn = {"something-else/1", kProtocol};
  TcpClient client(server.port(), kit, options, std::move(session));
  if (!client.Handshake()) return client.End();
  client.Write(server.Request(number));
  // A server that refuses us does so now.
  const bool refused = cell.auth == Auth::kRequiredWithout;
  if (refused || server.Answer(number)) (void)client.ReadUntil(server.Reply(number));
  return client.End();
}

Conversation RunCell(const Cell& cell) {
  Conversation conversation;
  const ServerKit kit = KitFor(cell);
  ForeignServer server(PostFor(cell));
  conversation.ready = server.ready();
  int number = 1;
  std::optional<Session> session;
  if (cell.way == Way::kResumed) {
    Spoken& first = conversation.first = Speak(cell, kit, server, number, std::nullopt);
    conversation.said_too_early = server.Says(Fact::kResumed, first.content);
    if (!first.sessions.empty()) session = std::move(first.sessions.front());
    ++number;
  }
  Spoken& last = conversation.last = Speak(cell, kit, server, number, std::move(session));
  conversation.answered = last.content.find(server.Reply(number)) != std::string::npos;
  conversation.refused = server.Refuses(last.content);
  for (const Fact fact : {Fact::kResumed, Fact::kProtocol, Fact::kCertificate}) {
    if (!conversation.answered || !server.CanSay(fact)) continue;
    // What is so may take a moment to be said.
    conversation.server_says[fact] =
        IsSo(cell, fact) ? server.SaysInTime(fact, last.content) : server.Says(fact, last.content);
  }
  conversation.output = server.output();
  return conversation;
}

// Each cell runs once, for its own case or for the golden file, whichever asks first.
const Conversation& OutcomeOf(const Cell& cell) {
  static std::map<std::string, Conversation> outcomes;
  const std::string name = Name(cell);
  auto found = outcomes.find(name);
  if (found == outcomes.end()) found = outcomes.emplace(name, RunCell(cell)).first;
  return found->second;
}

// The handshake went the way that the column names, as both sides see it.
bool WentItsWay(const Cell& cell, const Conversation& outcome) {
  const Spoken& last = outcome.last;
  for (const auto& [fact, said] : outcome.server_says) {
    if (said != IsSo(cell, fact)) return false;
  }
  if (last.client_hellos != (cell.way == Way::kRetry ? 2 : 1)) return false;
  if (last.established->alpn != (cell.way == Way::kAlpn ? kProtocol : "")) return false;
  const bool resumed = cell.way == Way::kResumed;
  if (last.established->resumed != resumed || last.certificate_received == resumed) return false;
  if (!resumed) return true;
  const Spoken& first = outcome.first;
  return first.established != nullptr && !first.established->resumed &&
         first.certificate_received && !outcome.said_too_early;
}

bool IsRefused(const Cell& cell, const Conversation& outcome) {
  const auto ended_by = [&](Reason reason) {
    return outcome.last.failure && outcome.last.failure->reason == reason;
  };
  // RFC 5246 §7.4.6 has a handshake_failure; these two close without a word.
  const bool may_be_silent =
      !Is13(cell) && (cell.stack == Stack::kMbedtls || cell.stack == Stack::kWolfssl);
  return !outcome.answered && (ended_by(Reason::kPeerAlert) || outcome.last.alert ||
                               outcome.refused || (may_be_silent && ended_by(Reason::kPeerClosed)));
}

std::string Word(const Cell& cell) {
  if (!MissingPackage(cell.stack).empty()) return "absent";
  const Conversation& outcome = OutcomeOf(cell);
  if (cell.auth == Auth::kRequiredWithout) return IsRefused(cell, outcome) ? "refused" : "BROKEN";
  if (outcome.last.established == nullptr) return "FAILED";
  return outcome.answered && WentItsWay(cell, outcome) ? "ok" : "BROKEN";
}

class ClientMatrixTest : public testing::TestWithParam<Cell> {};

TEST_P(ClientMatrixTest, BothSidesAgree) {
  const Cell& cell = GetParam();
  const std::string package = MissingPackage(cell.stack);
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  const Conversation& outcome = OutcomeOf(cell);
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.ready);
  EXPECT_EQ(outcome.first.trouble, "");
  EXPECT_EQ(outcome.last.trouble, "");
  if (cell.auth == Auth::kRequiredWithout) {
    EXPECT_TRUE(IsRefused(cell, outcome));
    return;
  }
  ASSERT_NE(outcome.last.established, nullptr);
  const Established& established = *outcome.last.established;
  EXPECT_EQ(established.version, cell.version);
  ASSERT_FALSE(established.peer_chain.empty());
  EXPECT_EQ(established.peer_chain.front(), ServerLeaf(cell.key).chain.front());
  EXPECT_TRUE(outcome.answered);
  for (const auto& [fact, said] : outcome.server_says) {
    EXPECT_EQ(said, IsSo(cell, fact)) << "fact " << static_cast<int>(fact);
  }
  EXPECT_TRUE(WentItsWay(cell, outcome));
}

std::vector<Cell> CellsThat(bool (*wanted)(const Cell&)) {
  std::vector<Cell> cells = AllCells(Role::kClient);
  std::erase_if(cells, [wanted](const Cell& cell) { return !wanted(cell); });
  return cells;
}

std::string NameOfParam(const testing::TestParamInfo<Cell>& info) { return Name(info.param); }

INSTANTIATE_TEST_SUITE_P(All, ClientMatrixTest, testing::ValuesIn(CellsThat([](const Cell& cell) {
                           return Lacking(cell) == nullptr;
                         })),
                         NameOfParam);

// A cell that is said to be lacking fails indeed, with an alert of either side.
class ClientLackingTest : public testing::TestWithParam<Cell> {};

TEST_P(ClientLackingTest, DoesNotWorkYet) {
  const Cell& cell = GetParam();
  const std::string package = MissingPackage(cell.stack);
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  const Conversation& outcome = OutcomeOf(cell);
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.ready);
  ASSERT_TRUE(outcome.last.failure.has_value()) << Lacking(cell)->reason;
  EXPECT_TRUE(outcome.last.failure->alert.has_value());
}

INSTANTIATE_TEST_SUITE_P(All, ClientLackingTest, testing::ValuesIn(CellsThat([](const Cell& cell) {
                           const Lack* lack = Lacking(cell);
                           return lack != nullptr && lack->tried && cell.way == Way::kFull &&
                                  cell.auth == Auth::kNone && cell.key == KeyType::kEcdsaP256;
                         })),
                         NameOfParam);

// With a parameter, so that gtest puts it behind the cells, which then have run already.
class ClientGoldenTest : public testing::TestWithParam<int> {};

TEST_P(ClientGoldenTest, MatrixIsAsCheckedIn) {
  for (Stack stack : kServers) {
    const std::string package = MissingPackage(stack);
    if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  }
  EXPECT_EQ(CompareMatrix(Render(Role::kClient, Word), kGolden), "");
}

INSTANTIATE_TEST_SUITE_P(All, ClientGoldenTest, testing::Values(0));

}  // namespace
}  // namespace handfast::tls::test
