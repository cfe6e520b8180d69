// OpenSSL 3.5, which Debian 13 has, in both roles, as one without ML-KEM meets it: its client
// brings a share for X25519MLKEM768, so that its ClientHello is of 1.4 KB and more, and is passed
// over. With ML-KEM on our side as well: debian13_hybrid_test.cc.
#include "tests/interop/debian13.h"

#include "tls/crypto/kex.h"

namespace handfast::tls::test {
namespace {

class Debian13Test : public Debian13 {
 protected:
  void SetUp() override {
    if (Implemented(NamedGroup::kX25519MlKem768)) GTEST_SKIP() << "this libcrypto has ML-KEM";
    Debian13::SetUp();
  }
};

// It brings two shares.
TEST_F(Debian13Test, ClientAtItsDefault) { ExpectGroup(RunClientWith(""), NamedGroup::kX25519, 1); }

TEST_F(Debian13Test, ClientOverHelloRetryRequest) {
  ExpectGroup(RunClientWith("*X25519MLKEM768:X25519"), NamedGroup::kX25519, 2);
}

TEST_F(Debian13Test, ClientOfTheHybridAlone) {
  const Outcome outcome = RunClientWith("X25519MLKEM768");
  SCOPED_TRACE(outcome.ToText());
  ASSERT_TRUE(outcome.server.failure.has_value());
  EXPECT_EQ(outcome.server.failure->alert, 40);  // handshake_failure
}

TEST_F(Debian13Test, Server) { ExpectMeeting("", ModernProfile(), NamedGroup::kX25519, 1); }

}  // namespace
}  // namespace handfast::tls::test
