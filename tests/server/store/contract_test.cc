// What store_interface.h promises, of each implementation.
#include "server/store/limits.h"
#include "tests/server/store/backends.h"

namespace handfast::store::test {
namespace {

constexpr Key kKey{"shop", "00112233"};

class Contract : public EachStore {};

TEST_P(Contract, GivesBackWhatWasPut) {
  ASSERT_TRUE(Put(kKey, "hi").ok());
  EXPECT_EQ(Show(store().Get(kKey)), "hi (1)");
  EXPECT_EQ(Show(store().Get(kKey)), "hi (1)") << "get takes nothing";
  EXPECT_EQ(Show(other().Get(kKey)), "hi (1)");
  ASSERT_TRUE(Put({"shop", "empty"}, "").ok());
  EXPECT_EQ(Show(store().Get({"shop", "empty"})), " (1)");
  const std::string binary("\0\r\n$-1\xff\0", 8);
  ASSERT_TRUE(Put({"shop", binary}, binary).ok());
  EXPECT_EQ(Show(store().Get({"shop", binary})), binary + " (1)");
}

TEST_P(Contract, PutNeverOverwrites) {
  ASSERT_TRUE(Put(kKey, "first").ok());
  const absl::Status status = other().Put(kKey, tls::AsBytes("second"), seconds(60));
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_EQ(Show(store().Get(kKey)), "first (1)");
}

TEST_P(Contract, SwapsOnlyWhatItExpects) {
  ASSERT_TRUE(Put(kKey, "a").ok());
  const auto swap = [](Store& in, uint64_t generation, std::string_view text) {
    return in.CompareAndSwap(kKey, generation, tls::AsBytes(text), seconds(60));
  };
  EXPECT_EQ(swap(store(), 1, "b").value_or(0), 2u);
  EXPECT_TRUE(absl::IsAborted(swap(other(), 1, "c").status()));
  EXPECT_TRUE(absl::IsAborted(swap(other(), 3, "c").status())) << "one that is yet to come";
  EXPECT_TRUE(absl::IsAborted(swap(other(), 0, "c").status()));
  EXPECT_EQ(Show(other().Get(kKey)), "b (2)");
  EXPECT_EQ(swap(other(), 2, "c").value_or(0), 3u);
  EXPECT_EQ(Show(store().Get(kKey)), "c (3)");
  EXPECT_TRUE(absl::IsNotFound(
      store().CompareAndSwap({"shop", "none"}, 1, tls::AsBytes("x"), seconds(60)).status()));
  EXPECT_TRUE(absl::IsNotFound(store().Get({"shop", "none"}).status())) << "a swap puts nothing";
}

TEST_P(Contract, PopsOnce) {
  ASSERT_TRUE(Put(kKey, "a").ok());
  ASSERT_TRUE(store().CompareAndSwap(kKey, 1, tls::AsBytes("b"), seconds(60)).ok());
  EXPECT_EQ(Show(other().Pop(kKey)), "b (2)");
  EXPECT_EQ(Show(store().Pop(kKey)), "NOT_FOUND");
  EXPECT_EQ(Show(other().Pop(kKey)), "NOT_FOUND");
  EXPECT_EQ(Show(store().Get(kKey)), "NOT_FOUND");
  EXPECT_TRUE(
      absl::IsNotFound(store().CompareAndSwap(kKey, 2, tls::AsBytes("c"), seconds(60)).status()));
}

TEST_P(Contract, NothingOutlivesItsTime) {
  for (const char* handle : {"1", "2", "3", "4"}) ASSERT_TRUE(Put({"shop", handle}, "a").ok());
  backend_->LetExpire();
  EXPECT_EQ(Show(store().Get({"shop", "1"})), "NOT_FOUND");
  EXPECT_EQ(Show(store().Pop({"shop", "2"})), "NOT_FOUND");
  EXPECT_TRUE(absl::IsNotFound(
      store().CompareAndSwap({"shop", "3"}, 1, tls::AsBytes("b"), seconds(60)).status()));
  EXPECT_TRUE(Put({"shop", "4"}, "b").ok());
  EXPECT_EQ(Show(store().Get({"shop", "4"})), "b (1)");
}

// Each bound at its limit, and one past it.
TEST_P(Contract, TakesNoMoreThanItsLimits) {
  const std::string longest(kMaxNameSize, 'n');
  const std::string longer(kMaxNameSize + 1, 'n');
  EXPECT_TRUE(Put({longest, longest}, "a").ok());
  for (const Key& key : {Key{longer, "h"}, Key{"t", longer}, Key{"", "h"}, Key{"t", ""}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Put(key, "a")));
    EXPECT_TRUE(absl::IsInvalidArgument(store().Get(key).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(store().Pop(key).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(
        store().CompareAndSwap(key, 1, tls::AsBytes("a"), seconds(1)).status()));
  }
  const std::string largest(kMaxValueSize, 'v');
  EXPECT_TRUE(Put({"shop", "large"}, largest).ok());
  EXPECT_EQ(store().Get({"shop", "large"})->bytes.size(), kMaxValueSize);
  EXPECT_TRUE(absl::IsInvalidArgument(Put({"shop", "larger"}, largest + "v")));
  const auto put_for = [&](const char* handle, milliseconds time) {
    return store().Put({"shop", handle}, tls::AsBytes("a"), time);
  };
  EXPECT_TRUE(put_for("long", kMaxTimeToLive).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(put_for("longer", kMaxTimeToLive + milliseconds(1))));
  EXPECT_TRUE(absl::IsInvalidArgument(put_for("none", milliseconds(0))));
  EXPECT_TRUE(absl::IsInvalidArgument(put_for("past", milliseconds(-1))));
}

TEST_P(Contract, NoStatusTellsAValueOrAHandle) {
  ASSERT_TRUE(Put({"shop", "canary-handle"}, "canary-value").ok());
  const absl::Status statuses[] = {
      Put({"shop", "canary-handle"}, "canary-value"),
      store()
          .CompareAndSwap({"shop", "canary-handle"}, 9, tls::AsBytes("canary-value"), seconds(1))
          .status(),
      store().Get({"shop", "canary-other"}).status(),
  };
  for (const absl::Status& status : statuses) {
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.ToString().find("canary"), std::string::npos) << status;
  }
}

INSTANTIATE_FOR_EACH_STORE(Contract);

}  // namespace
}  // namespace handfast::store::test
