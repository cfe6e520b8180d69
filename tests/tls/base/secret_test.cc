#include "tls/base/secret.h"

#include <algorithm>
#include <new>
#include <type_traits>

#include <gtest/gtest.h>

#include "tls/base/secret_access.h"

namespace handfast::tls {
namespace {

using Small = Secret<8>;

// A secret is not copied, compared or converted by accident: none of these compiles.
static_assert(!std::is_copy_constructible_v<Small>);
static_assert(!std::is_copy_assignable_v<Small>);
static_assert(std::is_nothrow_move_constructible_v<Small>);
static_assert(std::is_nothrow_move_assignable_v<Small>);
template <class T>
concept Comparable = requires(const T& a, const T& b) {
  a == b;
};
static_assert(!Comparable<Small>);
template <class T>
concept Iterable = requires(const T& a) {
  a.begin();
};
static_assert(!Iterable<Small>);
static_assert(!std::is_default_constructible_v<Small::Passkey>);
static_assert(!std::is_aggregate_v<Small::Passkey>);  // else `{}` would make one
static_assert(!std::is_convertible_v<Small, ByteView>);
static_assert(!std::is_convertible_v<AeadKey, HashSecret>);
static_assert(Small::kCapacity == 8);

constexpr uint8_t kBytes[] = {0xa1, 0xa2, 0xa3, 0xa4, 0xa5};

// The object's own memory: what is left there after a move or the end is what an attacker reads.
template <class T>
bool Holds(const T& object, uint8_t byte) {
  const auto* memory = reinterpret_cast<const volatile uint8_t*>(&object);
  for (size_t i = 0; i < sizeof(object); ++i) {
    if (memory[i] == byte) return true;
  }
  return false;
}

TEST(Secret, StartsEmpty) {
  Small secret;
  EXPECT_TRUE(secret.empty());
  EXPECT_EQ(SecretAccess::Open(secret).size(), 0u);
}

TEST(Secret, HoldsWhatItWasGiven) {
  const std::optional<Small> secret = Small::From(kBytes);
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->size(), 5u);
  EXPECT_TRUE(Equal(SecretAccess::Open(*secret), kBytes));
}

TEST(Secret, RefusesMoreThanItsCapacity) {
  const Bytes nine(9, 1);
  EXPECT_FALSE(Small::From(nine));
  EXPECT_TRUE(Small::From(ByteView(nine).first(8)));
  EXPECT_TRUE(Small::From({}));
}

TEST(Secret, AMoveWipesTheSource) {
  Small from = *Small::From(kBytes);
  ASSERT_TRUE(Holds(from, 0xa3));
  Small to = std::move(from);
  EXPECT_TRUE(Equal(SecretAccess::Open(to), kBytes));
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move)
  for (uint8_t byte : kBytes) EXPECT_FALSE(Holds(from, byte));
}

TEST(Secret, AssignmentWipesBoth) {
  Small from = *Small::From(ByteView(kBytes).first(1));
  Small to = *Small::From(kBytes);
  to = std::move(from);
  EXPECT_EQ(to.size(), 1u);
  for (uint8_t byte : ByteView(kBytes).subspan(1)) EXPECT_FALSE(Holds(to, byte));
  EXPECT_FALSE(Holds(from, 0xa1));  // NOLINT(bugprone-use-after-move)
}

TEST(Secret, AssignmentToItselfKeepsIt) {
  Small secret = *Small::From(kBytes);
  Small& alias = secret;
  secret = std::move(alias);
  EXPECT_TRUE(Equal(SecretAccess::Open(secret), kBytes));
}

TEST(Secret, DestructionWipes) {
  alignas(Small) unsigned char memory[sizeof(Small)];
  std::fill(std::begin(memory), std::end(memory), 0);
  Small* secret = new (memory) Small(*Small::From(kBytes));
  ASSERT_TRUE(Holds(memory, 0xa5));
  secret->~Small();
  for (uint8_t byte : kBytes) EXPECT_FALSE(Holds(memory, byte));
}

TEST(Secret, FillIsBoundedByTheCapacity) {
  Small secret;
  EXPECT_EQ(SecretAccess::Fill(secret, 3).size(), 3u);
  EXPECT_EQ(secret.size(), 3u);
  EXPECT_EQ(SecretAccess::Fill(secret, 100).size(), 8u);
}

TEST(Secret, WipeOverwrites) {
  Bytes bytes(kBytes, kBytes + 5);
  Wipe(bytes);
  EXPECT_EQ(bytes, Bytes(5, 0));
  Wipe({});
}

}  // namespace
}  // namespace handfast::tls
