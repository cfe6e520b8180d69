#include "tls/base/bytes.h"

#include <gtest/gtest.h>

namespace handfast::tls {
namespace {

TEST(Bytes, HexGoesBothWays) {
  Bytes all;
  all.reserve(256);
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<uint8_t>(i));
  const std::string hex = ToHex(all);
  EXPECT_EQ(hex.size(), 512u);
  EXPECT_EQ(hex.substr(0, 8), "00010203");
  EXPECT_EQ(hex.substr(504), "fcfdfeff");
  EXPECT_EQ(FromHex(hex), all);
  EXPECT_EQ(ToHex({}), "");
  EXPECT_EQ(FromHex(""), Bytes());
}

TEST(Bytes, HexTakesEitherCase) { EXPECT_EQ(FromHex("aBCdEf"), (Bytes{0xab, 0xcd, 0xef})); }

TEST(Bytes, HexRefusesWhatIsNone) {
  EXPECT_FALSE(FromHex("0"));
  EXPECT_FALSE(FromHex("abc"));
  // Each character beside a run of digits.
  for (const char* text : {"0/", "0:", "0@", "0G", "0`", "0g", " 0", "0 ", "0x", "-1"}) {
    EXPECT_FALSE(FromHex(text)) << text;
  }
  EXPECT_FALSE(FromHex(std::string("0\0", 2)));
}

TEST(Bytes, TextAndBytesAreTheSameMemory) {
  const std::string text("a\0b", 3);
  EXPECT_EQ(AsBytes(text).size(), 3u);
  EXPECT_EQ(static_cast<const void*>(AsBytes(text).data()), text.data());
  EXPECT_EQ(AsText(AsBytes(text)), text);
}

TEST(Bytes, EqualComparesContentAndLength) {
  const Bytes a = {1, 2, 3};
  EXPECT_TRUE(Equal(a, Copy(a)));
  EXPECT_FALSE(Equal(a, Bytes{1, 2}));
  EXPECT_FALSE(Equal(a, Bytes{1, 2, 4}));
  EXPECT_TRUE(Equal({}, {}));
}

TEST(Bytes, AppendKeepsWhatWasThere) {
  Bytes out = {1};
  Append(out, Bytes{2, 3});
  Append(out, {});
  EXPECT_EQ(out, (Bytes{1, 2, 3}));
}

}  // namespace
}  // namespace handfast::tls
