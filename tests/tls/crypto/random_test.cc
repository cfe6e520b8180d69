// Where randomness enters: public values are drawn ahead, and still never come twice.
#include "tls/crypto/random.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tls/base/bytes.h"

namespace handfast::tls {
namespace {

constexpr size_t kSize = 32;

Bytes Public(size_t size = kSize) {
  Bytes value(size);
  EXPECT_TRUE(SystemRandomness().FillPublic(value).ok());
  return value;
}

// Enough to draw ahead many times, at sizes that do not divide what is drawn.
TEST(RandomTest, NoPublicValueComesTwice) {
  std::set<Bytes> seen;
  for (int i = 0; i < 1000; ++i) {
    const size_t size = 16 + static_cast<size_t>(i) % 49;
    EXPECT_TRUE(seen.insert(Public(size)).second) << i;
  }
}

TEST(RandomTest, NoByteIsLeftAsItWas) {
  for (const size_t size : {size_t{1}, size_t{64}, size_t{65}, size_t{4096}}) {
    // A byte is its old value by chance once in 256; in 64 draws it is so for no byte.
    Bytes changed(size, 0);
    for (int i = 0; i < 64; ++i) {
      const Bytes value = Public(size);
      for (size_t at = 0; at < size; ++at) changed[at] |= value[at];
    }
    EXPECT_EQ(std::count(changed.begin(), changed.end(), 0), 0) << size;
  }
}

TEST(RandomTest, ThreadsDrawTheirOwn) {
  const Bytes here = Public();
  Bytes there;
  std::thread([&] { there = Public(); }).join();
  EXPECT_NE(here, there);
}

// What a parent has drawn ahead is not in its child.
TEST(RandomTest, AForkedProcessDrawsAnew) {
  Public();
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    uint8_t value[kSize];
    const bool drawn = SystemRandomness().FillPublic(value).ok();
    _exit(drawn && write(ends[1], value, sizeof(value)) == sizeof(value) ? 0 : 1);
  }
  Bytes of_child(kSize);
  EXPECT_EQ(read(ends[0], of_child.data(), kSize), static_cast<ssize_t>(kSize));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(ends[0]);
  close(ends[1]);
  EXPECT_NE(of_child, Public());
  EXPECT_NE(of_child, Bytes(kSize, 0));
}

}  // namespace
}  // namespace handfast::tls
