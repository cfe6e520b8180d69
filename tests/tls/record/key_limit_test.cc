// The limits of keys (RFC 8446 §5.5) and of sequence numbers (§5.3). Each test begins with a
// sequence number just below a limit, as keys may be handed over at any.
#include <gtest/gtest.h>

#include "tests/tls/record/record_peer.h"

namespace handfast::tls::test {
namespace {

constexpr CipherSuite kGcm13 = CipherSuite::kTlsAes128GcmSha256;
constexpr CipherSuite kGcm12 = CipherSuite::kEcdheEcdsaAes128GcmSha256;
constexpr CipherSuite kChaCha13 = CipherSuite::kTlsChaCha20Poly1305Sha256;
constexpr CipherSuite kChaCha12 = CipherSuite::kEcdheRsaChaCha20Poly1305Sha256;

// A letter for each record: D, data; 0 and 1, a KeyUpdate with that request; A, an alert.
std::string Shape(RecordPeer& peer, const Bytes& stream) {
  std::string shape;
  for (const Heard& record : peer.Hear(stream)) {
    switch (record.type) {
      case ContentType::kApplicationData:
        shape += 'D';
        break;
      case ContentType::kHandshake:
        shape += static_cast<char>('0' + record.content.back());
        break;
      default:
        shape += 'A';
    }
  }
  return shape;
}

std::string Sealed(CipherSuite suite, uint64_t write, size_t size) {
  auto [layer, peer] = RecordPeer::Connect(suite, {.max_fragment = 100}, {.write = write});
  Bytes out;
  const Result<void> sealed = layer.Seal(Bytes(size, 'x'), out);
  EXPECT_TRUE(sealed.ok() || out.empty()) << "nothing is sent of what cannot be sent whole";
  return sealed.ok() ? Shape(peer, out) : "no";
}

TEST(KeyLimit, T18_TheConstantsAreTheRfcs) {
  EXPECT_EQ(kAesGcmRecordLimit, 23'726'566u) << "2^24.5";
  EXPECT_LT(kAesGcmUpdateAfter, kAesGcmRecordLimit);
}

TEST(KeyLimit, T18_WritingUpdatesKeysByItself) {
  for (const CipherSuite suite : {kGcm13, CipherSuite::kTlsAes256GcmSha384}) {
    EXPECT_EQ(Sealed(suite, kAesGcmUpdateAfter - 1, 100), "D");
    EXPECT_EQ(Sealed(suite, kAesGcmUpdateAfter, 100), "0D");
    EXPECT_EQ(Sealed(suite, kAesGcmUpdateAfter - 2, 400), "DD0DD") << "in the middle of one call";
  }
  EXPECT_EQ(Sealed(kChaCha13, kAesGcmRecordLimit, 400), "DDDD") << "it has no such limit";
}

// A side that only reads sends nothing with which it would notice.
TEST(KeyLimit, T18_ReadingAsksForNewKeysOnce) {
  auto [layer, peer] = RecordPeer::Connect(kGcm13, {}, {.read = kAesGcmUpdateAfter - 2});
  EXPECT_TRUE(Open(layer, peer.SayData("a")).answers.empty());
  EXPECT_EQ(Shape(peer, Open(layer, peer.SayData("b")).answers), "1");
  EXPECT_TRUE(Open(layer, peer.SayData("c")).answers.empty()) << "the answer is under way";
  EXPECT_EQ(Open(layer, All({peer.SayKeyUpdate(0), peer.SayData("d")})).data, "d");
  Bytes out;
  ASSERT_TRUE(layer.Seal(AsBytes("x"), out).ok());
  EXPECT_EQ(Shape(peer, out), "D") << "under the keys that came with the request";
}

TEST(KeyLimit, ReadingAsksNothingWhereItCannot) {
  auto [chacha20, chacha20_peer] = RecordPeer::Connect(kChaCha13, {}, {.read = kAesGcmUpdateAfter});
  EXPECT_TRUE(Open(chacha20, chacha20_peer.SayData("a")).answers.empty());
  auto [tls12, tls12_peer] = RecordPeer::Connect(kGcm12, {}, {.read = kAesGcmUpdateAfter});
  EXPECT_TRUE(Open(tls12, tls12_peer.SayData("a")).answers.empty());
  auto [closed, closed_peer] = RecordPeer::Connect(kGcm13, {}, {.read = kAesGcmUpdateAfter});
  Bytes out;
  closed.Close(out);
  EXPECT_TRUE(Open(closed, closed_peer.SayData("a")).answers.empty());
}

// A peer that does not update its keys, or in TLS 1.2 cannot: the last record of theirs is read.
TEST(KeyLimit, T18_ReadingEndsAtTheLimit) {
  for (const CipherSuite suite : {kGcm13, kGcm12}) {
    auto [layer, peer] = RecordPeer::Connect(suite, {}, {.read = kAesGcmRecordLimit - 1});
    const Outcome last = Open(layer, peer.SayData("last"));
    EXPECT_EQ(last.data, "last");
    peer.Hear(last.answers);
    const Outcome over = Open(layer, peer.SayData("over"));
    EXPECT_EQ(over.data, "");
    EXPECT_EQ(over.failure, Reason::kSequenceExhausted);
    ExpectAlert(peer, over.answers, 1, Alert::kCloseNotify);
  }
}

TEST(KeyLimit, T18_InTls12WritingEndsAtTheLimit) {
  EXPECT_EQ(Sealed(kGcm12, kAesGcmRecordLimit - 3, 300), "DDD");
  EXPECT_EQ(Sealed(kGcm12, kAesGcmRecordLimit - 3, 301), "no");
  EXPECT_EQ(Sealed(kGcm12, kAesGcmRecordLimit, 0), "no");
  auto [layer, peer] = RecordPeer::Connect(kGcm12, {}, {.write = kAesGcmRecordLimit});
  Bytes out;
  EXPECT_EQ(layer.Seal(AsBytes("x"), out).reason(), Reason::kSequenceExhausted);
  layer.Close(out);
  ExpectAlert(peer, out, 1, Alert::kCloseNotify);
}

// RFC 5246 §6.1: "Sequence numbers do not wrap." RFC 8446 §5.3 likewise.
TEST(SequenceNumber, T18_NeverWrapsWhileWriting) {
  EXPECT_EQ(Sealed(kChaCha13, UINT64_MAX - 2, 200), "D0D") << "the last but one is a KeyUpdate's";
  EXPECT_EQ(Sealed(kChaCha13, UINT64_MAX, 1), "no");
  EXPECT_EQ(Sealed(kChaCha12, UINT64_MAX - 1, 1), "D");
  EXPECT_EQ(Sealed(kChaCha12, UINT64_MAX - 1, 101), "no");
  EXPECT_EQ(Sealed(kChaCha12, UINT64_MAX, 1), "no");
  for (const CipherSuite suite : {kChaCha13, kChaCha12, kGcm13, kGcm12}) {
    auto [layer, peer] = RecordPeer::Connect(suite, {}, {.write = UINT64_MAX});
    Bytes out;
    EXPECT_EQ(layer.Seal(AsBytes("x"), out).reason(), Reason::kSequenceExhausted);
    layer.Close(out);
    layer.Abort(Alert::kInternalError, out);
    EXPECT_TRUE(out.empty()) << "not even an alert: its nonce would be the first record's";
  }
}

TEST(SequenceNumber, T18_NeverWrapsWhileReading) {
  for (const CipherSuite suite : {kChaCha13, kChaCha12}) {
    auto [layer, peer] = RecordPeer::Connect(suite, {}, {.read = UINT64_MAX - 1});
    EXPECT_EQ(Open(layer, peer.SayData("last")).data, "last");
    Bytes record = peer.SayData("over");
    EXPECT_TRUE(record.empty()) << "the peer's sealer will not either";
    record = {23, 3, 3, 0, 17};
    record.resize(22);
    EXPECT_EQ(Open(layer, record).failure, Reason::kSequenceExhausted);
  }
}

}  // namespace
}  // namespace handfast::tls::test
