// The client role through Relay: libssl is the server, in both versions. What ends badly ends with
// the alert that the server gets, or with the status that the caller gets.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "client/core/released_keys.h"
#include "handfast/v1/keys.grpc.pb.h"
#include "tests/server/rpc/relay_call.h"
#include "tests/server/rpc/test_service.h"
#include "tests/tls/crypto/test_revocation.h"
#include "tls/record/protection.h"

namespace handfast::rpc::test {
namespace {

using tls::test::Leaf;
using tls::test::LeafOptions;
using tls::test::LibsslServer;
using M = v1::HandshakeMessage;

constexpr char kName[] = "db.example.test";
constexpr char kDevice[] = "tenants/acme/credentials/device";
constexpr int kTlsV1Alerts = SSL_AD_REASON_OFFSET;  // libssl's error for an alert is this and it

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

class RelayClient : public testing::TestWithParam<int> {
 protected:
  // A server of the parameter's version.
  void ServeLeaf(const Leaf& leaf) {
    context_.reset(tls::test::LibsslServerContext(leaf));
    SSL_CTX_set_min_proto_version(context_.get(), GetParam());
    SSL_CTX_set_max_proto_version(context_.get(), GetParam());
  }
  void Serve(const LeafOptions& options = {.dns = {kName}}) {
    ServeLeaf(service_.server_ca().Issue(options));
  }
  // Clients must end at this authority, which the request names.
  void AskForCertificate(const tls::test::TestCa& ca, int mode) {
    const uint8_t* der = ca.certificate().data();
    X509* root = d2i_X509(nullptr, &der, static_cast<long>(ca.certificate().size()));
    SSL_CTX_add_client_CA(context_.get(), root);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), root);
    X509_free(root);
    SSL_CTX_set_verify(context_.get(), mode, nullptr);
  }
  v1::RelayResponse Run(const v1::Start& start) {
    ERR_clear_error();
    peer_ = std::make_unique<LibsslServer>(context_.get());
    return RunHandshake(call_, ++tag_, start, *peer_);
  }
  // A credential of the tenant whose certificate may be a client's.
  Leaf ImportDevice() {
    Leaf leaf = service_.ca().Issue({.server = false, .client = true});
    v1::ImportKeyRequest import;
    import.set_parent("tenants/acme");
    import.set_key_id("device");
    import.set_private_key_pem(leaf.key_pem);
    import.set_certificate_chain_pem(leaf.chain_pem);
    v1::ImportKeyResponse imported;
    grpc::ClientContext context;
    auto keys = v1::KeyService::NewStub(service_.Channel(As::kEdge));
    EXPECT_TRUE(keys->ImportKey(&context, import, &imported).ok());
    EXPECT_EQ(imported.credential().name(), kDevice);
    return leaf;
  }
  // What the server holds for the client's leaf, DER; empty: none was shown.
  tls::Bytes ShownToServer() const {
    X509* leaf = SSL_get1_peer_certificate(peer_->ssl());
    if (leaf == nullptr) return {};
    uint8_t* der = nullptr;
    const int size = i2d_X509(leaf, &der);
    tls::Bytes copy(der, der + size);
    OPENSSL_free(der);
    X509_free(leaf);
    return copy;
  }
  // The handshake failed here, and the server was told so with this alert.
  void ExpectRefused(const v1::RelayResponse& last, const char* reason, uint32_t alert) {
    ASSERT_TRUE(last.has_failure());
    EXPECT_EQ(last.failure().origin(), v1::Failure::LOCAL);
    EXPECT_EQ(last.failure().reason(), reason);
    EXPECT_EQ(last.failure().alert(), alert);
    EXPECT_FALSE(last.failure().detail().empty());
    EXPECT_FALSE(last.to_peer().empty());
    EXPECT_FALSE(peer_->done());
    EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), kTlsV1Alerts + static_cast<int>(alert));
    EXPECT_EQ(service_.metrics.last().role, "client");
    EXPECT_TRUE(service_.metrics.last().failure.has_value());
    EXPECT_EQ(service_.handshakes().live(), 0u);
  }
  bool is_tls13() const { return GetParam() == TLS1_3_VERSION; }

  TestService service_;
  RelayCall call_{service_.Channel(As::kEdge)};
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::unique_ptr<LibsslServer> peer_;
  uint64_t tag_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Versions, RelayClient, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                           return info.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
                         });

TEST_P(RelayClient, ShakesHandsWithTheServerOfTheName) {
  const Leaf leaf = service_.server_ca().Issue({.dns = {kName}});
  ServeLeaf(leaf);
  const v1::RelayResponse last = Run(ClientStart(kName));
  ASSERT_TRUE(last.has_established()) << last.failure().reason() << last.failure().detail();
  EXPECT_TRUE(peer_->done());
  EXPECT_STREQ(SSL_get_servername(peer_->ssl(), TLSEXT_NAMETYPE_host_name), kName);
  const v1::Established& established = last.established();
  EXPECT_EQ(established.version(),
            is_tls13() ? v1::PROTOCOL_VERSION_TLS13 : v1::PROTOCOL_VERSION_TLS12);
  EXPECT_EQ(established.server_name(), kName);
  EXPECT_EQ(established.credential(), "") << "the server asked for none";
  EXPECT_EQ(established.signature_scheme(), "") << "we signed nothing";
  EXPECT_EQ(established.keys_case(), v1::Established::KEYS_NOT_SET);
  ASSERT_TRUE(established.has_peer());
  EXPECT_EQ(established.peer().verified_by(), "servers");
  ASSERT_EQ(established.peer().dns_names_size(), 1);
  EXPECT_EQ(established.peer().dns_names(0), kName);
  EXPECT_EQ(tls::Copy(tls::AsBytes(established.peer().chain(0))), leaf.chain.front());
  const observe::FinishedHandshake counted = service_.metrics.last();
  EXPECT_EQ(counted.role, "client");
  EXPECT_FALSE(counted.failure.has_value());
  EXPECT_FALSE(counted.signature_scheme.has_value());
  EXPECT_TRUE(counted.group.has_value());
  EXPECT_EQ(service_.metrics.signatures, 0);
  EXPECT_EQ(service_.handshakes().live(), 0u);
}

TEST_P(RelayClient, BringsTheClientHelloAtOnce) {
  ASSERT_TRUE(call_.Start(1, ClientStart(kName)));
  const auto first = call_.Next();
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->handshake().empty());
  EXPECT_EQ(first->outcome_case(), v1::RelayResponse::OUTCOME_NOT_SET);
  EXPECT_EQ(first->consumed(), 0u);
  ASSERT_GT(first->to_peer().size(), 5u);
  EXPECT_EQ(first->to_peer()[0], 22) << "a handshake record";
  EXPECT_EQ(first->to_peer()[5], 1) << "ClientHello";
}

TEST_P(RelayClient, LeavesTheServersFirstRecordsWithTheCaller) {
  Serve();
  LibsslServer peer(context_.get());
  ASSERT_TRUE(call_.Start(1, ClientStart(kName)));
  size_t given = 0;
  for (;;) {
    const auto reply = call_.Next();
    ASSERT_TRUE(reply);
    tls::Bytes bytes = peer.Receive(tls::AsBytes(reply->to_peer()));
    if (reply->has_established()) {
      EXPECT_EQ(reply->consumed(), given);
      return;
    }
    ASSERT_EQ(reply->outcome_case(), v1::RelayResponse::OUTCOME_NOT_SET);
    given += bytes.size();
    // TLS 1.2: the server is done with this flight, and may speak in the same breath.
    if (peer.done()) tls::Append(bytes, peer.Write(tls::AsBytes("220 ready\r\n")));
    call_.FromPeer(1, bytes);
  }
}

// ---- Client authentication.

TEST_P(RelayClient, ShowsACertificateThatFitsTheRequest) {
  const Leaf device = ImportDevice();
  Serve();
  AskForCertificate(service_.ca(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
  for (const char* named : {"", kDevice}) {
    const int signatures = service_.metrics.signatures;
    v1::Start start = ClientStart(kName);
    start.set_credential(named);
    const v1::RelayResponse last = Run(start);
    ASSERT_TRUE(last.has_established()) << last.failure().reason() << last.failure().detail();
    EXPECT_TRUE(peer_->done());
    EXPECT_EQ(last.established().credential(), kDevice);
    EXPECT_EQ(last.established().signature_scheme(), "ecdsa_secp256r1_sha256");
    EXPECT_EQ(ShownToServer(), device.chain.front());
    EXPECT_EQ(service_.metrics.signatures, signatures + 1);
    EXPECT_TRUE(service_.metrics.last().signature_scheme.has_value());
  }
}

TEST_P(RelayClient, ShowsNoneWhereNoneFits) {
  ImportDevice();
  Serve();
  AskForCertificate(service_.server_ca(), SSL_VERIFY_PEER);
  for (const char* named : {"", kDevice}) {
    v1::Start start = ClientStart(kName);
    start.set_credential(named);
    const v1::RelayResponse last = Run(start);
    ASSERT_TRUE(last.has_established()) << last.failure().reason() << last.failure().detail();
    EXPECT_TRUE(peer_->done());
    EXPECT_EQ(last.established().credential(), "");
    EXPECT_TRUE(ShownToServer().empty());
  }
  EXPECT_EQ(service_.metrics.signatures, 0);
}

// TLS 1.3: a server refuses a client's certificate after the client is done, in its first record.
TEST_P(RelayClient, AServerMayMindThatNoneIsShown) {
  Serve();
  AskForCertificate(service_.server_ca(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
  const v1::RelayResponse last = Run(ClientStart(kName));
  EXPECT_FALSE(peer_->done());
  if (is_tls13()) {
    ASSERT_TRUE(last.has_established());
    EXPECT_EQ(last.established().credential(), "");
    return;
  }
  ASSERT_TRUE(last.has_failure());
  EXPECT_EQ(last.failure().origin(), v1::Failure::PEER_ALERT);
  EXPECT_EQ(last.failure().alert_name(), "handshake_failure");
  EXPECT_EQ(last.failure().detail(), "no certificate was shown to the server: no_credential");
}

TEST_P(RelayClient, ACredentialMustBeTheTenants) {
  v1::Start start = ClientStart(kName);
  for (const char* name : {kDevice, "tenants/other/credentials/web"}) {
    start.set_credential(name);
    ASSERT_TRUE(call_.Start(++tag_, start));
    const auto reply = call_.Next();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->error().code(), grpc::StatusCode::NOT_FOUND) << name;
    EXPECT_TRUE(reply->to_peer().empty());
  }
}

// ---- Servers that are not whom they must be.

TEST_P(RelayClient, AnotherNameIsRefused) {
  Serve({.dns = {"web.example.test"}});
  ExpectRefused(Run(ClientStart(kName)), "name_mismatch", SSL_AD_BAD_CERTIFICATE);
  Serve({.common_name = kName});
  ExpectRefused(Run(ClientStart(kName)), "name_mismatch", SSL_AD_BAD_CERTIFICATE);
  Serve({.dns = {"d*.example.test"}});
  ExpectRefused(Run(ClientStart(kName)), "name_mismatch", SSL_AD_BAD_CERTIFICATE);
  Serve({.dns = {"*.example.test"}});
  EXPECT_TRUE(Run(ClientStart(kName)).has_established()) << "the control: one whole label";
}

TEST_P(RelayClient, AnotherAuthorityIsRefused) {
  // The profile's bundle for clients would have it.
  ServeLeaf(service_.ca().Issue({.dns = {kName}}));
  ExpectRefused(Run(ClientStart(kName)), "unknown_ca", SSL_AD_UNKNOWN_CA);
}

TEST_P(RelayClient, AClientsCertificateIsNoServers) {
  Serve({.dns = {kName}, .server = false, .client = true});
  ExpectRefused(Run(ClientStart(kName)), "unsupported_certificate", SSL_AD_UNSUPPORTED_CERTIFICATE);
}

TEST_P(RelayClient, AnExpiredCertificateIsRefused) {
  Serve({.dns = {kName}, .not_after_unix_s = tls::test::kNow - 1});
  ExpectRefused(Run(ClientStart(kName)), "certificate_expired", SSL_AD_CERTIFICATE_EXPIRED);
}

// ---- What is negotiated, released and traced.

int SelectH2(SSL*, const uint8_t** out, uint8_t* size, const uint8_t*, unsigned, void*) {
  static constexpr uint8_t kH2[] = {'h', '2'};
  *out = kH2;
  *size = sizeof(kH2);
  return SSL_TLSEXT_ERR_OK;
}

TEST_P(RelayClient, OffersProtocols) {
  Serve();
  v1::Start start = ClientStart(kName);
  start.add_alpn("http/1.1");
  start.add_alpn("h2");
  EXPECT_EQ(Run(start).established().alpn(), "") << "the server knows no ALPN";
  SSL_CTX_set_alpn_select_cb(context_.get(), SelectH2, nullptr);
  EXPECT_EQ(Run(start).established().alpn(), "h2");
  // One that was not offered.
  start.mutable_alpn()->RemoveLast();
  const v1::RelayResponse last = Run(start);
  ASSERT_TRUE(last.has_failure());
  EXPECT_EQ(last.failure().origin(), v1::Failure::LOCAL);
  EXPECT_EQ(last.failure().alert(), static_cast<uint32_t>(SSL_AD_ILLEGAL_PARAMETER));
}

void SwapDirections(v1::Established& established) {
  if (established.has_traffic_secrets()) {
    v1::TrafficSecrets& secrets = *established.mutable_traffic_secrets();
    secrets.mutable_write_secret()->swap(*secrets.mutable_read_secret());
  } else {
    v1::TrafficKeys& keys = *established.mutable_traffic_keys();
    keys.mutable_write()->Swap(keys.mutable_read());
  }
}

// A record each way under these keys, as a caller's own record layer would have it.
template <class Keys>
bool SpeaksBothWays(Keys keys, LibsslServer& server) {
  tls::RecordSealer sealer(
      *tls::RecordKeys::Create(std::move(keys.write), tls::AeadDirection::kSeal));
  tls::RecordOpener opener(
      *tls::RecordKeys::Create(std::move(keys.read), tls::AeadDirection::kOpen));
  tls::Bytes from_server = server.Write(tls::AsBytes("220 ready"));
  const auto opened = opener.Open(from_server);
  if (!opened.ok() || tls::AsText(opened->fragment) != "220 ready") return false;
  tls::Bytes to_server;
  if (!sealer
           .Seal(tls::ContentType::kApplicationData, tls::AsBytes("QUIT"), tls::kMaxPlaintext,
                 to_server)
           .ok()) {
    return false;
  }
  return tls::AsText(server.Read(to_server)) == "QUIT";
}

TEST_P(RelayClient, ReleasesKeysThatWorkBothWays) {
  Serve();
  v1::Start start = ClientStart(kName);
  start.set_key_release(v1::KEY_RELEASE_ON_ESTABLISHED);
  for (const bool swapped : {false, true}) {
    v1::RelayResponse last = Run(start);
    ASSERT_TRUE(last.has_established()) << last.failure().reason();
    v1::Established& established = *last.mutable_established();
    ASSERT_EQ(established.has_traffic_secrets(), is_tls13());
    ASSERT_EQ(established.has_traffic_keys(), !is_tls13());
    if (swapped) SwapDirections(established);  // the negative control: a server's keys
    client::ReleasedKeys keys = client::TakeKeys(established);
    auto* keys13 = std::get_if<client::ReleasedKeys13>(&keys);
    auto* keys12 = std::get_if<client::ReleasedKeys12>(&keys);
    ASSERT_TRUE(keys13 != nullptr || keys12 != nullptr);
    const bool speaks = keys13 != nullptr ? SpeaksBothWays(std::move(*keys13), *peer_)
                                          : SpeaksBothWays(std::move(*keys12), *peer_);
    EXPECT_EQ(speaks, !swapped);
  }
}

// ---- OCSP responses.

int GiveResponse(SSL* ssl, void* response) {
  const auto& bytes = *static_cast<const tls::Bytes*>(response);
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(bytes.data(), bytes.size()));
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(bytes.size()));
  return SSL_TLSEXT_ERR_OK;
}

// RFC 6066 §8: "MUST check the OCSP response".
TEST_P(RelayClient, AStapledResponseIsChecked) {
  using Options = tls::test::OcspOptions;
  const Leaf leaf = service_.server_ca().Issue({.dns = {kName}});
  v1::Start start = ClientStart(kName);
  start.set_profile("stapled");
  ServeLeaf(leaf);
  ExpectRefused(Run(start), "no_ocsp_response", SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE);
  tls::Bytes response;
  SSL_CTX_set_tlsext_status_cb(context_.get(), &GiveResponse);
  SSL_CTX_set_tlsext_status_arg(context_.get(), &response);
  const auto with = [&](const Options& options) {
    response = MakeOcsp(service_.server_ca(), leaf.chain[0], options);
    return Run(start);
  };
  for (const char* profile : {"outbound", "stapled"}) {
    start.set_profile(profile);
    EXPECT_TRUE(with({}).has_established()) << "the control";
    ExpectRefused(with({.status = Options::Status::kRevoked}), "certificate_revoked",
                  SSL_AD_CERTIFICATE_REVOKED);
    ExpectRefused(with({.status = Options::Status::kUnknown}), "bad_ocsp_response",
                  SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE);
  }
}

TEST_P(RelayClient, ShowsEachMessageWhereTraced) {
  ImportDevice();
  Serve();
  AskForCertificate(service_.ca(), SSL_VERIFY_PEER);
  LibsslServer peer(context_.get());
  v1::Start start = ClientStart(kName);
  start.set_trace(true);
  ASSERT_TRUE(call_.Start(1, start));
  std::vector<M> messages;
  bool ended = false;
  while (!ended) {
    const auto reply = call_.Next();
    ASSERT_TRUE(reply);
    messages.insert(messages.end(), reply->messages().begin(), reply->messages().end());
    ended = reply->outcome_case() != v1::RelayResponse::OUTCOME_NOT_SET;
    const tls::Bytes more = peer.Receive(tls::AsBytes(reply->to_peer()));
    if (!ended) call_.FromPeer(1, more);
  }
  std::erase_if(messages, [](const M& m) { return m.has_change_cipher_spec(); });
  using Shown = std::pair<M::Sender, M::MessageCase>;
  std::vector<Shown> shown;
  for (const M& message : messages) shown.emplace_back(message.sender(), message.message_case());
  std::vector<Shown> expected = {{M::SERVICE, M::kClientHello}, {M::PEER, M::kServerHello}};
  if (is_tls13()) {
    expected.insert(expected.end(), {{M::PEER, M::kEncryptedExtensions},
                                     {M::PEER, M::kCertificateRequest},
                                     {M::PEER, M::kCertificate},
                                     {M::PEER, M::kCertificateVerify},
                                     {M::PEER, M::kFinished},
                                     {M::SERVICE, M::kCertificate},
                                     {M::SERVICE, M::kCertificateVerify},
                                     {M::SERVICE, M::kFinished}});
  } else {
    expected.insert(expected.end(), {{M::PEER, M::kCertificate},
                                     {M::PEER, M::kServerKeyExchange},
                                     {M::PEER, M::kCertificateRequest},
                                     {M::PEER, M::kServerHelloDone},
                                     {M::SERVICE, M::kCertificate},
                                     {M::SERVICE, M::kClientKeyExchange},
                                     {M::SERVICE, M::kCertificateVerify},
                                     {M::SERVICE, M::kFinished},
                                     {M::PEER, M::kFinished}});
  }
  EXPECT_EQ(shown, expected);
  EXPECT_EQ(messages[0].client_hello().server_name(), kName);
  const auto request = std::find_if(messages.begin(), messages.end(),
                                    [](const M& m) { return m.has_certificate_request(); });
  ASSERT_NE(request, messages.end());
  EXPECT_EQ(request->certificate_request().authorities(), 1u);
}

}  // namespace
}  // namespace handfast::rpc::test
