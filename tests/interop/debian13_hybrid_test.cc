// OpenSSL 3.5, which Debian 13 has, in both roles, over the hybrid groups. This runs itself anew
// with that OpenSSL's libcrypto, for our side to have ML-KEM.
#include "tests/interop/debian13.h"
#include "tests/tls/crypto/mlkem_main.h"

namespace handfast::tls::test {
namespace {

class Debian13HybridTest : public Debian13 {
 protected:
  void SetUp() override {
    Debian13::SetUp();
    if (IsSkipped()) return;
    ASSERT_TRUE(HasHybrids());
  }
};

Profile With(std::vector<NamedGroup> groups) {
  Profile profile = ModernProfile();
  profile.groups = std::move(groups);
  return profile;
}

TEST_F(Debian13HybridTest, ClientAtItsDefault) {
  ExpectGroup(RunClientWith(""), NamedGroup::kX25519MlKem768, 1);
}

TEST_F(Debian13HybridTest, ClientOfOneHybrid) {
  for (const NamedGroup hybrid : kHybrids) ExpectGroup(RunClientWith(Name(hybrid)), hybrid, 1);
}

TEST_F(Debian13HybridTest, ClientOverHelloRetryRequest) {
  for (const NamedGroup hybrid : kHybrids) {
    ExpectGroup(RunClientWith("*X25519:" + Name(hybrid), With({hybrid})), hybrid, 2);
    ExpectGroup(RunClientWith("*" + Name(hybrid) + ":X25519", With({NamedGroup::kX25519})),
                NamedGroup::kX25519, 2);
  }
}

TEST_F(Debian13HybridTest, Server) {
  ExpectMeeting("", ModernProfile(), NamedGroup::kX25519MlKem768, 1);
  for (const NamedGroup hybrid : kHybrids) ExpectMeeting(Name(hybrid), With({hybrid}), hybrid, 1);
}

// Ours brings a share for x25519, too.
TEST_F(Debian13HybridTest, ServerWithoutThem) {
  ExpectMeeting("X25519", ModernProfile(), NamedGroup::kX25519, 1);
}

TEST_F(Debian13HybridTest, ServerOverHelloRetryRequest) {
  for (const NamedGroup hybrid : kHybrids) {
    ExpectMeeting(Name(hybrid), With({NamedGroup::kX25519, hybrid}), hybrid, 2);
    ExpectMeeting("P-384", With({hybrid, NamedGroup::kX25519, NamedGroup::kSecp384r1}),
                  NamedGroup::kSecp384r1, 2);
  }
}

}  // namespace
}  // namespace handfast::tls::test
