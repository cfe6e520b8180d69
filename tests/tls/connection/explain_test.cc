// Explain: the reasons it gives are those that held.
#include "tls/engine/explain.h"

#include <gtest/gtest.h>

#include "tests/tls/connection/client_fixture.h"
#include "tests/tls/connection/server_driver.h"
#include "tests/tls/crypto/test_ca.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

// What is said of hybrids hangs on the libcrypto that runs: they are in hybrid_test and
// key_share_test.
Profile Classical(Profile profile) {
  std::erase_if(profile.groups, IsHybrid);
  return profile;
}

// Our client and our server; what is said of the handshake, a line each.
std::string Explained(const ServerKit& server_kit, const Profile& client_profile,
                      std::vector<std::string> alpn = {}) {
  ServerKit client_kit = ClientKit();
  client_kit.profile = Classical(client_profile);
  ServerDriver client(client_kit, {.alpn = {"h2"}, .server_name = "example.test"});
  ServerDriver server(server_kit, {.alpn = alpn, .trace = true});
  Bytes to_server = client.Begin();
  while (!to_server.empty()) to_server = client.Receive(server.Receive(to_server));
  EXPECT_TRUE(server.established());
  if (!server.established()) return {};
  ByteView hello;
  for (const TracedMessage& message : server.messages()) {
    if (message.from_peer && message.content_type == ContentType::kHandshake &&
        message.bytes[0] == static_cast<uint8_t>(HandshakeType::kClientHello)) {
      hello = message.bytes;
    }
  }
  std::string text;
  for (const Explanation& e : Explain(server_kit.profile, alpn, hello, *server.established())) {
    text += e.what + " " + e.value + ": " + e.why + "\n";
  }
  return text;
}

ServerKit Server(KeyType type, Profile profile = IntermediateProfile()) {
  return ServerKit::For(Ca().Issue({.type = type, .dns = {"example.test"}}),
                        Classical(std::move(profile)));
}

TEST(Explain, WhatComesFirstNeedsNoMore) {
  EXPECT_EQ(Explained(Server(KeyType::kEcdsaP256), ModernProfile(), {"h2"}),
            "version TLSv1.3: the first of the profile's that the client offers\n"
            "cipher_suite TLS_AES_128_GCM_SHA256: the first of the profile's that the client "
            "offers\n"
            "group x25519: the first of the profile's that the client offers\n"
            "signature_scheme ecdsa_secp256r1_sha256: the first of the profile's that the client "
            "offers\n"
            "alpn h2: the first of the caller's that the client offers\n");
}

TEST(Explain, WhatWasPassedOverIsNamed) {
  Profile client = IntermediateProfile();
  client.versions = {ProtocolVersion::kTls12};
  client.groups = {NamedGroup::kSecp256r1};
  std::erase(client.cipher_suites, CipherSuite::kEcdheRsaAes128GcmSha256);
  EXPECT_EQ(Explained(Server(KeyType::kRsa2048), client),
            "version TLSv1.2: the first of the profile's that the client offers; before it TLSv1.3 "
            "(not offered)\n"
            "cipher_suite TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: the first of the profile's that "
            "the client offers; before it TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 (not for the "
            "credential's key), TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 (not offered), "
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 (not for the credential's key)\n"
            "group secp256r1: the first of the profile's that the client offers; before it x25519 "
            "(not offered)\n"
            "signature_scheme rsa_pss_rsae_sha256: the first of the profile's that the client "
            "offers; before it ecdsa_secp256r1_sha256 (not for the credential's key, or the "
            "version), ecdsa_secp384r1_sha384 (not for the credential's key, or the version), "
            "ecdsa_secp521r1_sha512 (not for the credential's key, or the version), ed25519 (not "
            "for the credential's key, or the version)\n"
            "alpn : the caller speaks none\n");
}

TEST(Explain, AGroupWithoutAShareIsPassedOver) {
  Profile client = ModernProfile();
  client.groups = {NamedGroup::kSecp256r1, NamedGroup::kX25519};
  const std::string text = Explained(Server(KeyType::kEcdsaP256), client);
  EXPECT_NE(text.find("group secp256r1: the first of the profile's that the client offers; before "
                      "it x25519 (without a key share)\n"),
            std::string::npos)
      << text;
}

TEST(Explain, NothingIsSaidOfWhatDoesNotParse) {
  EXPECT_TRUE(Explain(ModernProfile(), {}, Bytes{1, 0}, Established()).empty());
  EXPECT_TRUE(Explain(ModernProfile(), {}, Bytes{1, 0, 0, 1, 0}, Established()).empty());
}

}  // namespace
}  // namespace handfast::tls::test
