#include "client/core/pump.h"

#include <gtest/gtest.h>

namespace handfast::client {
namespace {

using tls::Bytes;
using Action = Pump::Action;

// A record header that announces five bytes, and the five.
const Bytes kRecord = {22, 3, 1, 0, 5, 1, 2, 3, 4, 5};

TEST(PumpTest, StartsWithTheFirstWholeRecord) {
  Pump pump;
  for (size_t i = 0; i + 1 < kRecord.size(); ++i) {
    EXPECT_EQ(pump.OnTransport({&kRecord[i], 1}).action, Action::kNothing) << i;
    EXPECT_FALSE(pump.started());
  }
  const auto what = pump.OnTransport({&kRecord.back(), 1});
  EXPECT_EQ(what.action, Action::kStart);
  EXPECT_EQ(tls::Copy(what.bytes), kRecord);
  EXPECT_TRUE(pump.started());
}

TEST(PumpTest, LetsTheServiceJudgeWhatIsNoTls) {
  Pump pump;
  const auto what = pump.OnTransport(tls::AsBytes("GET / HTTP/1.1\r\n"));
  EXPECT_EQ(what.action, Action::kStart);
  EXPECT_EQ(tls::AsText(what.bytes), "GET / HTTP/1.1\r\n");
}

TEST(PumpTest, SendsEachLaterByteOnce) {
  Pump pump;
  (void)pump.OnTransport(kRecord);
  const Bytes more = {7, 8};
  const auto what = pump.OnTransport(more);
  EXPECT_EQ(what.action, Action::kSend);
  EXPECT_EQ(tls::Copy(what.bytes), more);
  EXPECT_EQ(pump.OnTransport({}).action, Action::kNothing);
}

TEST(PumpTest, KeepsWhatTheServiceDidNotUse) {
  Pump pump;
  Bytes all = kRecord;
  all.insert(all.end(), {0xaa, 0xbb});
  (void)pump.OnTransport(all);
  EXPECT_TRUE(pump.OnConsumed(4));
  const Bytes more = {0xcc};
  (void)pump.OnTransport(more);
  EXPECT_TRUE(pump.OnConsumed(kRecord.size()));
  EXPECT_TRUE(pump.OnConsumed(kRecord.size())) << "it may say the same again";
  EXPECT_EQ(pump.TakeRest(), (Bytes{0xaa, 0xbb, 0xcc}));
  EXPECT_TRUE(pump.TakeRest().empty());
}

TEST(PumpTest, ResumesWhatHasSpoken) {
  Pump pump;
  Bytes all = kRecord;
  all.insert(all.end(), {0xaa, 0xbb});
  (void)pump.OnTransport(all);
  EXPECT_EQ(pump.Restart().action, Action::kStart) << "nothing was heard yet";
  EXPECT_TRUE(pump.OnConsumed(kRecord.size()));
  EXPECT_EQ(pump.OnReply("handshakes/1", 700).action, Action::kNothing);
  EXPECT_EQ(pump.OnReply("", 50).action, Action::kNothing);
  EXPECT_EQ(pump.Restart().action, Action::kResume);
  EXPECT_EQ(pump.handshake(), "handshakes/1");
  EXPECT_EQ(pump.seen(), 750u);
  const Bytes more = {0xcc};
  EXPECT_EQ(pump.OnTransport(more).action, Action::kNothing) << "not before the reply";
  const auto again = pump.OnReply("handshakes/1", 0);
  EXPECT_EQ(again.action, Action::kSend);
  EXPECT_EQ(tls::Copy(again.bytes), (Bytes{0xaa, 0xbb, 0xcc}));
  EXPECT_EQ(pump.OnTransport(more).action, Action::kSend);
}

TEST(PumpTest, APeerThatLeftIsNotResumed) {
  Pump pump;
  (void)pump.OnTransport(kRecord);
  (void)pump.OnReply("handshakes/1", 700);
  (void)pump.OnTransportEnd();
  EXPECT_EQ(pump.Restart().action, Action::kNothing);
}

TEST(PumpTest, RefusesImpossibleCounts) {
  Pump pump;
  (void)pump.OnTransport(kRecord);
  EXPECT_FALSE(pump.OnConsumed(kRecord.size() + 1)) << "more than was sent";
  EXPECT_TRUE(pump.OnConsumed(5));
  EXPECT_FALSE(pump.OnConsumed(4)) << "going back";
}

TEST(PumpTest, WantsNoMoreThanItMayHold) {
  Pump pump;
  (void)pump.OnTransport(kRecord);
  EXPECT_TRUE(pump.wants_bytes());
  (void)pump.OnTransport(Bytes(kMaxHeldBytes, 0));
  EXPECT_FALSE(pump.wants_bytes());
  EXPECT_TRUE(pump.OnConsumed(kRecord.size() + 1));
  EXPECT_TRUE(pump.wants_bytes());
}

TEST(PumpTest, TellsTheTransportsEndOnceAndOnlyWhereItStarted) {
  Pump silent;
  EXPECT_EQ(silent.OnTransportEnd().action, Action::kNothing);
  Pump pump;
  (void)pump.OnTransport(kRecord);
  EXPECT_EQ(pump.OnTransportEnd().action, Action::kPeerClosed);
  EXPECT_EQ(pump.OnTransportEnd().action, Action::kNothing);
  EXPECT_EQ(pump.OnTransport(kRecord).action, Action::kNothing);
  EXPECT_FALSE(pump.wants_bytes());
}

TEST(PumpTest, BeginsAgainWhileNothingIsUsed) {
  Pump pump;
  EXPECT_EQ(pump.Restart().action, Action::kNothing) << "nothing began";
  (void)pump.OnTransport(kRecord);
  const Bytes more = {7};
  (void)pump.OnTransport(more);
  const auto again = pump.Restart();
  EXPECT_EQ(again.action, Action::kStart);
  EXPECT_EQ(again.bytes.size(), kRecord.size() + 1);
  EXPECT_TRUE(pump.OnConsumed(1));
  EXPECT_EQ(pump.Restart().action, Action::kNothing) << "the first service knows more";
}

// A fake relay that uses up as it likes, and a transport that cuts as it likes: nothing is lost,
// doubled or out of order.
TEST(PumpTest, EverySplitCarriesEveryByteOnce) {
  Bytes stream = kRecord;
  for (int i = 0; i < 20; ++i) stream.push_back(static_cast<uint8_t>(i));
  const size_t handshake = 18;
  for (size_t cut = 1; cut < stream.size(); ++cut) {
    for (size_t step = 1; step < 7; ++step) {
      Pump pump;
      Bytes relayed;
      uint64_t used = 0;
      const tls::ByteView whole(stream);
      for (const tls::ByteView part : {whole.first(cut), whole.subspan(cut)}) {
        tls::Append(relayed, pump.OnTransport(part).bytes);
        while (used + step <= std::min(relayed.size(), handshake)) {
          ASSERT_TRUE(pump.OnConsumed(used += step));
        }
      }
      ASSERT_EQ(relayed, stream);
      ASSERT_EQ(pump.TakeRest(),
                Bytes(stream.begin() + static_cast<ptrdiff_t>(used), stream.end()));
    }
  }
}

}  // namespace
}  // namespace handfast::client
