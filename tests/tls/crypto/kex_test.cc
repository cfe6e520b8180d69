#include "tls/crypto/kex.h"

#include <optional>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include "tests/tls/crypto/vectors.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/random.h"
#include "tls/crypto/respond.h"

namespace handfast::tls {
namespace {

using test::Case;
using test::Hex;
using test::ReadCases;
using test::TestGroups;

struct GroupSizes {
  NamedGroup group;
  size_t scalar;
  size_t share;
};
constexpr GroupSizes kGroups[] = {
    {NamedGroup::kX25519, 32, 32},     {NamedGroup::kSecp256r1, 32, 65},
    {NamedGroup::kSecp384r1, 48, 97},  {NamedGroup::kSecp521r1, 66, 133},
    {NamedGroup::kFfdhe2048, 32, 256}, {NamedGroup::kFfdhe3072, 40, 384},
    {NamedGroup::kFfdhe4096, 48, 512}};

const std::string kZero(64, '0');

bool IsCurve(NamedGroup group) { return group != NamedGroup::kX25519 && !IsFfdhe(group); }

KeyPair Fresh(NamedGroup group) {
  Result<KeyPair> pair = KeyPair::Generate(group);
  EXPECT_TRUE(pair.ok());
  return *std::move(pair);
}

KeyPair From(NamedGroup group, ByteView scalar) {
  Result<KeyPair> pair = KeyPair::FromPrivate(group, scalar);
  EXPECT_TRUE(pair.ok());
  return *std::move(pair);
}

std::string SharedHex(KeyPair&& pair, ByteView peer) {
  const Result<SharedSecret> shared = std::move(pair).Derive(peer);
  return shared.ok() ? ToHex(SecretAccess::Open(*shared)) : Describe(shared.reason()).label.data();
}

// A scalar of JSON: hex of the number, perhaps shorter or with a leading zero byte.
Bytes Padded(const Bytes& number, size_t size) {
  Bytes padded(size, 0);
  for (size_t i = 0; i < number.size() && i < size; ++i) {
    padded[size - 1 - i] = number[number.size() - 1 - i];
  }
  return padded;
}

TEST(KeyPair, BothSidesAgree) {
  for (const GroupSizes& sizes : kGroups) {
    KeyPair one = Fresh(sizes.group);
    KeyPair two = Fresh(sizes.group);
    EXPECT_EQ(one.group(), sizes.group);
    EXPECT_EQ(one.public_key().size(), sizes.share);
    EXPECT_EQ(one.PrivateKey().size(), sizes.scalar);
    const Bytes share_one = Copy(one.public_key());
    const Bytes share_two = Copy(two.public_key());
    const std::string shared = SharedHex(std::move(one), share_two);
    EXPECT_EQ(shared.size(), 2 * (IsCurve(sizes.group) ? sizes.scalar : sizes.share));
    EXPECT_EQ(SharedHex(std::move(two), share_one), shared);
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

TEST(KeyPair, ThePrivateKeyMakesThePairAgain) {
  for (const GroupSizes& sizes : kGroups) {
    KeyPair pair = Fresh(sizes.group);
    const Secret<KeyPair::kMaxPrivateKeySize> scalar = pair.PrivateKey();
    KeyPair again = From(sizes.group, SecretAccess::Open(scalar));
    EXPECT_TRUE(Equal(again.public_key(), pair.public_key()));
    const Bytes peer = Copy(Fresh(sizes.group).public_key());
    EXPECT_EQ(SharedHex(std::move(again), peer), SharedHex(std::move(pair), peer));
  }
}

// Many shares, interleaved, so that nothing reused between pairs leaks from one into another.
TEST(KeyPair, PairsAreDistinctAndIndependent) {
  for (const GroupSizes& sizes : kGroups) {
    std::set<Bytes> shares;
    std::vector<KeyPair> pairs;
    const int count = sizes.group == NamedGroup::kX25519 ? 200 : 20;
    for (int i = 0; i < count; ++i) {
      pairs.push_back(Fresh(sizes.group));
      EXPECT_TRUE(shares.insert(Copy(pairs.back().public_key())).second);
    }
    const Bytes scalar = Copy(SecretAccess::Open(pairs[0].PrivateKey()));
    const Bytes share = Copy(pairs[0].public_key());
    for (int i = count - 1; i > 0; --i) {
      const Bytes peer = Copy(pairs[static_cast<size_t>(i)].public_key());
      EXPECT_EQ(SharedHex(std::move(pairs[static_cast<size_t>(i)]), share),
                SharedHex(From(sizes.group, scalar), peer));
    }
  }
}

TEST(KeyPair, KnowsItsGroups) {
  for (uint32_t n = 0; n <= 0xffff; ++n) {
    const auto group = static_cast<NamedGroup>(n);
    if (IsHybrid(group)) continue;  // kex_hybrid_test.cc
    bool ours = false;
    for (const GroupSizes& sizes : kGroups) ours |= sizes.group == group;
    ASSERT_EQ(Implemented(group), ours) << n;
    if (!ours) {
      ASSERT_EQ(KeyPair::Generate(group).reason(), Reason::kInternalError);
      ASSERT_EQ(KeyPair::FromPrivate(group, Bytes(32, 1)).reason(), Reason::kInternalError);
    }
  }
}

// ML-KEM came with 3.5. Without it a hybrid is as unknown as any other number; what it does with it
// is in kex_hybrid_test.cc.
TEST(KeyPair, HybridsAreThereWhereTheRunningLibcryptoHasMlKem) {
  const bool has = OpenSSL_version_num() >= 0x30500000;
  for (NamedGroup group : {NamedGroup::kX25519MlKem768, NamedGroup::kSecP256r1MlKem768}) {
    EXPECT_TRUE(IsHybrid(group));
    EXPECT_EQ(Implemented(group), has) << Name(group);
    EXPECT_EQ(KeyPair::Generate(group).ok(), has);
    EXPECT_EQ(KeyPair::FromPrivate(group, Bytes(96, 1)).ok(), has);
    ResponderShare share;
    EXPECT_EQ(Respond(group, Bytes(1216, 0), SystemRandomness(), share).reason(),
              has ? Reason::kBadKeyShare : Reason::kInternalError);
  }
}

TEST(KeyPair, RefusesSharesOfAnotherLength) {
  for (const GroupSizes& sizes : kGroups) {
    Bytes longer = Copy(Fresh(sizes.group).public_key());
    longer.push_back(0);
    for (size_t size = 0; size <= longer.size(); ++size) {
      if (size == sizes.share) continue;
      const Bytes cut(longer.begin(), longer.begin() + static_cast<ptrdiff_t>(size));
      ASSERT_EQ(SharedHex(Fresh(sizes.group), cut), "bad_key_share") << size;
    }
    EXPECT_EQ(ERR_peek_error(), 0u);
  }
}

TEST(KeyPair, RefusesScalarsOutOfRange) {
  for (const GroupSizes& sizes : kGroups) {
    EXPECT_FALSE(KeyPair::FromPrivate(sizes.group, Bytes(sizes.scalar - 1, 1)).ok());
    EXPECT_FALSE(KeyPair::FromPrivate(sizes.group, Bytes(sizes.scalar + 1, 1)).ok());
    if (sizes.group == NamedGroup::kX25519) continue;  // any 32 bytes will do
    EXPECT_FALSE(KeyPair::FromPrivate(sizes.group, Bytes(sizes.scalar, 0)).ok());
    // Every other exponent will do.
    EXPECT_EQ(KeyPair::FromPrivate(sizes.group, Bytes(sizes.scalar, 0xff)).ok(),
              IsFfdhe(sizes.group));
  }
  // SEC 2: the order of secp256r1, and one less.
  Bytes order = Hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  EXPECT_FALSE(KeyPair::FromPrivate(NamedGroup::kSecp256r1, order).ok());
  order.back() -= 1;
  EXPECT_TRUE(KeyPair::FromPrivate(NamedGroup::kSecp256r1, order).ok());
}

TEST(KeyPair, RefusesPointsOffTheCurveAndOtherForms) {
  for (const GroupSizes& sizes : kGroups) {
    if (!IsCurve(sizes.group)) continue;
    const Bytes good = Copy(Fresh(sizes.group).public_key());
    Bytes off = good;
    off.back() ^= 1;
    EXPECT_EQ(SharedHex(Fresh(sizes.group), off), "bad_key_share");
    for (int form : {0, 1, 2, 3, 5, 6, 7, 255}) {  // compressed 2 and 3, hybrid 6 and 7
      Bytes other = good;
      other[0] = static_cast<uint8_t>(form);
      EXPECT_EQ(SharedHex(Fresh(sizes.group), other), "bad_key_share") << form;
    }
    // Compressed, of its own length.
    Bytes compressed(good.begin(), good.begin() + 1 + static_cast<ptrdiff_t>(sizes.scalar));
    compressed[0] = static_cast<uint8_t>(2 + (good.back() & 1));
    EXPECT_EQ(SharedHex(Fresh(sizes.group), compressed), "bad_key_share");
    EXPECT_EQ(SharedHex(Fresh(sizes.group), Bytes{0}), "bad_key_share");  // infinity
    Bytes origin(sizes.share, 0);
    origin[0] = 4;
    EXPECT_EQ(SharedHex(Fresh(sizes.group), origin), "bad_key_share");
    Bytes beyond(sizes.share, 0xff);  // coordinates not below the field's prime
    beyond[0] = 4;
    EXPECT_EQ(SharedHex(Fresh(sizes.group), beyond), "bad_key_share");
  }
}

// A refused share must leave nothing behind that the next pair of this thread meets.
TEST(KeyPair, WorksAfterARefusal) {
  EXPECT_EQ(SharedHex(Fresh(NamedGroup::kX25519), Bytes(32, 0)), "bad_key_share");
  EXPECT_EQ(ERR_peek_error(), 0u);
  KeyPair one = Fresh(NamedGroup::kX25519);
  KeyPair two = Fresh(NamedGroup::kX25519);
  const Bytes share_one = Copy(one.public_key());
  const Bytes share_two = Copy(two.public_key());
  EXPECT_EQ(SharedHex(std::move(one), share_two), SharedHex(std::move(two), share_one));
}

// What a thread keeps for itself must not be met by another, nor outlive it.
TEST(KeyPair, PairsMoveBetweenThreads) {
  for (const GroupSizes& sizes : kGroups) {
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        std::optional<KeyPair> made;
        std::thread([&] { made = Fresh(sizes.group); }).join();
        KeyPair peer = Fresh(sizes.group);
        const Bytes share = Copy(made->public_key());
        const Bytes peer_share = Copy(peer.public_key());
        EXPECT_EQ(SharedHex(*std::move(made), peer_share), SharedHex(std::move(peer), share));
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(KeyPair, WycheproofX25519) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/x25519_test.json", 518);
  int ran = 0;
  int refused = 0;
  for (const auto& group : TestGroups(path)) {
    for (const auto& vector : group["tests"]) {
      const std::string expected = vector["shared"];
      const std::string got =
          SharedHex(From(NamedGroup::kX25519, Hex(vector["private"])), Hex(vector["public"]));
      // All other oddities (twist, non-canonical) RFC 7748 accepts; so the results must match.
      const bool zero = expected == kZero;
      EXPECT_EQ(got, zero ? "bad_key_share" : expected) << vector["tcId"];
      refused += zero;
      ++ran;
    }
  }
  EXPECT_EQ(ran, 518);
  EXPECT_GT(refused, 20);
}

TEST(KeyPair, WycheproofP256) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/ecdh_secp256r1_ecpoint_test.json", 355);
  int ran = 0;
  for (const auto& group : TestGroups(path)) {
    for (const auto& vector : group["tests"]) {
      const Bytes scalar = Padded(Hex(vector["private"]), 32);
      // The one "acceptable" point is compressed, which TLS 1.3 has not.
      const bool valid = vector["result"] == "valid";
      EXPECT_EQ(SharedHex(From(NamedGroup::kSecp256r1, scalar), Hex(vector["public"])),
                valid ? vector["shared"].get<std::string>() : "bad_key_share")
          << vector["tcId"];
      ++ran;
    }
  }
  EXPECT_EQ(ran, 355);
}

TEST(KeyPair, BotanX25519) {
  HANDFAST_VECTORS_OR_SKIP(path, "botan/pubkey/x25519.vec", 90);
  int ran = 0;
  for (const Case& vector : ReadCases(path, "K")) {
    const std::string expected = ToHex(vector.hex("K"));
    EXPECT_EQ(SharedHex(From(NamedGroup::kX25519, vector.hex("Secret")), vector.hex("CounterKey")),
              expected == kZero ? "bad_key_share" : expected);
    ++ran;
  }
  EXPECT_EQ(ran, 90);
}

TEST(SystemRandomness, FillsAndMakesPairs) {
  std::set<Bytes> seen;
  for (int i = 0; i < 100; ++i) {
    Bytes bytes(32);
    ASSERT_TRUE(SystemRandomness().Fill(bytes).ok());
    EXPECT_TRUE(seen.insert(bytes).second);
  }
  EXPECT_TRUE(SystemRandomness().Fill({}).ok());
  EXPECT_TRUE(SystemRandomness().NewKeyPair(NamedGroup::kX25519).ok());
  EXPECT_TRUE(SystemRandomness().NewKeyPair(NamedGroup::kFfdhe2048).ok());
  EXPECT_FALSE(SystemRandomness().NewKeyPair(NamedGroup::kFfdhe8192).ok());
}

}  // namespace
}  // namespace handfast::tls
