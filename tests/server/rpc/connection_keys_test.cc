// ConnectionService: lists, new keys, exported keying material, and connections that begin remotely
// and go on with their owner.
#include <set>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "client/core/record_layer.h"
#include "client/core/released_keys.h"
#include "handfast/v1/connections.grpc.pb.h"
#include "tests/server/rpc/record_call.h"
#include "tests/server/rpc/test_service.h"

namespace handfast::rpc::test {
namespace {

using grpc::StatusCode;
using tls::Bytes;
using tls::test::LibsslClient;

class ConnectionKeys : public testing::Test {
 protected:
  v1::Established Connect(LibsslClient& peer, As caller = As::kEdge) {
    RelayCall call(service_.Channel(caller));
    return RunHandshake(call, 1, PlainStart(), peer).established();
  }
  std::unique_ptr<v1::ConnectionService::Stub> Stub(As caller = As::kEdge) {
    return v1::ConnectionService::NewStub(service_.Channel(caller));
  }
  grpc::Status Update(const std::string& name, v1::KeyDirection direction,
                      v1::UpdateKeysResponse* response, const std::string& request_id = "",
                      bool request_update = false) {
    grpc::ClientContext context;
    v1::UpdateKeysRequest request;
    request.set_name(name);
    request.set_direction(direction);
    request.set_request_id(request_id);
    request.set_request_update(request_update);
    return Stub()->UpdateKeys(&context, request, response);
  }
  grpc::Status Release(const std::string& name, v1::KeyKind kind,
                       v1::ReleaseKeysResponse* response) {
    grpc::ClientContext context;
    v1::ReleaseKeysRequest request;
    request.set_name(name);
    request.set_kind(kind);
    return Stub()->ReleaseKeys(&context, request, response);
  }
  grpc::Status Export(const v1::ExportKeyingMaterialRequest& request,
                      v1::ExportKeyingMaterialResponse* response) {
    grpc::ClientContext context;
    return Stub()->ExportKeyingMaterial(&context, request, response);
  }
  grpc::Status List(As caller, uint32_t size, const std::string& token,
                    v1::ListConnectionsResponse* response) {
    grpc::ClientContext context;
    v1::ListConnectionsRequest request;
    request.set_page_size(size);
    request.set_page_token(token);
    return Stub(caller)->ListConnections(&context, request, response);
  }
  std::string FieldOf(const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    const auto violations = ViolationsOf(DetailsOf(status));
    return violations.field_violations_size() == 1 ? violations.field_violations(0).field() : "";
  }

  TestService service_;
};

TEST_F(ConnectionKeys, RemoteFirstAndThenTheOwners) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    LibsslClient peer({.version = version});
    v1::Established established = Connect(peer);
    RecordCaller caller(service_.Channel(As::kEdge));
    v1::SealResponse sealed;
    ASSERT_TRUE(caller.Seal(established.connection(), 0, Bytes(100'000, 'r'), &sealed).ok());
    Bytes heard = peer.Read(tls::AsBytes(sealed.to_peer()));
    v1::OpenResponse opened;
    ASSERT_TRUE(
        caller.Open(established.connection(), 0, peer.Write(tls::AsBytes("hi")), &opened).ok());
    v1::ReleaseKeysResponse release;
    const bool tls13 = version == TLS1_3_VERSION;
    ASSERT_TRUE(Release(established.connection(),
                        tls13 ? v1::KEY_KIND_TRAFFIC_SECRETS : v1::KEY_KIND_TRAFFIC_KEYS, &release)
                    .ok());
    EXPECT_EQ(release.to_peer_offset(), sealed.to_peer().size());
    if (tls13) {
      *established.mutable_traffic_secrets() = release.traffic_secrets();
    } else {
      *established.mutable_traffic_keys() = release.traffic_keys();
    }
    auto layer =
        client::CreateRecordLayer(client::TakeKeys(established), established.max_fragment());
    ASSERT_TRUE(layer.ok());
    Bytes to_peer;
    ASSERT_TRUE(layer->Seal(Bytes(1'000'000, 'l'), to_peer).ok());
    tls::Append(heard, peer.Read(to_peer));
    Bytes expected(100'000, 'r');
    expected.resize(1'100'000, 'l');
    EXPECT_EQ(heard, expected);
    Bytes records = peer.Write(tls::AsBytes("ho"));
    std::vector<tls::ByteView> pieces;
    ASSERT_FALSE(layer->Open(records, pieces, to_peer).failure);
    ASSERT_EQ(pieces.size(), 1u);
    EXPECT_EQ(tls::AsText(pieces[0]), "ho");
    v1::Connection shown;
    grpc::ClientContext context;
    v1::GetConnectionRequest get;
    get.set_name(established.connection());
    ASSERT_TRUE(Stub()->GetConnection(&context, get, &shown).ok());
    EXPECT_TRUE(shown.keys_released());
  }
}

TEST_F(ConnectionKeys, NewKeysWhereTheyAreHere) {
  LibsslClient peer({});
  const std::string name = Connect(peer).connection();
  v1::UpdateKeysResponse update;
  v1::UpdateKeysResponse again;
  ASSERT_TRUE(Update(name, v1::KEY_DIRECTION_WRITE, &update, "u1", true).ok());
  ASSERT_TRUE(Update(name, v1::KEY_DIRECTION_WRITE, &again, "u1", true).ok());
  EXPECT_EQ(again.SerializeAsString(), update.SerializeAsString());
  EXPECT_FALSE(update.has_keys()) << "nothing leaves";
  v1::SealResponse sealed;
  RecordCaller caller(service_.Channel(As::kEdge));
  ASSERT_TRUE(caller.Seal(name, 0, tls::AsBytes("under new keys"), &sealed).ok());
  EXPECT_EQ(sealed.to_peer_offset(), update.to_peer().size());
  EXPECT_EQ(tls::AsText(peer.Read(tls::AsBytes(update.to_peer() + sealed.to_peer()))),
            "under new keys");
  EXPECT_EQ(ReasonOf(Update(name, v1::KEY_DIRECTION_READ, &update)), "NO_NEXT_KEYS");
  EXPECT_EQ(FieldOf(Update(name, v1::KEY_DIRECTION_UNSPECIFIED, &update)), "direction");
  EXPECT_EQ(FieldOf(Update("connections/1", v1::KEY_DIRECTION_READ, &update)), "name");
  EXPECT_EQ(FieldOf(Update(name, v1::KEY_DIRECTION_WRITE, &update, std::string(65, 'u'))),
            "request_id");
}

TEST_F(ConnectionKeys, NewKeysAfterARelease) {
  LibsslClient peer({});
  const std::string name = Connect(peer).connection();
  v1::ReleaseKeysResponse release;
  ASSERT_TRUE(Release(name, v1::KEY_KIND_TRAFFIC_KEYS, &release).ok());
  ASSERT_TRUE(release.has_traffic_keys());
  EXPECT_EQ(release.traffic_keys().write().salt().size(), 12u);
  std::set<std::string> seen = {release.traffic_keys().write().key(),
                                release.traffic_keys().read().key()};
  for (const v1::KeyDirection direction :
       {v1::KEY_DIRECTION_WRITE, v1::KEY_DIRECTION_READ, v1::KEY_DIRECTION_WRITE}) {
    v1::UpdateKeysResponse update;
    ASSERT_TRUE(Update(name, direction, &update).ok());
    EXPECT_EQ(update.keys().rec_seq(), 0u);
    EXPECT_TRUE(seen.insert(update.keys().key()).second) << "each generation once";
  }
  LibsslClient old({.version = TLS1_2_VERSION});
  const std::string old_name = Connect(old).connection();
  ASSERT_TRUE(Release(old_name, v1::KEY_KIND_TRAFFIC_KEYS, &release).ok());
  v1::UpdateKeysResponse update;
  EXPECT_EQ(ReasonOf(Update(old_name, v1::KEY_DIRECTION_WRITE, &update)), "NO_NEXT_KEYS");
}

TEST_F(ConnectionKeys, ExportedMaterialIsThePeersToo) {
  LibsslClient peer({});
  v1::ExportKeyingMaterialRequest request;
  request.set_name(Connect(peer).connection());
  request.set_label("EXPORTER-handfast");
  request.set_context("ctx");
  request.set_length(1024);
  v1::ExportKeyingMaterialResponse response;
  ASSERT_TRUE(Export(request, &response).ok());
  std::string theirs(1024, '\0');
  ASSERT_EQ(SSL_export_keying_material(peer.ssl(), reinterpret_cast<uint8_t*>(theirs.data()),
                                       theirs.size(), "EXPORTER-handfast", 17,
                                       reinterpret_cast<const uint8_t*>("ctx"), 3, 1),
            1);
  EXPECT_EQ(response.keying_material(), theirs);
  const auto spoilt = [&](auto spoil) {
    v1::ExportKeyingMaterialRequest bad = request;
    spoil(bad);
    return FieldOf(Export(bad, &response));
  };
  EXPECT_EQ(spoilt([](auto& r) { r.set_name("x"); }), "name");
  EXPECT_EQ(spoilt([](auto& r) { r.set_label(""); }), "label");
  EXPECT_EQ(spoilt([](auto& r) { r.set_label(std::string(250, 'l')); }), "label");
  EXPECT_EQ(spoilt([](auto& r) { r.set_context(std::string(65'536, 'c')); }), "context");
  EXPECT_EQ(spoilt([](auto& r) { r.set_length(0); }), "length");
  EXPECT_EQ(spoilt([](auto& r) { r.set_length(1025); }), "length");
  request.set_label(std::string(249, 'l'));
  request.set_context(std::string(65'535, 'c'));
  EXPECT_TRUE(Export(request, &response).ok());
  LibsslClient old({.version = TLS1_2_VERSION});
  request.set_name(Connect(old).connection());
  EXPECT_EQ(ReasonOf(Export(request, &response)), "NO_EXPORTER");
}

TEST_F(ConnectionKeys, OfOthersLookUnknown) {
  LibsslClient peer({});
  const std::string name = Connect(peer, As::kForeign).connection();
  v1::UpdateKeysResponse update;
  EXPECT_EQ(Update(name, v1::KEY_DIRECTION_WRITE, &update).error_code(), StatusCode::NOT_FOUND);
  v1::ExportKeyingMaterialRequest request;
  request.set_name(name);
  request.set_label("l");
  request.set_length(1);
  v1::ExportKeyingMaterialResponse response;
  EXPECT_EQ(Export(request, &response).error_code(), StatusCode::NOT_FOUND);
}

TEST_F(ConnectionKeys, AreListedByPages) {
  std::set<std::string> names;
  for (int i = 0; i < 7; ++i) {
    LibsslClient peer({});
    names.insert(Connect(peer).connection());
  }
  LibsslClient peer({});
  Connect(peer, As::kForeign);
  LibsslClient sibling({});
  const std::string siblings = Connect(sibling, As::kSibling).connection();
  for (const uint32_t size : {0u, 1u, 3u, 7u, 1000u}) {
    std::vector<std::string> listed;
    v1::ListConnectionsResponse page;
    do {
      const std::string token = page.next_page_token();
      page.Clear();
      ASSERT_TRUE(List(As::kEdge, size, token, &page).ok());
      ASSERT_LE(page.connections_size(), size == 0 ? 100 : static_cast<int>(size));
      for (const auto& connection : page.connections()) listed.push_back(connection.name());
    } while (!page.next_page_token().empty());
    EXPECT_EQ(listed, std::vector<std::string>(names.begin(), names.end())) << size;
  }
  v1::ListConnectionsResponse page;
  ASSERT_TRUE(List(As::kSibling, 0, "", &page).ok());
  ASSERT_EQ(page.connections_size(), 1);
  EXPECT_EQ(page.connections(0).name(), siblings);
  EXPECT_EQ(page.connections(0).established().keys_case(), v1::Established::KEYS_NOT_SET);
  EXPECT_EQ(FieldOf(List(As::kEdge, 1001, "", &page)), "page_size");
  EXPECT_EQ(FieldOf(List(As::kEdge, 0, "x", &page)), "page_token");
}

}  // namespace
}  // namespace handfast::rpc::test
