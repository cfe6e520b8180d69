// A connection that is taken one message a step: both roles and versions against each other and
// against those that are not, and what can be known before each step.
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/testdata/golden.h"
#include "tests/tls/connection/scenario.h"
#include "tests/tls/connection/stepwise_walker.h"

namespace handfast::tls::test {
namespace {

using enum ProtocolVersion;
using Names = std::vector<std::string>;

// ---- Both sides are ours.

struct Pair {
  ProtocolVersion version = kTls13;
  bool client_auth = false;
  bool retry = false;
};

ServerKit ServerOf(const Pair& pair) {
  ServerKit kit = FixedKit(pair.client_auth ? ClientAuth::kRequired : ClientAuth::kNone);
  kit.profile.versions = {pair.version};
  std::erase_if(kit.profile.groups, IsHybrid);
  // A group for which our client brings no share.
  if (pair.retry) kit.profile.groups = {NamedGroup::kSecp384r1};
  return kit;
}

ServerKit ClientOf(const Pair& pair) {
  ServerKit kit = ServerKit::For(FixedClient());
  kit.as_client = true;
  kit.profile.versions = {pair.version};
  std::erase_if(kit.profile.groups, IsHybrid);
  kit.clients = FixedKit(ClientAuth::kRequired).clients;
  return kit;
}

Names FromClient(const Pair& pair) {
  Names names = {"client_hello"};
  if (pair.retry) names.emplace_back("client_hello");
  if (pair.client_auth) names.emplace_back("certificate");
  if (pair.version == kTls12) names.emplace_back("client_key_exchange");
  if (pair.client_auth) names.emplace_back("certificate_verify");
  if (pair.version == kTls12) names.emplace_back("change_cipher_spec");
  names.emplace_back("finished");
  return names;
}

Names FromServer(const Pair& pair) {
  Names names = {"server_hello"};
  if (pair.retry) names.emplace_back("server_hello");
  if (pair.version == kTls13) {
    names.emplace_back("encrypted_extensions");
    if (pair.client_auth) names.emplace_back("certificate_request");
    for (const char* name : {"certificate", "certificate_verify", "finished"}) {
      names.emplace_back(name);
    }
    return names;
  }
  for (const char* name : {"certificate", "server_key_exchange"}) names.emplace_back(name);
  if (pair.client_auth) names.emplace_back("certificate_request");
  for (const char* name : {"server_hello_done", "change_cipher_spec", "finished"}) {
    names.emplace_back(name);
  }
  return names;
}

const std::vector<Pair>& Pairs() {
  static const std::vector<Pair> pairs = {{kTls13}, {kTls13, true}, {kTls13, false, true},
                                          {kTls12}, {kTls12, true}, {kTls13, true, true}};
  return pairs;
}

struct Side {
  StepwiseWalker walker;
  bool stepwise;
  Names names = {};
  bool established = false;

  Side(ServerKit kit, bool stepwise, bool amnesia)
      : walker(std::move(kit), {.alpn = {"h2"},
                                .server_name = NameFor(kit.as_client),
                                .trace = true,
                                .stepwise = stepwise}),
        stepwise(stepwise) {
    walker.amnesia = amnesia;
  }
  static std::string NameFor(bool as_client) { return as_client ? "example.test" : ""; }

  Bytes Receive(ByteView bytes) {
    Bytes out;
    if (stepwise) {
      walker.Hold(bytes);
      for (const std::string& name : TakeAll(walker, &out)) names.push_back(name);
    } else {
      Append(out, walker.Give(FromPeer{bytes}).to_peer);
    }
    established = walker.connection().established();
    return out;
  }
};

TEST(Stepwise, WalksAgainstItselfAndAgainstAPlainOne) {
  for (const Pair& pair : Pairs()) {
    for (const int mode : {0, 1, 2, 3}) {  // who goes by steps
      for (const bool amnesia : {false, true}) {
        Side server(ServerOf(pair), (mode & 1) != 0, amnesia);
        Side client(ClientOf(pair), (mode & 2) != 0, amnesia);
        Bytes to_server = client.walker.Give(tls::Begin{}).to_peer;
        while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
        EXPECT_TRUE(server.established && client.established) << mode;
        EXPECT_EQ(server.names, server.stepwise ? FromClient(pair) : Names());
        EXPECT_EQ(client.names, client.stepwise ? FromServer(pair) : Names());
      }
    }
  }
}

// ---- What the peer may send next is what the table of moves says.

// Of the rows of moves.txt: the messages that are legal, by state.
std::map<std::string, std::set<std::string>> MoveTable() {
  std::istringstream text(*handfast::test::ReadGolden("moves.txt"));
  std::map<int, std::string> columns;
  std::map<std::string, std::set<std::string>> table;
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (line.starts_with("The answers") || (!table.empty() && line.empty())) break;
    int number = 0;
    if (line.starts_with("  ") && std::istringstream(line) >> number && !columns.contains(number)) {
      std::string name;
      words >> name;
      if (name.find_first_of("0123456789") == name.size() - 2) name.resize(name.size() - 2);
      columns[number] = name;
    } else if (line.find(" .") != std::string::npos && columns.size() > 10) {
      std::set<std::string>& legal = table[first];
      std::string mark;
      for (int column = 1; words >> mark; ++column) {
        if (mark == "X") legal.insert(columns.at(column));
      }
    }
  }
  return table;
}

TEST(Stepwise, ExpectsWhatTheMovesSay) {
  const auto table = MoveTable();
  ASSERT_EQ(table.size(), 38u);
  std::set<std::string> seen;
  const auto check = [&](StepwiseWalker& walker, const char* role, const char* version) {
    std::set<std::string> expected;
    bool change_cipher_spec = false;
    for (const MessageName& name : Expected(walker.connection())) {
      change_cipher_spec |= name == kChangeCipherSpecName;
      if (name != kChangeCipherSpecName) expected.insert(TextOf(name));
    }
    const std::string state(walker.connection().state_name());
    for (const std::string& row :
         {state, std::string(role) + "::" + state, std::string(version) + "::" + state}) {
      const auto found = table.find(row);
      if (found == table.end()) continue;
      // Until it has come nothing else may.
      if (change_cipher_spec) {
        EXPECT_TRUE(expected.empty());
        EXPECT_EQ(found->second, std::set<std::string>{"finished"}) << row;
      } else {
        EXPECT_EQ(expected, found->second) << row;
      }
      seen.insert(row);
      return;
    }
    ADD_FAILURE() << "no row for " << state;
  };
  for (const Pair& pair : Pairs()) {
    StepwiseWalker server(ServerOf(pair));
    StepwiseWalker client(ClientOf(pair), {.server_name = "example.test", .stepwise = true});
    const char* server_rows = pair.version == kTls13 ? "tls13" : "tls12";
    const char* client_rows = pair.version == kTls13 ? "client13" : "client12";
    check(server, "", server_rows);
    check(client, "client", client_rows);
    Bytes to_server = client.Give(tls::Begin{}).to_peer;
    Bytes to_client;
    while (!to_server.empty() || !to_client.empty()) {
      for (auto* walker : {&server, &client}) {
        Bytes& in = walker == &server ? to_server : to_client;
        Bytes& out = walker == &server ? to_client : to_server;
        walker->Hold(std::exchange(in, {}));
        for (;;) {
          check(*walker, walker == &server ? "" : "client",
                walker == &server ? server_rows : client_rows);
          const Taken taken = walker->Take();
          Append(out, taken.to_peer);
          if (taken.names().empty() || taken.established) break;
        }
      }
    }
    check(server, "", server_rows);
    EXPECT_TRUE(server.connection().established() && client.connection().established());
  }
  EXPECT_GE(seen.size(), 17u) << "states in which something was expected, or nothing";
}

TEST(Stepwise, ExpectsNothingWhileAQuestionIsOpen) {
  Stepped stepped =
      Step(Connection::Server({.stepwise = true}),
           FromPeer{PlainRecord(ContentType::kHandshake, HelloFor(kTls13).Message())}, [] {
             static const ServerKit kit = FixedKit();
             static FixedRandomness randomness;
             return Context{kit.profile, randomness};
           }());
  ASSERT_TRUE(stepped.output.question);
  EXPECT_TRUE(Expected(stepped.connection).empty());
}

// ---- Beside a plain one.

// The bodies of the records in the clear, before the first that is not of the handshake.
Bytes InTheClear(ByteView stream) {
  Bytes bodies;
  for (const Bytes& record : RecordsOf(stream)) {
    if (record[0] != 22) break;
    Append(bodies, ByteView(record).subspan(kRecordHeaderSize));
  }
  return bodies;
}

class StepwiseScenario : public testing::TestWithParam<Scenario> {
 protected:
  static std::vector<TracedMessage> MessagesOf(const Recording& recording) {
    std::vector<TracedMessage> all;
    for (const Event& event : recording.events) {
      all.insert(all.end(), event.output.messages.begin(), event.output.messages.end());
    }
    return all;
  }
};

TEST_P(StepwiseScenario, SaysTheSameInOtherRecords) {
  const Recording plain = Record(KitFor(GetParam()), ScriptFor(GetParam()), {.trace = true});
  const Recording steps = Record(KitFor(GetParam()), ScriptFor(GetParam()), {.stepwise = true});
  ASSERT_TRUE(plain.established() && plain.client_done);
  ASSERT_TRUE(steps.established() && steps.client_done) << steps.client_error;
  EXPECT_EQ(ToHex(steps.AllFromClient()), ToHex(plain.AllFromClient()));
  EXPECT_EQ(ToHex(InTheClear(steps.to_client)), ToHex(InTheClear(plain.to_client)));
  const std::vector<TracedMessage> said = MessagesOf(plain);
  const std::vector<TracedMessage> walked = MessagesOf(steps);
  ASSERT_EQ(walked.size(), said.size());
  size_t ours = 0;
  for (size_t i = 0; i < said.size(); ++i) {
    EXPECT_EQ(walked[i].from_peer, said[i].from_peer);
    EXPECT_EQ(walked[i].encrypted, said[i].encrypted);
    EXPECT_EQ(walked[i].version, said[i].version);
    EXPECT_EQ(ToHex(walked[i].bytes), ToHex(said[i].bytes)) << i;
    ours += !walked[i].from_peer;
  }
  EXPECT_EQ(RecordsOf(steps.to_client).size(), ours) << "each message has a record";
  EXPECT_LT(RecordsOf(plain.to_client).size(), ours) << "where else they share";
}

TEST_P(StepwiseScenario, ShowsTheSameAtEverySplit) {
  const Recording recording = Record(KitFor(GetParam()), ScriptFor(GetParam()));
  StepwiseWalker walker(KitFor(GetParam()));
  ExpectSameAtEverySplit(walker, recording.AllFromClient());
  EXPECT_TRUE(walker.connection().established());
}

// Whatever is wrong with the peer's bytes, the end is the plain one's, and what was to be seen
// beforehand comes true (CheckedTake).
TEST_P(StepwiseScenario, EndsAsAPlainOneDoes) {
  const ServerKit kit = KitFor(GetParam());
  const Bytes all = Record(kit, ScriptFor(GetParam())).AllFromClient();
  const auto compare = [&](ByteView bytes, bool closed, size_t at) {
    StepwiseWalker plain(kit, {});
    StepwiseWalker steps(kit);
    std::optional<HandshakeFailure> said = plain.Give(FromPeer{bytes}).failure;
    if (closed && !said) said = plain.Give(tls::PeerClosed{}).failure;
    steps.Hold(bytes);
    std::optional<HandshakeFailure> walked;
    for (;;) {
      const Taken taken = CheckedTake(steps);
      walked = taken.failure;
      if (taken.names().empty() || taken.failure || taken.established) break;
    }
    if (closed && !walked && !steps.connection().established()) {
      walked = steps.Give(tls::PeerClosed{}).failure;
    }
    ASSERT_EQ(walked.has_value(), said.has_value()) << at;
    ASSERT_EQ(steps.connection().established(), plain.connection().established()) << at;
    if (!said) return;
    EXPECT_EQ(walked->reason, said->reason) << at;
    EXPECT_EQ(walked->alert, said->alert) << at;
    EXPECT_EQ(walked->origin, said->origin) << at;
  };
  for (size_t at = 0; at < all.size(); at += 3) {
    Bytes altered = all;
    altered[at] ^= static_cast<uint8_t>(1 << at % 8);
    compare(altered, false, at);
    compare(ByteView(all).first(at), true, at);
  }
}

INSTANTIATE_TEST_SUITE_P(All, StepwiseScenario, testing::ValuesIn(Scenarios()),
                         ScenarioName<testing::TestParamInfo<Scenario>>);

}  // namespace
}  // namespace handfast::tls::test
