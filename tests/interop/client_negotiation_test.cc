// What the client matrix leaves at its default: servers that we must not trust, no protocol in
// common, KeyUpdates of both sides, and a session that is not resumed.
#include <future>
#include <memory>

#include <gtest/gtest.h>

#include "tests/interop/cell.h"
#include "tests/interop/clients.h"
#include "tests/interop/pki.h"
#include "tests/interop/servers.h"
#include "tests/interop/tcp_client.h"
#include "tests/tls/crypto/test_revocation.h"

namespace handfast::tls::test {
namespace {

constexpr auto kTls13 = ProtocolVersion::kTls13;
constexpr KeyType kKey = KeyType::kEcdsaP256;

ServerKit Kit(const TestCa& trusted = Root()) {
  ServerKit kit;
  kit.as_client = true;
  kit.profile = ModernProfile();
  kit.clients = std::make_shared<const TrustBundle>(trusted.Bundle());
  return kit;
}

ConnectionOptions ToServerName(std::vector<std::string> alpn = {}) {
  return {.alpn = std::move(alpn), .server_name = kServerName};
}

// All that have TLS 1.3.
class ServerTest : public testing::TestWithParam<Stack> {
 protected:
  void SetUp() override {
    const std::string package = MissingPackage(GetParam());
    if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  }
  static Post PostOf(std::string alpn = "") {
    return {.stack = GetParam(), .version = kTls13, .key = kKey, .alpn = std::move(alpn)};
  }
};

// The negative control of the whole matrix: the same server, and a client that trusts another root.
TEST_P(ServerTest, UnknownAuthorityIsRefused) {
  static const TestCa stranger = TestCa::Create("stranger");
  const ServerKit kit = Kit(stranger);
  ForeignServer server(PostOf());
  ASSERT_TRUE(server.ready()) << server.output();
  TcpClient client(server.port(), kit, ToServerName());
  EXPECT_FALSE(client.Handshake());
  const Spoken spoken = client.End();
  SCOPED_TRACE(spoken.ToText());
  ASSERT_TRUE(spoken.failure.has_value());
  EXPECT_EQ(spoken.failure->reason, Reason::kUnknownCa);
  EXPECT_EQ(spoken.failure->alert, 48);  // unknown_ca
}

// RFC 8446 §4.6.3: the server answers our request with a KeyUpdate of its own, and both go on with
// the next keys.
TEST_P(ServerTest, FollowsOurKeyUpdate) {
  const ServerKit kit = Kit();
  ForeignServer server(PostOf());
  ASSERT_TRUE(server.ready()) << server.output();
  TcpClient client(server.port(), kit, ToServerName());
  ASSERT_TRUE(client.Handshake());
  client.UpdateKeys();
  client.Write(server.Request(1));
  EXPECT_TRUE(server.Answer(1));
  EXPECT_TRUE(client.ReadUntil(server.Reply(1)));
  const Spoken spoken = client.End();
  SCOPED_TRACE(spoken.ToText() + server.output());
  EXPECT_EQ(spoken.trouble, "");
  EXPECT_EQ(spoken.key_updates, 1);
}

INSTANTIATE_TEST_SUITE_P(All, ServerTest,
                         testing::Values(Stack::kOpenssl, Stack::kGnutls, Stack::kNss,
                                         Stack::kWolfssl, Stack::kBoringssl, Stack::kJsse,
                                         Stack::kNginx, Stack::kHaproxy),
                         [](const auto& info) { return std::string(Name(info.param)); });

// RFC 7301 §3.2: "no_application_protocol".
class NoProtocolTest : public ServerTest {};

TEST_P(NoProtocolTest, IsAnAlert) {
  const ServerKit kit = Kit();
  ForeignServer server(PostOf(kProtocol));
  ASSERT_TRUE(server.ready()) << server.output();
  TcpClient client(server.port(), kit, ToServerName({"something-else/1"}));
  EXPECT_FALSE(client.Handshake());
  const Spoken spoken = client.End();
  SCOPED_TRACE(spoken.ToText());
  ASSERT_TRUE(spoken.failure.has_value());
  EXPECT_EQ(spoken.failure->reason, Reason::kPeerAlert);
  EXPECT_EQ(spoken.failure->alert, 120);
}

// HAProxy goes on without a protocol.
INSTANTIATE_TEST_SUITE_P(All, NoProtocolTest,
                         testing::Values(Stack::kOpenssl, Stack::kGnutls, Stack::kNss,
                                         Stack::kWolfssl, Stack::kBoringssl, Stack::kJsse,
                                         Stack::kNginx),
                         [](const auto& info) { return std::string(Name(info.param)); });

class OpensslServerTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string package = MissingPackage(Stack::kOpenssl);
    if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  }
  const Post post_{.stack = Stack::kOpenssl, .version = kTls13, .key = kKey};
};

// Typed at s_server: 'k' is a KeyUpdate, 'K' one that asks for ours.
TEST_F(OpensslServerTest, ItsKeyUpdatesAreFollowed) {
  for (const char* typed : {"k\n", "K\n"}) {
    const ServerKit kit = Kit();
    ForeignServer server(post_);
    ASSERT_TRUE(server.ready()) << server.output();
    TcpClient client(server.port(), kit, ToServerName());
    ASSERT_TRUE(client.Handshake());
    client.Write(server.Request(1));
    ASSERT_TRUE(server.process().WaitForOutput(server.Request(1), kPatience));
    // It takes all that it reads at once for the command.
    ASSERT_TRUE(server.process().Write(typed));
    ASSERT_TRUE(server.process().WaitForOutput("SSL_do_handshake -> 1", kPatience));
    ASSERT_TRUE(server.process().Write(server.Reply(1)));
    ASSERT_TRUE(client.ReadUntil(server.Reply(1))) << typed;
    client.Write(server.Request(2));
    EXPECT_TRUE(server.Answer(2)) << typed;
    EXPECT_TRUE(client.ReadUntil(server.Reply(2))) << typed;
    const Spoken spoken = client.End();
    SCOPED_TRACE(spoken.ToText() + server.output());
    EXPECT_EQ(spoken.trouble, "");
    EXPECT_EQ(spoken.key_updates, 1);
  }
}

// The negative control of resumption: what another server process gave, this one cannot open.
TEST_F(OpensslServerTest, AnothersSessionIsAFullHandshake) {
  const ServerKit kit = Kit();
  std::vector<Session> sessions;
  for (const bool offers : {false, true}) {
    ForeignServer server(post_);
    ASSERT_TRUE(server.ready()) << server.output();
    std::optional<Session> session;
    if (offers) session = std::move(sessions.at(0));
    TcpClient client(server.port(), kit, ToServerName(), std::move(session));
    ASSERT_TRUE(client.Handshake());
    client.Write(server.Request(1));
    ASSERT_TRUE(server.Answer(1));
    EXPECT_TRUE(client.ReadUntil(server.Reply(1)));
    Spoken spoken = client.End();
    EXPECT_FALSE(spoken.established->resumed);
    EXPECT_TRUE(spoken.certificate_received);
    EXPECT_FALSE(server.Says(Fact::kResumed, spoken.content));
    EXPECT_EQ(spoken.sessions.size(), 2u);
    sessions = std::move(spoken.sessions);
  }
}

// Our server's KeyUpdate before its answer. Whether the client answers it in kind shows nowhere:
// it has nothing more to say.
class UpdatingServerTest : public testing::TestWithParam<Stack> {};

TEST_P(UpdatingServerTest, ClientFollows) {
  const std::string package = MissingPackage(GetParam());
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  ServeOptions options;
  options.update_keys = true;
  const Outcome outcome = RunClient({.stack = GetParam(), .version = kTls13},
                                    ServerKit::For(ServerLeaf(kKey), ModernProfile()), options);
  SCOPED_TRACE(outcome.ToText());
  EXPECT_EQ(outcome.server.trouble, "");
  EXPECT_TRUE(outcome.client_content(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(All, UpdatingServerTest,
                         testing::Values(Stack::kOpenssl, Stack::kGnutls, Stack::kCurl, Stack::kNss,
                                         Stack::kWolfssl, Stack::kBoringssl, Stack::kJsse),
                         [](const auto& info) { return std::string(Name(info.param)); });

// Typed at s_client: a KeyUpdate that asks for ours.
TEST(OpensslClient, ItsKeyUpdateIsFollowed) {
  const std::string package = MissingPackage(Stack::kOpenssl);
  if (!package.empty()) GTEST_SKIP() << package << " is not installed";
  const ServerKit kit = ServerKit::For(ServerLeaf(kKey), ModernProfile());
  TcpServer server;
  auto served = std::async(std::launch::async, [&] { return server.Serve(kit); });
  handfast::test::Process client(
      CommandOf(Errand{.stack = Stack::kOpenssl, .version = kTls13}, server.port()));
  ASSERT_TRUE(client.Write("K\n"));
  ASSERT_TRUE(client.WaitForOutput("KEYUPDATE", kPatience)) << client.output();
  ASSERT_TRUE(client.Write(kLine));
  EXPECT_EQ(client.WaitForExit(kPatience), 0);
  const Served outcome = served.get();
  SCOPED_TRACE(outcome.ToText() + client.output());
  EXPECT_EQ(outcome.trouble, "");
  EXPECT_EQ(outcome.key_updates, 1);
  EXPECT_NE(client.output().find(ReplyTo(kLine)), std::string::npos);
}

// ---- A stapled OCSP response, from `openssl s_server -status_file`.

class StapleTest : public testing::TestWithParam<ProtocolVersion> {
 protected:
  // What our client makes of it; `response` empty: none is stapled.
  std::optional<HandshakeFailure> FailureUnder(const std::string& name, const Bytes& response,
                                               bool require) {
    Post post{.stack = Stack::kOpenssl, .version = GetParam(), .key = kKey};
    if (!response.empty()) {
      post.status_file = WriteFile(name + std::to_string(static_cast<int>(GetParam())) + ".der",
                                   std::string(AsText(response)));
    }
    ServerKit kit = Kit();
    kit.profile = IntermediateProfile();
    kit.require_ocsp_response = require;
    ForeignServer server(post);
    EXPECT_TRUE(server.ready()) << server.output();
    TcpClient client(server.port(), kit, ToServerName());
    const bool done = client.Handshake();
    const Spoken spoken = client.End();
    EXPECT_EQ(done, !spoken.failure) << spoken.ToText();
    return spoken.failure;
  }
};

TEST_P(StapleTest, OpensslsIsChecked) {
  if (const std::string package = MissingPackage(Stack::kOpenssl); !package.empty()) {
    GTEST_SKIP() << package << " is not installed";
  }
  const Bytes& leaf = ServerLeaf(kKey).chain[0];
  EXPECT_FALSE(FailureUnder("good", MakeOcsp(Root(), leaf), /*require=*/true));
  EXPECT_FALSE(FailureUnder("none", {}, /*require=*/false));
  const auto refusal = [&](const std::string& name, const Bytes& response, bool require) {
    const auto failure = FailureUnder(name, response, require);
    return failure ? std::optional(failure->reason) : std::nullopt;
  };
  EXPECT_EQ(refusal("missing", {}, true), Reason::kNoOcspResponse);
  EXPECT_EQ(
      refusal("revoked", MakeOcsp(Root(), leaf, {.status = OcspOptions::Status::kRevoked}), false),
      Reason::kCertificateRevoked);
  EXPECT_EQ(refusal("another", MakeOcsp(Root(), ServerLeaf(KeyType::kRsa2048).chain[0]), false),
            Reason::kBadOcspResponse);
}

INSTANTIATE_TEST_SUITE_P(Versions, StapleTest, testing::Values(ProtocolVersion::kTls12, kTls13),
                         [](const auto& info) { return info.param == kTls13 ? "Tls13" : "Tls12"; });

}  // namespace
}  // namespace handfast::tls::test
