// S6, fixation, guessing and cross-tenant use of handles: the steps' half. On every RPC that takes
// a handshake's handle, another tenant's, a sibling's and one that never was look the same, and the
// owner's handshake is untouched.
#include <gtest/gtest.h>

#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/step_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::Bytes;
using tls::test::LibsslClient;

// All that can be tried with a handle, as somebody.
std::vector<std::pair<std::string, grpc::Status>> TryAll(TestService& service, As as,
                                                         const std::string& handshake,
                                                         const Bytes& hello) {
  StepCaller caller(service.Channel(as));
  v1::StepRequest request;
  request.set_handshake(handshake);
  request.set_from_peer(hello.data(), hello.size());
  std::vector<std::pair<std::string, grpc::Status>> tried;
  for (const uint32_t step : {1u, 2u, 3u}) {
    request.set_step(step);
    for (const std::string& rpc : StepRpcs()) {
      v1::StepResponse response;
      tried.emplace_back(rpc, caller.Step(rpc, request, response));
    }
  }
  v1::Handshake described;
  tried.emplace_back("GetHandshake", caller.Get(handshake, described));
  tried.emplace_back("AbortHandshake", caller.Abort(handshake));
  return tried;
}

class SecurityS6 : public testing::Test {
 protected:
  std::unique_ptr<Walk> Begin() {
    auto walk = std::make_unique<Walk>(service_.Channel(As::kEdge), PlainStart());
    EXPECT_TRUE(walk->started().ok());
    return walk;
  }
  void ExpectUnknownTo(As as, const std::string& handshake, const Bytes& hello) {
    const auto unknown = TryAll(service_, as, "handshakes/" + std::string(32, '0'), hello);
    const auto tried = TryAll(service_, as, handshake, hello);
    ASSERT_EQ(tried.size(), 3 * StepRpcs().size() + 2);
    for (size_t i = 0; i < tried.size(); ++i) {
      const auto& [rpc, status] = tried[i];
      EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND) << rpc;
      EXPECT_EQ(status.error_message(), unknown[i].second.error_message()) << rpc;
      EXPECT_EQ(status.error_details(), unknown[i].second.error_details()) << rpc;
    }
  }

  TestService service_;
};

TEST_F(SecurityS6, OthersHandshakesLookLikeNone) {
  for (const As as : {As::kForeign, As::kSibling}) {
    LibsslClient peer({.trusted_pem = service_.ca().pem()});
    const Bytes hello = peer.Receive({});
    const auto walk = Begin();
    ExpectUnknownTo(as, walk->handshake(), hello);
    ASSERT_TRUE(walk->Step("ClientHello", hello).ok());
    ExpectUnknownTo(as, walk->handshake(), hello);
    Bytes from_peer;
    while (!walk->ended() && walk->steps() < 20) {
      ASSERT_TRUE(walk->Step(walk->NextRpc(), from_peer).ok());
      from_peer = peer.Receive(tls::AsBytes(walk->last().to_peer()));
    }
    EXPECT_TRUE(walk->last().has_established()) << "the owner's is untouched";
    // Nor can the last reply be had, which may hold keys.
    ExpectUnknownTo(as, walk->handshake(), hello);
  }
}

// The control: the owner's own tries are not all the same, and do harm.
TEST_F(SecurityS6, TheOwnersOwnTriesDoSomething) {
  LibsslClient peer({});
  const auto walk = Begin();
  int found = 0;
  for (const auto& [rpc, status] :
       TryAll(service_, As::kEdge, walk->handshake(), peer.Receive({}))) {
    found += status.error_code() != grpc::StatusCode::NOT_FOUND;
  }
  EXPECT_EQ(found, static_cast<int>(3 * StepRpcs().size() + 2));
  v1::Handshake described;
  EXPECT_EQ(walk->caller().Get(walk->handshake(), described).error_code(),
            grpc::StatusCode::NOT_FOUND)
      << "it was aborted";
}

}  // namespace
}  // namespace handfast::rpc::test
