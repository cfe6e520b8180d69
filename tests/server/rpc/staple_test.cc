// SetOcspResponse through the service: who may, what is refused, and what a peer and a trace see.
#include <gtest/gtest.h>

#include "handfast/v1/keys.grpc.pb.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"
#include "tests/tls/crypto/test_revocation.h"

namespace handfast::rpc::test {
namespace {

using grpc::StatusCode;
using tls::test::kDay;
using tls::test::kNow;
using tls::test::LibsslClient;
using tls::test::MakeOcsp;
using M = v1::HandshakeMessage;

constexpr char kName[] = "tenants/acme/credentials/stapled";

class StapleRpc : public testing::Test {
 protected:
  StapleRpc() {
    v1::ImportKeyRequest import;
    import.set_parent("tenants/acme");
    import.set_key_id("stapled");
    import.set_private_key_pem(leaf_.key_pem);
    import.set_certificate_chain_pem(leaf_.chain_pem);
    v1::ImportKeyResponse imported;
    grpc::ClientContext context;
    EXPECT_TRUE(Stub(As::kEdge)->ImportKey(&context, import, &imported).ok());
    EXPECT_EQ(imported.credential().ocsp_next_update(), 0);
  }

  std::unique_ptr<v1::KeyService::Stub> Stub(As as) {
    return v1::KeyService::NewStub(service_.Channel(as));
  }
  grpc::Status Set(const tls::Bytes& response, v1::Credential* credential, As as = As::kEdge) {
    grpc::ClientContext context;
    v1::SetOcspResponseRequest request;
    request.set_name(kName);
    request.set_ocsp_response(response.data(), response.size());
    return Stub(as)->SetOcspResponse(&context, request, credential);
  }
  // A traced handshake's messages, and what the peer was stapled.
  std::vector<M> Shake(int version, tls::Bytes* stapled) {
    RelayCall call(service_.Channel(As::kEdge));
    LibsslClient peer({.version = version, .server_name = "stapled.test", .status_request = true});
    const tls::Bytes hello = peer.Receive({});
    v1::Start start = PlainStart();
    start.set_trace(true);
    start.set_from_peer(hello.data(), hello.size());
    call.Start(1, start);
    const auto flight = call.Next();
    if (!flight) return {};
    const std::string& bytes = flight->to_peer();
    peer.Receive(tls::AsBytes(bytes));
    *stapled = peer.ocsp_response();
    return {flight->messages().begin(), flight->messages().end()};
  }

  TestService service_;
  const tls::test::TestCa issuing_ = service_.ca().Intermediate("issuing");
  const tls::test::Leaf leaf_ = issuing_.Issue({.dns = {"stapled.test"}});
  const tls::Bytes response_ = MakeOcsp(issuing_, leaf_.chain[0]);
};

TEST_F(StapleRpc, IsKeptAndTold) {
  v1::Credential credential;
  const grpc::Status status = Set(response_, &credential);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(credential.ocsp_next_update(), kNow + kDay);
  EXPECT_EQ(credential.state(), v1::Credential::ACTIVE);
  v1::GetCredentialRequest get;
  get.set_name(kName);
  grpc::ClientContext context;
  v1::Credential found;
  ASSERT_TRUE(Stub(As::kEdge)->GetCredential(&context, get, &found).ok());
  EXPECT_EQ(found.ocsp_next_update(), kNow + kDay);
}

TEST_F(StapleRpc, IsRefusedWithItsReason) {
  v1::Credential credential;
  const grpc::Status status = Set(MakeOcsp(issuing_, issuing_.Issue().chain[0]), &credential);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(status), "BAD_OCSP_RESPONSE");
  const google::rpc::BadRequest violations = ViolationsOf(DetailsOf(status));
  ASSERT_EQ(violations.field_violations_size(), 1);
  EXPECT_EQ(violations.field_violations(0).field(), "ocsp_response");
  EXPECT_NE(violations.field_violations(0).description().find("about another certificate"),
            std::string::npos);
}

TEST_F(StapleRpc, IsAnOperatorsOfTheTenant) {
  v1::Credential credential;
  EXPECT_EQ(Set(response_, &credential, As::kSibling).error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Set(response_, &credential, As::kForeign).error_code(), StatusCode::NOT_FOUND);
  EXPECT_TRUE(Set(response_, &credential, As::kOperator).ok());
}

TEST_F(StapleRpc, ShowsInATraceOfTls12) {
  v1::Credential credential;
  ASSERT_TRUE(Set(response_, &credential).ok());
  tls::Bytes stapled;
  const std::vector<M> messages = Shake(TLS1_2_VERSION, &stapled);
  EXPECT_EQ(stapled, response_);
  ASSERT_GE(messages.size(), 5u);
  EXPECT_EQ(messages[2].message_case(), M::kCertificate);
  ASSERT_EQ(messages[3].message_case(), M::kCertificateStatus);
  EXPECT_EQ(messages[3].sender(), M::SERVICE);
  EXPECT_EQ(messages[3].certificate_status().ocsp_response_length(), response_.size());
  EXPECT_EQ(messages[4].message_case(), M::kServerKeyExchange);
}

TEST_F(StapleRpc, ShowsInATraceOfTls13) {
  v1::Credential credential;
  ASSERT_TRUE(Set(response_, &credential).ok());
  tls::Bytes stapled;
  const std::vector<M> messages = Shake(TLS1_3_VERSION, &stapled);
  EXPECT_EQ(stapled, response_);
  int certificates = 0;
  for (const M& message : messages) {
    EXPECT_NE(message.message_case(), M::kCertificateStatus);
    if (message.message_case() != M::kCertificate) continue;
    ++certificates;
    ASSERT_EQ(message.certificate().entries_size(), 2);
    EXPECT_EQ(message.certificate().entries(0).ocsp_response_length(), response_.size());
    EXPECT_EQ(message.certificate().entries(1).ocsp_response_length(), 0u);
  }
  EXPECT_EQ(certificates, 1);
}

TEST_F(StapleRpc, WithoutOneNothingShows) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    tls::Bytes stapled;
    for (const M& message : Shake(version, &stapled)) {
      EXPECT_NE(message.message_case(), M::kCertificateStatus);
      for (const auto& entry : message.certificate().entries()) {
        EXPECT_EQ(entry.ocsp_response_length(), 0u);
      }
    }
    EXPECT_TRUE(stapled.empty());
  }
}

}  // namespace
}  // namespace handfast::rpc::test
