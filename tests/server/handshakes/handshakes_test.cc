// Live handshakes without gRPC: what starts, what is refused, how each way to end ends it, and what
// is given back.

#include "server/handshakes/handshakes.h"

#include <set>

#include <gtest/gtest.h>

#include "server/access/error_details_interface.h"
#include "server/observe/log.h"
#include "tests/server/handshakes/fake_backends.h"
#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/libssl_server.h"

namespace handfast::handshakes::test {
namespace {

using tls::test::LibsslClient;

class HandshakesTest : public testing::Test {
 protected:
  HandshakesTest() { observe::SetLogLevel(observe::Level::kError); }

  std::shared_ptr<Handshake> Begin(uint64_t tag = 1) {
    auto begun = table_.Begin(backends_.NewStart(replies_, tag));
    EXPECT_TRUE(begun.ok());
    return *begun;
  }
  // What is left when everything has ended.
  void ExpectAllGivenBack() {
    EXPECT_EQ(table_.live(), 0u);
    EXPECT_EQ(backends_.admission.live, 0);
    EXPECT_EQ(backends_.metrics.started, backends_.metrics.finished);
  }

  Backends backends_;
  std::shared_ptr<Replies> replies_ = std::make_shared<Replies>();
  Handshakes table_{backends_.services};
};

TEST_F(HandshakesTest, IsEnteredBeforeItsDeadlineCanEndIt) {
  int entered = 0;
  auto begun = table_.Begin(backends_.NewStart(replies_), [&](const auto& handshake) {
    ++entered;
    backends_.clock.Advance(std::chrono::hours(1));
    table_.Reap();
    EXPECT_TRUE(handshake->Describe()) << "nothing has ended it yet";
  });
  ASSERT_TRUE(begun.ok());
  EXPECT_EQ(entered, 1);
  backends_.clock.Advance(kReapInterval);
  table_.Reap();
  EXPECT_EQ(replies_->ended, 1);
  ExpectAllGivenBack();
}

TEST_F(HandshakesTest, FinishesAndLeavesAConnection) {
  auto handshake = Begin(7);
  LibsslClient peer({});
  handshake->FromPeer(peer.Receive({}));
  auto flight = replies_->Take();
  ASSERT_TRUE(flight);
  EXPECT_FALSE(flight->ended());
  handshake->FromPeer(peer.Receive(flight->to_peer));
  auto last = replies_->Take();
  ASSERT_TRUE(last);
  ASSERT_TRUE(std::holds_alternative<Done>(last->outcome));
  EXPECT_FALSE(std::get<Done>(last->outcome).keys);
  ASSERT_EQ(backends_.connections.all.size(), 1u);
  const EstablishedConnection& connection = backends_.connections.all[0];
  EXPECT_EQ(connection.handle, handshake->handle());
  EXPECT_EQ(*connection.owner, *backends_.owner);
  ASSERT_TRUE(connection.kept);
  EXPECT_TRUE(connection.kept->established());
  EXPECT_EQ(backends_.metrics.signatures, 1);
  EXPECT_EQ(backends_.metrics.failed, 0);
  ExpectAllGivenBack();
}

TEST_F(HandshakesTest, ReleasedKeysAreNotKept) {
  Start start = backends_.NewStart(replies_);
  start.release_keys = true;
  start.owner_may_release = true;
  auto handshake = *table_.Begin(std::move(start));
  LibsslClient peer({});
  handshake->FromPeer(peer.Receive({}));
  handshake->FromPeer(peer.Receive(replies_->Take()->to_peer));
  auto last = replies_->Take();
  ASSERT_TRUE(last && std::holds_alternative<Done>(last->outcome));
  EXPECT_TRUE(std::get<Done>(last->outcome).keys);
  EXPECT_FALSE(backends_.connections.all.at(0).kept);
}

TEST_F(HandshakesTest, ReleaseNeedsBothPermissions) {
  for (bool profile_may : {false, true}) {
    for (bool owner_may : {false, true}) {
      backends_.profile->release_keys = profile_may;
      Start start = backends_.NewStart(replies_);
      start.release_keys = true;
      start.owner_may_release = owner_may;
      const auto begun = table_.Begin(std::move(start));
      EXPECT_EQ(begun.ok(), profile_may && owner_may);
      if (!begun.ok()) {
        EXPECT_EQ(begun.status().code(), absl::StatusCode::kPermissionDenied);
        EXPECT_EQ(access::ReasonOf(begun.status()), "KEY_RELEASE_DENIED");
      }
    }
  }
}

TEST_F(HandshakesTest, RefusesBeforeItBegins) {
  backends_.admission.refuse = true;
  EXPECT_EQ(table_.Begin(backends_.NewStart(replies_)).status().code(),
            absl::StatusCode::kResourceExhausted);
  backends_.admission.refuse = false;
  backends_.connections.room = false;
  EXPECT_EQ(access::ReasonOf(table_.Begin(backends_.NewStart(replies_)).status()),
            "CONNECTIONS_LIMIT");
  backends_.connections.room = true;
  Start start = backends_.NewStart(replies_);
  start.credential = "tenants/acme/credentials/nothing";
  EXPECT_EQ(table_.Begin(std::move(start)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(backends_.metrics.started, 0);
  ExpectAllGivenBack();
}

TEST_F(HandshakesTest, IsFoundByItsOwnerAlone) {
  auto handshake = Begin();
  EXPECT_EQ(table_.Find({"acme", "edge"}, handshake->handle()), handshake);
  EXPECT_EQ(table_.Find({"acme", "sibling"}, handshake->handle()), nullptr);
  EXPECT_EQ(table_.Find({"other", "edge"}, handshake->handle()), nullptr);
  EXPECT_EQ(table_.Find({"acme", "edge"}, Handle{1, 2}), nullptr);
  handshake->GiveUp(tls::Reason::kHandshakeAborted);
  EXPECT_EQ(table_.Find({"acme", "edge"}, handshake->handle()), nullptr);
}

TEST_F(HandshakesTest, EndsOnceHoweverOftenItIsTold) {
  auto handshake = Begin();
  EXPECT_TRUE(handshake->Stop(absl::AbortedError("first")));
  EXPECT_FALSE(handshake->Stop(absl::AbortedError("second")));
  handshake->GiveUp(tls::Reason::kDeadlineExceeded);
  handshake->FromPeer(tls::AsBytes("late"));
  handshake->PeerClosed();
  handshake->Abandon();
  EXPECT_EQ(replies_->ended, 1);
  EXPECT_FALSE(handshake->Describe());
  ExpectAllGivenBack();
}

TEST_F(HandshakesTest, AStopTellsThePeerAndTheCaller) {
  auto handshake = Begin();
  LibsslClient peer({});
  handshake->FromPeer(peer.Receive({}));
  replies_->Take();
  handshake->Stop(absl::AbortedError("AbortHandshake was called"));
  auto last = replies_->Take();
  ASSERT_TRUE(last);
  EXPECT_EQ(std::get<Stopped>(last->outcome).status.code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(last->to_peer.empty());
}

TEST_F(HandshakesTest, AnAbandonedOneSaysNothing) {
  auto handshake = Begin();
  handshake->Abandon();
  EXPECT_FALSE(replies_->Take());
  EXPECT_EQ(replies_.use_count(), 1);  // nor holds on to who listened
  ExpectAllGivenBack();
}

TEST_F(HandshakesTest, ADestroyedTableAbandonsWhatIsLeft) {
  auto another = std::make_unique<Handshakes>(backends_.services);
  auto handshake = *another->Begin(backends_.NewStart(replies_));
  another.reset();
  EXPECT_FALSE(handshake->Describe());
  EXPECT_EQ(backends_.admission.live, 0);
}

TEST_F(HandshakesTest, AnAlertOfThePeerIsItsFailure) {
  auto handshake = Begin();
  const tls::Bytes alert = {21, 3, 3, 0, 2, 2, 40};
  handshake->FromPeer(alert);
  auto last = replies_->Take();
  ASSERT_TRUE(last && std::holds_alternative<Failed>(last->outcome));
  EXPECT_EQ(std::get<Failed>(last->outcome).failure.origin, tls::Origin::kPeerAlert);
  EXPECT_EQ(std::get<Failed>(last->outcome).failure.alert, 40);
  EXPECT_EQ(backends_.metrics.failed, 1);
}

TEST_F(HandshakesTest, HandlesAreDistinct) {
  std::set<std::string> hex;
  for (int i = 0; i < 100'000; ++i) hex.insert(ToHex(*NewHandle(tls::SystemRandomness())));
  EXPECT_EQ(hex.size(), 100'000u);
  for (const std::string& text : hex) ASSERT_EQ(ToHex(*HandleFromHex(text)), text);
}

// RSA stands apart: the step returns, the answer comes when the lane has run it.
class SlowLane : public HandshakesTest {
 protected:
  SlowLane() : backends_rsa_(tls::KeyType::kRsa2048), slow_(backends_rsa_.services) {}

  std::shared_ptr<Handshake> BeginSlow() { return *slow_.Begin(backends_rsa_.NewStart(replies_)); }

  Backends backends_rsa_;
  Handshakes slow_;
};

TEST_F(SlowLane, AnswersLater) {
  auto handshake = BeginSlow();
  LibsslClient peer({});
  handshake->FromPeer(peer.Receive({}));
  EXPECT_FALSE(replies_->Take());
  EXPECT_EQ(backends_rsa_.key.uses, 0);
  EXPECT_EQ(handshake->Describe()->state, "AwaitPrivateKey");
  ASSERT_TRUE(backends_rsa_.work.RunOne());
  EXPECT_EQ(backends_rsa_.work.lanes, std::vector<access::Lane>{access::Lane::kRsa});
  auto flight = replies_->Take();
  ASSERT_TRUE(flight);
  handshake->FromPeer(peer.Receive(flight->to_peer));
  EXPECT_TRUE(std::holds_alternative<Done>(replies_->Take()->outcome));
}

TEST_F(SlowLane, AnAnswerAfterTheEndIsDropped) {
  auto handshake = BeginSlow();
  LibsslClient peer({});
  handshake->FromPeer(peer.Receive({}));
  handshake->GiveUp(tls::Reason::kDeadlineExceeded);
  ASSERT_TRUE(backends_rsa_.work.RunOne());
  EXPECT_EQ(replies_->ended, 1);
  EXPECT_EQ(backends_rsa_.connections.all.size(), 0u);
}

TEST_F(SlowLane, AFullOneRefusesTheHandshake) {
  backends_rsa_.work.full = true;
  auto handshake = BeginSlow();
  LibsslClient peer({});
  handshake->FromPeer(peer.Receive({}));
  auto last = replies_->Take();
  ASSERT_TRUE(last && std::holds_alternative<Stopped>(last->outcome));
  EXPECT_EQ(std::get<Stopped>(last->outcome).status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(last->to_peer.empty());
  EXPECT_EQ(slow_.live(), 0u);
}

TEST_F(HandshakesTest, APeerWithoutTrustIsRefusedInWords) {
  backends_.profile->tls.client_auth = tls::ClientAuth::kRequired;
  backends_.profile->trust_bundle = "clients";
  const tls::test::Leaf leaf = tls::test::TestCa::Create("CA").Issue({.client = true});
  auto handshake = Begin();
  LibsslClient peer({.certificate = &leaf});
  handshake->FromPeer(peer.Receive({}));
  handshake->FromPeer(peer.Receive(replies_->Take()->to_peer));
  auto last = replies_->Take();
  ASSERT_TRUE(last && std::holds_alternative<Failed>(last->outcome));
  EXPECT_EQ(std::get<Failed>(last->outcome).failure.reason, tls::Reason::kUnknownCa);
  EXPECT_EQ(std::get<Failed>(last->outcome).detail, "nobody is trusted");
}

// ---- The client role.

TEST_F(HandshakesTest, AClientNeedsAProfileThatTrustsServers) {
  Start start = backends_.NewStart(replies_);
  start.role = Role::kClient;
  start.server_name = "db.test";
  const absl::Status refused = table_.Begin(start).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(access::ReasonOf(refused), "NO_SERVER_TRUST");
  EXPECT_NE(refused.message().find("server_trust_bundle"), std::string::npos);
  // The bundle for clients is another.
  backends_.profile->trust_bundle = "clients";
  EXPECT_FALSE(table_.Begin(start).ok());
  EXPECT_EQ(backends_.metrics.started, 0);
  backends_.profile->server_trust_bundle = "servers";
  EXPECT_TRUE(table_.Begin(start).ok());
}

TEST_F(HandshakesTest, AClientSpeaksFirstAndJudgesTheServer) {
  std::string logged;
  const observe::CapturedLog log(
      observe::Format::kJson, [&](std::string_view line) { logged += line; }, [] { return 0.0; });
  backends_.profile->server_trust_bundle = "servers";
  Start start = backends_.NewStart(replies_);
  start.role = Role::kClient;
  start.server_name = "db.test";
  auto handshake = *table_.Begin(std::move(start));
  handshake->Begin({});
  auto hello = replies_->Take();
  ASSERT_TRUE(hello && !hello->to_peer.empty());
  EXPECT_EQ(hello->to_peer[0], 22) << "a handshake record";
  EXPECT_EQ(hello->consumed, 0u);
  SSL_CTX* context =
      tls::test::LibsslServerContext(tls::test::TestCa::Create("CA").Issue({.dns = {"db.test"}}));
  tls::test::LibsslServer peer(context);
  SSL_CTX_free(context);
  handshake->FromPeer(peer.Receive(hello->to_peer));
  auto last = replies_->Take();
  ASSERT_TRUE(last && std::holds_alternative<Failed>(last->outcome));
  EXPECT_EQ(std::get<Failed>(last->outcome).failure.reason, tls::Reason::kNameMismatch);
  EXPECT_EQ(std::get<Failed>(last->outcome).detail, "no server is trusted");
  EXPECT_EQ(backends_.metrics.failed, 1);
  EXPECT_EQ(backends_.metrics.as_client, 1);
  EXPECT_NE(logged.find("\"role\":\"client\""), std::string::npos) << logged;
  ExpectAllGivenBack();
}

TEST_F(HandshakesTest, ADeadlineBeforeTheClientHelloEndsIt) {
  backends_.profile->server_trust_bundle = "servers";
  Start start = backends_.NewStart(replies_);
  start.role = Role::kClient;
  start.server_name = "db.test";
  auto handshake = *table_.Begin(std::move(start));
  handshake->GiveUp(tls::Reason::kDeadlineExceeded);
  handshake->Begin({});
  EXPECT_EQ(replies_->all.size(), 1u) << "nothing after the end";
  EXPECT_TRUE(replies_->Take()->to_peer.empty()) << "the server has heard nothing yet";
  EXPECT_EQ(replies_->ended, 1);
  ExpectAllGivenBack();
}

}  // namespace
}  // namespace handfast::handshakes::test
