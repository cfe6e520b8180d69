// A stapled OCSP response on the wire, with libssl as the client that asks for it, or does not.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/tls/connection/libssl_client.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_revocation.h"
#include "tls/base/reader.h"
#include "tls/crypto/ocsp.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

struct Outcome {
  bool done = false;
  Bytes ocsp_response;
  std::vector<TracedMessage> sent;
};

class OcspStapleTest : public testing::TestWithParam<int> {
 protected:
  OcspStapleTest() { Staple(MakeOcsp(root_, leaf_.chain[0])); }

  void Staple(Bytes response) {
    auto credential = std::make_shared<Credential>(*kit_.credential);
    credential->ocsp_response = std::move(response);
    kit_.credential = std::move(credential);
  }
  Outcome Shake(bool status_request, bool amnesia = false, const std::string& groups = "") const {
    LibsslOptions options;
    options.version = GetParam();
    options.status_request = status_request;
    options.groups = groups;
    options.trusted_pem = root_.root_pem();
    LibsslClient client(options);
    ServerDriver server(kit_, {.trace = true});
    server.amnesia = amnesia;
    for (Bytes to_server = client.Receive({}); !to_server.empty();) {
      to_server = client.Receive(server.Receive(to_server));
    }
    Outcome outcome{client.done(), client.ocsp_response(), {}};
    EXPECT_TRUE(outcome.done) << client.error();
    EXPECT_EQ(server.established() != nullptr, outcome.done);
    for (const TracedMessage& message : server.messages()) {
      const bool handshake = message.content_type == ContentType::kHandshake;
      if (!message.from_peer && handshake) outcome.sent.push_back(message);
    }
    return outcome;
  }
  bool is13() const { return GetParam() == TLS1_3_VERSION; }

  const TestCa root_ = TestCa::Create("root");
  const TestCa issuing_ = root_.Intermediate("issuing");
  const Leaf leaf_ = issuing_.Issue({.dns = {"example.test"}});
  ServerKit kit_ = ServerKit::For(leaf_);
};

// The parsed body, which views into the message.
template <class Message>
Message Body(const std::vector<TracedMessage>& sent, HandshakeType type) {
  for (const TracedMessage& message : sent) {
    if (static_cast<HandshakeType>(message.bytes[0]) != type) continue;
    const auto body = Parse<Message>(ByteView(message.bytes).subspan(kHandshakeHeaderSize));
    EXPECT_TRUE(body.has_value());
    return body.value_or(Message{});
  }
  ADD_FAILURE() << "no such message";
  return {};
}

std::vector<HandshakeType> Types(const std::vector<TracedMessage>& sent) {
  std::vector<HandshakeType> types;
  for (const TracedMessage& m : sent) types.push_back(static_cast<HandshakeType>(m.bytes[0]));
  return types;
}

size_t CountOf(const Outcome& outcome, HandshakeType type) {
  const std::vector<HandshakeType> types = Types(outcome.sent);
  return static_cast<size_t>(std::count(types.begin(), types.end(), type));
}

TEST_P(OcspStapleTest, WhoAsksGetsItToTheByte) {
  const Outcome outcome = Shake(/*status_request=*/true);
  EXPECT_EQ(outcome.ocsp_response, kit_.credential->ocsp_response);
}

TEST_P(OcspStapleTest, WhatIsStapledVerifies) {
  Staple(MakeOcsp(issuing_, leaf_.chain[0]));
  const Outcome outcome = Shake(/*status_request=*/true);
  EXPECT_FALSE(
      VerifyOcspStaple(outcome.ocsp_response, leaf_.chain[0], leaf_.chain[1], kNow).reason);
}

TEST_P(OcspStapleTest, WhoDoesNotAskGetsNone) {
  const Outcome outcome = Shake(/*status_request=*/false);
  EXPECT_TRUE(outcome.ocsp_response.empty());
  EXPECT_EQ(CountOf(outcome, HandshakeType::kCertificateStatus), 0u);
}

TEST_P(OcspStapleTest, WithoutOneNothingIsSaid) {
  Staple({});
  const Outcome outcome = Shake(/*status_request=*/true);
  EXPECT_TRUE(outcome.ocsp_response.empty());
  EXPECT_EQ(CountOf(outcome, HandshakeType::kCertificateStatus), 0u);
  if (is13()) return;
  const auto hello = Body<ServerHello>(outcome.sent, HandshakeType::kServerHello);
  EXPECT_EQ(Find(hello.extensions, ExtensionType::kStatusRequest), nullptr);
}

// RFC 8446 §4.4.2.1, RFC 6066 §8.
TEST_P(OcspStapleTest, StandsWhereTheVersionPutsIt) {
  const Outcome outcome = Shake(/*status_request=*/true);
  const auto hello = Body<ServerHello>(outcome.sent, HandshakeType::kServerHello);
  const Extension* answer = Find(hello.extensions, ExtensionType::kStatusRequest);
  if (!is13()) {
    // RFC 6066 §8: "immediately after the "Certificate" message (and before any "ServerKeyExchange"
    // or "CertificateRequest" messages)".
    const std::vector<HandshakeType> types = Types(outcome.sent);
    ASSERT_GE(types.size(), 4u);
    EXPECT_EQ(types[1], HandshakeType::kCertificate);
    EXPECT_EQ(types[2], HandshakeType::kCertificateStatus);
    EXPECT_EQ(types[3], HandshakeType::kServerKeyExchange);
    ASSERT_NE(answer, nullptr);
    EXPECT_TRUE(answer->data.empty());
    return;
  }
  EXPECT_EQ(answer, nullptr);
  EXPECT_EQ(CountOf(outcome, HandshakeType::kCertificateStatus), 0u);
  const auto list = Body<tls13::Certificate>(outcome.sent, HandshakeType::kCertificate);
  ASSERT_EQ(list.certificate_list.size(), 2u);
  const Extension* status =
      Find(list.certificate_list[0].extensions, ExtensionType::kStatusRequest);
  ASSERT_NE(status, nullptr);
  const auto body = Parse<CertificateStatus>(status->data);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->status_type, kStatusTypeOcsp);
  EXPECT_TRUE(Equal(body->ocsp_response, kit_.credential->ocsp_response));
  EXPECT_TRUE(list.certificate_list[1].extensions.empty());
}

TEST_P(OcspStapleTest, SurvivesAmnesia) {
  EXPECT_EQ(Shake(true, /*amnesia=*/true).ocsp_response, kit_.credential->ocsp_response);
  EXPECT_TRUE(Shake(false, /*amnesia=*/true).ocsp_response.empty());
}

TEST_P(OcspStapleTest, SurvivesAHelloRetryRequest) {
  if (!is13()) return;
  kit_.profile.groups = {NamedGroup::kSecp384r1};
  for (const bool amnesia : {false, true}) {
    const Outcome outcome = Shake(true, amnesia, "X25519:P-384");
    EXPECT_EQ(CountOf(outcome, HandshakeType::kServerHello), 2u);
    EXPECT_EQ(outcome.ocsp_response, kit_.credential->ocsp_response);
  }
}

TEST_P(OcspStapleTest, WithAClientCertificateAskedFor) {
  kit_.profile.client_auth = ClientAuth::kOptional;
  EXPECT_EQ(Shake(true).ocsp_response, kit_.credential->ocsp_response);
}

INSTANTIATE_TEST_SUITE_P(Versions, OcspStapleTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const testing::TestParamInfo<int>& info) {
                           return info.param == TLS1_3_VERSION ? "Tls13" : "Tls12";
                         });

}  // namespace
}  // namespace handfast::tls::test
