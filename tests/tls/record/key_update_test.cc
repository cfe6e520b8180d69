// KeyUpdate (RFC 8446 §4.6.3), both ways.
#include <gtest/gtest.h>

#include "tests/tls/record/record_peer.h"

namespace handfast::tls::test {
namespace {

constexpr CipherSuite kSuite13 = CipherSuite::kTlsAes128GcmSha256;

TEST(KeyUpdateTest, FollowsThePeersKeyUpdate) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Outcome opened =
      Open(layer, All({peer.SayData("old"), peer.SayKeyUpdate(0), peer.SayData("new")}));
  EXPECT_EQ(opened.data, "oldnew");
  EXPECT_TRUE(opened.answers.empty()) << "update_not_requested is not answered";
}

TEST(KeyUpdateTest, AnswersUpdateRequestedBeforeItsNextData) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Outcome opened = Open(layer, peer.SayKeyUpdate(1));
  Bytes out = opened.answers;
  ASSERT_TRUE(layer.Seal(AsBytes("under new keys"), out).ok());
  const std::vector<Heard> heard = peer.Hear(out);
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].type, ContentType::kHandshake);
  EXPECT_EQ(heard[0].content, RecordPeer::KeyUpdate(0));
  EXPECT_EQ(AsText(heard[1].content), "under new keys");
}

TEST(KeyUpdateTest, KeyUpdateMayComeInPieces) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Bytes message = RecordPeer::KeyUpdate(0);
  Bytes stream;
  for (const uint8_t& byte : message) {
    Append(stream, peer.Say(ContentType::kHandshake, {&byte, 1}));
  }
  EXPECT_FALSE(Open(layer, stream).failure);
}

TEST(KeyUpdateTest, T18_NothingMayStandInsideAMessageOrBehindAKeyChange) {
  {
    auto [layer, peer] = RecordPeer::Connect(kSuite13);
    const Bytes half = {24, 0};
    EXPECT_EQ(
        Open(layer, All({peer.Say(ContentType::kHandshake, half), peer.SayData("x")})).failure,
        Reason::kUnexpectedMessage);
  }
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Bytes two = All({RecordPeer::KeyUpdate(0), RecordPeer::KeyUpdate(0)});
  EXPECT_EQ(Open(layer, peer.Say(ContentType::kHandshake, two)).failure,
            Reason::kKeyChangeInsideMessage);
}

TEST(KeyUpdateTest, RefusesMalformedKeyUpdates) {
  {
    auto [layer, peer] = RecordPeer::Connect(kSuite13);
    const Outcome opened = Open(layer, peer.Say(ContentType::kHandshake, RecordPeer::KeyUpdate(2)));
    EXPECT_EQ(opened.failure, Reason::kBadKeyUpdate);
    ExpectAlert(peer, opened.answers, 2, Alert::kIllegalParameter);
  }
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Bytes too_long = {24, 0, 0, 2, 0, 0};
  const Outcome opened = Open(layer, peer.Say(ContentType::kHandshake, too_long));
  EXPECT_EQ(opened.failure, Reason::kDecodeError);
  ExpectAlert(peer, opened.answers, 2, Alert::kDecodeError);
}

TEST(KeyUpdateTest, T18_BoundsKeyUpdatesWithoutData) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  for (int i = 0; i < 32; ++i) EXPECT_FALSE(Open(layer, peer.SayKeyUpdate(0)).failure) << i;
  EXPECT_EQ(Open(layer, peer.SayData("x")).data, "x");
  for (int i = 0; i < 32; ++i) EXPECT_FALSE(Open(layer, peer.SayKeyUpdate(0)).failure) << i;
  const Outcome opened = Open(layer, peer.SayKeyUpdate(0));
  EXPECT_EQ(opened.failure, Reason::kTooManyPostHandshakeMessages);
  ExpectAlert(peer, opened.answers, 2, Alert::kUnexpectedMessage);
}

// RFC 8446 §4.6.3: who hears several "while it is silent" may "respond with a single update".
TEST(KeyUpdateTest, AnswersOnceHoweverManyAskWhileItIsSilent) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Open(layer, peer.SayKeyUpdate(1)).answers.empty()) << "nothing to say yet";
  }
  for (const size_t records : {2, 1}) {
    Bytes out;
    ASSERT_TRUE(layer.Seal(AsBytes("data"), out).ok());
    const std::vector<Heard> heard = peer.Hear(out);
    ASSERT_EQ(heard.size(), records);
    if (records == 1) continue;
    EXPECT_EQ(heard[0].content, RecordPeer::KeyUpdate(0));
  }
  EXPECT_FALSE(Open(layer, peer.SayKeyUpdate(1)).failure);
  Bytes out;
  ASSERT_TRUE(layer.Seal(AsBytes("data"), out).ok());
  EXPECT_EQ(peer.Hear(out).size(), 2u) << "it spoke, so that another request is another answer";
}

TEST(KeyUpdateTest, CanBeAskedForEachWay) {
  for (const bool request : {false, true}) {
    auto [layer, peer] = RecordPeer::Connect(kSuite13);
    Bytes out;
    ASSERT_TRUE(layer.UpdateKeys(request, out).ok());
    ASSERT_TRUE(layer.Seal(AsBytes("new"), out).ok());
    const std::vector<Heard> heard = peer.Hear(out);
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(heard[0].content, RecordPeer::KeyUpdate(request));
    EXPECT_EQ(AsText(heard[1].content), "new");
    // What was under way, and then the answer.
    EXPECT_EQ(Open(layer, All({peer.SayData("a"), peer.SayKeyUpdate(0), peer.SayData("b")})).data,
              "ab");
  }
}

// Both ask at once: each side answers, and is two generations on.
TEST(KeyUpdateTest, RequestsMayCross) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  Bytes out;
  ASSERT_TRUE(layer.UpdateKeys(true, out).ok());
  EXPECT_FALSE(Open(layer, peer.SayKeyUpdate(1)).failure);
  ASSERT_TRUE(layer.Seal(AsBytes("x"), out).ok());
  const std::vector<Heard> heard = peer.Hear(out);
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_EQ(heard[0].content, RecordPeer::KeyUpdate(1));
  EXPECT_EQ(heard[1].content, RecordPeer::KeyUpdate(0));
  EXPECT_EQ(Open(layer, All({peer.SayKeyUpdate(0), peer.SayData("y")})).data, "y");
}

TEST(KeyUpdateTest, NeitherInTls12NorBehindTheEnd) {
  auto [tls12, tls12_peer] = RecordPeer::Connect(CipherSuite::kEcdheEcdsaAes128GcmSha256);
  Bytes out;
  EXPECT_EQ(tls12.UpdateKeys(true, out).reason(), Reason::kInternalError);
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  layer.Close(out);
  out.clear();
  EXPECT_EQ(layer.UpdateKeys(true, out).reason(), Reason::kInternalError);
  EXPECT_FALSE(Open(layer, All({peer.SayKeyUpdate(1), peer.SayData("x")})).failure)
      << "there is no next application data before which to answer";
  EXPECT_TRUE(out.empty());
}

// The control of the whole file: a side that does not follow cannot read on.
TEST(KeyUpdateTest, OldKeysDoNotOpenWhatComesBehind) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  EXPECT_FALSE(Open(layer, peer.SayKeyUpdate(0)).failure);
  auto [unaware, same_peer] = RecordPeer::Connect(kSuite13);
  EXPECT_EQ(Open(unaware, peer.SayData("new")).failure, Reason::kBadRecordMac);
}

}  // namespace
}  // namespace handfast::tls::test
