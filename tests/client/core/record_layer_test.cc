#include "client/core/record_layer.h"

#include <gtest/gtest.h>

#include "tests/client/core/record_peer.h"

namespace handfast::client {
namespace {

using test::Heard;
using test::RecordPeer;
using tls::Alert;
using tls::Bytes;
using tls::ByteView;
using tls::CipherSuite;
using tls::ContentType;
using tls::Reason;

constexpr CipherSuite kSuite13 = CipherSuite::kTlsAes128GcmSha256;
constexpr CipherSuite kSuite12 = CipherSuite::kEcdheEcdsaAes128GcmSha256;

struct Outcome {
  std::string data;
  Bytes answers;
  size_t used = 0;
  std::optional<Reason> failure;
};

Outcome Open(RecordLayer& layer, Bytes stream) {
  Outcome outcome;
  std::vector<ByteView> pieces;
  const auto opened = layer.Open(stream, pieces, outcome.answers);
  for (const ByteView piece : pieces) outcome.data += tls::AsText(piece);
  outcome.used = opened.used;
  outcome.failure = opened.failure;
  return outcome;
}

// The order of a list's items is the order in which they are made.
Bytes All(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const Bytes& part : parts) tls::Append(all, part);
  return all;
}

// The only alert in `answers`.
void ExpectAlert(RecordPeer& peer, const Bytes& answers, uint8_t level, Alert alert) {
  const std::vector<Heard> heard = peer.Hear(answers);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(heard[0].type, ContentType::kAlert);
  EXPECT_EQ(heard[0].content, (Bytes{level, static_cast<uint8_t>(alert)}));
}

class EverySuite : public testing::TestWithParam<CipherSuite> {};

TEST_P(EverySuite, CarriesDataBothWays) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  const std::string large(100'000, 'x');
  Bytes out;
  ASSERT_TRUE(layer.Seal(tls::AsBytes("hello"), out).ok());
  ASSERT_TRUE(layer.Seal(tls::AsBytes(large), out).ok());
  std::string heard;
  for (const Heard& record : peer.Hear(out)) {
    EXPECT_EQ(record.type, ContentType::kApplicationData);
    EXPECT_LE(record.content.size(), 16384u);
    heard += tls::AsText(record.content);
  }
  EXPECT_EQ(heard, "hello" + large);
  const Outcome opened = Open(layer, All({peer.SayData("one"), peer.SayData(large)}));
  EXPECT_EQ(opened.data, "one" + large);
  EXPECT_TRUE(opened.answers.empty());
  EXPECT_FALSE(opened.failure);
}

TEST_P(EverySuite, GoesOnFromTheServicesSequenceNumbers) {
  auto [layer, peer] = RecordPeer::Connect(GetParam(), 16384, /*sequence=*/7);
  EXPECT_EQ(Open(layer, peer.SayData("later")).data, "later");
}

TEST_P(EverySuite, SaysAndHearsCloseNotify) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  Bytes out;
  layer.Close(out);
  layer.Close(out);
  ExpectAlert(peer, out, 1, Alert::kCloseNotify);
  EXPECT_TRUE(layer.write_closed());
  EXPECT_FALSE(layer.Seal(tls::AsBytes("late"), out).ok());
  // The other direction stays open.
  EXPECT_EQ(Open(layer, peer.SayData("still here")).data, "still here");
  EXPECT_EQ(layer.OnTransportEnd().reason(), Reason::kPeerClosed);
  const Bytes garbage(40, 0xff);
  const Outcome closing = Open(layer, All({peer.SayAlert(1, Alert::kCloseNotify), garbage}));
  EXPECT_TRUE(layer.peer_closed());
  EXPECT_FALSE(closing.failure) << "what follows close_notify is ignored";
  EXPECT_TRUE(layer.OnTransportEnd().ok());
}

// Truncation: wherever the stream is cut, only a whole close_notify makes the end a clean one.
TEST_P(EverySuite, EveryCutBeforeCloseNotifyIsAnError) {
  Bytes whole;
  {
    auto [layer, peer] = RecordPeer::Connect(GetParam());
    whole =
        All({peer.SayData("first"), peer.SayData("second"), peer.SayAlert(1, Alert::kCloseNotify)});
  }
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    auto [layer, peer] = RecordPeer::Connect(GetParam());
    const Outcome opened = Open(layer, tls::Copy(tls::ByteView(whole).first(cut)));
    EXPECT_FALSE(opened.failure) << cut;
    EXPECT_LE(opened.used, cut);
    EXPECT_EQ(layer.OnTransportEnd().ok(), cut == whole.size()) << cut;
  }
}

TEST_P(EverySuite, TakesTheStreamInAnyPieces) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  const Bytes whole = All({peer.SayData("ab"), peer.SayData(""), peer.SayData("cd")});
  Bytes held;
  std::string data;
  for (const uint8_t byte : whole) {
    held.push_back(byte);
    Outcome opened = Open(layer, held);
    data += opened.data;
    held.erase(held.begin(), held.begin() + static_cast<ptrdiff_t>(opened.used));
  }
  EXPECT_EQ(data, "abcd");
}

TEST_P(EverySuite, EachWrongByteIsBadRecordMac) {
  const size_t size = [&] {
    auto [layer, peer] = RecordPeer::Connect(GetParam());
    return peer.SayData("secret").size();
  }();
  for (size_t i = tls::kRecordHeaderSize; i < size; ++i) {
    auto [layer, peer] = RecordPeer::Connect(GetParam());
    Bytes record = peer.SayData("secret");
    record[i] ^= 1;
    const Outcome opened = Open(layer, record);
    EXPECT_EQ(opened.failure, Reason::kBadRecordMac) << i;
    EXPECT_EQ(opened.data, "");
    ExpectAlert(peer, opened.answers, 2, Alert::kBadRecordMac);
    Bytes more;
    EXPECT_FALSE(layer.Seal(tls::AsBytes("x"), more).ok()) << "nothing follows a fatal alert";
  }
}

TEST_P(EverySuite, HeedsThePeersRecordSizeLimit) {
  auto [layer, peer] = RecordPeer::Connect(GetParam(), /*max_fragment=*/100);
  Bytes out;
  ASSERT_TRUE(layer.Seal(tls::AsBytes(std::string(250, 'x')), out).ok());
  const std::vector<Heard> heard = peer.Hear(out);
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_EQ(heard[0].content.size(), 100u);
  EXPECT_EQ(heard[2].content.size(), 50u);
}

TEST_P(EverySuite, AFatalAlertEndsItAndIsNamed) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  const Outcome opened = Open(layer, peer.SayAlert(2, Alert::kInternalError));
  EXPECT_EQ(opened.failure, Reason::kPeerAlert);
  EXPECT_EQ(layer.peer_alert(), 80);
  EXPECT_TRUE(opened.answers.empty()) << "an alert is not answered";
}

TEST_P(EverySuite, BoundsEmptyRecords) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  for (int i = 0; i < 32; ++i) EXPECT_FALSE(Open(layer, peer.SayData("")).failure) << i;
  EXPECT_FALSE(Open(layer, peer.SayData("x")).failure);
  for (int i = 0; i < 32; ++i) EXPECT_FALSE(Open(layer, peer.SayData("")).failure) << i;
  EXPECT_EQ(Open(layer, peer.SayData("")).failure, Reason::kTooManyEmptyRecords);
}

TEST_P(EverySuite, RefusesChangeCipherSpecAndStrangeAlerts) {
  {
    auto [layer, peer] = RecordPeer::Connect(GetParam());
    EXPECT_EQ(Open(layer, {20, 3, 3, 0, 1, 1}).failure, Reason::kUnexpectedChangeCipherSpec);
  }
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  const uint8_t three[] = {1, 0, 0};
  EXPECT_EQ(Open(layer, peer.Say(ContentType::kAlert, three)).failure, Reason::kDecodeError);
}

INSTANTIATE_TEST_SUITE_P(Suites, EverySuite,
                         testing::Values(CipherSuite::kTlsAes128GcmSha256,
                                         CipherSuite::kTlsAes256GcmSha384,
                                         CipherSuite::kTlsChaCha20Poly1305Sha256,
                                         CipherSuite::kEcdheEcdsaAes128GcmSha256,
                                         CipherSuite::kEcdheRsaAes256GcmSha384,
                                         CipherSuite::kEcdheRsaChaCha20Poly1305Sha256));

// ---- TLS 1.3

TEST(RecordLayer13Test, FollowsThePeersKeyUpdate) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Outcome opened =
      Open(layer, All({peer.SayData("old"), peer.SayKeyUpdate(0), peer.SayData("new")}));
  EXPECT_EQ(opened.data, "oldnew");
  EXPECT_TRUE(opened.answers.empty()) << "update_not_requested is not answered";
}

TEST(RecordLayer13Test, AnswersUpdateRequestedBeforeItsNextData) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Outcome opened = Open(layer, peer.SayKeyUpdate(1));
  Bytes out = opened.answers;
  ASSERT_TRUE(layer.Seal(tls::AsBytes("under new keys"), out).ok());
  const std::vector<Heard> heard = peer.Hear(out);
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].type, ContentType::kHandshake);
  EXPECT_EQ(heard[0].content, RecordPeer::KeyUpdate(0));
  EXPECT_EQ(tls::AsText(heard[1].content), "under new keys");
}

TEST(RecordLayer13Test, KeyUpdateMayComeInPieces) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Bytes message = RecordPeer::KeyUpdate(0);
  Bytes stream;
  for (const uint8_t& byte : message) {
    tls::Append(stream, peer.Say(ContentType::kHandshake, {&byte, 1}));
  }
  EXPECT_FALSE(Open(layer, stream).failure);
}

TEST(RecordLayer13Test, NothingMayStandInsideAMessageOrBehindAKeyChange) {
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

TEST(RecordLayer13Test, RefusesMalformedKeyUpdates) {
  {
    auto [layer, peer] = RecordPeer::Connect(kSuite13);
    const Outcome opened = Open(layer, peer.Say(ContentType::kHandshake, RecordPeer::KeyUpdate(2)));
    EXPECT_TRUE(opened.failure);
    ExpectAlert(peer, opened.answers, 2, Alert::kIllegalParameter);
  }
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  const Bytes too_long = {24, 0, 0, 2, 0, 0};
  const Outcome opened = Open(layer, peer.Say(ContentType::kHandshake, too_long));
  EXPECT_EQ(opened.failure, Reason::kDecodeError);
  ExpectAlert(peer, opened.answers, 2, Alert::kDecodeError);
}

TEST(RecordLayer13Test, OtherHandshakeMessagesAreUnexpected) {
  for (int type = 0; type < 256; ++type) {
    if (type == 24) continue;
    auto [layer, peer] = RecordPeer::Connect(kSuite13);
    const Bytes message = {static_cast<uint8_t>(type), 0, 0, 0};
    const Outcome opened = Open(layer, peer.Say(ContentType::kHandshake, message));
    EXPECT_EQ(opened.failure, Reason::kUnexpectedMessage) << type;
    ExpectAlert(peer, opened.answers, 2, Alert::kUnexpectedMessage);
  }
}

TEST(RecordLayer13Test, BoundsKeyUpdatesWithoutData) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  for (int i = 0; i < 32; ++i) EXPECT_FALSE(Open(layer, peer.SayKeyUpdate(0)).failure) << i;
  EXPECT_EQ(Open(layer, peer.SayData("x")).data, "x");
  for (int i = 0; i < 32; ++i) EXPECT_FALSE(Open(layer, peer.SayKeyUpdate(0)).failure) << i;
  EXPECT_TRUE(Open(layer, peer.SayKeyUpdate(0)).failure);
}

TEST(RecordLayer13Test, WarningsAreFatalButForUserCanceled) {
  {
    auto [layer, peer] = RecordPeer::Connect(kSuite13);
    EXPECT_EQ(Open(layer, peer.SayAlert(1, Alert::kDecodeError)).failure, Reason::kPeerAlert);
  }
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(Open(layer, peer.SayAlert(1, Alert::kUserCanceled)).failure);
  }
  EXPECT_EQ(Open(layer, peer.SayAlert(1, Alert::kUserCanceled)).failure, Reason::kTooManyWarnings);
}

TEST(RecordLayer13Test, RefusesEmptyHandshakeRecords) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  EXPECT_EQ(Open(layer, peer.Say(ContentType::kHandshake, {})).failure,
            Reason::kEmptyHandshakeRecord);
}

// RFC 8446 §5.5, from a sequence number just below the limit.
TEST(RecordLayer13Test, UpdatesKeysBeforeTheirLimit) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13, 16384, /*sequence=*/(uint64_t{1} << 24) - 1);
  Bytes out;
  ASSERT_TRUE(layer.Seal(tls::AsBytes("fresh"), out).ok());
  const std::vector<Heard> heard = peer.Hear(out);
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].content, RecordPeer::KeyUpdate(1)) << "its own keys are worn too";
  EXPECT_EQ(tls::AsText(heard[1].content), "fresh");
  // It asks once, and again only when the new keys are worn.
  out.clear();
  ASSERT_TRUE(layer.Seal(tls::AsBytes("next"), out).ok());
  EXPECT_EQ(peer.Hear(out).size(), 1u);
}

// ---- TLS 1.2

TEST(RecordLayer12Test, RefusesRenegotiationOnceThenFatally) {
  auto [layer, peer] = RecordPeer::Connect(kSuite12);
  Bytes hello(600, 0);
  hello[0] = 1;
  hello[2] = (hello.size() - 4) >> 8;
  hello[3] = (hello.size() - 4) & 0xff;
  const ByteView whole(hello);
  Outcome opened = Open(layer, All({peer.Say(ContentType::kHandshake, whole.first(3)),
                                    peer.Say(ContentType::kHandshake, whole.subspan(3))}));
  EXPECT_FALSE(opened.failure);
  ExpectAlert(peer, opened.answers, 1, Alert::kNoRenegotiation);
  EXPECT_EQ(Open(layer, peer.SayData("goes on")).data, "goes on");
  opened = Open(layer, peer.Say(ContentType::kHandshake, whole));
  EXPECT_EQ(opened.failure, Reason::kRenegotiationRefused);
  ExpectAlert(peer, opened.answers, 2, Alert::kUnexpectedMessage);
}

TEST(RecordLayer12Test, OtherHandshakeMessagesAreUnexpected) {
  for (const uint8_t type : {0, 2, 4, 11, 16, 20, 24}) {
    auto [layer, peer] = RecordPeer::Connect(kSuite12);
    const Bytes message = {type, 0, 0, 1, 0};
    const Outcome opened = Open(layer, peer.Say(ContentType::kHandshake, message));
    EXPECT_EQ(opened.failure, Reason::kUnexpectedMessage) << int{type};
  }
}

TEST(RecordLayer12Test, AnEndlessClientHelloIsTooLong) {
  auto [layer, peer] = RecordPeer::Connect(kSuite12);
  const Bytes message = {1, 0xff, 0xff, 0xff};
  EXPECT_EQ(Open(layer, peer.Say(ContentType::kHandshake, message)).failure,
            Reason::kMessageTooLong);
}

TEST(RecordLayer12Test, BoundsWarnings) {
  auto [layer, peer] = RecordPeer::Connect(kSuite12);
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(Open(layer, peer.SayAlert(1, Alert::kUserCanceled)).failure);
  }
  EXPECT_EQ(Open(layer, peer.SayAlert(1, Alert::kUserCanceled)).failure, Reason::kTooManyWarnings);
}

TEST(RecordLayer12Test, WornKeysEndTheConnection) {
  auto [layer, peer] = RecordPeer::Connect(kSuite12, 16384, /*sequence=*/(uint64_t{1} << 24) - 1);
  Bytes out;
  EXPECT_EQ(layer.Seal(tls::AsBytes("too late"), out).reason(), Reason::kSequenceExhausted);
  EXPECT_TRUE(out.empty());
  layer.Close(out);
  ExpectAlert(peer, out, 1, Alert::kCloseNotify);
}

TEST(RecordLayerTest, NeedsKeysThatFitTheirSuite) {
  EXPECT_FALSE(RecordLayer::Create({}, 16384).ok());
  ReleasedKeys13 wrong;
  wrong.write.suite = wrong.read.suite = kSuite13;
  wrong.write.secret = *tls::HashSecret::From(Bytes(31, 1));
  wrong.read.secret = *tls::HashSecret::From(Bytes(32, 1));
  EXPECT_FALSE(RecordLayer::Create(std::move(wrong), 16384).ok());
}

TEST(RecordLayerTest, AbortSaysOneFatalAlert) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  Bytes out;
  layer.Abort(Alert::kUnrecognizedName, out);
  layer.Close(out);
  ExpectAlert(peer, out, 2, Alert::kUnrecognizedName);
  EXPECT_EQ(PlaintextAlert(Alert::kInternalError), (Bytes{21, 3, 3, 0, 2, 2, 80}));
}

}  // namespace
}  // namespace handfast::client
