#include "tests/tls/connection/stepwise_walker.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace handfast::tls::test {
namespace {

bool Contains(const std::vector<MessageName>& names, const MessageName& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool Same(const Ahead& a, const Ahead& b) { return a.message == b.message && a.ends == b.ends; }

// Nothing but nothing was seen of it yet.
bool Waits(const Ahead& ahead) { return !ahead.message && !ahead.ends; }

}  // namespace

Taken CheckedTake(StepwiseWalker& walker) {
  const std::vector<MessageName> expected = Expected(walker.connection());
  const size_t held = HeldBytes(walker.connection());
  const uint64_t consumed = walker.connection().consumed();
  const Ahead ahead = walker.Look();
  EXPECT_TRUE(Same(ahead, walker.Look()));
  EXPECT_EQ(HeldBytes(walker.connection()), held);
  EXPECT_EQ(walker.connection().consumed(), consumed);

  Taken taken = walker.Take();
  const std::vector<MessageName> names = taken.names();
  EXPECT_LE(names.size(), 1u);
  if (ahead.ends) {
    EXPECT_TRUE(taken.failure);
    EXPECT_TRUE(names.empty());
  } else if (ahead.message && Contains(expected, *ahead.message)) {
    EXPECT_EQ(names, std::vector{*ahead.message});
  } else if (ahead.message) {
    EXPECT_TRUE(taken.failure) << TextOf(*ahead.message) << " is not expected";
  } else {
    EXPECT_TRUE(names.empty()) << taken.first();
    EXPECT_FALSE(taken.failure);
  }
  Bytes slices;
  for (const Bytes& slice : taken.slices) Append(slices, slice);
  EXPECT_EQ(ToHex(slices), ToHex(taken.to_peer));
  return taken;
}

std::vector<std::string> TakeAll(StepwiseWalker& walker, Bytes* to_peer) {
  std::vector<std::string> names;
  for (;;) {
    const Taken taken = CheckedTake(walker);
    if (to_peer != nullptr) Append(*to_peer, taken.to_peer);
    if (taken.names().empty()) return names;
    names.push_back(taken.first());
    if (taken.established || taken.failure) return names;
  }
}

std::vector<std::string> ExpectSameAtEverySplit(StepwiseWalker& walker, ByteView bytes,
                                                Bytes* to_peer) {
  std::vector<std::string> names;
  for (ByteView rest = bytes; !rest.empty();) {
    size_t end = 0;
    for (; end < rest.size() && Waits(walker.Look(rest.first(end))); ++end) {
    }
    const std::string name = walker.Peek(rest.first(end));
    EXPECT_NE(name, "") << end << " of " << rest.size();
    if (name.empty()) return names;
    EXPECT_EQ(walker.Peek(rest), name) << "whatever follows";

    const Bytes saved = walker.Saved();
    for (size_t cut = 0; cut < end; ++cut) {
      walker.Restore(saved);
      walker.Hold(rest.first(cut));
      EXPECT_EQ(HeldBytes(walker.connection()), cut);
      EXPECT_TRUE(Waits(walker.Look())) << cut;
      EXPECT_TRUE(Waits(walker.Look(rest.subspan(cut, end - 1 - cut)))) << cut;
      EXPECT_EQ(walker.Peek(rest.subspan(cut, end - cut)), name) << cut;
      EXPECT_EQ(walker.Take().first(), "") << cut;
      EXPECT_EQ(walker.Peek(rest.subspan(cut, end - cut)), name) << cut;
      EXPECT_EQ(walker.Take(rest.subspan(cut, end - cut)).first(), name) << cut;
    }
    walker.Restore(saved);
    walker.Hold(rest.first(end));
    const Taken taken = CheckedTake(walker);
    EXPECT_EQ(taken.first(), name);
    EXPECT_FALSE(taken.failure);
    if (to_peer != nullptr) Append(*to_peer, taken.to_peer);
    names.push_back(taken.first());
    rest = rest.subspan(end);
  }
  return names;
}

}  // namespace handfast::tls::test
