// Keys leave only where the profile and the caller's role both say so, and are the right ones.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::test::LibsslClient;

struct Case {
  As caller;
  const char* profile;
  bool allowed;
};

class KeyRelease : public testing::TestWithParam<Case> {};

TEST_P(KeyRelease, NeedsProfileAndRole) {
  TestService service;
  RelayCall call(service.Channel(GetParam().caller));
  LibsslClient peer({});
  const tls::Bytes hello = peer.Receive({});
  v1::Start start = PlainStart();
  start.set_profile(GetParam().profile);
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  start.set_from_peer(hello.data(), hello.size());
  call.Start(1, start);
  const auto first = call.Next();
  ASSERT_TRUE(first);
  if (GetParam().allowed) {
    EXPECT_FALSE(first->has_error());
    return;
  }
  EXPECT_EQ(first->error().code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(first->error()), "KEY_RELEASE_DENIED");
  EXPECT_TRUE(first->to_peer().empty());  // before any byte
  EXPECT_EQ(service.metrics.started, 0);
  EXPECT_EQ(service.metrics.signatures, 0);
}

INSTANTIATE_TEST_SUITE_P(Matrix, KeyRelease,
                         testing::Values(Case{As::kEdge, "intermediate", true},
                                         Case{As::kEdge, "sealed", false},
                                         Case{As::kSibling, "intermediate", false},
                                         Case{As::kSibling, "sealed", false}));

TEST(KeysReleased, NeedThePermissionsInTheClientRoleToo) {
  TestService service;
  RelayCall call(service.Channel(As::kSibling));
  v1::Start start = ClientStart("db.example.test");
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  call.Start(1, start);
  const auto reply = call.Next();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->error().code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(reply->error()), "KEY_RELEASE_DENIED");
  EXPECT_TRUE(reply->to_peer().empty());
}

TEST(KeysReleased, AreNotWhereNobodyAsked) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  const v1::RelayResponse last = RunHandshake(call, 1, PlainStart(), peer);
  ASSERT_TRUE(last.has_established());
  EXPECT_EQ(last.established().keys_case(), v1::Established::KEYS_NOT_SET);
}

TEST(KeysReleased, AnUnknownKindIsRefused) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  v1::Start start = PlainStart();
  start.set_key_release(static_cast<v1::KeyRelease>(9));
  call.Start(1, start);
  EXPECT_EQ(call.Next()->error().code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// libssl tells its secrets to whoever asks before the handshake: they must be ours.
std::string g_server_secret;  // NOLINT: the callback has no argument of its own
std::string g_client_secret;

void NoteSecret(const SSL*, const char* line) {
  const std::string text(line);
  const std::string secret = text.substr(text.rfind(' ') + 1);
  if (text.rfind("SERVER_TRAFFIC_SECRET_0", 0) == 0) g_server_secret = secret;
  if (text.rfind("CLIENT_TRAFFIC_SECRET_0", 0) == 0) g_client_secret = secret;
}

TEST(KeysReleased, AreThePeersOwnInTls13) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({});
  SSL_CTX_set_keylog_callback(SSL_get_SSL_CTX(peer.ssl()), NoteSecret);
  v1::Start start = PlainStart();
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  const v1::RelayResponse last = RunHandshake(call, 1, start, peer);
  ASSERT_TRUE(last.established().has_traffic_secrets());
  const v1::TrafficSecrets& secrets = last.established().traffic_secrets();
  EXPECT_EQ(tls::ToHex(tls::AsBytes(secrets.write_secret())), g_server_secret);
  EXPECT_EQ(tls::ToHex(tls::AsBytes(secrets.read_secret())), g_client_secret);
  EXPECT_EQ(secrets.write_sequence(), 0u);
  EXPECT_EQ(secrets.read_sequence(), 0u);
}

struct Suite12 {
  const char* name;
  size_t key_size;
  size_t salt_size;
};
class KeysOfTls12 : public testing::TestWithParam<Suite12> {};

TEST_P(KeysOfTls12, HaveTheSuitesShape) {
  TestService service;
  RelayCall call(service.Channel(As::kEdge));
  LibsslClient peer({.version = TLS1_2_VERSION, .cipher_list = GetParam().name});
  v1::Start start = PlainStart();
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  const v1::RelayResponse last = RunHandshake(call, 1, start, peer);
  ASSERT_TRUE(last.established().has_traffic_keys()) << last.failure().reason();
  const v1::TrafficKeys& keys = last.established().traffic_keys();
  for (const v1::DirectionKeys* direction : {&keys.write(), &keys.read()}) {
    EXPECT_EQ(direction->key().size(), GetParam().key_size);
    EXPECT_EQ(direction->salt().size(), GetParam().salt_size);
  }
  EXPECT_NE(keys.write().key(), keys.read().key());
}

INSTANTIATE_TEST_SUITE_P(Suites, KeysOfTls12,
                         testing::Values(Suite12{"ECDHE-ECDSA-AES128-GCM-SHA256", 16, 4},
                                         Suite12{"ECDHE-ECDSA-AES256-GCM-SHA384", 32, 4},
                                         Suite12{"ECDHE-ECDSA-CHACHA20-POLY1305", 32, 12}));

}  // namespace
}  // namespace handfast::rpc::test
