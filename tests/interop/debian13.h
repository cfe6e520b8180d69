// What the tests of Debian 13's OpenSSL share: its client against our server, ours against its.
#ifndef HANDFAST_TESTS_INTEROP_DEBIAN13_H_
#define HANDFAST_TESTS_INTEROP_DEBIAN13_H_

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "tests/interop/clients.h"
#include "tests/interop/pki.h"
#include "tests/interop/servers.h"
#include "tests/interop/tcp_client.h"

namespace handfast::tls::test {

class Debian13 : public testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("HANDFAST_DEBIAN13");
    if (root == nullptr) GTEST_SKIP() << "HANDFAST_DEBIAN13 names no folder: see debian13.sh";
    root_ = root;
  }

  // `groups` as OpenSSL names them; empty: its default.
  Outcome RunClientWith(const std::string& groups, const Profile& profile = ModernProfile()) const {
    const Errand errand{.stack = Stack::kOpenssl,
                        .version = ProtocolVersion::kTls13,
                        .own_groups = groups,
                        .root = root_};
    return RunClient(errand, ServerKit::For(ServerLeaf(KeyType::kEcdsaP256), profile));
  }
  static void ExpectGroup(const Outcome& outcome, NamedGroup group, int client_hellos) {
    SCOPED_TRACE(outcome.ToText());
    EXPECT_EQ(outcome.server.trouble, "");
    ASSERT_TRUE(outcome.established());
    EXPECT_EQ(Name(outcome.server.established->group), Name(group));
    EXPECT_EQ(outcome.server.client_hellos, client_hellos);
    EXPECT_TRUE(outcome.client_content(Stack::kOpenssl));
  }

  // Our client meets its server, and each hears the other.
  void ExpectMeeting(const std::string& groups, const Profile& profile, NamedGroup group,
                     int client_hellos) const {
    ServerKit kit;
    kit.as_client = true;
    kit.profile = profile;
    kit.clients = std::make_shared<const TrustBundle>(Root().Bundle());
    ForeignServer server({.stack = Stack::kOpenssl,
                          .version = ProtocolVersion::kTls13,
                          .key = KeyType::kEcdsaP256,
                          .own_groups = groups,
                          .root = root_});
    ASSERT_TRUE(server.ready()) << server.output();
    TcpClient client(server.port(), kit, {.server_name = kServerName});
    ASSERT_TRUE(client.Handshake()) << client.End().ToText() << server.output();
    client.Write(server.Request(1));
    EXPECT_TRUE(server.Answer(1));
    EXPECT_TRUE(client.ReadUntil(server.Reply(1)));
    const Spoken spoken = client.End();
    EXPECT_EQ(spoken.trouble, "");
    EXPECT_EQ(spoken.client_hellos, client_hellos);
    EXPECT_EQ(Name(spoken.established->group), Name(group));
  }

  std::string root_;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_DEBIAN13_H_
