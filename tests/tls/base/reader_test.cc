// Layouts: bounds on both sides, every truncation, every excess.
#include "tls/base/reader.h"

#include <gtest/gtest.h>

#include "tls/base/registry.h"

namespace handfast::tls {
namespace {

struct Entry {
  uint16_t id = 0;
  ByteView body;
  template <class Io, class Self>
  static bool Layout(Io& io, Self& self) {
    return io.U16(self.id) && io.Opaque8(self.body, {1, 255});
  }
};

// One of each kind of field.
struct Everything {
  uint8_t u8 = 0;
  uint16_t u16 = 0;
  uint32_t u24 = 0;
  uint32_t u32 = 0;
  uint64_t u64 = 0;
  HandshakeType type{};
  CipherSuite suite{};
  ByteView fixed;
  ByteView opaque8;
  ByteView opaque16;
  ByteView opaque24;
  std::vector<HandshakeType> list8;
  std::vector<CipherSuite> list16;
  std::vector<Entry> list24;

  template <class Io, class Self>
  static bool Layout(Io& io, Self& self) {
    return io.U8(self.u8) && io.U16(self.u16) && io.U24(self.u24) && io.U32(self.u32) &&
           io.U64(self.u64) && io.U8(self.type) && io.U16(self.suite) && io.Fixed(self.fixed, 3) &&
           io.Opaque8(self.opaque8, {0, 255}) && io.Opaque16(self.opaque16, {2, 65535}) &&
           io.Opaque24(self.opaque24, {0, 1 << 20}) && io.List8(self.list8, {1, 255}) &&
           io.List16(self.list16, {2, 65534}) && io.List24(self.list24, {0, 1 << 20});
  }
};

constexpr uint8_t kThree[] = {7, 8, 9};

Everything Sample() {
  Everything e;
  e.u8 = 0x01;
  e.u16 = 0x0203;
  e.u24 = 0x040506;
  e.u32 = 0x0708090a;
  e.u64 = 0x0b0c0d0e0f101112;
  e.type = HandshakeType::kFinished;
  e.suite = CipherSuite::kTlsAes128GcmSha256;
  e.fixed = kThree;
  e.opaque8 = {};
  e.opaque16 = kThree;
  e.opaque24 = kThree;
  e.list8 = {HandshakeType::kClientHello, HandshakeType::kKeyUpdate};
  e.list16 = {CipherSuite::kEcdheRsaAes128GcmSha256};
  e.list24 = {{.id = 0xff01, .body = kThree}, {.id = 2, .body = ByteView(kThree).first(1)}};
  return e;
}

constexpr char kSampleHex[] =
    "01"
    "0203"
    "040506"
    "0708090a"
    "0b0c0d0e0f101112"
    "14"
    "1301"
    "070809"
    "00"
    "0003070809"
    "000003070809"
    "020118"
    "0002c02f"
    "00000aff0103070809"
    "00020107";

TEST(Layout, WritesNetworkByteOrder) { EXPECT_EQ(ToHex(Serialize(Sample())), kSampleHex); }

TEST(Layout, ReadsWhatItWrote) {
  const Bytes bytes = Serialize(Sample());
  const std::optional<Everything> read = Parse<Everything>(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->u24, 0x040506u);
  EXPECT_EQ(read->u64, 0x0b0c0d0e0f101112u);
  EXPECT_EQ(read->type, HandshakeType::kFinished);
  EXPECT_EQ(read->list8.size(), 2u);
  ASSERT_EQ(read->list24.size(), 2u);
  EXPECT_EQ(read->list24[0].id, 0xff01);
  EXPECT_TRUE(Equal(read->list24[0].body, kThree));
  EXPECT_EQ(Serialize(*read), bytes);
}

TEST(Layout, RefusesEveryTruncation) {
  const Bytes bytes = Serialize(Sample());
  for (size_t size = 0; size < bytes.size(); ++size) {
    // A copy of its own, so that the sanitizer sees a read past the end.
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(Parse<Everything>(cut)) << size;
  }
}

TEST(Layout, RefusesTrailingBytes) {
  Bytes bytes = Serialize(Sample());
  bytes.push_back(0);
  EXPECT_FALSE(Parse<Everything>(bytes));
}

template <size_t kMin, size_t kMax>
struct Bounded {
  ByteView body;
  template <class Io, class Self>
  static bool Layout(Io& io, Self& self) {
    return io.Opaque16(self.body, {kMin, kMax});
  }
};

TEST(Layout, BoundsHoldInBothDirections) {
  using Message = Bounded<2, 4>;
  for (size_t size = 0; size <= 6; ++size) {
    const Bytes body(size, 0x55);
    const bool fits = size >= 2 && size <= 4;
    EXPECT_EQ(!Serialize(Message{body}).empty(), fits) << size;
    const Bytes wire = Serialize(Bounded<0, 65535>{body});
    EXPECT_EQ(Parse<Message>(wire).has_value(), fits) << size;
  }
}

TEST(Layout, AFixedFieldOfAnotherSizeIsRefused) {
  Everything e = Sample();
  e.fixed = ByteView(kThree).first(2);
  EXPECT_TRUE(Serialize(e).empty());
}

struct Suites {
  std::vector<CipherSuite> suites;
  template <class Io, class Self>
  static bool Layout(Io& io, Self& self) {
    return io.List16(self.suites, {2, 8});
  }
};

TEST(Layout, AListHoldsWholeItems) {
  EXPECT_TRUE(Parse<Suites>(*FromHex("000413011302")));
  EXPECT_FALSE(Parse<Suites>(*FromHex("0003130113")));
  EXPECT_FALSE(Parse<Suites>(*FromHex("0000")));
  EXPECT_FALSE(Parse<Suites>(*FromHex("000a13011302130313041305")));
  EXPECT_TRUE(Serialize(Suites{}).empty());
  EXPECT_TRUE(Serialize(Suites{std::vector<CipherSuite>(5)}).empty());
}

TEST(Layout, AnItemMayNotReachPastItsList) {
  struct Entries {
    std::vector<Entry> entries;
    static bool Layout(Reader& io, Entries& self) { return io.List16(self.entries, {0, 100}); }
  };
  // The second entry claims three bytes; the list ends after one, the message goes on.
  EXPECT_FALSE(Parse<Entries>(*FromHex("0008000101aa000203bb")));
}

TEST(Reader, AFailedReadTakesNothing) {
  const Bytes bytes = {1, 2};
  Reader reader(bytes);
  uint32_t v = 0;
  EXPECT_FALSE(reader.U24(v));
  EXPECT_EQ(reader.rest().size(), 2u);
  ByteView rest;
  EXPECT_TRUE(reader.Rest(rest));
  EXPECT_TRUE(reader.done());
  EXPECT_TRUE(Equal(rest, bytes));
}

TEST(Reader, KeepsNumbersItDoesNotKnow) {
  const Bytes bytes = {0x1a, 0x2a};
  Reader reader(bytes);
  CipherSuite suite{};
  ASSERT_TRUE(reader.U16(suite));
  EXPECT_EQ(static_cast<uint16_t>(suite), 0x1a2a);
}

TEST(Writer, PrefixedMeasuresItsBody) {
  Bytes out = {0xee};
  Writer writer(out);
  EXPECT_TRUE(writer.Prefixed(3, {0, 10}, [&] {
    return writer.U16(uint16_t{0x0102}) &&
           writer.Prefixed(1, {0, 10}, [&] { return writer.U8(uint8_t{3}); });
  }));
  EXPECT_EQ(ToHex(out), "ee00000401020103");
  EXPECT_FALSE(writer.Prefixed(1, {2, 10}, [&] { return writer.U8(uint8_t{3}); }));
  EXPECT_FALSE(writer.Prefixed(1, {0, 10}, [] { return false; }));
}

}  // namespace
}  // namespace handfast::tls
