// handfast handshake walk: a real service, real clients and servers, one RPC for each message.

#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "client/core/endpoint.h"
#include "client/core/rpc_status.h"
#include "client/core/steps.h"
#include "handfast/v1/handshake.pb.h"
#include "tests/support/authority.h"
#include "tests/support/files.h"
#include "tests/support/handfastd.h"
#include "tests/support/net.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"

namespace handfast::test {
namespace {

// Exit codes of the command line.
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kNotAllowed = 4;
constexpr int kConflict = 6;

using Words = std::vector<std::string>;

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const Words kServer13 = {"1 ClientHello", "2 ServerHello",       "3 EncryptedExtensions",
                         "4 Certificate", "5 CertificateVerify", "6 Finished",
                         "7 Finished"};
// curl takes no tickets of TLS 1.2.
const Words kServer12 = {"1 ClientHello",       "2 ServerHello",     "3 Certificate",
                         "4 ServerKeyExchange", "5 ServerHelloDone", "6 ClientKeyExchange",
                         "7 ChangeCipherSpec",  "8 Finished",        "9 ChangeCipherSpec",
                         "10 Finished"};
// openssl s_server sends a ticket.
const Words kClient12 = {"1 ClientHello",       "2 ServerHello",     "3 Certificate",
                         "4 ServerKeyExchange", "5 ServerHelloDone", "6 ClientKeyExchange",
                         "7 ChangeCipherSpec",  "8 Finished",        "9 NewSessionTicket",
                         "10 ChangeCipherSpec", "11 Finished"};

// The notes beside the arrows, each once: what stands beside a message has its step's.
Words Notes(const std::string& drawn) {
  Words notes;
  std::istringstream lines(drawn);
  for (std::string line; std::getline(lines, line);) {
    const size_t post = line.rfind("| ");
    if (post == std::string::npos || post < 3) continue;
    std::string note = line.substr(post + 2);
    if (notes.empty() || notes.back() != note) notes.push_back(std::move(note));
  }
  return notes;
}

// The port in the first "127.0.0.1:PORT" that a program prints, which it does in one write; 0: it
// never came.
int PortOf(Process& process) {
  const std::string host = "127.0.0.1:";
  if (!process.WaitForOutput(host, kPatience)) return 0;
  const std::string output = process.output();
  return std::stoi(output.substr(output.find(host) + host.size()));
}

size_t Count(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

// Passes a server's bytes on to a walk with JSON output in small pieces, each when the walk has
// told of the one before: no message comes whole, or with another.
class Trickle {
 public:
  explicit Trickle(int server_port)
      : server_([this, server_port](int fd) { Serve(fd, server_port); }) {}
  int port() const { return server_.port(); }
  void SetWalk(Process& walk) { walk_.set_value(&walk); }

 private:
  // A record's header, and a byte or two.
  static std::string Receive(int fd) {
    char piece[7];
    const ssize_t size = recv(fd, piece, sizeof piece, 0);
    return {piece, size > 0 ? static_cast<size_t>(size) : 0};
  }

  void Serve(int to_walk, int server_port) {
    const int to_server = ConnectTo(server_port);
    std::thread forth([=] {
      for (;;) {
        const std::string piece = Receive(to_walk);
        if (piece.empty() || !SendAll(to_server, piece)) break;
      }
      shutdown(to_server, SHUT_WR);
    });
    Process& walk = *walk_.get_future().get();
    const std::string step = "\"response\":{\"step\":";
    for (;;) {
      const std::string piece = Receive(to_server);
      const std::string output = walk.output();
      const std::string next = step + std::to_string(Count(output, step) + 1) + ",";
      if (piece.empty() || !SendAll(to_walk, piece)) break;
      if (output.find("\"established\"") != std::string::npos) continue;
      if (!walk.WaitForOutput(next, kPatience)) break;
    }
    shutdown(to_walk, SHUT_RDWR);
    forth.join();
    close(to_server);
  }

  std::promise<Process*> walk_;
  Server server_;
};

class WalkTest : public testing::Test {
 protected:
  void SetUp() override {
    service_.ConfigureForItsUser(
        "trust_bundles:\n  - name: servers\n    file: " + authority_.file() +
        "\nprofiles:\n"
        "  - {name: both, base: intermediate, release_keys: true,\n"
        "     server_trust_bundle: servers}\n"
        "  - {name: closed, base: intermediate}\n"
        "default_profile: both\n");
    ASSERT_TRUE(service_.Start()) << service_.output();
    www_ = authority_.Issue("www.test", "DNS:www.test");
    ASSERT_TRUE(service_.Import("www", www_.key, www_.chain, /*is_default=*/true));
  }

  std::unique_ptr<Process> Walk(const Words& arguments) {
    const Words command = {Runfile("client/cli/handfast"), "--endpoint", service_.endpoint(),
                           "handshake", "walk"};
    auto process = std::make_unique<Process>(command + arguments);
    process->CloseInput();
    return process;
  }

  std::unique_ptr<Process> Curl(int port, const Words& options) {
    const std::string at = "www.test:" + std::to_string(port);
    const Words command = {FindProgram("curl"), "--silent",  "--show-error",   "--cacert",
                           authority_.file(),   "--resolve", at + ":127.0.0.1"};
    return std::make_unique<Process>(command + options + Words{"https://" + at + "/"});
  }

  // openssl s_server with the web server's page.
  std::unique_ptr<Process> WebServer(const Words& options) {
    const Words command = {
        FindProgram("openssl"), "s_server", "-accept",     "127.0.0.1:0", "-cert",
        www_.chain_file,        "-key",     www_.key_file, "-www"};
    return std::make_unique<Process>(command + options);
  }

  std::unique_ptr<Process> WalkTo(int port, const Words& options,
                                  const std::string& server_name = "www.test") {
    return Walk(
        Words{"--connect", "127.0.0.1:" + std::to_string(port), "--server-name", server_name} +
        options);
  }

  // Whether the service still has the connection that a walk's JSON names.
  bool IsLive(const std::string& output) {
    const size_t at = output.find("\"connection\":\"");
    if (at == std::string::npos) return true;
    const std::string name = output.substr(at + 14, output.find('"', at + 14) - at - 14);
    EXPECT_EQ(name.rfind("connections/", 0), 0u) << name;
    client::Endpoint where;
    where.address = service_.endpoint();
    return client::Steps(where).Terminate(name).code != client::RpcCode::kNotFound;
  }

  Authority authority_;
  Handfastd service_;
  Issued www_;
};

TEST_F(WalkTest, ServesCurlInEitherVersion) {
  for (const bool is_tls13 : {true, false}) {
    const auto walk = Walk({"--listen", "127.0.0.1:0", "--once"});
    const int port = PortOf(*walk);
    ASSERT_NE(port, 0) << walk->output();
    const auto curl = Curl(port, {"--tls-max", is_tls13 ? "1.3" : "1.2"});
    EXPECT_EQ(curl->WaitForExit(kPatience), 0) << curl->output();
    EXPECT_NE(curl->output().find("Handfast performed this handshake: TLS_"), std::string::npos);
    EXPECT_EQ(walk->WaitForExit(kPatience), 0) << walk->output();
    EXPECT_EQ(Notes(walk->output()), is_tls13 ? kServer13 : kServer12) << walk->output();
    EXPECT_NE(walk->output().find("  client  "), std::string::npos);
    EXPECT_NE(walk->output().find("= established: TLSv1."), std::string::npos);
  }
}

TEST_F(WalkTest, CallsAServerInEitherVersion) {
  for (const bool is_tls13 : {true, false}) {
    const auto server = WebServer({is_tls13 ? "-tls1_3" : "-tls1_2"});
    const auto walk = WalkTo(PortOf(*server), {"--http"});
    EXPECT_EQ(walk->WaitForExit(kPatience), 0);
    const std::string drawn = walk->output();
    EXPECT_EQ(Notes(drawn), is_tls13 ? kServer13 : kClient12) << drawn;
    EXPECT_NE(drawn.find("  service  "), std::string::npos) << drawn;
    EXPECT_NE(drawn.find("= the server is www.test\n  < HTTP/1.0 200 ok\n"), std::string::npos)
        << drawn;
  }
}

TEST_F(WalkTest, ShowsACertificateToAServerThatAsksForOne) {
  const Issued client = authority_.Issue("client", "URI:spiffe://test/a", "EC", "clientAuth");
  ASSERT_TRUE(service_.Import("client", client.key, client.chain, /*is_default=*/false));
  const auto server =
      WebServer({"-tls1_3", "-Verify", "1", "-CAfile", authority_.file(), "-verify_return_error"});
  const auto walk = WalkTo(PortOf(*server), {"--credential", "client", "--http"});
  EXPECT_EQ(walk->WaitForExit(kPatience), 0) << walk->output();
  EXPECT_EQ(Notes(walk->output()),
            (Words{"1 ClientHello", "2 ServerHello", "3 EncryptedExtensions",
                   "4 CertificateRequest", "5 Certificate", "6 CertificateVerify", "7 Finished",
                   "8 Certificate", "9 CertificateVerify", "10 Finished"}));
  EXPECT_NE(walk->output().find("certificate  CN=client"), std::string::npos) << walk->output();
  EXPECT_NE(walk->output().find("< HTTP/1.0 200 ok"), std::string::npos) << walk->output();
}

// The peer may send one message or another, and it is not there yet: the walk tries one, and where
// the service refuses that, another.
TEST_F(WalkTest, FindsTheNextStepWhereNoMessageComesWhole) {
  const auto refusals = [this] {
    return Handfastd::Sum(service_.Metrics(), "handfast_rpcs_total", "FAILED_PRECONDITION");
  };
  for (const bool is_tls13 : {true, false}) {
    const double refused_before = refusals();
    const auto server = WebServer({is_tls13 ? "-tls1_3" : "-tls1_2"});
    Trickle trickle(PortOf(*server));
    const auto walk = WalkTo(trickle.port(), {"--http", "-o", "json"});
    trickle.SetWalk(*walk);
    EXPECT_EQ(walk->WaitForExit(kPatience), 0) << walk->output();
    const std::string output = walk->output();
    EXPECT_NE(output.find(R"({"statusLine":"HTTP/1.0 200 ok"})"), std::string::npos) << output;
    // A flight has more than 500 bytes, in pieces of 7.
    EXPECT_GT(Count(output, "\"needMore\":true"), 50u) << output;
    EXPECT_GT(refusals(), refused_before);
  }
}

TEST_F(WalkTest, AFailureSendsTheAlertAndExitsAccordingly) {
  const auto server = WebServer({"-tls1_3"});
  const auto call = WalkTo(PortOf(*server), {}, "other.test");
  EXPECT_EQ(call->WaitForExit(kPatience), kFailed) << call->output();
  EXPECT_NE(call->output().find("x failed: name_mismatch, alert bad_certificate"),
            std::string::npos)
      << call->output();
  EXPECT_TRUE(server->WaitForOutput("alert bad certificate", kPatience)) << server->output();

  const auto walk = Walk({"--listen", "127.0.0.1:0", "--once"});
  const Authority stranger;
  const auto curl = Curl(PortOf(*walk), {"--cacert", stranger.file()});
  EXPECT_NE(curl->WaitForExit(kPatience), 0) << curl->output();
  EXPECT_EQ(walk->WaitForExit(kPatience), kFailed) << walk->output();
  EXPECT_NE(walk->output().find("the client's alert unknown_ca"), std::string::npos)
      << walk->output();
}

TEST_F(WalkTest, JsonHasALineForEachRpcAndNoKeys) {
  const auto server = WebServer({"-tls1_3"});
  const auto walk = WalkTo(PortOf(*server), {"--http", "-o", "json"});
  EXPECT_EQ(walk->WaitForExit(kPatience), 0) << walk->output();
  std::istringstream lines(walk->output());
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(line.rfind(R"({"rpc":"StartHandshake","response":{"handshake":"handshakes/)", 0), 0u);
  v1::StepResponse last;
  Words steps;
  while (std::getline(lines, line) && line.rfind(R"({"rpc":")", 0) == 0) {
    const size_t response = line.find(R"(","response":)");
    ASSERT_NE(response, std::string::npos) << line;
    const std::string json = line.substr(response + 13, line.size() - response - 14);
    last.Clear();
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &last).ok()) << line;
    steps.push_back(std::to_string(last.step()) + " " + line.substr(8, response - 8));
  }
  EXPECT_EQ(steps, kServer13);
  ASSERT_TRUE(last.has_established()) << walk->output();
  EXPECT_EQ(last.established().keys_case(), v1::Established::KEYS_NOT_SET);
  // They were released all the same: this line came by them.
  EXPECT_EQ(line, R"({"statusLine":"HTTP/1.0 200 ok"})");
  EXPECT_FALSE(IsLive(walk->output())) << "the walk was to terminate it";
}

TEST_F(WalkTest, ExplainsItsChoicesWhereItIsTheServer) {
  const auto walk = Walk({"--listen", "127.0.0.1:0", "--once", "--explain", "--alpn", "http/1.1"});
  const auto curl = Curl(PortOf(*walk), {});
  EXPECT_EQ(curl->WaitForExit(kPatience), 0) << curl->output();
  EXPECT_EQ(walk->WaitForExit(kPatience), 0);
  for (const char* why : {"  ? version TLSv1.3\n      ", "  ? alpn http/1.1\n      "}) {
    EXPECT_NE(walk->output().find(why), std::string::npos) << walk->output();
  }
}

TEST_F(WalkTest, WhereKeysAreNotReleasedTheHandshakeCanBeWalkedAllTheSame) {
  {
    const auto walk = Walk({"--listen", "127.0.0.1:0", "--profile", "closed"});
    const auto curl = Curl(PortOf(*walk), {});
    EXPECT_EQ(walk->WaitForExit(kPatience), kNotAllowed);
    EXPECT_NE(walk->output().find("(KEY_RELEASE_DENIED)\n"), std::string::npos) << walk->output();
    EXPECT_NE(walk->output().find("Give --no-release"), std::string::npos) << walk->output();
  }
  for (const std::string output : {"table", "json"}) {
    const auto walk = Walk({"--listen", "127.0.0.1:0", "--profile", "closed", "--no-release",
                            "--once", "--output", output});
    const auto curl = Curl(PortOf(*walk), {});
    EXPECT_EQ(walk->WaitForExit(kPatience), 0) << walk->output();
    EXPECT_NE(curl->WaitForExit(kPatience), 0) << "nobody answered it";
    if (output == "json") {
      // What stays in the service takes room there until it is terminated.
      EXPECT_FALSE(IsLive(walk->output())) << walk->output();
    } else {
      EXPECT_EQ(Notes(walk->output()), kServer13);
      EXPECT_NE(walk->output().find("= its keys stay in the service"), std::string::npos);
    }
  }
}

TEST_F(WalkTest, MistakesAndAbsentServersAreToldApart) {
  const std::string free = "127.0.0.1:" + std::to_string(FreePort());
  struct Case {
    Words arguments;
    int code;
    const char* says;
  };
  for (const Case& c : std::vector<Case>{
           {{}, kUsage, "give --listen HOST:PORT"},
           {{"--listen", "127.0.0.1:0", "--connect", free}, kUsage, "give --listen HOST:PORT"},
           {{"--listen", "127.0.0.1:0", "--http"}, kUsage, "--http is for --connect"},
           {{"--listen", "nowhere"}, kUsage, "is not HOST:PORT"},
           {{"--connect", "nowhere"}, kUsage, "is not HOST:PORT"},
           {{"--connect", free}, kUsage, "give --server-name"},
           {{"--connect", free, "--explain"}, kUsage, "--explain is for --listen"},
           {{"--connect", free, "--http", "--no-release"}, kUsage, "leave out --no-release"},
           {{"--connect", free, "--server-name", "www.test"}, kFailed, "Does a TLS server listen"},
       }) {
    const auto walk = Walk(c.arguments);
    EXPECT_EQ(walk->WaitForExit(kPatience), c.code) << walk->output();
    EXPECT_NE(walk->output().find(c.says), std::string::npos) << walk->output();
  }
  const auto server = WebServer({"-tls1_3"});
  const auto walk = WalkTo(PortOf(*server), {"--profile", "closed"});
  EXPECT_EQ(walk->WaitForExit(kPatience), kConflict);
  for (const char* words :
       {"(NO_SERVER_TRUST)\n", "Give --profile with one that has a server_tr"}) {
    EXPECT_NE(walk->output().find(words), std::string::npos) << walk->output();
  }
}

}  // namespace
}  // namespace handfast::test
