#include "tls/base/registry.h"

#include <set>

#include <gtest/gtest.h>

namespace handfast::tls {
namespace {

TEST(Registry, NamesAreIanas) {
  EXPECT_EQ(Name(ProtocolVersion::kTls13), "TLSv1.3");
  EXPECT_EQ(Name(ProtocolVersion::kTls12), "TLSv1.2");
  EXPECT_EQ(Name(CipherSuite::kTlsAes128GcmSha256), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(Name(CipherSuite::kEcdheEcdsaAes128GcmSha256),
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(Name(CipherSuite::kEcdheRsaChaCha20Poly1305Sha256),
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(Name(CipherSuite::kEcdheRsaAes256CbcSha384), "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384");
  EXPECT_EQ(Name(CipherSuite::kDheRsaAes128CbcSha), "TLS_DHE_RSA_WITH_AES_128_CBC_SHA");
  EXPECT_EQ(Name(CipherSuite::kRsaAes256GcmSha384), "TLS_RSA_WITH_AES_256_GCM_SHA384");
  EXPECT_EQ(Name(CipherSuite::kFallbackScsv), "TLS_FALLBACK_SCSV");
  EXPECT_EQ(Name(NamedGroup::kSecp256r1), "secp256r1");
  EXPECT_EQ(Name(NamedGroup::kX25519), "x25519");
  EXPECT_EQ(Name(SignatureScheme::kEcdsaSecp256r1Sha256), "ecdsa_secp256r1_sha256");
  EXPECT_EQ(Name(SignatureScheme::kRsaPssRsaeSha256), "rsa_pss_rsae_sha256");
  EXPECT_EQ(Name(ContentType::kHandshake), "handshake");
  EXPECT_EQ(Name(HandshakeType::kClientHello), "client_hello");
  EXPECT_EQ(Name(HandshakeType::kNewSessionTicket), "new_session_ticket");
  EXPECT_EQ(Name(ExtensionType::kServerName), "server_name");
  EXPECT_EQ(Name(ExtensionType::kRenegotiationInfo), "renegotiation_info");
}

TEST(Registry, TheUnknownStaysItsNumber) {
  EXPECT_EQ(Name(CipherSuite{0x1a2a}), "0x1a2a");
  EXPECT_EQ(Name(NamedGroup{0x0001}), "0x0001");
  EXPECT_EQ(Name(SignatureScheme{0xfe00}), "0xfe00");
  EXPECT_EQ(Name(ProtocolVersion{0x0305}), "0x0305");
  EXPECT_EQ(Name(ExtensionType{0xbaba}), "0xbaba");
  EXPECT_EQ(Name(ContentType{24}), "0x18");
  EXPECT_EQ(Name(HandshakeType{3}), "0x03");
}

// No two numbers share a name, and a name is never empty: over every number there is.
template <class E, class Number>
void AllNamesDiffer() {
  std::set<std::string> seen;
  for (uint32_t n = 0; n <= static_cast<Number>(~Number{0}); ++n) {
    const std::string name = Name(static_cast<E>(n));
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(seen.insert(name).second) << name;
  }
}

TEST(Registry, NamesAreUnique) {
  AllNamesDiffer<ProtocolVersion, uint16_t>();
  AllNamesDiffer<CipherSuite, uint16_t>();
  AllNamesDiffer<NamedGroup, uint16_t>();
  AllNamesDiffer<SignatureScheme, uint16_t>();
  AllNamesDiffer<ExtensionType, uint16_t>();
  AllNamesDiffer<ContentType, uint8_t>();
  AllNamesDiffer<HandshakeType, uint8_t>();
}

}  // namespace
}  // namespace handfast::tls
