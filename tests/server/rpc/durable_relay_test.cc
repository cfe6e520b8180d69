// Relay under a durable profile: streams are lost, and their handshakes go on at other replicas.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::AsBytes;
using tls::Bytes;
using tls::test::LibsslClient;

// A store that can be taken away.
class FlakyStore final : public store::Store {
 public:
  explicit FlakyStore(store::Store& store) : store_(store) {}
  bool away = false;

  absl::StatusOr<store::Value> Get(const store::Key& key) override {
    if (away) return Away();
    return store_.Get(key);
  }
  absl::Status Put(const store::Key& key, tls::ByteView value, store::TimeToLive ttl) override {
    if (away) return Away();
    return store_.Put(key, value, ttl);
  }
  absl::StatusOr<uint64_t> CompareAndSwap(const store::Key& key, uint64_t generation,
                                          tls::ByteView value, store::TimeToLive ttl) override {
    if (away) return Away();
    return store_.CompareAndSwap(key, generation, value, ttl);
  }
  absl::StatusOr<store::Value> Pop(const store::Key& key) override {
    if (away) return Away();
    return store_.Pop(key);
  }

 private:
  static absl::Status Away() { return absl::UnavailableError("away"); }
  store::Store& store_;
};

class DurableRelay : public testing::Test {
 protected:
  DurableRelay() {
    first_ = std::make_unique<TestService>(TestOptions{.store = &store_});
    second_ =
        std::make_unique<TestService>(TestOptions{.store = &store_, .replica_of = first_.get()});
  }

  v1::Start Start(const Bytes& hello, const std::string& profile = "durable") {
    v1::Start start = PlainStart();
    start.set_profile(profile);
    start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
    start.set_from_peer(hello.data(), hello.size());
    return start;
  }

  static v1::RelayRequest Resuming(uint64_t tag, const std::string& handshake, uint64_t seen) {
    v1::RelayRequest request;
    request.set_tag(tag);
    request.mutable_resume()->set_handshake(handshake);
    request.mutable_resume()->set_bytes_seen(seen);
    return request;
  }

  ManualClock clock_;
  store::MemoryStore memory_{clock_, {.entries = 100, .bytes = size_t{16} << 20}};
  FlakyStore store_{memory_};
  std::unique_ptr<TestService> first_;
  std::unique_ptr<TestService> second_;
};

TEST_F(DurableRelay, GoesThroughAsEver) {
  RelayCall call(first_->Channel(As::kEdge));
  LibsslClient peer({.trusted_pem = first_->ca().pem()});
  const v1::RelayResponse last = RunHandshake(call, 1, Start({}), peer);
  ASSERT_TRUE(last.has_established()) << last.failure().reason() << last.error().message();
  EXPECT_TRUE(peer.done());
  EXPECT_EQ(first_->handshakes().live(), 0u);
  EXPECT_EQ(first_->metrics.started, 1);
  EXPECT_EQ(first_->metrics.finished, 1);
}

// The stream breaks after the first flight, seen whole, in part or not at all.
TEST_F(DurableRelay, GoesOnAtAnotherReplica) {
  const auto identity = first_->ca().Issue({.server = false, .client = true});
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    for (const int seen_of_10 : {0, 3, 10}) {
      LibsslClient peer(
          {.version = version, .trusted_pem = first_->ca().pem(), .certificate = &identity});
      const Bytes hello = peer.Receive({});
      std::optional<v1::RelayResponse> flight;
      {
        RelayCall call(first_->Channel(As::kEdge));
        call.Start(1, Start(hello, "durable-mutual"));
        flight = call.Next();
        ASSERT_TRUE(flight && !flight->to_peer().empty()) << flight->error().message();
      }
      const size_t seen = flight->to_peer().size() * static_cast<size_t>(seen_of_10) / 10;
      Bytes answer = peer.Receive(AsBytes(flight->to_peer().substr(0, seen)));
      RelayCall call(second_->Channel(As::kEdge));
      call.Send(Resuming(9, flight->handshake(), seen));
      const auto again = call.Next();
      ASSERT_TRUE(again && again->tag() == 9) << version;
      EXPECT_EQ(again->error().message(), "");
      EXPECT_EQ(again->to_peer(), flight->to_peer().substr(seen));
      EXPECT_EQ(again->consumed(), hello.size());
      EXPECT_TRUE(flight->resumable() && again->resumable());
      tls::Append(answer, peer.Receive(AsBytes(again->to_peer())));
      call.FromPeer(9, answer);
      const auto last = call.Next();
      ASSERT_TRUE(last);
      ASSERT_TRUE(last->has_established()) << last->failure().reason() << last->error().message();
      peer.Receive(AsBytes(last->to_peer()));
      EXPECT_TRUE(peer.done()) << peer.error();
    }
  }
}

// The server's flight in pieces makes two replies of ours, and neither arrives.
TEST_F(DurableRelay, AllThatWasMissedIsToldAgain) {
  const auto leaf = first_->server_ca().Issue({.dns = {"example.test"}});
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
      tls::test::LibsslServerContext(leaf), &SSL_CTX_free);
  tls::test::LibsslServer peer(context.get());
  v1::Start start = ClientStart("example.test");
  start.set_profile("durable-outbound");
  std::optional<v1::RelayResponse> hello;
  std::string missed;
  Bytes flight;
  {
    RelayCall call(first_->Channel(As::kEdge));
    call.Start(1, start);
    hello = call.Next();
    ASSERT_TRUE(hello && !hello->to_peer().empty()) << hello->error().message();
    flight = peer.Receive(AsBytes(hello->to_peer()));
    const size_t server_hello = size_t{5} + (size_t{flight[3]} << 8 | flight[4]);
    for (const size_t size : {server_hello, flight.size() - server_hello}) {
      const auto from = flight.begin() + static_cast<std::ptrdiff_t>(flight.size() - size);
      call.FromPeer(1,
                    size == server_hello
                        ? Bytes(flight.begin(), flight.begin() + static_cast<std::ptrdiff_t>(size))
                        : Bytes(from, flight.end()));
      const auto reply = call.Next();
      ASSERT_TRUE(reply && !reply->to_peer().empty()) << "two replies, each with bytes";
      missed += reply->to_peer();
    }
  }
  RelayCall call(second_->Channel(As::kEdge));
  call.Send(Resuming(1, hello->handshake(), hello->to_peer().size()));
  const auto again = call.Next();
  ASSERT_TRUE(again && again->has_established()) << again->error().message();
  EXPECT_EQ(again->to_peer(), missed);
  peer.Receive(AsBytes(again->to_peer()));
  EXPECT_TRUE(peer.done());
}

TEST_F(DurableRelay, TellsTheEndAgainForTenSeconds) {
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  std::optional<v1::RelayResponse> first;
  std::optional<v1::RelayResponse> last;
  {
    RelayCall call(first_->Channel(As::kEdge));
    call.Start(1, Start(hello));
    first = call.Next();
    call.FromPeer(1, peer.Receive(AsBytes(first->to_peer())));
    last = call.Next();
    ASSERT_TRUE(last && last->has_established());
  }
  const uint64_t seen = first->to_peer().size();
  RelayCall call(second_->Channel(As::kEdge));
  call.Send(Resuming(1, first->handshake(), seen));
  auto again = call.Next();
  ASSERT_TRUE(again && again->has_established()) << again->error().message();
  EXPECT_EQ(again->established().SerializeAsString(), last->established().SerializeAsString());
  EXPECT_TRUE(again->established().has_traffic_secrets());
  EXPECT_EQ(second_->metrics.finished, 0) << "it was counted where it ended";
  EXPECT_EQ(second_->handshakes().live(), 0u);
  clock_.Advance(std::chrono::seconds(11));
  call.Send(Resuming(2, first->handshake(), seen));
  again = call.Next();
  ASSERT_TRUE(again);
  EXPECT_EQ(ReasonOf(again->error()), "NOT_FOUND");
}

TEST_F(DurableRelay, WhoLosesTheSwapWithTheSameInputSaysTheSame) {
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  RelayCall one(first_->Channel(As::kEdge));
  one.Start(1, Start(hello));
  const auto flight = one.Next();
  ASSERT_TRUE(flight);
  const Bytes answer = peer.Receive(AsBytes(flight->to_peer()));
  RelayCall two(second_->Channel(As::kEdge));
  two.Send(Resuming(1, flight->handshake(), flight->to_peer().size()));
  ASSERT_TRUE(two.Next());
  two.FromPeer(1, answer);
  const auto winner = two.Next();
  ASSERT_TRUE(winner && winner->has_established());
  one.FromPeer(1, answer);
  const auto loser = one.Next();
  ASSERT_TRUE(loser && loser->has_established()) << loser->error().message();
  EXPECT_EQ(loser->established().SerializeAsString(), winner->established().SerializeAsString());
  EXPECT_EQ(loser->to_peer(), winner->to_peer());
  EXPECT_EQ(first_->metrics.finished, 0);
  EXPECT_EQ(second_->metrics.finished, 1);
}

TEST_F(DurableRelay, WhoLosesTheSwapWithAnotherInputIsToldSo) {
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  RelayCall one(first_->Channel(As::kEdge));
  one.Start(1, Start(hello));
  const auto flight = one.Next();
  ASSERT_TRUE(flight);
  RelayCall two(second_->Channel(As::kEdge));
  two.Send(Resuming(1, flight->handshake(), flight->to_peer().size()));
  ASSERT_TRUE(two.Next());
  two.FromPeer(1, peer.Receive(AsBytes(flight->to_peer())));
  ASSERT_TRUE(two.Next()->has_established());
  one.FromPeer(1, {0x17, 3, 3, 0, 1, 0});  // garbage: it would fail
  const auto loser = one.Next();
  ASSERT_TRUE(loser);
  EXPECT_EQ(ReasonOf(loser->error()), "HANDSHAKE_TAKEN_OVER");
  EXPECT_TRUE(loser->to_peer().empty());
  one.Send(Resuming(2, flight->handshake(), flight->to_peer().size()));
  EXPECT_TRUE(one.Next()->has_established());
}

// What is not saved is not said.
TEST_F(DurableRelay, SaysNothingToThePeerWhileTheStoreIsAway) {
  LibsslClient peer({});
  const Bytes hello = peer.Receive({});
  RelayCall call(first_->Channel(As::kEdge));
  call.Start(1, Start(hello));
  const auto flight = call.Next();
  ASSERT_TRUE(flight);
  const Bytes answer = peer.Receive(AsBytes(flight->to_peer()));
  store_.away = true;
  call.FromPeer(1, answer);
  const auto refused = call.Next();
  ASSERT_TRUE(refused);
  EXPECT_EQ(ReasonOf(refused->error()), "STORE_UNAVAILABLE");
  EXPECT_GT(RetryDelayMs(refused->error()), 0);
  EXPECT_TRUE(refused->to_peer().empty());
  EXPECT_EQ(first_->connections().size(), 0u);
  call.Send(Resuming(2, flight->handshake(), flight->to_peer().size()));
  EXPECT_EQ(ReasonOf(call.Next()->error()), "STORE_UNAVAILABLE");
  store_.away = false;
  call.Send(Resuming(3, flight->handshake(), flight->to_peer().size()));
  ASSERT_TRUE(call.Next());
  call.FromPeer(3, answer);
  EXPECT_TRUE(call.Next()->has_established());
}

TEST_F(DurableRelay, RefusesWhatCannotGoOn) {
  LibsslClient peer({});
  RelayCall call(first_->Channel(As::kEdge));
  call.Start(1, Start(peer.Receive({})));
  const auto flight = call.Next();
  ASSERT_TRUE(flight);
  const uint64_t sent = flight->to_peer().size();
  RelayCall other(second_->Channel(As::kEdge));
  other.Send(Resuming(1, flight->handshake(), sent + 1));
  EXPECT_EQ(ReasonOf(other.Next()->error()), "RESUME_GAP");
  other.Send(Resuming(2, "handshakes/" + std::string(32, '0'), 0));
  EXPECT_EQ(ReasonOf(other.Next()->error()), "NOT_FOUND");
  other.Send(Resuming(3, "handshakes/x", 0));
  EXPECT_EQ(ReasonOf(other.Next()->error()), "INVALID_FIELD");
  for (const As caller : {As::kSibling, As::kForeign}) {
    RelayCall stranger(second_->Channel(caller));
    stranger.Send(Resuming(1, flight->handshake(), sent));
    EXPECT_EQ(ReasonOf(stranger.Next()->error()), "NOT_FOUND");
  }
}

// A handshake that is not durable ends with its stream.
TEST_F(DurableRelay, IsForDurableProfilesAlone) {
  LibsslClient peer({});
  std::optional<v1::RelayResponse> flight;
  {
    RelayCall call(first_->Channel(As::kEdge));
    call.Start(1, Start(peer.Receive({}), "intermediate"));
    flight = call.Next();
  }
  ASSERT_TRUE(flight);
  EXPECT_FALSE(flight->resumable());
  RelayCall call(first_->Channel(As::kEdge));
  call.Send(Resuming(1, flight->handshake(), flight->to_peer().size()));
  EXPECT_EQ(ReasonOf(call.Next()->error()), "NOT_FOUND");
}

TEST_F(DurableRelay, AnAbortReachesTheStore) {
  LibsslClient peer({});
  RelayCall call(first_->Channel(As::kEdge));
  call.Start(1, Start(peer.Receive({})));
  const auto flight = call.Next();
  ASSERT_TRUE(flight);
  v1::RelayRequest abort;
  abort.set_tag(1);
  abort.mutable_abort();
  call.Send(abort);
  const auto ended = call.Next();
  ASSERT_TRUE(ended && ended->has_failure());
  RelayCall other(second_->Channel(As::kEdge));
  other.Send(Resuming(1, flight->handshake(), flight->to_peer().size()));
  const auto again = other.Next();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->failure().reason(), "handshake_aborted");
  EXPECT_EQ(again->to_peer(), ended->to_peer());
}

}  // namespace
}  // namespace handfast::rpc::test
