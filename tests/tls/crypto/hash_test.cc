#include "tls/crypto/hash.h"

#include <gtest/gtest.h>

namespace handfast::tls {
namespace {

constexpr HashAlgorithm kBoth[] = {HashAlgorithm::kSha256, HashAlgorithm::kSha384};

Bytes Message(size_t size) {
  Bytes message(size);
  for (size_t i = 0; i < size; ++i) message[i] = static_cast<uint8_t>(i * 31 + i / 7);
  return message;
}

// FIPS 180-4, the examples that NIST publishes with it.
TEST(Hash, KnownDigests) {
  EXPECT_EQ(ToHex(Hash(HashAlgorithm::kSha256, {}).view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Hash(HashAlgorithm::kSha256, AsBytes("abc")).view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Hash(HashAlgorithm::kSha384, {}).view()),
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
            "274edebfe76f65fbd51ad2f14898b95b");
  EXPECT_EQ(ToHex(Hash(HashAlgorithm::kSha384, AsBytes("abc")).view()),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
}

TEST(RunningHash, CurrentLeavesItRunning) {
  for (HashAlgorithm algorithm : kBoth) {
    RunningHash hash(algorithm);
    EXPECT_EQ(hash.algorithm(), algorithm);
    const Bytes message = Message(300);
    for (size_t i = 0; i < message.size(); ++i) {
      hash.Update(ByteView(message).subspan(i, 1));
      EXPECT_TRUE(
          Equal(hash.Current().view(), Hash(algorithm, ByteView(message).first(i + 1)).view()));
    }
    Bytes out(DigestSize(algorithm));
    hash.Finish(out.data());
    EXPECT_TRUE(Equal(out, Hash(algorithm, message).view()));
  }
}

TEST(RunningHash, ACopyGoesItsOwnWay) {
  for (HashAlgorithm algorithm : kBoth) {
    RunningHash one(algorithm);
    one.Update(AsBytes("ab"));
    RunningHash other = one;
    one.Update(AsBytes("c"));
    other.Update(AsBytes("d"));
    EXPECT_TRUE(Equal(one.Current().view(), Hash(algorithm, AsBytes("abc")).view()));
    EXPECT_TRUE(Equal(other.Current().view(), Hash(algorithm, AsBytes("abd")).view()));
  }
}

// Across two blocks of either algorithm.
TEST(RunningHash, SavedAtEveryOffsetItEndsTheSame) {
  for (HashAlgorithm algorithm : kBoth) {
    const Bytes message = Message(300);
    const Digest whole = Hash(algorithm, message);
    for (size_t cut = 0; cut <= message.size(); ++cut) {
      RunningHash first(algorithm);
      first.Update(ByteView(message).first(cut));
      const Bytes saved = first.Save();
      std::optional<RunningHash> second = RunningHash::Load(saved);
      ASSERT_TRUE(second) << cut;
      EXPECT_EQ(second->Save(), saved) << cut;
      second->Update(ByteView(message).subspan(cut));
      ASSERT_TRUE(Equal(second->Current().view(), whole.view())) << cut;
    }
  }
}

TEST(RunningHash, SavedBetweenAllBytesItEndsTheSame) {
  for (HashAlgorithm algorithm : kBoth) {
    const Bytes message = Message(300);
    RunningHash hash(algorithm);
    for (size_t i = 0; i < message.size(); ++i) {
      hash.Update(ByteView(message).subspan(i, 1));
      hash = *RunningHash::Load(hash.Save());
    }
    EXPECT_TRUE(Equal(hash.Current().view(), Hash(algorithm, message).view()));
  }
}

TEST(RunningHash, ASavedFormStaysSmall) {
  for (HashAlgorithm algorithm : kBoth) {
    RunningHash hash(algorithm);
    hash.Update(Message(100000));
    EXPECT_LE(hash.Save().size(), 1u + 64 + 8 + 127);
  }
}

// The counter of bits does not fit 32 bits here.
TEST(RunningHash, LongMessagesAreCounted) {
  RunningHash hash(HashAlgorithm::kSha256);
  const Bytes chunk(1 << 20, 0x61);
  for (int i = 0; i < 520; ++i) hash.Update(chunk);
  RunningHash loaded = *RunningHash::Load(hash.Save());
  EXPECT_EQ(loaded.Save(), hash.Save());
  hash.Update(chunk);
  loaded.Update(chunk);
  EXPECT_TRUE(Equal(loaded.Current().view(), hash.Current().view()));
}

TEST(RunningHash, LoadRefusesWhatSaveDidNotWrite) {
  for (HashAlgorithm algorithm : kBoth) {
    RunningHash hash(algorithm);
    hash.Update(Message(77));
    const Bytes saved = hash.Save();
    for (size_t size = 0; size < saved.size(); ++size) {
      EXPECT_FALSE(RunningHash::Load(ByteView(saved).first(size))) << size;
    }
    Bytes longer = saved;
    longer.push_back(0);
    EXPECT_FALSE(RunningHash::Load(longer));
    for (int other : {0, 3, 255}) {
      Bytes changed = saved;
      changed[0] = static_cast<uint8_t>(other);
      EXPECT_FALSE(RunningHash::Load(changed)) << other;
    }
    // A count that no message can have.
    Bytes endless = saved;
    const size_t count_at = 1 + (algorithm == HashAlgorithm::kSha256 ? 32 : 64);
    endless[count_at] = 0xff;
    EXPECT_FALSE(RunningHash::Load(endless));
  }
}

}  // namespace
}  // namespace handfast::tls
