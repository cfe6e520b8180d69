// AES-CBC with HMAC: bodies made by hand from the RFCs' text and judged by an opener, T2's classes,
// and the other way round.
#include "tls/crypto/cbc.h"

#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tests/tls/crypto/vectors.h"

namespace handfast::tls {
namespace {

constexpr CbcAlgorithm kAlgorithms[] = {{16, CbcMac::kHmacSha1},   {32, CbcMac::kHmacSha1},
                                        {16, CbcMac::kHmacSha256}, {32, CbcMac::kHmacSha256},
                                        {32, CbcMac::kHmacSha384}, {16, CbcMac::kHmacSha384}};
constexpr CbcAlgorithm kSha1 = kAlgorithms[0];
constexpr CbcAssociatedData kData = {0, 0, 0, 0, 0, 0, 1, 2, 23, 3, 3};

Bytes Fill(size_t size, uint8_t from) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(from + i);
  return bytes;
}

CbcHmac Make(CbcAlgorithm algorithm, AeadDirection direction, bool etm) {
  Result<CbcHmac> made =
      CbcHmac::Create(algorithm, direction, *AeadKey::From(Fill(algorithm.key_size, 1)),
                      *HashSecret::From(Fill(CbcMacSize(algorithm.mac), 0x80)), etm);
  EXPECT_TRUE(made.ok());
  return *std::move(made);
}
CbcHmac Opener(CbcAlgorithm algorithm, bool etm = false) {
  return Make(algorithm, AeadDirection::kOpen, etm);
}

const EVP_MD* DigestOf(CbcMac mac) {
  return mac == CbcMac::kHmacSha1     ? EVP_sha1()
         : mac == CbcMac::kHmacSha256 ? EVP_sha256()
                                      : EVP_sha384();
}

// HMAC(MAC_write_key, seq_num + type + version + length + fragment).
Bytes MacOf(CbcAlgorithm algorithm, ByteView fragment, const CbcAssociatedData& data = kData) {
  Bytes input = Copy(data);
  input.push_back(static_cast<uint8_t>(fragment.size() >> 8));
  input.push_back(static_cast<uint8_t>(fragment.size()));
  Append(input, fragment);
  const Bytes key = Fill(CbcMacSize(algorithm.mac), 0x80);
  Bytes mac(CbcMacSize(algorithm.mac));
  HMAC(DigestOf(algorithm.mac), key.data(), static_cast<int>(key.size()), input.data(),
       input.size(), mac.data(), nullptr);
  return mac;
}

Bytes Crypt(CbcAlgorithm algorithm, ByteView iv, ByteView blocks, int encrypt) {
  const Bytes key = Fill(algorithm.key_size, 1);
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  Bytes out(blocks.size() + 16);
  int size = 0;
  EVP_CipherInit_ex(context, algorithm.key_size == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(),
                    nullptr, key.data(), iv.data(), encrypt);
  EVP_CIPHER_CTX_set_padding(context, 0);
  EVP_CipherUpdate(context, out.data(), &size, blocks.data(), static_cast<int>(blocks.size()));
  EVP_CIPHER_CTX_free(context);
  out.resize(static_cast<size_t>(size));
  return out;
}

const Bytes kIv = Fill(16, 0xa0);

// IV, then what encrypts to `decrypted`.
Bytes Body(CbcAlgorithm algorithm, ByteView decrypted) {
  Bytes body = kIv;
  Append(body, Crypt(algorithm, kIv, decrypted, 1));
  return body;
}

Bytes PaddedTo16(Bytes bytes, size_t extra_blocks = 0) {
  const size_t padding = 15 - bytes.size() % 16 + 16 * extra_blocks;
  bytes.insert(bytes.end(), padding + 1, static_cast<uint8_t>(padding));
  return bytes;
}

// RFC 5246 §6.2.3.2, with `extra_blocks` more padding than is needed.
Bytes MacThenEncrypt(CbcAlgorithm algorithm, ByteView plaintext, size_t extra_blocks = 0) {
  Bytes inside = Copy(plaintext);
  Append(inside, MacOf(algorithm, plaintext));
  return Body(algorithm, PaddedTo16(std::move(inside), extra_blocks));
}

// RFC 7366 §3.
Bytes EncryptThenMac(CbcAlgorithm algorithm, ByteView plaintext, size_t extra_blocks = 0) {
  Bytes body = Body(algorithm, PaddedTo16(Copy(plaintext), extra_blocks));
  Append(body, MacOf(algorithm, body));
  return body;
}

Bytes Made(CbcAlgorithm algorithm, bool etm, ByteView plaintext, size_t extra_blocks = 0) {
  return etm ? EncryptThenMac(algorithm, plaintext, extra_blocks)
             : MacThenEncrypt(algorithm, plaintext, extra_blocks);
}

testing::AssertionResult OpensTo(CbcAlgorithm algorithm, bool etm, Bytes body, ByteView plaintext) {
  const auto opened = Opener(algorithm, etm).Open(kData, body);
  if (!opened.ok()) return testing::AssertionFailure() << Describe(opened.reason()).label;
  if (!Equal(*opened, plaintext)) return testing::AssertionFailure() << "other plaintext";
  return testing::AssertionSuccess();
}

Reason Refusal(CbcAlgorithm algorithm, bool etm, Bytes body, const CbcAssociatedData& data) {
  const auto opened = Opener(algorithm, etm).Open(data, body);
  return opened.ok() ? Reason::kUnexpectedMessage : opened.reason();
}

TEST(Cbc, OpensWhatTheRfcSays) {
  for (const CbcAlgorithm algorithm : kAlgorithms) {
    for (size_t size : {0, 1, 15, 16, 17, 31, 32, 100, 255, 256, 1000, 16384}) {
      for (size_t extra : {0, 1, 7, 14}) {
        const Bytes plaintext = Fill(size, 9);
        for (bool etm : {false, true}) {
          EXPECT_TRUE(OpensTo(algorithm, etm, Made(algorithm, etm, plaintext, extra), plaintext))
              << CbcMacSize(algorithm.mac) << " " << size << " " << extra << " " << etm;
        }
      }
    }
  }
}

// Sealed by us, taken apart by hand.
TEST(Cbc, SealsWhatTheRfcSays) {
  for (const CbcAlgorithm algorithm : kAlgorithms) {
    for (size_t size : {0, 1, 15, 16, 17, 100, 1000, 16384}) {
      for (bool etm : {false, true}) {
        const Bytes plaintext = Fill(size, 9);
        CbcHmac sealer = Make(algorithm, AeadDirection::kSeal, etm);
        Bytes body(sealer.SealedSize(size));
        ASSERT_TRUE(sealer.Seal(kData, plaintext, body.data()).ok());
        const size_t mac_size = CbcMacSize(algorithm.mac);
        Bytes inside = plaintext;
        if (etm) {
          const ByteView covered = ByteView(body).first(body.size() - mac_size);
          EXPECT_TRUE(Equal(ByteView(body).last(mac_size), MacOf(algorithm, covered)));
          body.resize(covered.size());
        } else {
          Append(inside, MacOf(algorithm, plaintext));
        }
        EXPECT_EQ(Crypt(algorithm, ByteView(body).first(16), ByteView(body).subspan(16), 0),
                  PaddedTo16(inside));
      }
    }
  }
}

TEST(Cbc, BothDirectionsAgree) {
  for (const CbcAlgorithm algorithm : kAlgorithms) {
    for (bool etm : {false, true}) {
      CbcHmac sealer = Make(algorithm, AeadDirection::kSeal, etm);
      CbcHmac opener = Opener(algorithm, etm);
      CbcAssociatedData data = kData;
      // One context for many records, as a connection uses it.
      for (size_t size = 0; size < 300; size += 7, ++data[7]) {
        const Bytes plaintext = Fill(size, 3);
        Bytes body(sealer.SealedSize(size));
        ASSERT_TRUE(sealer.Seal(data, plaintext, body.data()).ok());
        const auto opened = opener.Open(data, body);
        ASSERT_TRUE(opened.ok()) << size;
        EXPECT_TRUE(Equal(*opened, plaintext));
      }
    }
  }
}

// RFC 5246 §6.2.3.2: the IV is unpredictable, so never the same and never the number itself.
TEST(Cbc, EachRecordHasItsIv) {
  CbcHmac sealer = Make(kSha1, AeadDirection::kSeal, false);
  std::set<Bytes> ivs;
  CbcAssociatedData data = kData;
  for (int i = 0; i < 1000; ++i) {
    data[6] = static_cast<uint8_t>(i >> 8);
    data[7] = static_cast<uint8_t>(i);
    Bytes body(sealer.SealedSize(4));
    ASSERT_TRUE(sealer.Seal(data, Bytes(4, 7), body.data()).ok());
    body.resize(16);
    EXPECT_TRUE(ivs.insert(std::move(body)).second);
  }
}

// T2: whichever byte is wrong, the same reason.
TEST(Cbc, T2_EveryFlippedByteIsBadRecordMac) {
  for (const CbcAlgorithm algorithm : kAlgorithms) {
    for (bool etm : {false, true}) {
      const Bytes body = Made(algorithm, etm, Fill(37, 1), 2);
      for (size_t i = 0; i < body.size(); ++i) {
        Bytes broken = body;
        broken[i] ^= 0x01;
        ASSERT_EQ(Refusal(algorithm, etm, broken, kData), Reason::kBadRecordMac) << i;
      }
    }
  }
}

TEST(Cbc, T2_EveryTruncationIsBadRecordMac) {
  for (const CbcAlgorithm algorithm : kAlgorithms) {
    for (bool etm : {false, true}) {
      Bytes body = Made(algorithm, etm, Fill(300, 1), 1);
      while (!body.empty()) {
        body.pop_back();
        ASSERT_EQ(Refusal(algorithm, etm, body, kData), Reason::kBadRecordMac) << body.size();
      }
    }
  }
}

TEST(Cbc, T2_TheAssociatedDataIsCovered) {
  for (bool etm : {false, true}) {
    const Bytes body = Made(kSha1, etm, Fill(20, 1));
    for (size_t i = 0; i < kData.size(); ++i) {
      CbcAssociatedData other = kData;
      other[i] ^= 1;
      EXPECT_EQ(Refusal(kSha1, etm, body, other), Reason::kBadRecordMac) << i;
    }
  }
}

// T2, POODLE on TLS: each padding byte counts, however long the padding is.
TEST(Cbc, T2_EveryPaddingByteCounts) {
  for (size_t extra : {0, 1, 8, 14}) {
    Bytes inside = Fill(21, 1);
    Append(inside, MacOf(kSha1, Fill(21, 1)));
    const size_t unpadded = inside.size();
    const Bytes padded = PaddedTo16(std::move(inside), extra);
    ASSERT_TRUE(OpensTo(kSha1, false, Body(kSha1, padded), Fill(21, 1)));
    for (size_t i = unpadded; i < padded.size(); ++i) {
      Bytes wrong = padded;
      wrong[i] ^= 0x80;
      ASSERT_EQ(Refusal(kSha1, false, Body(kSha1, wrong), kData), Reason::kBadRecordMac) << i;
      // Under encrypt-then-MAC too, where the MAC is right.
      Bytes body = Body(kSha1, wrong);
      Append(body, MacOf(kSha1, body));
      ASSERT_EQ(Refusal(kSha1, true, body, kData), Reason::kBadRecordMac) << i;
    }
  }
}

// T2, Lucky13's classes: paddings that leave plaintexts of each length, and no room at all.
TEST(Cbc, T2_PaddingThatEatsTheMac) {
  for (const CbcAlgorithm algorithm : kAlgorithms) {
    for (size_t blocks : {3, 4, 5, 8, 17, 18}) {
      for (int last = 0; last < 256; ++last) {
        Bytes decrypted(16 * blocks, 0);
        const size_t padding = static_cast<size_t>(last) + 1;
        const size_t from = decrypted.size() - std::min(padding, decrypted.size());
        std::fill(decrypted.begin() + static_cast<ptrdiff_t>(from), decrypted.end(),
                  static_cast<uint8_t>(last));
        ASSERT_EQ(Refusal(algorithm, false, Body(algorithm, decrypted), kData),
                  Reason::kBadRecordMac)
            << blocks << " " << last;
      }
    }
  }
}

// Where exactly the MAC and the padding are left, the record is empty and good.
TEST(Cbc, AnEmptyRecordIsLegalAndAWrongOneIsNoOtherReason) {
  for (const CbcAlgorithm algorithm : kAlgorithms) {
    for (bool etm : {false, true}) {
      Bytes body = Made(algorithm, etm, {});
      EXPECT_TRUE(OpensTo(algorithm, etm, body, {}));
    }
    Bytes inside = MacOf(algorithm, {});
    inside[0] ^= 1;
    EXPECT_EQ(Refusal(algorithm, false, Body(algorithm, PaddedTo16(inside)), kData),
              Reason::kBadRecordMac);
  }
}

TEST(Cbc, RefusesKeysOfAnotherSize) {
  const auto made = [](size_t key, size_t mac_key) {
    return CbcHmac::Create(kSha1, AeadDirection::kOpen, *AeadKey::From(Fill(key, 1)),
                           *HashSecret::From(Fill(mac_key, 1)), false)
        .ok();
  };
  EXPECT_TRUE(made(16, 20));
  for (size_t size = 0; size <= 32; ++size) EXPECT_EQ(made(size, 20), size == 16);
  for (size_t size = 0; size <= 48; ++size) EXPECT_EQ(made(16, size), size == 20);
  EXPECT_FALSE(CbcHmac::Create({24, CbcMac::kHmacSha1}, AeadDirection::kOpen,
                               *AeadKey::From(Fill(24, 1)), *HashSecret::From(Fill(20, 1)), false)
                   .ok());
}

TEST(Cbc, ADirectionIsNotTheOther) {
  Bytes body = MacThenEncrypt(kSha1, Fill(5, 1));
  EXPECT_EQ(Make(kSha1, AeadDirection::kSeal, false).Open(kData, body).reason(),
            Reason::kInternalError);
  CbcHmac opener = Opener(kSha1);
  Bytes out(opener.SealedSize(5));
  EXPECT_EQ(opener.Seal(kData, Fill(5, 1), out.data()).reason(), Reason::kInternalError);
}

// Botan's classes of Lucky13, decrypted: right and wrong paddings in front of which no right MAC
// stands. All are refused alike.
TEST(Cbc, T2_Lucky13Classes) {
  constexpr CbcAlgorithm kSha256{16, CbcMac::kHmacSha256};
  constexpr CbcAlgorithm kSha384{32, CbcMac::kHmacSha384};
  const std::pair<const char*, CbcAlgorithm> kFiles[] = {
      {"botan/timing/lucky13sec3.vec", kSha1},
      {"botan/timing/lucky13sec4sha1.vec", kSha1},
      {"botan/timing/lucky13sec4sha256.vec", kSha256},
      {"botan/timing/lucky13sec4sha384.vec", kSha384}};
  for (const auto& [file, algorithm] : kFiles) {
    HANDFAST_VECTORS_OR_SKIP(path, file, 2);
    std::ifstream in(path);
    int cases = 0;
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::erase_if(line, [](char c) { return c == ' ' || c == '\r'; });
      const Bytes decrypted = test::Hex(line);
      ASSERT_EQ(decrypted.size() % 16, 0u);
      ++cases;
      EXPECT_EQ(Refusal(algorithm, false, Body(algorithm, decrypted), kData),
                Reason::kBadRecordMac);
    }
    EXPECT_GE(cases, 1) << file;
  }
}

// Botan's: decrypted bytes, and how many of them are padding; 0: the padding is wrong. They do not
// fill blocks, so each is put behind a MAC, and plaintext that completes the last block.
TEST(Cbc, T2_BotanPadding) {
  constexpr char kFile[] = "botan/tls_cbc_padding.vec";
  HANDFAST_VECTORS_OR_SKIP(path, kFile, 22);
  int cases = 0;
  for (const test::Case& c : test::ReadCases(path, "Output")) {
    const Bytes record = c.hex("Record");
    const size_t padding = std::stoul(c.text("Output"));
    if (record.empty() || (padding == 0 && record.back() >= record.size())) continue;
    ++cases;
    // What is padding stays as it is; in front of it stands a right MAC.
    const size_t size = padding == 0 ? record.back() + size_t{1} : padding;
    const size_t fill = 16 - (20 + size) % 16;
    const Bytes plaintext = Fill(fill, 1);
    Bytes inside = plaintext;
    Append(inside, MacOf(kSha1, plaintext));
    Append(inside, ByteView(record).last(size));
    const Bytes body = Body(kSha1, inside);
    if (padding != 0) {
      EXPECT_TRUE(OpensTo(kSha1, false, body, plaintext)) << c.text("Record");
    } else {
      EXPECT_EQ(Refusal(kSha1, false, body, kData), Reason::kBadRecordMac) << c.text("Record");
    }
  }
  EXPECT_GT(cases, 10);
}

}  // namespace
}  // namespace handfast::tls
