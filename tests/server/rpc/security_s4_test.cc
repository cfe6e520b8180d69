// S4, misuse of key release: only to the owner, only where the profile and the role allow it, once,
// and of AEAD suites alone; then the service seals no more. (What is left in its memory:
// tests/server/connections/kept_release_test.)
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "handfast/v1/connections.grpc.pb.h"
#include "tests/server/rpc/record_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using grpc::StatusCode;
using tls::test::LibsslClient;

class S4_KeyRelease : public testing::Test {
 protected:
  std::string Connect(As caller, const char* profile, LibsslClient& peer, bool at_once = false) {
    v1::Start start = PlainStart();
    start.set_profile(profile);
    if (at_once) start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
    RelayCall call(service_.Channel(caller));
    return RunHandshake(call, 1, start, peer).established().connection();
  }
  grpc::Status Release(As caller, const std::string& name, const std::string& request_id,
                       v1::ReleaseKeysResponse* response,
                       v1::KeyKind kind = v1::KEY_KIND_TRAFFIC_KEYS) {
    grpc::ClientContext context;
    v1::ReleaseKeysRequest request;
    request.set_name(name);
    request.set_kind(kind);
    request.set_request_id(request_id);
    return v1::ConnectionService::NewStub(service_.Channel(caller))
        ->ReleaseKeys(&context, request, response);
  }
  void ExpectStatus(const grpc::Status& status, StatusCode code, const char* reason) {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_EQ(ReasonOf(status), reason);
  }

  TestService service_;
  LibsslClient peer_{{}};
  v1::ReleaseKeysResponse response_;
};

TEST_F(S4_KeyRelease, OnlyToTheOwner) {
  const std::string name = Connect(As::kEdge, "intermediate", peer_);
  for (const As stranger : {As::kForeign, As::kSibling}) {
    ExpectStatus(Release(stranger, name, "r", &response_), StatusCode::NOT_FOUND, "NOT_FOUND");
  }
  ExpectStatus(Release(As::kOperator, name, "r", &response_), StatusCode::PERMISSION_DENIED,
               "ROLE_REQUIRED");
  EXPECT_EQ(response_.keys_case(), v1::ReleaseKeysResponse::KEYS_NOT_SET);
  EXPECT_TRUE(Release(As::kEdge, name, "r", &response_).ok());  // the control
}

TEST_F(S4_KeyRelease, OnlyWhereProfileAndRoleAllowIt) {
  struct Case {
    As caller;
    const char* profile;
    bool allowed;
  };
  for (const Case& c :
       {Case{As::kEdge, "intermediate", true}, Case{As::kEdge, "sealed", false},
        Case{As::kSibling, "intermediate", false}, Case{As::kSibling, "sealed", false}}) {
    LibsslClient peer({});
    const std::string name = Connect(c.caller, c.profile, peer);
    v1::ReleaseKeysResponse response;
    const grpc::Status status = Release(c.caller, name, "r", &response);
    if (c.allowed) {
      EXPECT_TRUE(status.ok());
      continue;
    }
    ExpectStatus(status, StatusCode::PERMISSION_DENIED, "KEY_RELEASE_DENIED");
    EXPECT_EQ(response.keys_case(), v1::ReleaseKeysResponse::KEYS_NOT_SET);
    v1::SealResponse sealed;
    EXPECT_TRUE(
        RecordCaller(service_.Channel(c.caller)).Seal(name, 0, tls::AsBytes("x"), &sealed).ok())
        << "it stays remote";
  }
}

TEST_F(S4_KeyRelease, OnceAndTheReplyForTenSeconds) {
  for (const v1::KeyKind kind : {v1::KEY_KIND_TRAFFIC_KEYS, v1::KEY_KIND_TRAFFIC_SECRETS}) {
    LibsslClient peer({});
    const std::string name = Connect(As::kEdge, "intermediate", peer);
    v1::ReleaseKeysResponse first;
    v1::ReleaseKeysResponse again;
    ASSERT_TRUE(Release(As::kEdge, name, "r1", &first, kind).ok());
    ASSERT_TRUE(Release(As::kEdge, name, "r1", &again, kind).ok());
    EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
    ExpectStatus(Release(As::kEdge, name, "r2", &again, kind), StatusCode::FAILED_PRECONDITION,
                 "KEYS_RELEASED");
    service_.clock.Advance(std::chrono::seconds(11));
    service_.connections().EndOld();
    ExpectStatus(Release(As::kEdge, name, "r1", &again, kind), StatusCode::FAILED_PRECONDITION,
                 "KEYS_RELEASED");
    v1::SealResponse sealed;
    ExpectStatus(
        RecordCaller(service_.Channel(As::kEdge)).Seal(name, 0, tls::AsBytes("x"), &sealed),
        StatusCode::FAILED_PRECONDITION, "KEYS_RELEASED");
  }
}

TEST_F(S4_KeyRelease, OfKeysThatLeftWithTheHandshakeNoneAreHere) {
  const std::string name = Connect(As::kEdge, "intermediate", peer_, /*at_once=*/true);
  ExpectStatus(Release(As::kEdge, name, "r", &response_), StatusCode::FAILED_PRECONDITION,
               "KEYS_RELEASED");
}

TEST_F(S4_KeyRelease, OfAeadSuitesAlone) {
  const tls::test::Leaf leaf = service_.ca().Issue({.server = false, .client = true});
  LibsslClient peer({.version = TLS1_2_VERSION,
                     .cipher_list = "ECDHE-ECDSA-AES128-SHA256",
                     .certificate = &leaf});
  const std::string name = Connect(As::kEdge, "legacy", peer);
  ASSERT_FALSE(name.empty());
  ExpectStatus(Release(As::kEdge, name, "r", &response_), StatusCode::FAILED_PRECONDITION,
               "NOT_RELEASABLE");
}

TEST_F(S4_KeyRelease, MalformedRequestsNameTheField) {
  const std::string name = Connect(As::kEdge, "intermediate", peer_);
  const auto field = [&](const grpc::Status& status) {
    ExpectStatus(status, StatusCode::INVALID_ARGUMENT, "INVALID_FIELD");
    return ViolationsOf(DetailsOf(status)).field_violations(0).field();
  };
  EXPECT_EQ(field(Release(As::kEdge, "connections/1", "r", &response_)), "name");
  EXPECT_EQ(field(Release(As::kEdge, name, "r", &response_, v1::KEY_KIND_UNSPECIFIED)), "kind");
  EXPECT_EQ(field(Release(As::kEdge, name, "r", &response_, static_cast<v1::KeyKind>(7))), "kind");
  EXPECT_EQ(field(Release(As::kEdge, name, std::string(65, 'r'), &response_)), "request_id");
  EXPECT_TRUE(Release(As::kEdge, name, std::string(64, 'r'), &response_).ok());
}

}  // namespace
}  // namespace handfast::rpc::test
