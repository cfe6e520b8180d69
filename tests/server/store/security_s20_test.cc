// S20, version skew: the store's half. What one release stored the next one reads; what a newer one
// stored is refused by its name, and neither used nor overwritten.
#include <gtest/gtest.h>

#include "server/store/envelope.h"
#include "tests/server/store/backends.h"

namespace handfast::store::test {
namespace {

constexpr Key kKey{"tenants/shop", "00112233445566778899aabbccddeeff"};
constexpr std::string_view kIncarnation = "ffeeddccbbaa99887766554433221100";

// Counts, so that what is sealed is the same in every run.
class Counting final : public tls::Randomness {
 public:
  tls::Result<void> Fill(std::span<uint8_t> out) override {
    for (uint8_t& byte : out) byte = next_++;
    return {};
  }
  tls::Result<tls::KeyPair> NewKeyPair(tls::NamedGroup) override {
    return tls::Reason::kInternalError;
  }

 private:
  uint8_t next_ = 0;
};

// As the first release stored "a value" in generation 258. These bytes never change; a new form has
// its own beside them.
constexpr std::string_view kForm1 =
    "010000000000000102000102030405060708090a0bfaef48813599dc17c23f2af024bf90ce9b2f27dbedba79";
constexpr std::string_view kName1 =
    "92b158060362ae8b4353c6b59c0699fc68a58ac79d969e555171c1bfbcff48a1";

TEST(SecurityS20, WhatTheFirstReleaseStoredIsRead) {
  Counting randomness;
  const Envelope envelope(KeyOf(7), "test", randomness);
  const auto value = envelope.Open(kIncarnation, kKey, tls::FromHex(kForm1).value());
  EXPECT_EQ(Show(value), "a value (258)");
  EXPECT_EQ(envelope.NameOf(kIncarnation, kKey), kName1);
}

TEST(SecurityS20, WhatIsStoredIsWhatTheFirstReleaseReads) {
  Counting randomness;
  const Envelope envelope(KeyOf(7), "test", randomness);
  const auto stored = envelope.Seal(kIncarnation, kKey, 258, tls::AsBytes("a value"));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(tls::ToHex(*stored), kForm1);
}

TEST(SecurityS20, AFormThatIsUnknownIsRefusedByName) {
  Counting randomness;
  const Envelope envelope(KeyOf(7), "test", randomness);
  for (const uint8_t form : {0, 2, 255}) {
    tls::Bytes stored = *tls::FromHex(kForm1);
    stored[0] = form;
    const absl::Status status = envelope.Open(kIncarnation, kKey, stored).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_NE(status.message().find("form " + std::to_string(form)), std::string::npos) << status;
  }
}

TEST(SecurityS20, AKeyOfAnotherSizeIsRefused) {
  Counting randomness;
  const Envelope envelope(*tls::AeadKey::From(tls::Bytes(16, 7)), "test", randomness);
  const absl::Status status =
      envelope.Seal(kIncarnation, kKey, 1, tls::AsBytes("a value")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
}

TEST(SecurityS20, ANewerReleasesEntryIsLeftAlone) {
  if (!RedisServer::IsInstalled()) GTEST_SKIP() << "redis-server is not installed";
  ManualClock clock;
  RedisServer server;
  RedisStore store(OptionsOf(server), "test", KeyOf(7), clock, tls::SystemRandomness());
  ASSERT_TRUE(store.Put(kKey, tls::AsBytes("a"), seconds(60)).ok());
  const std::string name = server.EntryNames().at(0);
  std::string newer = server.Do({"GET", name});
  newer[0] = 2;
  server.Do({"SET", name, newer});
  EXPECT_TRUE(absl::IsFailedPrecondition(store.Get(kKey).status()));
  EXPECT_TRUE(absl::IsAlreadyExists(store.Put(kKey, tls::AsBytes("b"), seconds(60))));
  EXPECT_EQ(server.Do({"GET", name}), newer);
}

}  // namespace
}  // namespace handfast::store::test
