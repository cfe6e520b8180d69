// The five bytes of a record's header, and what they may be.
#include "tls/record/deframer.h"

#include <gtest/gtest.h>

#include "tls/record/protection.h"

namespace handfast::tls::test {
namespace {

TEST(PeekRecord, WholeHeader) {
  const auto header = PeekRecord(Bytes{22, 3, 1, 0x01, 0x02, 0xff}, true);
  ASSERT_TRUE(header.ok() && header->has_value());
  EXPECT_EQ((*header)->type, ContentType::kHandshake);
  EXPECT_EQ((*header)->version, 0x0301);
  EXPECT_EQ((*header)->length, 0x0102);
}

TEST(PeekRecord, TooFewBytesToTell) {
  const Bytes header = {22, 3, 3, 0, 5};
  for (bool first : {true, false}) {
    for (size_t size = 0; size < header.size(); ++size) {
      const auto peeked = PeekRecord(ByteView(header).first(size), first);
      ASSERT_TRUE(peeked.ok());
      EXPECT_FALSE(peeked->has_value()) << size;
    }
    EXPECT_TRUE(PeekRecord(header, first)->has_value());
  }
}

// RFC 8446 §5, RFC 5246 §6.
TEST(PeekRecord, Types) {
  for (int type = 0; type < 256; ++type) {
    const Bytes header = {static_cast<uint8_t>(type), 3, 3, 0, 5};
    const auto first = PeekRecord(header, true);
    const auto later = PeekRecord(header, false);
    const bool known = type >= 20 && type <= 23;
    EXPECT_EQ(first.ok(), type == 21 || type == 22) << type;
    EXPECT_EQ(later.ok(), known) << type;
    if (!first.ok()) {
      EXPECT_EQ(first.reason(), known ? Reason::kUnexpectedMessage : Reason::kNotTls);
    }
    if (!later.ok()) {
      EXPECT_EQ(later.reason(), Reason::kBadRecordType);
    }
  }
}

// RFC 8446 §5.1, §D: legacy_record_version "MUST be ignored for all purposes".
TEST(PeekRecord, NoVersionMatters) {
  for (int version = 0; version < 0x10000; ++version) {
    const Bytes header = {22, static_cast<uint8_t>(version >> 8), static_cast<uint8_t>(version), 0,
                          5};
    for (const bool first : {true, false}) {
      const auto peeked = PeekRecord(header, first);
      ASSERT_TRUE(peeked.ok() && *peeked) << version;
      EXPECT_EQ((*peeked)->length, 5);
    }
  }
}

// RFC 8446 §5.2.
TEST(PeekRecord, T18_Length) {
  EXPECT_TRUE(PeekRecord(Bytes{23, 3, 3, 0x41, 0x00}, false).ok());
  const auto over = PeekRecord(Bytes{23, 3, 3, 0x41, 0x01}, false);
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.reason(), Reason::kRecordOverflow);
  EXPECT_EQ(kMaxCiphertext, 0x4100u);
}

// RFC 5246 §6.2.3: under AES-CBC alone.
TEST(PeekRecord, T18_LengthUnderCbc) {
  EXPECT_EQ(kMaxCbcCiphertext, 0x4800u);
  EXPECT_TRUE(PeekRecord(Bytes{23, 3, 3, 0x48, 0x00}, false, kMaxCbcCiphertext).ok());
  const auto over = PeekRecord(Bytes{23, 3, 3, 0x48, 0x01}, false, kMaxCbcCiphertext);
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.reason(), Reason::kRecordOverflow);
}

}  // namespace
}  // namespace handfast::tls::test
