// Records of connections whose keys stay in the service: both directions, retries, and what is not
// done twice.
#include "server/connections/kept_connection.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/access/error_details_interface.h"
#include "tests/server/connections/kept_fixture.h"
#include "tests/tls/connection/libssl_server.h"
#include "tls/base/registry.h"

namespace handfast::connections {
namespace {

using absl::StatusCode;
using test::Pattern;
using tls::Bytes;
using tls::ByteView;

std::string Expected(const absl::Status& status) {
  return access::Payload(status, "handfast.dev/metadata/expected_seq").value_or("");
}

class KeptConnectionTest : public testing::TestWithParam<int> {
 protected:
  KeptConnectionTest() : pair_(test::Established({.version = GetParam()})) {
    kept_ = std::make_unique<KeptConnection>(std::move(pair_.ours), clock_, bytes_);
  }
  bool tls13() const { return GetParam() == TLS1_3_VERSION; }
  tls::test::LibsslClient& peer() { return *pair_.peer; }

  RecordAnswer Seal(std::optional<uint64_t> seq, ByteView plaintext) {
    auto answer = kept_->Seal({.first_seq = seq, .plaintext = plaintext});
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : RecordAnswer{std::make_shared<RecordReply>()};
  }
  RecordAnswer Open(std::optional<uint64_t> seq, ByteView bytes, bool peer_closed = false) {
    auto answer = kept_->Open({.first_seq = seq, .from_peer = bytes, .peer_closed = peer_closed});
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *answer : RecordAnswer{std::make_shared<RecordReply>()};
  }
  absl::Status SealStatus(uint64_t seq, ByteView plaintext) {
    return kept_->Seal({.first_seq = seq, .plaintext = plaintext}).status();
  }
  void ExpectOver() {
    EXPECT_EQ(kept_->Seal({std::nullopt, tls::AsBytes("x")}).status().code(),
              StatusCode::kNotFound);
    EXPECT_EQ(kept_->Open({std::nullopt, {}}).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(kept_->Close().status().code(), StatusCode::kNotFound);
    EXPECT_TRUE(kept_->ended());
  }

  test::TurnedClock clock_;
  std::shared_ptr<KeptReplyBytes> bytes_ = std::make_shared<KeptReplyBytes>(0);
  test::Pair pair_;
  std::unique_ptr<KeptConnection> kept_;
};
INSTANTIATE_TEST_SUITE_P(Versions, KeptConnectionTest,
                         testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(KeptConnectionTest, BothDirectionsInRecordsOfAnySize) {
  uint64_t seal_seq = 0;
  uint64_t open_seq = 0;
  uint64_t offset = 0;
  for (const size_t size : {size_t{1}, size_t{16384}, size_t{16385}, kMaxCallBytes}) {
    const Bytes sent = Pattern(size);
    const auto sealed = Seal(seal_seq, sent).reply;
    EXPECT_EQ(peer().Read(sealed->to_peer), sent);
    EXPECT_EQ(sealed->to_peer_offset, offset);
    offset += sealed->to_peer.size();
    EXPECT_EQ(sealed->next_seal_seq, seal_seq + (size + 16383) / 16384);
    seal_seq = sealed->next_seal_seq;

    const Bytes records = peer().Write(Pattern(size, 2));
    Bytes heard;
    for (ByteView rest = records; !rest.empty();) {
      const auto opened = Open(open_seq, rest.first(std::min(rest.size(), kMaxCallBytes))).reply;
      ASSERT_GT(opened->consumed, 0u);
      tls::Append(heard, opened->plaintext);
      rest = rest.subspan(opened->consumed);
      open_seq = opened->next_open_seq;
    }
    EXPECT_EQ(heard, Pattern(size, 2));
  }
}

TEST_P(KeptConnectionTest, TheLastCallAgainGetsTheSameBytes) {
  const Bytes sent = Pattern(20'000);
  const auto sealed = Seal(0, sent);
  EXPECT_FALSE(sealed.repeated);
  const Bytes records = peer().Write(Pattern(100));
  const auto opened = Open(0, records);
  for (int i = 0; i < 3; ++i) {
    const auto again = Seal(0, sent);
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.reply->to_peer, sealed.reply->to_peer);
    EXPECT_EQ(again.reply->next_seal_seq, 2u);
    const auto opened_again = Open(0, records);
    EXPECT_TRUE(opened_again.repeated);
    EXPECT_EQ(opened_again.reply->plaintext, Pattern(100));
  }
  // The peer has it once, and the next record follows.
  EXPECT_EQ(peer().Read(sealed.reply->to_peer), sent);
  EXPECT_EQ(peer().Read(Seal(2, tls::AsBytes("next")).reply->to_peer),
            tls::Copy(tls::AsBytes("next")));
}

// The control of the one before: the same bytes sealed anew are another record.
TEST_P(KeptConnectionTest, WithoutANumberEachCallIsANewOne) {
  const auto first = Seal(std::nullopt, tls::AsBytes("hello"));
  const auto second = Seal(std::nullopt, tls::AsBytes("hello"));
  EXPECT_FALSE(second.repeated);
  EXPECT_NE(first.reply->to_peer, second.reply->to_peer);
  EXPECT_EQ(*bytes_, 0u) << "nothing is kept";
  // And a numbered one that comes late is refused, for its reply is not there.
  EXPECT_EQ(Expected(SealStatus(0, tls::AsBytes("hello"))), "2");
}

TEST_P(KeptConnectionTest, AnotherInputUnderTheLastNumberConflicts) {
  const auto sealed = Seal(0, tls::AsBytes("hello"));
  const absl::Status conflict = SealStatus(0, tls::AsBytes("other"));
  EXPECT_EQ(conflict.code(), StatusCode::kAborted);
  EXPECT_EQ(access::ReasonOf(conflict), "SEQUENCE_CONFLICT");
  const Bytes records = peer().Write(tls::AsBytes("hi"));
  Open(0, records);
  EXPECT_EQ(kept_->Open({0, records, /*peer_closed=*/true}).status().code(), StatusCode::kAborted);
  EXPECT_EQ(kept_->Open({0, {}}).status().code(), StatusCode::kAborted);
  // Nothing happened.
  EXPECT_TRUE(Seal(0, tls::AsBytes("hello")).repeated);
  EXPECT_TRUE(Open(0, records).repeated);
  EXPECT_EQ(Seal(1, tls::AsBytes("next")).reply->to_peer_offset, sealed.reply->to_peer.size());
}

TEST_P(KeptConnectionTest, AGapIsRefusedAndNamesTheNextNumber) {
  Seal(0, tls::AsBytes("one"));
  Seal(1, tls::AsBytes("two"));
  for (const uint64_t seq : {uint64_t{0}, uint64_t{3}, UINT64_MAX}) {
    const absl::Status gap = SealStatus(seq, tls::AsBytes("x"));
    EXPECT_EQ(gap.code(), StatusCode::kFailedPrecondition) << seq;
    EXPECT_EQ(access::ReasonOf(gap), "SEQUENCE_MISMATCH");
    EXPECT_EQ(Expected(gap), "2");
  }
  EXPECT_EQ(Expected(kept_->Open({1, peer().Write(tls::AsBytes("hi"))}).status()), "0");
  EXPECT_EQ(Seal(2, tls::AsBytes("three")).reply->next_seal_seq, 3u);
}

TEST_P(KeptConnectionTest, ARetryIsPossibleForTenSeconds) {
  Seal(0, Pattern(1000));
  EXPECT_GE(*bytes_, 1000u);
  clock_.Advance(kReplyKept);
  EXPECT_FALSE(kept_->ForgetOld());
  EXPECT_TRUE(Seal(0, Pattern(1000)).repeated);
  clock_.Advance(std::chrono::milliseconds(1));
  EXPECT_FALSE(kept_->ForgetOld());
  EXPECT_EQ(*bytes_, 0u);
  EXPECT_EQ(Expected(SealStatus(0, Pattern(1000))), "1");
  EXPECT_FALSE(Seal(1, Pattern(1000)).repeated);
}

TEST_P(KeptConnectionTest, KeptRepliesAreBoundedForTheTenant) {
  const Bytes records = peer().Write(tls::AsBytes("hi"));
  *bytes_ = kMaxKeptReplyBytes - 1;
  Seal(0, tls::AsBytes("x"));
  const absl::Status refused = SealStatus(1, tls::AsBytes("y"));
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(access::ReasonOf(refused), "KEPT_REPLIES_LIMIT");
  EXPECT_GT(access::RetryDelayMsOf(refused).value_or(0), 0);
  EXPECT_EQ(kept_->Open({0, records}).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(Seal(0, tls::AsBytes("x")).repeated) << "what is kept can be had";
  EXPECT_FALSE(Seal(std::nullopt, tls::AsBytes("y")).repeated) << "and what is not kept, made";
  *bytes_ = 0;
}

TEST_P(KeptConnectionTest, WhatIsNoWholeRecordStaysWithTheCaller) {
  Bytes records = peer().Write(tls::AsBytes("one"));
  const size_t first = records.size();
  tls::Append(records, peer().Write(tls::AsBytes("two")));
  uint64_t seq = 0;
  for (size_t cut = 0; cut < first; ++cut) {
    const auto opened = Open(seq, ByteView(records).first(cut)).reply;
    ASSERT_EQ(opened->consumed, 0u) << cut;
    ASSERT_EQ(opened->next_open_seq, 0u);
    ASSERT_TRUE(opened->plaintext.empty());
  }
  const auto one = Open(seq, ByteView(records).first(records.size() - 1)).reply;
  EXPECT_EQ(tls::AsText(one->plaintext), "one");
  EXPECT_EQ(one->consumed, first);
  seq = one->next_open_seq;
  EXPECT_EQ(seq, 1u);
  EXPECT_EQ(tls::AsText(Open(seq, ByteView(records).subspan(first)).reply->plaintext), "two");
}

TEST_P(KeptConnectionTest, CloseEndsWhatWeSendAndNothingElse) {
  const auto closed = kept_->Close();
  ASSERT_TRUE(closed.ok());
  EXPECT_TRUE(peer().Read(closed->reply->to_peer).empty());
  EXPECT_NE(SSL_get_shutdown(peer().ssl()) & SSL_RECEIVED_SHUTDOWN, 0);
  EXPECT_EQ(kept_->Close()->reply->to_peer, closed->reply->to_peer) << "once";
  const absl::Status refused = SealStatus(0, tls::AsBytes("x"));
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(access::ReasonOf(refused), "WRITE_CLOSED");
  EXPECT_EQ(tls::AsText(Open(0, peer().Write(tls::AsBytes("still"))).reply->plaintext), "still");
  const auto end = Open(std::nullopt, peer().Close(), /*peer_closed=*/true).reply;
  EXPECT_TRUE(end->peer_closed);
  EXPECT_FALSE(end->failure);
}

TEST_P(KeptConnectionTest, AfterAFailureTheLastReplyCanBeHadForTenSeconds) {
  Bytes forged = peer().Write(tls::AsBytes("hi"));
  forged.back() ^= 1;
  const auto failed = Open(0, forged).reply;
  ASSERT_TRUE(failed->failure);
  EXPECT_EQ(failed->failure->reason, tls::Reason::kBadRecordMac);
  EXPECT_FALSE(failed->to_peer.empty()) << "the alert";
  EXPECT_EQ(failed->consumed, forged.size());
  ExpectOver();
  const auto again = Open(0, forged);
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.reply->to_peer, failed->to_peer);
  EXPECT_EQ(kept_->Open({0, tls::AsBytes("other")}).status().code(), StatusCode::kNotFound);
  clock_.Advance(kReplyKept);
  EXPECT_FALSE(kept_->ForgetOld());
  clock_.Advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(kept_->ForgetOld());
  EXPECT_EQ(kept_->Open({0, forged}).status().code(), StatusCode::kNotFound);
}

TEST_P(KeptConnectionTest, WhatCameBeforeAFailureIsTold) {
  Bytes records = peer().Write(tls::AsBytes("good"));
  Bytes forged = peer().Write(tls::AsBytes("bad"));
  forged.back() ^= 1;
  tls::Append(records, forged);
  const auto opened = Open(0, records).reply;
  EXPECT_TRUE(opened->failure);
  EXPECT_EQ(tls::AsText(opened->plaintext), "good");
}

TEST_P(KeptConnectionTest, KeyUpdatesOfEitherSide) {
  if (!tls13()) GTEST_SKIP() << "TLS 1.2 has none";
  uint64_t seq = 0;
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(SSL_key_update(peer().ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    const auto opened = Open(std::nullopt, peer().Write(tls::AsBytes("new key"))).reply;
    EXPECT_EQ(tls::AsText(opened->plaintext), "new key");
    EXPECT_EQ(opened->records, 2u);
    const auto sealed = Seal(seq, tls::AsBytes("mine too"));
    seq = sealed.reply->next_seal_seq;
    EXPECT_EQ(seq, i + 1u) << "the KeyUpdate is not counted";
    EXPECT_EQ(tls::AsText(peer().Read(sealed.reply->to_peer)), "mine too");
    EXPECT_EQ(Seal(seq - 1, tls::AsBytes("mine too")).reply->to_peer, sealed.reply->to_peer);
  }
}

TEST_P(KeptConnectionTest, RenegotiationIsRefused) {
  if (tls13()) GTEST_SKIP() << "TLS 1.3 has none";
  ASSERT_EQ(SSL_renegotiate(peer().ssl()), 1);
  const auto opened = Open(0, peer().Receive({})).reply;
  EXPECT_FALSE(opened->failure) << "the first is courtesy";
  EXPECT_FALSE(opened->to_peer.empty()) << "no_renegotiation";
  EXPECT_EQ(opened->to_peer_offset, 0u);
  // What is sealed next stands behind it.
  EXPECT_EQ(Seal(0, tls::AsBytes("x")).reply->to_peer_offset, opened->to_peer.size());
}

TEST_P(KeptConnectionTest, NothingIsLeftAfterTheEnd) {
  Seal(0, Pattern(1000));
  kept_->End();
  EXPECT_EQ(*bytes_, 0u);
  ExpectOver();
  EXPECT_EQ(SealStatus(0, Pattern(1000)).code(), StatusCode::kNotFound);
}

// Records of many threads leave in the order of their offsets, and the peer can read them all.
TEST_P(KeptConnectionTest, CallsOfManyThreadsAreOrdered) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 200;
  std::vector<std::shared_ptr<const RecordReply>> replies(kThreads * kCalls);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kCalls; ++i) {
        replies[static_cast<size_t>(t * kCalls + i)] =
            kept_->Seal({std::nullopt, tls::AsBytes("0123456789")})->reply;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::sort(replies.begin(), replies.end(),
            [](const auto& a, const auto& b) { return a->to_peer_offset < b->to_peer_offset; });
  Bytes all;
  for (const auto& reply : replies) {
    ASSERT_EQ(reply->to_peer_offset, all.size());
    tls::Append(all, reply->to_peer);
  }
  EXPECT_EQ(peer().Read(all).size(), size_t{10} * kThreads * kCalls);
}

TEST(KeptCbcConnection, RecordsOfAnyPadding) {
  test::Pair pair =
      test::Established({.version = TLS1_2_VERSION, .cipher_list = "ECDHE-ECDSA-AES128-SHA256"},
                        tls::LegacyProfile());
  test::TurnedClock clock;
  KeptConnection kept(std::move(pair.ours), clock, std::make_shared<KeptReplyBytes>(0));
  const auto opened = kept.Open({0, pair.peer->Write(Pattern(16384))});
  EXPECT_EQ((*opened).reply->plaintext, Pattern(16384));
  EXPECT_EQ(pair.peer->Read(kept.Seal({0, Pattern(40'000)})->reply->to_peer), Pattern(40'000));
}

// As a client.
TEST(KeptClient, HandsOnWhatTheServerGivesToResumeWith) {
  const auto ca = tls::test::TestCa::Create("CA");
  SSL_CTX* context = tls::test::LibsslServerContext(ca.Issue({.dns = {"a.test"}}), /*tickets=*/2);
  tls::test::ServerKit kit;
  kit.as_client = true;
  kit.clients = std::make_shared<const tls::TrustBundle>(ca.Bundle());
  tls::test::ServerDriver client(kit, {.server_name = "a.test"});
  tls::test::LibsslServer server(context);
  Bytes to_server = client.Begin();
  while (!client.established()) to_server = client.Receive(server.Receive(to_server));
  const Bytes tickets = server.Receive(to_server);

  test::TurnedClock clock;
  std::vector<std::string> names;
  KeptConnection kept(client.Take(), clock, std::make_shared<KeptReplyBytes>(0),
                      [&](const tls::Session& spent) { names.push_back(spent.server_name); });
  EXPECT_EQ(kept.Open({0, tickets})->reply->new_session_tickets, 2u);
  EXPECT_EQ(names, std::vector<std::string>({"a.test", "a.test"}));
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace handfast::connections
