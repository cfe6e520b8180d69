// OpenSSL 3.5, which Debian 13 has, in both roles: its client brings a share for X25519MLKEM768,
// which we do not have, so that its ClientHello is of 1.4 KB and more.
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/interop/clients.h"
#include "tests/interop/pki.h"
#include "tests/interop/servers.h"
#include "tests/interop/tcp_client.h"

namespace handfast::tls::test {
namespace {

constexpr auto kTls13 = ProtocolVersion::kTls13;

class Debian13Test : public testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("HANDFAST_DEBIAN13");
    if (root == nullptr) GTEST_SKIP() << "HANDFAST_DEBIAN13 names no folder: see debian13.sh";
    root_ = root;
  }

  Outcome RunClientWith(const std::string& groups) const {
    const Errand errand{
        .stack = Stack::kOpenssl, .version = kTls13, .own_groups = groups, .root = root_};
    return RunClient(errand, ServerKit::For(ServerLeaf(KeyType::kEcdsaP256), ModernProfile()));
  }

  std::string root_;
};

void ExpectX25519(const Outcome& outcome, int client_hellos) {
  SCOPED_TRACE(outcome.ToText());
  EXPECT_EQ(outcome.server.trouble, "");
  ASSERT_TRUE(outcome.established());
  EXPECT_EQ(Name(outcome.server.established->group), Name(NamedGroup::kX25519));
  EXPECT_EQ(outcome.server.client_hellos, client_hellos);
  EXPECT_TRUE(outcome.client_content(Stack::kOpenssl));
}

// It brings two shares.
TEST_F(Debian13Test, ClientAtItsDefault) { ExpectX25519(RunClientWith(""), 1); }

TEST_F(Debian13Test, ClientOverHelloRetryRequest) {
  ExpectX25519(RunClientWith("*X25519MLKEM768:X25519"), 2);
}

// To be turned round once we have it.
TEST_F(Debian13Test, ClientOfTheHybridAlone) {
  const Outcome outcome = RunClientWith("X25519MLKEM768");
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.server.failure.has_value());
  EXPECT_EQ(outcome.server.failure->alert, 40);  // handshake_failure
}

TEST_F(Debian13Test, Server) {
  ServerKit kit;
  kit.as_client = true;
  kit.profile = ModernProfile();
  kit.clients = std::make_shared<const TrustBundle>(Root().Bundle());
  ForeignServer server(
      {.stack = Stack::kOpenssl, .version = kTls13, .key = KeyType::kEcdsaP256, .root = root_});
  ASSERT_TRUE(server.ready()) << server.output();
  TcpClient client(server.port(), kit, {.server_name = kServerName});
  ASSERT_TRUE(client.Handshake()) << client.End().ToText() << server.output();
  client.Write(server.Request(1));
  EXPECT_TRUE(server.Answer(1));
  EXPECT_TRUE(client.ReadUntil(server.Reply(1)));
  const Spoken spoken = client.End();
  EXPECT_EQ(spoken.trouble, "");
  EXPECT_EQ(spoken.client_hellos, 1);
}

}  // namespace
}  // namespace handfast::tls::test
