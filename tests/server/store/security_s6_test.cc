// S6, fixation, guessing and cross-tenant use of handles: the store's half. A stranger's handle and
// one that never was look the same, and of those who use one at once exactly one wins.
#include <thread>
#include <vector>

#include "tests/server/store/backends.h"

namespace handfast::store::test {
namespace {

class SecurityS6 : public EachStore {
 protected:
  // All that can be tried with a handle that one does not own.
  std::vector<absl::Status> TryAll(const Key& key) {
    return {store().Get(key).status(), other().Get(key).status(), store().Pop(key).status(),
            store().CompareAndSwap(key, 1, tls::AsBytes("mine"), seconds(60)).status()};
  }
};

TEST_P(SecurityS6, AnotherTenantsHandleLooksLikeNone) {
  ASSERT_TRUE(Put({"shop", "handle"}, "secret").ok());
  const std::vector<absl::Status> foreign = TryAll({"bank", "handle"});
  const std::vector<absl::Status> unknown = TryAll({"bank", "nothing"});
  EXPECT_EQ(foreign, unknown);
  for (const absl::Status& status : foreign) EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_EQ(Show(store().Get({"shop", "handle"})), "secret (1)") << "the owner's is untouched";
  // The control: the owner's own tries do succeed.
  EXPECT_NE(TryAll({"shop", "handle"}), unknown);
}

TEST_P(SecurityS6, NamesDoNotRunTogether) {
  const Key keys[] = {{"ab", "c"},  {"a", "bc"},  {"1/a", "b"},
                      {"1", "/ab"}, {"a", "b/c"}, {"a/b", "c"}};
  for (const Key& key : keys) {
    ASSERT_TRUE(Put(key, std::string(key.tenant) + "|" + std::string(key.handle)).ok());
  }
  for (const Key& key : keys) {
    EXPECT_EQ(Show(store().Get(key)),
              std::string(key.tenant) + "|" + std::string(key.handle) + " (1)");
  }
}

// `attempt(store, index)` by eight threads at once, over two clients: how many won.
template <class Attempt>
int Winners(Store& one, Store& two, Attempt attempt) {
  std::atomic<int> won{0};
  std::atomic<bool> go{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      go.wait(false);
      if (attempt(i % 2 == 0 ? one : two, i)) ++won;
    });
  }
  go = true;
  go.notify_all();
  for (std::thread& thread : threads) thread.join();
  return won;
}

TEST_P(SecurityS6, OfManySwapsOneWins) {
  const Key key{"shop", "handle"};
  ASSERT_TRUE(Put(key, "start").ok());
  for (uint64_t generation = 1; generation <= 20; ++generation) {
    std::atomic<int> winner{-1};
    const int won = Winners(store(), other(), [&](Store& store, int i) {
      const auto swapped =
          store.CompareAndSwap(key, generation, tls::AsBytes(std::to_string(i)), seconds(60));
      if (swapped.ok()) winner = i;
      EXPECT_TRUE(swapped.ok() || absl::IsAborted(swapped.status())) << swapped.status();
      return swapped.ok();
    });
    ASSERT_EQ(won, 1);
    EXPECT_EQ(Show(store().Get(key)),
              std::to_string(winner) + " (" + std::to_string(generation + 1) + ")");
  }
}

// The control of the race above: read, compare and write apart, and many believe that they won.
TEST_P(SecurityS6, WithoutTheSwapManyWouldWin) {
  const Key key{"shop", "handle"};
  ASSERT_TRUE(Put(key, "start").ok());
  std::atomic<int> read{0};
  EXPECT_EQ(Winners(store(), other(),
                    [&](Store& store, int) {
                      const bool free = Show(store.Get(key)) == "start (1)";
                      // All have read before anybody goes on.
                      for (int seen = ++read; seen < 8; seen = read) read.wait(seen);
                      read.notify_all();
                      return free;
                    }),
            8);
}

TEST_P(SecurityS6, OfManyPopsOneWins) {
  for (int round = 0; round < 20; ++round) {
    const std::string handle = std::to_string(round);
    const Key key{"shop", handle};
    ASSERT_TRUE(Put(key, "once").ok());
    EXPECT_EQ(Winners(store(), other(),
                      [&](Store& store, int) {
                        const std::string popped = Show(store.Pop(key));
                        EXPECT_TRUE(popped == "once (1)" || popped == "NOT_FOUND") << popped;
                        return popped == "once (1)";
                      }),
              1);
  }
}

INSTANTIATE_FOR_EACH_STORE(SecurityS6);

}  // namespace
}  // namespace handfast::store::test
