// ConnectionService, KeyService, health and reflection, over gRPC.

#include <future>
#include <set>
#include <thread>

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "handfast/v1/connections.grpc.pb.h"
#include "handfast/v1/keys.grpc.pb.h"
#include "server/rpc/unary_call.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"
#include "tls/crypto/pem.h"

namespace handfast::rpc::test {
namespace {

using grpc::StatusCode;
using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using tls::test::LibsslClient;

class Services : public testing::Test {
 protected:
  std::string Connect(bool release) {
    LibsslClient peer({.server_name = "example.test"});
    v1::Start start = PlainStart();
    if (release) start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
    RelayCall call(service_.Channel(As::kEdge));
    return RunHandshake(call, 1, start, peer).established().connection();
  }
  grpc::Status Get(As caller, const std::string& name, v1::Connection* connection) {
    grpc::ClientContext context;
    v1::GetConnectionRequest request;
    request.set_name(name);
    return v1::ConnectionService::NewStub(service_.Channel(caller))
        ->GetConnection(&context, request, connection);
  }
  grpc::Status Terminate(As caller, const std::string& name,
                         v1::TerminateConnectionResponse* response) {
    grpc::ClientContext context;
    v1::TerminateConnectionRequest request;
    request.set_name(name);
    return v1::ConnectionService::NewStub(service_.Channel(caller))
        ->TerminateConnection(&context, request, response);
  }

  TestService service_;
};

TEST_F(Services, AConnectionIsDescribedWithoutKeys) {
  for (bool release : {true, false}) {
    const std::string name = Connect(release);
    service_.clock.Advance(std::chrono::milliseconds(1500));
    v1::Connection connection;
    ASSERT_TRUE(Get(As::kEdge, name, &connection).ok());
    EXPECT_EQ(connection.name(), name);
    EXPECT_EQ(connection.established().connection(), name);
    EXPECT_EQ(connection.established().server_name(), "example.test");
    EXPECT_EQ(connection.established().keys_case(), v1::Established::KEYS_NOT_SET);
    EXPECT_EQ(connection.age_ms(), 1500u);
    EXPECT_EQ(connection.keys_released(), release);
  }
}

TEST_F(Services, ACallThatWaitedTooLongIsNotServed) {
  const auto create = [this](const std::string& id) {
    grpc::ClientContext context;  // without a deadline of its own
    v1::CreateKeyRequest request;
    request.set_parent("tenants/acme");
    request.set_key_id(id);
    request.set_type(v1::KEY_TYPE_ECDSA_P256);
    v1::Key key;
    return v1::KeyService::NewStub(service_.Channel(As::kEdge))->CreateKey(&context, request, &key);
  };
  for (const bool too_long : {false, true}) {
    // Somebody else's work is before it.
    std::promise<void> go;
    auto running = std::make_shared<std::promise<void>>();
    ASSERT_TRUE(service_.blocking()
                    .Submit("other", access::Lane::kGeneral,
                            [&, running] {
                              running->set_value();
                              go.get_future().wait();
                            })
                    .ok());
    running->get_future().wait();
    auto called = std::async(std::launch::async, create, too_long ? "late" : "in-time");
    while (service_.blocking().waiting(access::Lane::kGeneral) == 0) std::this_thread::yield();
    service_.clock.Advance(kMaxUnaryWait + std::chrono::milliseconds(too_long ? 1 : 0));
    go.set_value();
    EXPECT_EQ(called.get().error_code(), too_long ? StatusCode::DEADLINE_EXCEEDED : StatusCode::OK);
  }
}

TEST_F(Services, AConnectionOfOthersLooksUnknown) {
  const std::string name = Connect(true);
  v1::Connection connection;
  v1::TerminateConnectionResponse response;
  const std::string nobodys = "connections/" + std::string(32, '0');
  const grpc::Status unknown = Get(As::kEdge, nobodys, &connection);
  EXPECT_EQ(unknown.error_code(), StatusCode::NOT_FOUND);
  for (As caller : {As::kForeign, As::kSibling}) {
    const grpc::Status foreign = Get(caller, name, &connection);
    EXPECT_EQ(foreign.error_code(), StatusCode::NOT_FOUND);
    EXPECT_EQ(foreign.error_details(), unknown.error_details());
    EXPECT_EQ(Terminate(caller, name, &response).error_code(), StatusCode::NOT_FOUND);
  }
  EXPECT_EQ(Get(As::kEdge, "connections/1", &connection).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(Services, AConnectionIsTerminatedOnce) {
  for (bool release : {true, false}) {
    const std::string name = Connect(release);
    v1::TerminateConnectionResponse response;
    ASSERT_TRUE(Terminate(As::kEdge, name, &response).ok());
    EXPECT_EQ(response.keys_released(), release);
    EXPECT_EQ(Terminate(As::kEdge, name, &response).error_code(), StatusCode::NOT_FOUND);
  }
  EXPECT_EQ(service_.connections().size(), 0u);
}

TEST_F(Services, KeysAreTheTenantsOwn) {
  auto stub = v1::KeyService::NewStub(service_.Channel(As::kEdge));
  v1::CreateKeyRequest create;
  create.set_parent("tenants/acme");
  create.set_key_id("fresh");
  create.set_type(v1::KEY_TYPE_ECDSA_P256);
  v1::Key key;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(stub->CreateKey(&context, create, &key).ok());
  }
  EXPECT_EQ(key.name(), "tenants/acme/keys/fresh");
  EXPECT_EQ(key.type(), v1::KEY_TYPE_ECDSA_P256);
  EXPECT_FALSE(key.public_key().empty());
  EXPECT_FALSE(key.imported());

  v1::GetKeyRequest get;
  get.set_name(key.name());
  grpc::ClientContext foreign;
  EXPECT_EQ(v1::KeyService::NewStub(service_.Channel(As::kForeign))
                ->GetKey(&foreign, get, &key)
                .error_code(),
            StatusCode::NOT_FOUND);
  create.set_parent("tenants/other");
  grpc::ClientContext across;
  EXPECT_EQ(stub->CreateKey(&across, create, &key).error_code(), StatusCode::NOT_FOUND);
}

TEST_F(Services, AKeyNeedsAType) {
  v1::CreateKeyRequest create;
  create.set_parent("tenants/acme");
  v1::Key key;
  grpc::ClientContext context;
  const grpc::Status status =
      v1::KeyService::NewStub(service_.Channel(As::kEdge))->CreateKey(&context, create, &key);
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  ASSERT_EQ(ViolationsOf(DetailsOf(status)).field_violations_size(), 1);
  EXPECT_EQ(ViolationsOf(DetailsOf(status)).field_violations(0).field(), "type");
}

// A credential from its request to its first handshake.
TEST_F(Services, ACredentialIsMadeAndServed) {
  auto stub = v1::KeyService::NewStub(service_.Channel(As::kEdge));
  v1::Key key;
  {
    grpc::ClientContext context;
    v1::CreateKeyRequest request;
    request.set_parent("tenants/acme");
    request.set_key_id("second");
    request.set_type(v1::KEY_TYPE_ECDSA_P256);
    ASSERT_TRUE(stub->CreateKey(&context, request, &key).ok());
  }
  v1::Credential credential;
  {
    grpc::ClientContext context;
    v1::CreateCredentialRequest request;
    request.set_parent("tenants/acme");
    request.set_credential_id("second");
    request.set_key(key.name());
    request.add_dns_names("second.test");
    ASSERT_TRUE(stub->CreateCredential(&context, request, &credential).ok());
  }
  EXPECT_EQ(credential.state(), v1::Credential::PENDING);
  EXPECT_NE(credential.certificate_request_pem().find("CERTIFICATE REQUEST"), std::string::npos);
  {
    grpc::ClientContext context;
    v1::ActivateCredentialRequest request;
    request.set_name(credential.name());
    EXPECT_EQ(stub->ActivateCredential(&context, request, &credential).error_code(),
              StatusCode::FAILED_PRECONDITION);
  }
  tls::test::LeafOptions options;
  options.dns = {"second.test"};
  std::string pem;
  for (const tls::Bytes& der : service_.ca().Certify(tls::AsBytes(key.public_key()), options)) {
    pem += tls::ToPem("CERTIFICATE", der);
  }
  {
    grpc::ClientContext context;
    v1::SetCertificateChainRequest request;
    request.set_name("tenants/acme/credentials/second");
    request.set_certificate_chain_pem(pem);
    ASSERT_TRUE(stub->SetCertificateChain(&context, request, &credential).ok());
  }
  {
    grpc::ClientContext context;
    v1::ActivateCredentialRequest request;
    request.set_name(credential.name());
    ASSERT_TRUE(stub->ActivateCredential(&context, request, &credential).ok());
  }
  EXPECT_EQ(credential.state(), v1::Credential::ACTIVE);
  LibsslClient peer({.server_name = "second.test", .trusted_pem = service_.ca().pem()});
  RelayCall call(service_.Channel(As::kEdge));
  EXPECT_EQ(RunHandshake(call, 1, PlainStart(), peer).established().credential(),
            credential.name());
}

TEST_F(Services, ImportListsAndPages) {
  auto stub = v1::KeyService::NewStub(service_.Channel(As::kEdge));
  tls::test::LeafOptions options;
  options.dns = {"third.test"};
  const tls::test::Leaf leaf = service_.ca().Issue(options);
  v1::ImportKeyRequest import;
  import.set_parent("tenants/acme");
  import.set_key_id("third");
  import.set_private_key_pem(leaf.key_pem);
  import.set_certificate_chain_pem(leaf.chain_pem);
  v1::ImportKeyResponse imported;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(stub->ImportKey(&context, import, &imported).ok());
  }
  EXPECT_TRUE(imported.key().imported());
  EXPECT_EQ(imported.credential().state(), v1::Credential::ACTIVE);
  {
    grpc::ClientContext context;
    EXPECT_EQ(stub->ImportKey(&context, import, &imported).error_code(),
              StatusCode::ALREADY_EXISTS);
  }
  std::vector<std::string> names;
  v1::ListCredentialsRequest list;
  list.set_parent("tenants/acme");
  list.set_page_size(1);
  do {
    grpc::ClientContext context;
    v1::ListCredentialsResponse page;
    ASSERT_TRUE(stub->ListCredentials(&context, list, &page).ok());
    for (const auto& credential : page.credentials()) names.push_back(credential.name());
    list.set_page_token(page.next_page_token());
  } while (!list.page_token().empty());
  EXPECT_EQ(names, (std::vector<std::string>{"tenants/acme/credentials/third",
                                             "tenants/acme/credentials/web"}));
}

TEST_F(Services, HealthIsToldByName) {
  auto stub = Health::NewStub(service_.Channel(As::kEdge));
  for (const char* name : {"", "handfast.v1.HandshakeService", "handfast.v1.ConnectionService",
                           "handfast.v1.KeyService", "handfast.v1.RecordService"}) {
    grpc::ClientContext context;
    HealthCheckRequest request;
    HealthCheckResponse response;
    request.set_service(name);
    ASSERT_TRUE(stub->Check(&context, request, &response).ok()) << name;
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  }
  grpc::ClientContext context;
  HealthCheckRequest request;
  HealthCheckResponse response;
  request.set_service("handfast.v1.Nothing");
  EXPECT_EQ(stub->Check(&context, request, &response).error_code(), StatusCode::NOT_FOUND);
  grpc::ClientContext stranger;
  EXPECT_EQ(Health::NewStub(service_.Channel(As::kStranger))
                ->Check(&stranger, HealthCheckRequest(), &response)
                .error_code(),
            StatusCode::UNAUTHENTICATED);
}

TEST_F(Services, HealthIsWatched) {
  auto stub = Health::NewStub(service_.Channel(As::kEdge));
  grpc::ClientContext context;
  auto watch = stub->Watch(&context, HealthCheckRequest());
  HealthCheckResponse response;
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  service_.server().SetServing(false);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
  service_.server().SetServing(true);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  context.TryCancel();
  EXPECT_FALSE(watch->Read(&response));
  (void)watch->Finish();

  grpc::ClientContext unknown;
  HealthCheckRequest request;
  request.set_service("handfast.v1.Nothing");
  auto unknown_watch = stub->Watch(&unknown, request);
  ASSERT_TRUE(unknown_watch->Read(&response));
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVICE_UNKNOWN);
  unknown.TryCancel();
  (void)unknown_watch->Finish();
}

using grpc::reflection::v1alpha::ServerReflection;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

TEST_F(Services, ReflectionShowsTheContract) {
  auto stub = ServerReflection::NewStub(service_.Channel(As::kEdge));
  grpc::ClientContext context;
  auto stream = stub->ServerReflectionInfo(&context);
  const auto ask = [&](const ServerReflectionRequest& request) {
    ServerReflectionResponse response;
    EXPECT_TRUE(stream->Write(request) && stream->Read(&response));
    return response;
  };
  ServerReflectionRequest list;
  list.set_list_services("");
  std::set<std::string> names;
  const ServerReflectionResponse listed = ask(list);
  for (const auto& service : listed.list_services_response().service()) {
    names.insert(service.name());
  }
  EXPECT_EQ(names, (std::set<std::string>{"grpc.health.v1.Health", "handfast.v1.ConnectionService",
                                          "handfast.v1.HandshakeService", "handfast.v1.KeyService",
                                          "handfast.v1.RecordService"}));
  ServerReflectionRequest symbol;
  symbol.set_file_containing_symbol("handfast.v1.HandshakeService");
  // handshake.proto, messages.proto, google/rpc/status.proto and google/protobuf/any.proto.
  EXPECT_EQ(ask(symbol).file_descriptor_response().file_descriptor_proto_size(), 4);
  ServerReflectionRequest file;
  file.set_file_by_filename("handfast/v1/keys.proto");
  EXPECT_EQ(ask(file).file_descriptor_response().file_descriptor_proto_size(), 1);
  symbol.set_file_containing_symbol("handfast.v1.Nothing");
  EXPECT_EQ(ask(symbol).error_response().error_code(), StatusCode::NOT_FOUND);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(Services, ReflectionIsNotForStrangers) {
  grpc::ClientContext context;
  auto stream =
      ServerReflection::NewStub(service_.Channel(As::kStranger))->ServerReflectionInfo(&context);
  ServerReflectionResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAUTHENTICATED);
}

TEST_F(Services, AnUnknownMethodIsUnimplemented) {
  grpc::GenericStub stub(service_.Channel(As::kEdge));
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  const grpc::ByteBuffer request;
  grpc::ByteBuffer response;
  grpc::Status status;
  auto call =
      stub.PrepareUnaryCall(&context, "/handfast.v1.HandshakeService/Nothing", request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace handfast::rpc::test
