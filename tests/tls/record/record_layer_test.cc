// Records after the handshake, against a peer that says whatever it likes. KeyUpdate and the limits
// of keys: key_update_test.cc.
#include "tls/record/record_layer.h"

#include <gtest/gtest.h>

#include "tests/tls/record/record_peer.h"

namespace handfast::tls::test {
namespace {

constexpr CipherSuite kSuite13 = CipherSuite::kTlsAes128GcmSha256;
constexpr CipherSuite kSuite12 = CipherSuite::kEcdheEcdsaAes128GcmSha256;

class EverySuite : public testing::TestWithParam<CipherSuite> {};

TEST_P(EverySuite, CarriesDataBothWays) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  const std::string large(100'000, 'x');
  Bytes out;
  ASSERT_TRUE(layer.Seal(AsBytes("hello"), out).ok());
  ASSERT_TRUE(layer.Seal(AsBytes(large), out).ok());
  std::string heard;
  for (const Heard& record : peer.Hear(out)) {
    EXPECT_EQ(record.type, ContentType::kApplicationData);
    EXPECT_LE(record.content.size(), 16384u);
    heard += AsText(record.content);
  }
  EXPECT_EQ(heard, "hello" + large);
  const Outcome opened = Open(layer, All({peer.SayData("one"), peer.SayData(large)}));
  EXPECT_EQ(opened.data, "one" + large);
  EXPECT_TRUE(opened.answers.empty());
  EXPECT_FALSE(opened.failure);
}

TEST_P(EverySuite, GoesOnFromTheServicesSequenceNumbers) {
  auto [layer, peer] = RecordPeer::Connect(GetParam(), {}, {7, 7});
  EXPECT_EQ(Open(layer, peer.SayData("later")).data, "later");
}

TEST_P(EverySuite, SaysAndHearsCloseNotify) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  Bytes out;
  layer.Close(out);
  layer.Close(out);
  ExpectAlert(peer, out, 1, Alert::kCloseNotify);
  EXPECT_TRUE(layer.write_closed());
  EXPECT_FALSE(layer.Seal(AsBytes("late"), out).ok());
  // The other direction stays open. What comes behind a close_notify is ignored (RFC 8446 §6.1).
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
    const Outcome opened = Open(layer, Copy(ByteView(whole).first(cut)));
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
  for (size_t i = kRecordHeaderSize; i < size; ++i) {
    auto [layer, peer] = RecordPeer::Connect(GetParam());
    Bytes record = peer.SayData("secret");
    record[i] ^= 1;
    const Outcome opened = Open(layer, record);
    EXPECT_EQ(opened.failure, Reason::kBadRecordMac) << i;
    EXPECT_EQ(opened.data, "");
    ExpectAlert(peer, opened.answers, 2, Alert::kBadRecordMac);
    Bytes more;
    EXPECT_FALSE(layer.Seal(AsBytes("x"), more).ok()) << "nothing follows a fatal alert";
  }
}

TEST_P(EverySuite, HeedsThePeersRecordSizeLimit) {
  auto [layer, peer] = RecordPeer::Connect(GetParam(), {.max_fragment = 100});
  Bytes out;
  ASSERT_TRUE(layer.Seal(AsBytes(std::string(250, 'x')), out).ok());
  const std::vector<Heard> heard = peer.Hear(out);
  ASSERT_EQ(heard.size(), 3u);
  EXPECT_EQ(heard[0].content.size(), 100u);
  EXPECT_EQ(heard[2].content.size(), 50u);
}

// Into room that was filled with something else before.
TEST_P(EverySuite, SealsIntoRoomOfTheCallers) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{250}}) {
    auto [layer, peer] = RecordPeer::Connect(GetParam(), {.max_fragment = 100});
    auto [same, same_peer] = RecordPeer::Connect(GetParam(), {.max_fragment = 100});
    const Bytes plaintext(size, 'x');
    Bytes appended;
    ASSERT_TRUE(same.Seal(plaintext, appended).ok());
    Bytes room(layer.SealedRoom(size), 0xee);
    const Result<size_t> used = layer.SealInto(plaintext, room);
    ASSERT_TRUE(used.ok());
    EXPECT_EQ(ToHex(ByteView(room).first(*used)), ToHex(appended));
    EXPECT_FALSE(layer.SealInto(plaintext, std::span(room).first(room.size() - 1)).ok());
    Bytes out;
    layer.Close(out);
    EXPECT_FALSE(layer.SealInto(plaintext, room).ok());
  }
}

// With the KeyUpdate that is due in front.
TEST(RecordLayer13Test, SealsAKeyUpdateIntoRoomOfTheCallers) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  EXPECT_FALSE(Open(layer, peer.SayKeyUpdate(1)).failure);
  Bytes room(layer.SealedRoom(4));
  const Result<size_t> used = layer.SealInto(AsBytes("data"), room);
  ASSERT_TRUE(used.ok());
  room.resize(*used);
  const std::vector<Heard> heard = peer.Hear(room);
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[0].content, RecordPeer::KeyUpdate(0));
  EXPECT_EQ(AsText(heard[1].content), "data");
}

TEST_P(EverySuite, AFatalAlertEndsItAndIsNamed) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  const Outcome opened = Open(layer, peer.SayAlert(2, Alert::kInternalError));
  EXPECT_EQ(opened.failure, Reason::kPeerAlert);
  EXPECT_EQ(layer.alert(), 80);
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

// RFC 8446 §5.4, and RFC 5246 §6.2.1, which names no alert.
TEST_P(EverySuite, AnEmptyAlertIsUnexpected) {
  auto [layer, peer] = RecordPeer::Connect(GetParam());
  const Outcome opened = Open(layer, peer.Say(ContentType::kAlert, {}));
  EXPECT_EQ(opened.failure, Reason::kUnexpectedMessage);
  ExpectAlert(peer, opened.answers, 2, Alert::kUnexpectedMessage);
}

INSTANTIATE_TEST_SUITE_P(Suites, EverySuite,
                         testing::Values(CipherSuite::kTlsAes128GcmSha256,
                                         CipherSuite::kTlsAes256GcmSha384,
                                         CipherSuite::kTlsChaCha20Poly1305Sha256,
                                         CipherSuite::kEcdheEcdsaAes128GcmSha256,
                                         CipherSuite::kEcdheRsaAes256GcmSha384,
                                         CipherSuite::kEcdheRsaChaCha20Poly1305Sha256));

// ---- TLS 1.3

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

// RFC 8446 §5.4: as much padding as a record holds, and nothing else.
TEST(RecordLayer13Test, T18_NothingButPaddingIsUnexpected) {
  constexpr auto kNoType = static_cast<ContentType>(0);
  for (const size_t zeros : {size_t{0}, size_t{16384}}) {
    auto [layer, peer] = RecordPeer::Connect(kSuite13);
    const Outcome opened = Open(layer, peer.Say(kNoType, Bytes(zeros, 0)));
    EXPECT_EQ(opened.failure, Reason::kBadInnerPlaintext);
    ExpectAlert(peer, opened.answers, 2, Alert::kUnexpectedMessage);
  }
  // The control: a content type in front of the padding.
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  Bytes padded(16384, 0);
  padded[0] = static_cast<uint8_t>(ContentType::kApplicationData);
  EXPECT_FALSE(Open(layer, peer.Say(kNoType, padded)).failure);
}

Bytes Ticket(uint8_t fill) { return {4, 0, 0, 3, fill, fill, fill}; }

TEST(RecordLayer13Test, AClientIsGivenItsTicketsHoweverTheyAreCut) {
  const Bytes both = All({Ticket(1), Ticket(2)});
  for (size_t at = 1; at < both.size(); ++at) {
    auto [layer, peer] = RecordPeer::Connect(kSuite13, {.as_client = true});
    const ByteView whole(both);
    const Outcome opened = Open(layer, All({peer.Say(ContentType::kHandshake, whole.first(at)),
                                            peer.Say(ContentType::kHandshake, whole.subspan(at))}));
    EXPECT_FALSE(opened.failure);
    EXPECT_EQ(opened.tickets, (std::vector<Bytes>{Ticket(1), Ticket(2)})) << at;
  }
  // A KeyUpdate may stand behind one in its record, and no ticket behind a KeyUpdate.
  auto [layer, peer] = RecordPeer::Connect(kSuite13, {.as_client = true});
  const Bytes before = All({Ticket(1), RecordPeer::KeyUpdate(0)});
  EXPECT_FALSE(Open(layer, peer.Say(ContentType::kHandshake, before)).failure);
  auto [other, other_peer] = RecordPeer::Connect(kSuite13, {.as_client = true});
  const Bytes behind = All({RecordPeer::KeyUpdate(0), Ticket(1)});
  EXPECT_EQ(Open(other, other_peer.Say(ContentType::kHandshake, behind)).failure,
            Reason::kKeyChangeInsideMessage);
}

TEST(RecordLayer13Test, T18_BoundsTicketsWithoutData) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13, {.as_client = true});
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 32; ++i) {
      EXPECT_FALSE(Open(layer, peer.Say(ContentType::kHandshake, Ticket(1))).failure) << i;
    }
    if (round > 0) continue;
    EXPECT_EQ(Open(layer, peer.SayData("x")).data, "x");
  }
  EXPECT_EQ(Open(layer, peer.Say(ContentType::kHandshake, Ticket(1))).failure,
            Reason::kTooManyPostHandshakeMessages);
}

// RFC 8446 §4.6.2: nobody offered post-handshake authentication.
TEST(RecordLayer13Test, ToAClientOtherMessagesAreUnexpected) {
  for (int type = 0; type < 256; ++type) {
    if (type == 4 || type == 24) continue;
    auto [layer, peer] = RecordPeer::Connect(kSuite13, {.as_client = true});
    const Bytes message = {static_cast<uint8_t>(type), 0, 0, 0};
    const Outcome opened = Open(layer, peer.Say(ContentType::kHandshake, message));
    EXPECT_EQ(opened.failure, Reason::kUnexpectedMessage) << type;
    ExpectAlert(peer, opened.answers, 2, Alert::kUnexpectedMessage);
  }
}

// ---- TLS 1.2

// RFC 5246 §7.4.1.1: a HelloRequest is the server's way to ask.
TEST(RecordLayer12Test, T4_AClientRefusesRenegotiationOnceThenFatally) {
  auto [layer, peer] = RecordPeer::Connect(kSuite12, {.as_client = true});
  const Bytes hello_request = {0, 0, 0, 0};
  Outcome opened = Open(layer, peer.Say(ContentType::kHandshake, hello_request));
  EXPECT_FALSE(opened.failure);
  ExpectAlert(peer, opened.answers, 1, Alert::kNoRenegotiation);
  EXPECT_EQ(Open(layer, peer.SayData("goes on")).data, "goes on");
  opened = Open(layer, peer.Say(ContentType::kHandshake, hello_request));
  EXPECT_EQ(opened.failure, Reason::kRenegotiationRefused);
  ExpectAlert(peer, opened.answers, 2, Alert::kUnexpectedMessage);
}

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

TEST(RecordLayerTest, AbortSaysOneFatalAlert) {
  auto [layer, peer] = RecordPeer::Connect(kSuite13);
  Bytes out;
  layer.Abort(Alert::kUnrecognizedName, out);
  layer.Close(out);
  ExpectAlert(peer, out, 2, Alert::kUnrecognizedName);
}

}  // namespace
}  // namespace handfast::tls::test
