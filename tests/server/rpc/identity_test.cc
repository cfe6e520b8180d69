// Who calls: proved by the transport, never claimed.

#include "server/rpc/identity.h"

#include <gtest/gtest.h>

#include "handfast/v1/handshake.grpc.pb.h"
#include "handfast/v1/keys.grpc.pb.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using tls::test::Leaf;

Leaf Caller(const TestService& service, std::vector<std::string> uris,
            std::vector<std::string> dns = {}) {
  tls::test::LeafOptions options;
  options.client = true;
  options.server = false;
  options.uris = std::move(uris);
  options.dns = std::move(dns);
  return service.caller_ca().Issue(options);
}

grpc::Status RelayStatus(std::shared_ptr<grpc::Channel> channel,
                         const std::function<void(grpc::ClientContext&)>& prepare = nullptr) {
  RelayCall call(std::move(channel), prepare);
  call.HalfClose();
  while (call.Next()) {
  }
  return call.Finish();
}

TEST(Identity, IsTheSocketThatWasUsed) {
  TestService service;
  EXPECT_TRUE(RelayStatus(service.Channel(As::kEdge)).ok());
}

TEST(Identity, OfASocketWithoutPrincipalIsNone) {
  TestService service;
  const grpc::Status status = RelayStatus(service.Channel(As::kStranger));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_FALSE(ReasonOf(status).empty());
}

TEST(Identity, WithoutTheRoleIsNotEnough) {
  TestService service;
  EXPECT_EQ(RelayStatus(service.Channel(As::kOperator)).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  grpc::ClientContext context;
  v1::ListKeysRequest request;
  v1::ListKeysResponse response;
  request.set_parent("tenants/acme");
  EXPECT_EQ(v1::KeyService::NewStub(service.Channel(As::kSibling))
                ->ListKeys(&context, request, &response)
                .error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
}

TEST(Identity, IsNeverTakenFromMetadata) {
  TestService service;
  const grpc::Status status =
      RelayStatus(service.Channel(As::kStranger), [&](grpc::ClientContext& context) {
        const std::string edge = "unix:" + service.SocketPath(As::kEdge);
        for (const char* key : {"principal", "x-tenant", "handfast_socket_principal",
                                "x-forwarded-client-cert", "authorization"}) {
          context.AddMetadata(key, edge);
        }
      });
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST(Identity, OfMutualTlsIsTheOneUri) {
  TestService service({.tcp = true});
  const Leaf leaf = Caller(service, {TestService::kSpiffe}, {"edge.example.test"});
  EXPECT_TRUE(RelayStatus(service.TlsChannel(&leaf)).ok());
}

TEST(Identity, OfTwoUrisOrNoneIsNobody) {
  TestService service({.tcp = true});
  for (const auto& uris :
       std::vector<std::vector<std::string>>{{},
                                             {TestService::kSpiffe, "spiffe://example.test/second"},
                                             {TestService::kSpiffe, TestService::kSpiffe}}) {
    const Leaf leaf = Caller(service, uris, {"edge.example.test"});
    const grpc::Status status = RelayStatus(service.TlsChannel(&leaf));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << uris.size();
    EXPECT_EQ(ReasonOf(status), "NO_IDENTITY");
  }
}

// A name is a string of bytes: what looks alike is somebody else.
TEST(Identity, IsComparedByteForByte) {
  TestService service({.tcp = true});
  for (const char* uri :
       {"SPIFFE://example.test/edge", "spiffe://example.test/Edge", "spiffe://example.test/%65dge",
        "spiffe://example.test/edge/", "spiffe://example.test/edge "}) {
    const Leaf leaf = Caller(service, {uri});
    EXPECT_EQ(RelayStatus(service.TlsChannel(&leaf)).error_code(),
              grpc::StatusCode::UNAUTHENTICATED)
        << uri;
  }
}

TEST(Identity, WithoutAClientCertificateThereIsNoConnection) {
  TestService service({.tcp = true});
  const auto refuses = [](const std::shared_ptr<grpc::Channel>& channel) {
    const auto soon = std::chrono::system_clock::now() + std::chrono::seconds(2);
    return !channel->WaitForConnected(soon);
  };
  EXPECT_TRUE(refuses(service.TlsChannel(nullptr)));
  const tls::test::TestCa elsewhere = tls::test::TestCa::Create("Elsewhere");
  tls::test::LeafOptions options;
  options.client = true;
  options.uris = {TestService::kSpiffe};
  const Leaf forged = elsewhere.Issue(options);
  EXPECT_TRUE(refuses(service.TlsChannel(&forged)));
  EXPECT_TRUE(
      refuses(grpc::CreateChannel(service.tcp_address(), grpc::InsecureChannelCredentials())));
}

TEST(Identity, OfACertificateIsReadStrictly) {
  EXPECT_FALSE(PrincipalOfCertificate("").ok());
  EXPECT_FALSE(PrincipalOfCertificate("-----BEGIN CERTIFICATE-----\n").ok());
  const auto ca = tls::test::TestCa::Create("CA");
  tls::test::LeafOptions options;
  options.uris = {"spiffe://example.test/edge"};
  const Leaf leaf = ca.Issue(options);
  EXPECT_EQ(*PrincipalOfCertificate(leaf.chain_pem), "spiffe://example.test/edge");
  // Another scheme could spell a socket's principal.
  for (const char* uri :
       {"unix:/run/handfast.sock", "https://example.test/edge", "SPIFFE://example.test/edge", ""}) {
    options.uris = {uri};
    EXPECT_FALSE(PrincipalOfCertificate(ca.Issue(options).chain_pem).ok()) << uri;
  }
  // Never more than the leaf itself.
  EXPECT_FALSE(PrincipalOfCertificate(leaf.chain_pem + leaf.chain_pem).ok());
}

}  // namespace
}  // namespace handfast::rpc::test
