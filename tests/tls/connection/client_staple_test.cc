// The client role asks for an OCSP response: libssl's server and our own staple one, good or not,
// and servers break the rules of it (RFC 6066 §8, RFC 8446 §4.4.2.1).
#include <functional>

#include <gtest/gtest.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/libssl_server.h"
#include "tests/tls/connection/plain_flight.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"
#include "tests/tls/crypto/test_revocation.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

// SSL_CTX_set_tlsext_status_cb's: the response is libssl's own copy.
int GiveResponse(SSL* ssl, void* response) {
  const Bytes& bytes = *static_cast<const Bytes*>(response);
  auto* copy = static_cast<unsigned char*>(OPENSSL_memdup(bytes.data(), bytes.size()));
  SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(bytes.size()));
  return SSL_TLSEXT_ERR_OK;
}

class ClientStapleTest : public testing::TestWithParam<int> {
 protected:
  // Under a server that staples these bytes; empty: it has none.
  std::optional<HandshakeFailure> Shake(Bytes response, const Leaf& leaf, bool amnesia = false,
                                        const char* suites = "") {
    LibsslContext context(LibsslServerContext(leaf));
    SSL_CTX_set_min_proto_version(context.get(), GetParam());
    SSL_CTX_set_max_proto_version(context.get(), GetParam());
    if (*suites != '\0') SSL_CTX_set_cipher_list(context.get(), suites);
    if (!response.empty()) {
      SSL_CTX_set_tlsext_status_cb(context.get(), &GiveResponse);
      SSL_CTX_set_tlsext_status_arg(context.get(), &response);
    }
    LibsslServer server(context.get());
    ServerDriver client(kit_, {.server_name = "example.test"});
    client.amnesia = amnesia;
    for (Bytes to_server = client.Begin(); !to_server.empty();) {
      to_server = client.Receive(server.Receive(to_server));
    }
    stapled_ = client.stapled();
    EXPECT_EQ(client.established() != nullptr, !client.failure());
    EXPECT_EQ(server.done(), !client.failure());
    return client.failure();
  }
  std::optional<Reason> ReasonOf(Bytes response) {
    const auto failure = Shake(std::move(response), leaf_);
    return failure ? std::optional(failure->reason) : std::nullopt;
  }
  bool is13() const { return GetParam() == TLS1_3_VERSION; }

  const Leaf leaf_ = Ca().Issue({.dns = {"example.test"}});
  ServerKit kit_ = Client12Kit(LegacyProfile());
  std::optional<Bytes> stapled_;
};

INSTANTIATE_TEST_SUITE_P(Versions, ClientStapleTest,
                         testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const testing::TestParamInfo<int>& info) {
                           return info.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
                         });

TEST_P(ClientStapleTest, AGoodResponseReachesTheVerdictToTheByte) {
  const Bytes good = MakeOcsp(Ca(), leaf_.chain[0]);
  for (const bool amnesia : {false, true}) {
    EXPECT_FALSE(Shake(good, leaf_, amnesia));
    EXPECT_EQ(stapled_, good);
  }
}

TEST_P(ClientStapleTest, WithoutOneTheHandshakeGoesOnUnlessItIsDemanded) {
  EXPECT_EQ(ReasonOf({}), std::nullopt);
  EXPECT_EQ(stapled_, Bytes());
  kit_.require_ocsp_response = true;
  const auto failure = Shake({}, leaf_);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->reason, Reason::kNoOcspResponse);
  EXPECT_EQ(failure->alert, static_cast<uint8_t>(Alert::kBadCertificateStatusResponse));
  EXPECT_EQ(ReasonOf(MakeOcsp(Ca(), leaf_.chain[0])), std::nullopt) << "the control";
}

// RFC 7633: the certificate itself demands it.
TEST_P(ClientStapleTest, ALeafThatPromisesOneNeedsIt) {
  const Leaf promising = Ca().Issue({.dns = {"example.test"}, .must_staple = true});
  const auto failure = Shake({}, promising);
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->reason, Reason::kNoOcspResponse);
  EXPECT_FALSE(Shake(MakeOcsp(Ca(), promising.chain[0]), promising));
}

// RFC 6066 §8: "Clients requesting an OCSP response and receiving an OCSP response in a
// "CertificateStatus" message MUST check the OCSP response and abort the handshake if the response
// is not satisfactory with bad_certificate_status_response(113) alert."
TEST_P(ClientStapleTest, AResponseThatIsNotSatisfactory) {
  const TestCa other = TestCa::Create("another CA");
  const Leaf another = Ca().Issue({.dns = {"example.test"}});
  const Bytes& leaf = leaf_.chain[0];
  using Status = OcspOptions::Status;
  const std::vector<std::pair<const char*, Bytes>> rows = {
      {"no response", {1, 2, 3}},
      {"tryLater", MakeOcsp(Ca(), leaf, {.unsuccessful = true})},
      {"unknown", MakeOcsp(Ca(), leaf, {.status = Status::kUnknown})},
      {"expired", MakeOcsp(Ca(), leaf, {.next_update_unix_s = kNow - kDay / 2})},
      {"of another certificate", MakeOcsp(Ca(), another.chain[0])},
      {"of another authority", MakeOcsp(other, leaf)},
      {"signed by anybody", MakeOcsp(Ca(), leaf, {.responder = &another})},
  };
  for (const auto& [what, response] : rows) {
    const auto failure = Shake(response, leaf_);
    ASSERT_TRUE(failure) << what;
    EXPECT_EQ(failure->reason, Reason::kBadOcspResponse) << what;
    EXPECT_EQ(failure->alert, static_cast<uint8_t>(Alert::kBadCertificateStatusResponse)) << what;
  }
  const auto revoked = Shake(MakeOcsp(Ca(), leaf, {.status = Status::kRevoked}), leaf_);
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->reason, Reason::kCertificateRevoked);
  EXPECT_EQ(revoked->alert, static_cast<uint8_t>(Alert::kCertificateRevoked));
}

TEST_P(ClientStapleTest, UnderStaticRsa) {
  if (is13()) return;
  const Leaf rsa = Ca().Issue({.type = KeyType::kRsa2048, .dns = {"example.test"}});
  const Bytes good = MakeOcsp(Ca(), rsa.chain[0]);
  for (const bool amnesia : {false, true}) {
    EXPECT_FALSE(Shake(good, rsa, amnesia, "AES128-GCM-SHA256"));
    EXPECT_EQ(stapled_, good);
    EXPECT_FALSE(Shake({}, rsa, amnesia, "AES128-GCM-SHA256"));
  }
}

TEST_P(ClientStapleTest, OfOurOwnServer) {
  OurTwo both{kit_, ServerKit::For(leaf_)};
  both.client_kit.profile.versions = {is13() ? ProtocolVersion::kTls13 : ProtocolVersion::kTls12};
  auto credential = std::make_shared<Credential>(*both.server_kit.credential);
  credential->ocsp_response = MakeOcsp(Ca(), leaf_.chain[0]);
  both.server_kit.credential = credential;
  for (const bool amnesia : {false, true}) {
    both.Run(1, amnesia);
    ASSERT_TRUE(both.client->established() && both.server->established());
    EXPECT_EQ(both.client->stapled(), credential->ocsp_response);
  }
}

// ---- TLS 1.2: the order of the messages.

struct Spoilt {
  const char* rule;
  std::optional<Reason> reason;  // nullopt: the client goes on
  std::function<void(PlainFlight&)> spoil;
};

// ServerHello, Certificate, CertificateStatus, then ServerKeyExchange and ServerHelloDone, or,
// under static RSA, the latter alone.
void RunSpoilt(const Leaf& leaf, const Profile& profile, const std::vector<Spoilt>& rows) {
  ServerKit server_kit = ServerKit::For(leaf, LegacyProfile());
  auto credential = std::make_shared<Credential>(*server_kit.credential);
  credential->ocsp_response = MakeOcsp(Ca(), leaf.chain[0]);
  server_kit.credential = std::move(credential);
  const ServerKit client_kit = Client12Kit(profile);
  for (const Spoilt& row : rows) {
    for (const bool amnesia : {false, true}) {
      ServerDriver server(server_kit);
      ServerDriver client(client_kit, {.server_name = "example.test"});
      client.amnesia = amnesia;
      PlainFlight flight(server.Receive(client.Begin()));
      row.spoil(flight);
      const Bytes answer = client.Receive(flight.Records());
      ASSERT_EQ(client.failure().has_value(), row.reason.has_value()) << row.rule;
      if (row.reason) {
        EXPECT_EQ(client.failure()->reason, *row.reason) << row.rule;
        continue;
      }
      EXPECT_EQ(client.connection().state_name(), "WaitFinished") << row.rule;
      EXPECT_FALSE(answer.empty()) << row.rule;
    }
  }
}

TEST(Client12Status, EachOrderOfTheMessages) {
  static constexpr uint8_t kSomething[] = {1};

  const std::vector<Spoilt> rows = {
      {"RFC 6066 §8: behind the Certificate", std::nullopt, [](PlainFlight&) {}},
      {"RFC 6066 §8: it may be left out", std::nullopt, [](PlainFlight& f) { f.Drop(2); }},
      {"RFC 6066 §8: not without the hello's word", Reason::kUnexpectedMessage,
       [](PlainFlight& f) {
         f.Edit<ServerHello>(0, [](ServerHello& h) {
           std::erase_if(h.extensions, [](const Extension& e) {
             return e.type == ExtensionType::kStatusRequest;
           });
         });
       }},
      {"RFC 6066 §8: not before the Certificate", Reason::kUnexpectedMessage,
       [](PlainFlight& f) { f.Swap(1, 2); }},
      {"RFC 6066 §8: not behind the ServerKeyExchange", Reason::kUnexpectedMessage,
       [](PlainFlight& f) { f.Swap(2, 3); }},
      {"RFC 6066 §8: once", Reason::kUnexpectedMessage, [](PlainFlight& f) { f.Double(2); }},
      {"RFC 5246 §7.3: left out, and no ServerKeyExchange either", Reason::kUnexpectedMessage,
       [](PlainFlight& f) {
         f.Drop(3);
         f.Drop(2);
       }},
      {"RFC 5246 §7.3: another Certificate instead", Reason::kUnexpectedMessage,
       [](PlainFlight& f) { f.Double(1); }},
      {"RFC 6066 §8: the hello's word is empty", Reason::kDecodeError,
       [](PlainFlight& f) {
         f.Edit<ServerHello>(0, [](ServerHello& h) {
           for (Extension& e : h.extensions) {
             if (e.type == ExtensionType::kStatusRequest) e.data = kSomething;
           }
         });
       }},
      {"RFC 6066 §8: of a type that was not asked for", Reason::kDecodeError,
       [](PlainFlight& f) {
         f.Edit<CertificateStatus>(2, [](CertificateStatus& s) { s.status_type = 2; });
       }},
      {"RFC 6066 §8: a response of no bytes", Reason::kDecodeError,
       [](PlainFlight& f) {
         f.Drop(2);
         f.Insert(2, {22, 0, 0, 4, 1, 0, 0, 0});
       }},
  };
  RunSpoilt(Ca().Issue({.dns = {"example.test"}}), Tls12Only(), rows);
}

TEST(Client12Status, EachOrderUnderStaticRsa) {
  Profile profile = Tls12Only(LegacyProfile());
  profile.cipher_suites = {CipherSuite::kRsaAes128GcmSha256};
  const Leaf leaf = Ca().Issue({.type = KeyType::kRsa2048, .dns = {"example.test"}});
  const std::vector<Spoilt> rows = {
      {"RFC 6066 §8: behind the Certificate", std::nullopt, [](PlainFlight&) {}},
      {"RFC 6066 §8: it may be left out", std::nullopt, [](PlainFlight& f) { f.Drop(2); }},
      {"RFC 5246 §7.4.3: left out, and a ServerKeyExchange", Reason::kUnexpectedMessage,
       [](PlainFlight& f) {
         f.Drop(2);
         f.Insert(2, {12, 0, 0, 1, 0});
       }},
      {"RFC 6066 §8: not behind the end", Reason::kUnexpectedMessage,
       [](PlainFlight& f) { f.Swap(2, 3); }},
  };
  RunSpoilt(leaf, profile, rows);
}

}  // namespace
}  // namespace handfast::tls::test
