// The reader of FileDescriptorSets: names, and truncation at every byte.
#include "server/access/descriptor_set.h"

#include <gtest/gtest.h>

namespace handfast::access {
namespace {

// One length-delimited field.
std::string Field(int number, const std::string& content) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  out += static_cast<char>(content.size());
  return out + content;
}

const std::string kFile =
    Field(1, "a.proto") + Field(2, "made.up.v1") + std::string("\x60\x01", 2) /* a varint */ +
    Field(6, Field(1, "First") + Field(2, Field(1, "One")) + Field(2, Field(1, "Two"))) +
    Field(6, Field(1, "Second") + Field(2, Field(1, "Three") + Field(2, ".made.up.v1.Request")));

TEST(DescriptorSet, NamesEveryMethodOfEveryServiceAndFile) {
  const std::string other = Field(6, Field(1, "Bare") + Field(2, Field(1, "Four")));
  const auto methods = MethodsOf(Field(1, kFile) + Field(1, other));
  ASSERT_TRUE(methods.has_value());
  EXPECT_EQ(*methods, (std::vector<std::string>{"/made.up.v1.First/One", "/made.up.v1.First/Two",
                                                "/made.up.v1.Second/Three", "/Bare/Four"}));
}

TEST(DescriptorSet, IsEmptyWithoutServices) {
  EXPECT_EQ(MethodsOf(""), std::vector<std::string>());
  EXPECT_EQ(MethodsOf(Field(1, Field(2, "p"))), std::vector<std::string>());
}

TEST(DescriptorSet, RefusesEveryTruncation) {
  const std::string whole = Field(1, kFile);
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(MethodsOf(whole.substr(0, size)).has_value()) << size;
  }
}

TEST(DescriptorSet, RefusesGroupsAndEndlessNumbers) {
  EXPECT_FALSE(MethodsOf("\x0b").has_value());
  EXPECT_FALSE(MethodsOf(std::string(11, '\xff')).has_value());
}

}  // namespace
}  // namespace handfast::access
