// S10, slow-loris: 50,000 half-open handshakes that trickle a byte now and then. They take bounded
// memory, all end by their deadline, turned by the test's clock, and one who behaves is unharmed.

#include <malloc.h>

#include <gtest/gtest.h>

#include "server/observe/log.h"
#include "tests/server/handshakes/fake_backends.h"
#include "tests/tls/connection/libssl_client.h"

namespace handfast::handshakes::test {
namespace {

using tls::test::LibsslClient;

constexpr size_t kHalfOpen = 50'000;
// performance.md, P12.
constexpr size_t kBytesEach = size_t{8} * 1024;

class SlowLoris : public testing::Test {
 protected:
  SlowLoris() {
    observe::SetLogLevel(observe::Level::kError);
    LibsslClient peer({});
    hello_ = peer.Receive({});
    const size_t before = mallinfo2().uordblks;
    handshakes_.reserve(kHalfOpen);
    for (size_t i = 0; i < kHalfOpen; ++i) {
      handshakes_.push_back(*table_.Begin(backends_.NewStart(replies_, i)));
      handshakes_.back()->FromPeer({});
    }
    bytes_each_ = (mallinfo2().uordblks - before) / kHalfOpen;
    replies_->all.clear();
  }

  // Ten seconds, in which each sends one byte, and the clock is looked at as it is in service.
  void TrickleForTenSeconds() {
    for (auto& handshake : handshakes_) handshake->FromPeer({&hello_[sent_], 1});
    ++sent_;
    for (int i = 0; i < 200; ++i) {
      backends_.clock.Advance(kReapInterval);
      if (reaping_) table_.Reap();
    }
  }

  Backends backends_;
  std::shared_ptr<Replies> replies_ = std::make_shared<Replies>();
  Handshakes table_{backends_.services};
  std::vector<std::shared_ptr<Handshake>> handshakes_;
  tls::Bytes hello_;
  size_t sent_ = 0;
  size_t bytes_each_ = 0;
  bool reaping_ = true;
};

TEST_F(SlowLoris, IsReapedAndHarmsNobody) {
  EXPECT_EQ(table_.live(), kHalfOpen);
  EXPECT_LE(bytes_each_, kBytesEach);
  // In the midst of it somebody who behaves is served, and pays for nothing that the others do.
  auto good = std::make_shared<Replies>();
  auto handshake = *table_.Begin(backends_.NewStart(good));
  LibsslClient peer({});
  handshake->FromPeer(peer.Receive({}));
  handshake->FromPeer(peer.Receive(good->Take()->to_peer));
  EXPECT_TRUE(std::holds_alternative<Done>(good->Take()->outcome));

  TrickleForTenSeconds();
  TrickleForTenSeconds();
  EXPECT_EQ(table_.live(), 0u);
  EXPECT_EQ(backends_.admission.live, 0);
  EXPECT_EQ(replies_->ended, static_cast<int>(kHalfOpen));
  for (auto& [tag, reply] : replies_->all) {
    if (!reply.ended()) continue;
    ASSERT_EQ(std::get<Failed>(reply.outcome).failure.reason, tls::Reason::kDeadlineExceeded);
  }
}

// The control: without deadlines they stay for ever.
TEST_F(SlowLoris, StaysWhereNobodyReaps) {
  reaping_ = false;
  TrickleForTenSeconds();
  TrickleForTenSeconds();
  EXPECT_EQ(table_.live(), kHalfOpen);
}

}  // namespace
}  // namespace handfast::handshakes::test
