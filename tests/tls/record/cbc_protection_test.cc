// Records under AES-CBC: T2 at the record, RFC 5246 §6.2's limits, and keys that are given on.
// What the bytes inside are is tests/tls/crypto/cbc_test.cc's.
#include <gtest/gtest.h>

#include "tests/tls/record/record_maker.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"
#include "tls/record/deframer.h"
#include "tls/record/protection.h"
#include "tls/record/record_layer.h"

namespace handfast::tls::test {
namespace {

struct Keys {
  CipherSuite suite;
  bool encrypt_then_mac;
};

std::vector<Keys> AllKeys() {
  std::vector<Keys> all;
  for (uint32_t id = 0; id <= 0xffff; ++id) {
    const SuiteInfo* info = FindSuite(static_cast<CipherSuite>(id));
    if (info == nullptr || !info->cbc) continue;
    all.push_back({info->suite, false});
    all.push_back({info->suite, true});
  }
  return all;
}

class CbcProtectionTest : public testing::TestWithParam<Keys> {
 protected:
  static RecordKeys Make(AeadDirection direction, uint64_t sequence = 0) {
    const auto& [suite, etm] = GetParam();
    return *RecordKeys::Create(KeysFor(suite, sequence, etm), direction);
  }
  static RecordSealer Sealer(uint64_t sequence = 0) {
    return RecordSealer(Make(AeadDirection::kSeal, sequence));
  }
  static RecordOpener Opener(uint64_t sequence = 0) {
    return RecordOpener(Make(AeadDirection::kOpen, sequence));
  }
  static Bytes Sealed(ContentType type, ByteView content, uint64_t sequence = 0) {
    Bytes out;
    EXPECT_TRUE(Sealer(sequence).Seal(type, content, kMaxPlaintext, out).ok());
    return out;
  }
};

TEST_P(CbcProtectionTest, RoundTrip) {
  RecordSealer sealer = Sealer();
  RecordOpener opener = Opener();
  for (size_t size = 0; size <= kMaxPlaintext; size = 2 * size + 1) {
    const Bytes content(size, 0x3e);
    Bytes record;
    ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, content, kMaxPlaintext, record).ok());
    const Result<OpenedRecord> opened = opener.Open(record);
    ASSERT_TRUE(opened.ok()) << size;
    EXPECT_EQ(opened->type, ContentType::kApplicationData);
    EXPECT_TRUE(Equal(opened->fragment, content));
  }
}

// T2, T5: a record elsewhere, of another type, or with any byte wrong is refused for one reason.
TEST_P(CbcProtectionTest, T2_EveryFlippedByteIsRefusedAlike) {
  const Bytes good = Sealed(ContentType::kHandshake, Bytes(45, 1));
  for (size_t i = 0; i < good.size(); ++i) {
    if (i == 1 || i == 2) continue;  // the version is PeekRecord's
    Bytes record = good;
    record[i] ^= 0x04;
    if (i == 3 || i == 4) continue;  // as is the length
    const Result<OpenedRecord> opened = Opener().Open(record);
    ASSERT_FALSE(opened.ok()) << i;
    ASSERT_EQ(opened.reason(), Reason::kBadRecordMac) << i;
  }
  Bytes replayed = good;
  EXPECT_EQ(Opener(1).Open(replayed).reason(), Reason::kBadRecordMac);
}

TEST_P(CbcProtectionTest, EveryTruncationIsRefusedAlike) {
  const Bytes good = Sealed(ContentType::kHandshake, Bytes(45, 1));
  for (size_t size = kRecordHeaderSize; size < good.size(); ++size) {
    Bytes record(good.begin(), good.begin() + static_cast<ptrdiff_t>(size));
    ASSERT_EQ(Opener().Open(record).reason(), Reason::kBadRecordMac) << size;
  }
}

// RFC 5246 §6.2.1 and RFC 8449.
TEST_P(CbcProtectionTest, T18_LimitOfThePlaintext) {
  for (size_t limit : {size_t{64}, size_t{1000}, kMaxPlaintext - 1}) {
    Bytes fits = Sealed(ContentType::kApplicationData, Bytes(limit, 1));
    EXPECT_TRUE(Opener().Open(fits, limit).ok());
    Bytes over = Sealed(ContentType::kApplicationData, Bytes(limit + 1, 1));
    EXPECT_EQ(Opener().Open(over, limit).reason(), Reason::kRecordOverflow);
    // Wrong as well as too long: only the first is told.
    Bytes wrong = Sealed(ContentType::kApplicationData, Bytes(limit + 1, 1));
    wrong.back() ^= 1;
    EXPECT_EQ(Opener().Open(wrong, limit).reason(), Reason::kBadRecordMac);
  }
}

// RFC 5246 §6.2.3.
TEST_P(CbcProtectionTest, T18_LimitOfTheCiphertext) {
  EXPECT_EQ(Opener().max_ciphertext(), kMaxCbcCiphertext);
  Bytes largest(kRecordHeaderSize + kMaxCbcCiphertext, 23);
  EXPECT_EQ(Opener().Open(largest).reason(), Reason::kBadRecordMac);
  largest.push_back(23);
  EXPECT_EQ(Opener().Open(largest).reason(), Reason::kRecordOverflow);
  EXPECT_EQ(RecordOpener().max_ciphertext(), kMaxCiphertext);
}

TEST_P(CbcProtectionTest, ALargeContentIsCut) {
  Bytes out;
  RecordSealer sealer = Sealer();
  ASSERT_TRUE(sealer.Seal(ContentType::kApplicationData, Bytes(1000, 5), 300, out).ok());
  RecordOpener opener = Opener();
  size_t records = 0;
  size_t content = 0;
  for (std::span<uint8_t> rest = out; !rest.empty(); ++records) {
    const auto header = PeekRecord(rest, false, opener.max_ciphertext());
    ASSERT_TRUE(header.ok() && *header);
    const size_t size = kRecordHeaderSize + (*header)->length;
    const Result<OpenedRecord> opened = opener.Open(rest.first(size));
    ASSERT_TRUE(opened.ok());
    content += opened->fragment.size();
    rest = rest.subspan(size);
  }
  EXPECT_EQ(records, 4u);
  EXPECT_EQ(content, 1000u);
}

// What a saved connection does: the keys go on where they were.
TEST_P(CbcProtectionTest, KeysGoOn) {
  RecordSealer sealer = Sealer(5);
  Bytes first;
  ASSERT_TRUE(sealer.Seal(ContentType::kAlert, Bytes(2, 1), kMaxPlaintext, first).ok());
  TrafficKeys keys = std::move(*sealer.keys()).Release();
  const auto& keys12 = std::get<TrafficKeys12>(keys);
  EXPECT_EQ(keys12.sequence, 6u);
  EXPECT_EQ(keys12.encrypt_then_mac, GetParam().encrypt_then_mac);
  RecordSealer next(*RecordKeys::Create(std::move(keys), AeadDirection::kSeal));
  Bytes second;
  ASSERT_TRUE(next.Seal(ContentType::kAlert, Bytes(2, 1), kMaxPlaintext, second).ok());
  RecordOpener opener = Opener(5);
  EXPECT_TRUE(opener.Open(first).ok());
  EXPECT_TRUE(opener.Open(second).ok());
}

TEST_P(CbcProtectionTest, RefusesKeysOfAnotherShape) {
  const auto made = [](auto spoil) {
    TrafficKeys keys = KeysFor(GetParam().suite);
    spoil(std::get<TrafficKeys12>(keys));
    return RecordKeys::Create(std::move(keys), AeadDirection::kOpen).ok();
  };
  EXPECT_TRUE(made([](TrafficKeys12&) {}));
  EXPECT_FALSE(made([](TrafficKeys12& k) { k.key = AeadKey(); }));
  EXPECT_FALSE(made([](TrafficKeys12& k) { k.mac_key = HashSecret(); }));
  EXPECT_FALSE(made([](TrafficKeys12& k) { k.iv = *AeadIv::From(Bytes(4, 1)); }));
  TrafficKeys aead = KeysFor(CipherSuite::kEcdheRsaAes128GcmSha256);
  std::get<TrafficKeys12>(aead).mac_key = *HashSecret::From(Bytes(20, 1));
  EXPECT_FALSE(RecordKeys::Create(std::move(aead), AeadDirection::kOpen).ok());
}

// RFC 8446 §5.3's rule, in TLS 1.2 too: RFC 5246 §6.1.
TEST_P(CbcProtectionTest, SequenceNumbersEnd) {
  Bytes out;
  EXPECT_EQ(Sealer(UINT64_MAX).Seal(ContentType::kAlert, Bytes(2), kMaxPlaintext, out).reason(),
            Reason::kSequenceExhausted);
  EXPECT_TRUE(out.empty());
  Bytes record = Sealed(ContentType::kAlert, Bytes(2));
  EXPECT_EQ(Opener(UINT64_MAX).Open(record).reason(), Reason::kSequenceExhausted);
}

// ---- After the handshake

// HMAC over what RFC 5246 §6.2.3.1 and RFC 7366 §3 put before it.
void AppendMac(const TrafficKeys12& keys, const CbcAssociatedData& data, ByteView covered,
               Bytes& out) {
  const uint8_t length[] = {static_cast<uint8_t>(covered.size() >> 8),
                            static_cast<uint8_t>(covered.size())};
  Hmac hmac(HashAlgorithm::kSha256, SecretAccess::Open(keys.mac_key));
  hmac.Update(data);
  hmac.Update(length);
  hmac.Update(covered);
  Bytes mac(DigestSize(HashAlgorithm::kSha256));
  hmac.Finish(mac.data());
  Append(out, mac);
}

// The first record of application data: `content` and `padding` bytes of padding, 1 to 256.
Bytes MakeRecordCbc(CipherSuite suite, bool etm, const Bytes& content, size_t padding) {
  const TrafficKeys traffic = KeysFor(suite, 0, etm);
  const auto& keys = std::get<TrafficKeys12>(traffic);
  const CbcAssociatedData data = {0, 0, 0, 0, 0, 0, 0, 0, 23, 3, 3};
  Bytes inside = content;
  if (!etm) AppendMac(keys, data, content, inside);
  inside.insert(inside.end(), padding, static_cast<uint8_t>(padding - 1));
  // Without the block that the sealer adds, and its MAC.
  CbcHmac sealer =
      *CbcHmac::Create(*FindSuite(suite)->cbc, AeadDirection::kSeal, keys.key, keys.mac_key, true);
  Bytes body(sealer.SealedSize(inside.size()));
  EXPECT_TRUE(sealer.Seal(data, inside, body.data()).ok());
  body.resize(kCbcBlockSize + inside.size());
  if (etm) AppendMac(keys, data, Bytes(body), body);
  Bytes record = {23, 3, 3, static_cast<uint8_t>(body.size() >> 8),
                  static_cast<uint8_t>(body.size())};
  Append(record, body);
  return record;
}

RecordLayer LayerFor(CipherSuite suite, bool etm) {
  const auto keys = [&](AeadDirection direction) {
    return *RecordKeys::Create(KeysFor(suite, 0, etm), direction);
  };
  return RecordLayer(RecordSealer(keys(AeadDirection::kSeal)),
                     RecordOpener(keys(AeadDirection::kOpen)), {});
}

// RFC 5246 §6.2.3: padding may make a record longer than any that an AEAD makes.
TEST(RecordLayerCbc, T18_TakesTheLongestRecordThatIsLegal) {
  constexpr CipherSuite kSuite = CipherSuite::kRsaAes128CbcSha256;
  for (const bool etm : {false, true}) {
    const Bytes content(kMaxPlaintext, 'x');
    Bytes record = MakeRecordCbc(kSuite, etm, content, 256);
    ASSERT_GT(record.size(), kRecordHeaderSize + kMaxCiphertext);
    RecordLayer layer = LayerFor(kSuite, etm);
    std::vector<ByteView> pieces;
    Bytes to_peer;
    const RecordLayer::Opened opened = layer.Open(record, pieces, to_peer);
    EXPECT_FALSE(opened.failure) << etm;
    ASSERT_EQ(pieces.size(), 1u);
    EXPECT_TRUE(Equal(pieces[0], content));
  }
}

// The control: a header beyond the limit of AES-CBC, and one beyond that of AEADs under an AEAD.
TEST(RecordLayerCbc, T18_RefusesALongerOne) {
  const auto open = [](CipherSuite suite, size_t length) {
    RecordLayer layer = LayerFor(suite, false);
    Bytes header = {23, 3, 3, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
    std::vector<ByteView> pieces;
    Bytes to_peer;
    return layer.Open(header, pieces, to_peer).failure;
  };
  EXPECT_EQ(open(CipherSuite::kRsaAes128CbcSha256, kMaxCbcCiphertext), std::nullopt);
  EXPECT_EQ(open(CipherSuite::kRsaAes128CbcSha256, kMaxCbcCiphertext + 1), Reason::kRecordOverflow);
  EXPECT_EQ(open(CipherSuite::kRsaAes128GcmSha256, kMaxCiphertext), std::nullopt);
  EXPECT_EQ(open(CipherSuite::kRsaAes128GcmSha256, kMaxCiphertext + 1), Reason::kRecordOverflow);
}

std::string KeysName(const testing::TestParamInfo<Keys>& info) {
  return Name(info.param.suite) + (info.param.encrypt_then_mac ? "_EtM" : "");
}
INSTANTIATE_TEST_SUITE_P(All, CbcProtectionTest, testing::ValuesIn(AllKeys()), KeysName);

}  // namespace
}  // namespace handfast::tls::test
