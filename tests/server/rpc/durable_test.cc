// Handshakes of durable profiles: each step at another replica, and what replicas owe each other.

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/step_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::Bytes;
using tls::test::LibsslClient;
using tls::test::LibsslServer;

// Three services on one store.
class Durable : public testing::Test {
 protected:
  explicit Durable(tls::KeyType type = tls::KeyType::kEcdsaP256) {
    replicas_.push_back(
        std::make_unique<TestService>(TestOptions{.key_type = type, .store = &store_}));
    for (int i = 0; i < 2; ++i) {
      replicas_.push_back(std::make_unique<TestService>(
          TestOptions{.key_type = type, .store = &store_, .replica_of = replicas_.front().get()}));
    }
    for (const auto& replica : replicas_) {
      callers_.push_back(std::make_unique<StepCaller>(replica->Channel(As::kEdge)));
    }
  }

  static v1::Start Start(const std::string& profile, bool release = true) {
    v1::Start start = PlainStart();
    start.set_profile(profile);
    if (release) start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
    return start;
  }

  std::string Begin(const v1::Start& start) {
    v1::StartHandshakeResponse response;
    const grpc::Status status = callers_[0]->Start(start, response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    next_ = {response.next().begin(), response.next().end()};
    return response.handshake();
  }

  // The next step at the next replica, and again at the one after that.
  v1::StepResponse Step(const std::string& handshake, const Bytes& from_peer) {
    v1::StepRequest request;
    request.set_handshake(handshake);
    request.set_step(++step_);
    request.set_from_peer(from_peer.data(), from_peer.size());
    const std::string rpc = RpcOf(Due().step());
    v1::StepResponse first;
    const grpc::Status status = callers_[step_ % 3]->Step(rpc, request, first);
    EXPECT_TRUE(status.ok()) << rpc << ": " << status.error_message();
    v1::StepResponse again;
    EXPECT_TRUE(callers_[(step_ + 1) % 3]->Step(rpc, request, again).ok()) << rpc;
    EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString()) << rpc;
    next_ = {first.next().begin(), first.next().end()};
    return first;
  }

  v1::Next Due() const {
    const auto held =
        std::find_if(next_.begin(), next_.end(), [](const auto& n) { return n.held(); });
    return held == next_.end() ? next_.at(0) : *held;
  }

  // Until it ends; what `peer` answers to each of our messages.
  template <class Peer>
  v1::StepResponse Run(const std::string& handshake, Peer& peer, Bytes from_peer) {
    for (;;) {
      v1::StepResponse response = Step(handshake, std::exchange(from_peer, {}));
      if (!response.to_peer().empty()) from_peer = peer.Receive(tls::AsBytes(response.to_peer()));
      if (response.outcome_case() != v1::StepResponse::OUTCOME_NOT_SET ||
          testing::Test::HasFailure()) {
        return response;
      }
    }
  }

  ManualClock clock_;
  store::MemoryStore store_{clock_, {.entries = 100, .bytes = size_t{16} << 20}};
  std::vector<std::unique_ptr<TestService>> replicas_;
  std::vector<std::unique_ptr<StepCaller>> callers_;
  std::vector<v1::Next> next_;
  uint32_t step_ = 0;
};

TEST_F(Durable, EachStepOfAServerAtAnotherReplica) {
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    const auto identity = replicas_[0]->ca().Issue({.server = false, .client = true});
    LibsslClient peer({.version = version,
                       .server_name = "example.test",
                       .trusted_pem = replicas_[0]->ca().pem(),
                       .certificate = &identity});
    step_ = 0;
    const std::string handshake = Begin(Start("durable-mutual"));
    const v1::StepResponse last = Run(handshake, peer, peer.Receive({}));
    EXPECT_TRUE(peer.done()) << peer.error();
    ASSERT_TRUE(last.has_established()) << last.failure().reason();
    EXPECT_EQ(last.established().peer().verified_by(), "clients");
    EXPECT_EQ(last.established().server_name(), "example.test");
  }
}

TEST_F(Durable, EachStepOfAClientAtAnotherReplica) {
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    const auto leaf = replicas_[0]->server_ca().Issue({.dns = {"example.test"}});
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        tls::test::LibsslServerContext(leaf), &SSL_CTX_free);
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    LibsslServer peer(context.get());
    v1::Start start = ClientStart("example.test");
    start.set_profile("durable-outbound");
    step_ = 0;
    const v1::StepResponse last = Run(Begin(start), peer, {});
    EXPECT_TRUE(peer.done());
    ASSERT_TRUE(last.has_established()) << last.failure().reason();
  }
}

// What is not released stays with the replica that made the last step, and is known to no other.
TEST_F(Durable, KeysThatStayAreWithTheLastReplicaAlone) {
  LibsslClient peer({});
  const v1::StepResponse last =
      Run(Begin(Start("durable", /*release=*/false)), peer, peer.Receive({}));
  ASSERT_TRUE(last.has_established());
  size_t kept = 0;
  for (const auto& replica : replicas_) kept += replica->connections().size();
  EXPECT_EQ(kept, 1u);
  EXPECT_EQ(replicas_[step_ % 3]->connections().size(), 1u);
  EXPECT_FALSE(last.established().has_traffic_secrets());
}

TEST_F(Durable, AFailureIsToldByWhicheverReplicaIsAsked) {
  const std::string handshake = Begin(Start("durable"));
  const v1::StepResponse last = Step(handshake, {0x16, 3, 1, 0, 4, 1, 0, 0, 0});
  ASSERT_TRUE(last.has_failure());
  EXPECT_EQ(last.failure().alert_name(), "decode_error");
  EXPECT_EQ(last.to_peer().size(), 7u);
  v1::Handshake view;
  EXPECT_EQ(callers_[0]->Get(handshake, view).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(Durable, OfTwoCallersWithTheSameStepBothGetTheSameReply) {
  LibsslClient peer({});
  const std::string handshake = Begin(Start("durable"));
  const Bytes hello = peer.Receive({});
  v1::StepRequest request;
  request.set_handshake(handshake);
  request.set_step(1);
  request.set_from_peer(hello.data(), hello.size());
  std::vector<v1::StepResponse> replies(9);
  std::vector<std::thread> callers;
  for (size_t i = 0; i < replies.size(); ++i) {
    callers.emplace_back([&, i] {
      StepCaller caller(replicas_[i % 3]->Channel(As::kEdge));
      EXPECT_TRUE(caller.Step("Advance", request, replies[i]).ok());
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_FALSE(replies[0].to_peer().empty());
  for (const v1::StepResponse& reply : replies) {
    EXPECT_EQ(reply.SerializeAsString(), replies[0].SerializeAsString());
  }
}

TEST_F(Durable, AbortAndDeadlineAreToldByTheNextStep) {
  for (const bool abort : {true, false}) {
    const std::string handshake = Begin(Start("durable"));
    if (abort) {
      ASSERT_TRUE(callers_[1]->Abort(handshake).ok());
    } else {
      for (const auto& replica : replicas_) replica->clock.Advance(std::chrono::seconds(11));
    }
    step_ = 0;
    const v1::StepResponse last = Step(handshake, {});
    ASSERT_TRUE(last.has_failure());
    EXPECT_EQ(last.failure().reason(), abort ? "handshake_aborted" : "deadline_exceeded");
  }
}

TEST_F(Durable, IsUnknownToOthersAndWhenItIsGone) {
  const std::string handshake = Begin(Start("durable"));
  v1::StepRequest request;
  request.set_handshake(handshake);
  request.set_step(1);
  v1::StepResponse response;
  for (const As caller : {As::kSibling, As::kForeign}) {
    StepCaller stranger(replicas_[1]->Channel(caller));
    EXPECT_EQ(stranger.Step("Advance", request, response).error_code(),
              grpc::StatusCode::NOT_FOUND);
    v1::Handshake view;
    EXPECT_EQ(stranger.Get(handshake, view).error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(stranger.Abort(handshake).error_code(), grpc::StatusCode::NOT_FOUND);
  }
  v1::Handshake view;
  ASSERT_TRUE(callers_[2]->Get(handshake, view).ok());
  EXPECT_EQ(view.profile(), "durable");
  // Ten seconds of deadline, ten for the failure to be told.
  clock_.Advance(std::chrono::seconds(21));
  EXPECT_EQ(callers_[0]->Step("Advance", request, response).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

class DurableRsa : public Durable {
 protected:
  DurableRsa() : Durable(tls::KeyType::kRsa2048) {}
};

TEST_F(DurableRsa, SignsAtWhicheverReplica) {
  LibsslClient peer({.trusted_pem = replicas_[0]->ca().pem()});
  const v1::StepResponse last = Run(Begin(Start("durable")), peer, peer.Receive({}));
  ASSERT_TRUE(last.has_established()) << last.failure().reason();
  EXPECT_TRUE(peer.done());
}

}  // namespace
}  // namespace handfast::rpc::test
