// Record protection of every suite against records made by hand, and everything that must be
// refused (T18).
#include "tls/record/protection.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/tls/record/record_maker.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"

namespace handfast::tls::test {
namespace {

constexpr auto kData = ContentType::kApplicationData;

class ProtectionTest : public testing::TestWithParam<CipherSuite> {
 protected:
  bool tls13() const { return FindSuite(GetParam())->version == ProtocolVersion::kTls13; }
  RecordSealer Sealer(uint64_t sequence = 0) const {
    return RecordSealer(*RecordKeys::Create(KeysFor(GetParam(), sequence), AeadDirection::kSeal));
  }
  RecordOpener Opener(uint64_t sequence = 0) const {
    return RecordOpener(*RecordKeys::Create(KeysFor(GetParam(), sequence), AeadDirection::kOpen));
  }
  Bytes Made(uint64_t sequence, ByteView content, ContentType type = kData) const {
    if (!tls13()) {
      return MakeRecord12(GetParam(), sequence, sequence, static_cast<uint8_t>(type), content);
    }
    Bytes inner = Copy(content);
    inner.push_back(static_cast<uint8_t>(type));
    return MakeRecord13(GetParam(), sequence, inner);
  }
  static Bytes Content(size_t size) {
    Bytes content(size);
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<uint8_t>(i * 7);
    return content;
  }
  Bytes Sealed(RecordSealer& sealer, ByteView content, size_t max = kMaxPlaintext) const {
    Bytes out;
    EXPECT_TRUE(sealer.Seal(kData, content, max, out).ok());
    return out;
  }
};

TEST_P(ProtectionTest, SealsWhatTheRfcSays) {
  RecordSealer sealer = Sealer(0x0102030405060708);
  for (uint64_t i = 0; i < 3; ++i) {
    const Bytes content = Content(100 + i);
    EXPECT_EQ(ToHex(Sealed(sealer, content)), ToHex(Made(0x0102030405060708 + i, content)));
  }
  EXPECT_EQ(sealer.keys()->sequence(), 0x010203040506070bu);
}

TEST_P(ProtectionTest, RoundTripOfAllSizes) {
  RecordSealer sealer = Sealer();
  RecordOpener opener = Opener();
  for (size_t size : {0, 1, 15, 16, 17, 16383, 16384}) {
    const Bytes content = Content(size);
    Bytes record = Sealed(sealer, content);
    const Result<OpenedRecord> opened = opener.Open(record);
    ASSERT_TRUE(opened.ok()) << size;
    EXPECT_EQ(opened->type, kData);
    EXPECT_TRUE(Equal(opened->fragment, content));
  }
  EXPECT_EQ(opener.keys()->sequence(), 7u);
}

// RFC 8446 §5.2, RFC 5246 §6.2.3: 2^14 bytes and no more.
TEST_P(ProtectionTest, T18_OneByteTooMany) {
  Bytes exact = Made(0, Content(16384));
  EXPECT_TRUE(Opener().Open(exact).ok());
  Bytes over = Made(0, Content(16385));
  RecordOpener opener = Opener();
  const Result<OpenedRecord> opened = opener.Open(over);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.reason(), Reason::kRecordOverflow);
}

TEST_P(ProtectionTest, SealerCutsIntoFragments) {
  RecordSealer sealer = Sealer();
  RecordOpener opener = Opener();
  const Bytes content = Content(1001);
  Bytes out = Sealed(sealer, content, 100);
  EXPECT_EQ(sealer.keys()->sequence(), 11u);
  Bytes together;
  for (std::span<uint8_t> stream(out); !stream.empty();) {
    const size_t size = kRecordHeaderSize + (size_t{stream[3]} << 8 | stream[4]);
    const Result<OpenedRecord> opened = opener.Open(stream.first(size));
    ASSERT_TRUE(opened.ok());
    EXPECT_LE(opened->fragment.size(), 100u);
    Append(together, opened->fragment);
    stream = stream.subspan(size);
  }
  EXPECT_EQ(together, content);
}

// Every bit of header, nonce, body and tag. The version of the header is covered in TLS 1.3, where
// the whole header is associated data, and not looked at in TLS 1.2.
TEST_P(ProtectionTest, EveryFlippedBitIsRefused) {
  const Bytes record = Made(0, Content(20));
  for (size_t bit = 0; bit < 8 * record.size(); ++bit) {
    const size_t byte = bit / 8;
    if (byte == 3 || byte == 4) continue;  // the length: the deframer's
    if (!tls13() && (byte == 1 || byte == 2)) continue;
    Bytes broken = record;
    broken[byte] ^= static_cast<uint8_t>(1 << bit % 8);
    RecordOpener opener = Opener();
    const Result<OpenedRecord> opened = opener.Open(broken);
    ASSERT_FALSE(opened.ok()) << bit;
    EXPECT_EQ(opened.reason(),
              tls13() && byte == 0 ? Reason::kBadRecordType : Reason::kBadRecordMac);
    EXPECT_EQ(opener.keys()->sequence(), 0u);
  }
}

// RFC 8446 §5.2, RFC 5246 §6.2.3.3.
TEST_P(ProtectionTest, CutRecordsAreRefused) {
  const Bytes record = Made(0, Content(20));
  for (size_t size = kRecordHeaderSize; size < record.size(); ++size) {
    Bytes cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size));
    cut[4] = static_cast<uint8_t>(size - kRecordHeaderSize);
    RecordOpener opener = Opener();
    const Result<OpenedRecord> opened = opener.Open(cut);
    ASSERT_FALSE(opened.ok()) << size;
    EXPECT_EQ(opened.reason(), Reason::kBadRecordMac) << size;
  }
}

TEST_P(ProtectionTest, RepeatedLostOrSwappedRecordsAreRefused) {
  RecordOpener opener = Opener();
  Bytes second = Made(1, Content(20));
  EXPECT_EQ(opener.Open(second).reason(), Reason::kBadRecordMac);
  RecordOpener again = Opener();
  Bytes first = Made(0, Content(20));
  ASSERT_TRUE(again.Open(first).ok());
  first = Made(0, Content(20));
  EXPECT_EQ(again.Open(first).reason(), Reason::kBadRecordMac);
}

// RFC 8446 §5.3: "Sequence numbers [...] MUST NOT wrap".
TEST_P(ProtectionTest, T18_SequenceExhaustion) {
  RecordSealer sealer = Sealer(UINT64_MAX - 2);
  RecordOpener opener = Opener(UINT64_MAX - 2);
  for (int i = 0; i < 2; ++i) {
    Bytes record = Sealed(sealer, Content(3));
    EXPECT_TRUE(opener.Open(record).ok());
  }
  Bytes out;
  EXPECT_EQ(sealer.Seal(kData, Content(3), 100, out).reason(), Reason::kSequenceExhausted);
  EXPECT_TRUE(out.empty());
  Bytes last = Made(UINT64_MAX, Content(3));
  EXPECT_EQ(opener.Open(last).reason(), Reason::kSequenceExhausted);
  // Two records with one number left: neither is written.
  RecordSealer nearly = Sealer(UINT64_MAX - 1);
  EXPECT_FALSE(nearly.Seal(kData, Content(3), 2, out).ok());
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(nearly.Seal(kData, Content(2), 2, out).ok());
}

// RFC 8449 §4, as we advertised.
TEST_P(ProtectionTest, RecordSizeLimitIsObeyed) {
  Bytes exact = Made(0, Content(64));
  RecordOpener opener = Opener();
  EXPECT_TRUE(opener.Open(exact, 64).ok());
  Bytes over = Made(1, Content(65));
  EXPECT_EQ(opener.Open(over, 64).reason(), Reason::kRecordOverflow);
}

TEST_P(ProtectionTest, ReleasedKeysGoOnWhereTheyWere) {
  RecordSealer sealer = Sealer();
  Sealed(sealer, Content(5));
  Sealed(sealer, Content(5));
  TrafficKeys released = std::move(*sealer.keys()).Release();
  RecordSealer next(*RecordKeys::Create(std::move(released), AeadDirection::kSeal));
  EXPECT_EQ(ToHex(Sealed(next, Content(9))), ToHex(Made(2, Content(9))));
}

// T23: an alert in the clear, where there are keys, is anybody's: it must not end the stream.
TEST_P(ProtectionTest, T23_PlaintextAlertIsRefused) {
  RecordOpener opener = Opener();
  Bytes close_notify = {21, 3, 3, 0, 2, 1, 0};
  EXPECT_FALSE(opener.Open(close_notify).ok());
  if (!tls13()) return;
  // Nor after a KeyUpdate, which starts at zero again.
  Bytes record = Made(0, Content(5));
  ASSERT_TRUE(opener.Open(record).ok());
  ASSERT_TRUE(opener.keys()->Update().ok());
  close_notify = {21, 3, 3, 0, 2, 1, 0};
  EXPECT_FALSE(opener.Open(close_notify).ok());
}

std::string SuiteName(const testing::TestParamInfo<CipherSuite>& info) { return Name(info.param); }

INSTANTIATE_TEST_SUITE_P(All, ProtectionTest,
                         testing::Values(CipherSuite::kTlsAes128GcmSha256,
                                         CipherSuite::kTlsAes256GcmSha384,
                                         CipherSuite::kTlsChaCha20Poly1305Sha256,
                                         CipherSuite::kEcdheEcdsaAes128GcmSha256,
                                         CipherSuite::kEcdheRsaAes256GcmSha384,
                                         CipherSuite::kEcdheRsaChaCha20Poly1305Sha256),
                         SuiteName);

// ---- TLS 1.3 only.

constexpr auto kSuite13 = CipherSuite::kTlsAes128GcmSha256;

RecordOpener Opener13() {
  return RecordOpener(*RecordKeys::Create(KeysFor(kSuite13), AeadDirection::kOpen));
}

Reason OpenInner(const Bytes& inner) {
  Bytes record = MakeRecord13(kSuite13, 0, inner);
  RecordOpener opener = Opener13();
  const Result<OpenedRecord> opened = opener.Open(record);
  EXPECT_FALSE(opened.ok());
  return opened.reason();
}

// RFC 8446 §5.4: "If a receiving implementation does not find a non-zero octet in the cleartext, it
// MUST terminate the connection with an "unexpected_message" alert."
TEST(InnerPlaintext, T18_NothingButPadding) {
  EXPECT_EQ(OpenInner({}), Reason::kBadInnerPlaintext);
  EXPECT_EQ(OpenInner({0}), Reason::kBadInnerPlaintext);
  EXPECT_EQ(OpenInner(Bytes(16385)), Reason::kBadInnerPlaintext);
  EXPECT_EQ(*Describe(Reason::kBadInnerPlaintext).alert13, Alert::kUnexpectedMessage);
  EXPECT_EQ(OpenInner(Bytes(16386)), Reason::kRecordOverflow);
}
TEST(InnerPlaintext, PaddingIsTakenOff) {
  for (size_t padding : {0, 1, 100, 16382}) {
    Bytes inner = {'h', 'i', 23};
    inner.resize(inner.size() + padding);
    Bytes record = MakeRecord13(kSuite13, 0, inner);
    RecordOpener opener = Opener13();
    const Result<OpenedRecord> opened = opener.Open(record);
    ASSERT_TRUE(opened.ok()) << padding;
    EXPECT_EQ(AsText(opened->fragment), "hi");
  }
}
// A content may itself end with zeros.
TEST(InnerPlaintext, ZerosOfTheContentStay) {
  Bytes record = MakeRecord13(kSuite13, 0, Bytes{'a', 0, 0, 22, 0});
  RecordOpener opener = Opener13();
  const Result<OpenedRecord> opened = opener.Open(record);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened->type, ContentType::kHandshake);
  EXPECT_EQ(opened->fragment.size(), 3u);
}
TEST(InnerPlaintext, OtherTypes) {
  for (int type = 1; type < 256; ++type) {
    if (type >= 21 && type <= 23) continue;
    EXPECT_EQ(OpenInner({'a', static_cast<uint8_t>(type)}), Reason::kBadRecordType) << type;
  }
}

// RFC 8446 §7.2: application_traffic_secret_N+1 = HKDF-Expand-Label(N, "traffic upd", "", size).
TEST(KeyUpdate, IsTheDerivation) {
  for (CipherSuite suite : {kSuite13, CipherSuite::kTlsAes256GcmSha384}) {
    const HashAlgorithm hash = FindSuite(suite)->hash;
    const TrafficKeys now = KeysFor(suite);
    Bytes expected(DigestSize(hash));
    HkdfExpandLabel(hash, std::get<TrafficKeys13>(now).secret, "traffic upd", {}, expected);
    RecordKeys keys = *RecordKeys::Create(KeysFor(suite, 17), AeadDirection::kSeal);
    ASSERT_TRUE(keys.Update().ok());
    EXPECT_EQ(keys.sequence(), 0u);
    const TrafficKeys next = std::move(keys).Release();
    EXPECT_EQ(ToHex(SecretAccess::Open(std::get<TrafficKeys13>(next).secret)), ToHex(expected));
  }
}
TEST(KeyUpdate, BothSidesGoTogether) {
  RecordSealer sealer(*RecordKeys::Create(KeysFor(kSuite13), AeadDirection::kSeal));
  RecordOpener opener = Opener13();
  for (int generation = 0; generation < 3; ++generation) {
    Bytes record;
    ASSERT_TRUE(sealer.Seal(kData, AsBytes("hi"), 100, record).ok());
    Bytes stale = record;
    ASSERT_TRUE(opener.Open(record).ok());
    ASSERT_TRUE(sealer.keys()->Update().ok());
    ASSERT_TRUE(opener.keys()->Update().ok());
    EXPECT_FALSE(opener.Open(stale).ok());
  }
}
TEST(KeyUpdate, NotInTls12) {
  RecordKeys keys =
      *RecordKeys::Create(KeysFor(CipherSuite::kEcdheEcdsaAes128GcmSha256), AeadDirection::kSeal);
  EXPECT_FALSE(keys.Update().ok());
}

// RFC 8446 §5.5.
TEST(NearLimit, T18_OfAesGcm) {
  const auto near = [](CipherSuite suite, uint64_t sequence) {
    return RecordKeys::Create(KeysFor(suite, sequence), AeadDirection::kSeal)->NearLimit();
  };
  EXPECT_FALSE(near(kSuite13, (1 << 23) - 1));
  EXPECT_TRUE(near(kSuite13, 1 << 23));
  EXPECT_FALSE(near(CipherSuite::kTlsChaCha20Poly1305Sha256, uint64_t{1} << 40));
}

// ---- TLS 1.2 only.

// RFC 5288 §3: the nonce is what the record carries, and ours is the sequence number.
TEST(ExplicitNonce, IsTheSendersToChoose) {
  constexpr auto kSuite = CipherSuite::kEcdheRsaAes128GcmSha256;
  RecordOpener opener(*RecordKeys::Create(KeysFor(kSuite), AeadDirection::kOpen));
  Bytes record = MakeRecord12(kSuite, 0, 0xdeadbeefcafef00d, 23, AsBytes("hi"));
  const Result<OpenedRecord> opened = opener.Open(record);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(AsText(opened->fragment), "hi");
  RecordSealer sealer(*RecordKeys::Create(KeysFor(kSuite, 0x0102), AeadDirection::kSeal));
  Bytes out;
  ASSERT_TRUE(sealer.Seal(kData, AsBytes("hi"), 100, out).ok());
  EXPECT_EQ(ToHex(ByteView(out).subspan(kRecordHeaderSize, 8)), "0000000000000102");
}

// ---- Keys that are none.

TEST(RecordKeys, WrongKeysAreRefused) {
  const auto create = [](TrafficKeys keys) {
    return RecordKeys::Create(std::move(keys), AeadDirection::kSeal).ok();
  };
  EXPECT_FALSE(create(TrafficKeys13{static_cast<CipherSuite>(0x0a0a), HashSecret(), 0}));
  EXPECT_FALSE(create(TrafficKeys13{kSuite13, HashSecret(), 0}));
  EXPECT_FALSE(create(TrafficKeys13{kSuite13, *HashSecret::From(Bytes(48)), 0}));
  EXPECT_FALSE(create(
      TrafficKeys13{CipherSuite::kEcdheRsaAes128GcmSha256, *HashSecret::From(Bytes(32)), 0}));
  EXPECT_FALSE(create(TrafficKeys12{kSuite13, *AeadKey::From(Bytes(16)), *AeadIv::From(Bytes(4))}));
  EXPECT_FALSE(create(TrafficKeys12{CipherSuite::kEcdheRsaAes128GcmSha256,
                                    *AeadKey::From(Bytes(16)), *AeadIv::From(Bytes(12))}));
  EXPECT_FALSE(create(TrafficKeys12{CipherSuite::kEcdheRsaAes128GcmSha256,
                                    *AeadKey::From(Bytes(32)), *AeadIv::From(Bytes(4))}));
}

// ---- In the clear.

TEST(Plaintext, GoesThroughUpToTheLimit) {
  RecordSealer sealer;
  RecordOpener opener;
  Bytes record;
  ASSERT_TRUE(sealer.Seal(ContentType::kHandshake, AsBytes("hello"), 100, record).ok());
  EXPECT_EQ(ToHex(record), "160303000568656c6c6f");
  ASSERT_TRUE(opener.Open(record).ok());
  Bytes over(kRecordHeaderSize + kMaxPlaintext + 1);
  over[0] = 22;
  EXPECT_EQ(opener.Open(over).reason(), Reason::kRecordOverflow);
}

}  // namespace
}  // namespace handfast::tls::test
