// T23, truncation, of connections whose keys stay in the service: the stream of a session is cut at
// every byte, and only behind close_notify is the end a clean one. The control is that end.
#include <gtest/gtest.h>

#include "tests/server/connections/kept_fixture.h"
#include "tls/base/reason.h"

namespace handfast::connections {
namespace {

class T23_Truncation : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Versions, T23_Truncation, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(T23_Truncation, AtEveryByteOfASession) {
  test::TurnedClock clock;
  const auto bytes = std::make_shared<KeptReplyBytes>(0);
  size_t whole = 1;
  for (size_t cut = 0; cut <= whole; ++cut) {
    test::Pair pair = test::Established({.version = GetParam()});
    KeptConnection kept(std::move(pair.ours), clock, bytes);
    tls::Bytes session = pair.peer->Write(tls::AsBytes("GET /"));
    tls::Append(session, pair.peer->Write(tls::AsBytes(" HTTP/1.0")));
    tls::Append(session, pair.peer->Close());
    whole = session.size();
    const auto opened = kept.Open({.first_seq = 0,
                                   .from_peer = tls::ByteView(session).first(std::min(cut, whole)),
                                   .peer_closed = true});
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened->reply->peer_closed, cut == whole) << cut;
    ASSERT_EQ(opened->reply->failure.has_value(), cut < whole) << cut;
    EXPECT_EQ(kept.ended(), cut < whole);
    if (cut == whole) continue;
    EXPECT_EQ(opened->reply->failure->reason, tls::Reason::kPeerClosed);
    EXPECT_EQ(opened->reply->failure->origin, tls::Origin::kClosed);
    // The same cut in a call of its own.
    test::Pair other = test::Established({.version = GetParam()});
    KeptConnection later(std::move(other.ours), clock, bytes);
    ASSERT_TRUE(later.Open({.first_seq = 0, .from_peer = {}, .peer_closed = true})->reply->failure);
  }
}

}  // namespace
}  // namespace handfast::connections
