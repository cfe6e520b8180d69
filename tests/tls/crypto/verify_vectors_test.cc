// Signatures of third parties, right and wrong.
#include <gtest/gtest.h>

#include "tests/tls/crypto/vectors.h"
#include "tls/crypto/sign.h"

namespace handfast::tls {
namespace {

using test::Hex;
using test::TestGroups;

void RunVectors(const std::string& path, ProtocolVersion version, SignatureScheme scheme,
                int expected) {
  int ran = 0;
  for (const auto& group : TestGroups(path)) {
    const Bytes key = Hex(group["publicKeyDer"]);
    for (const auto& vector : group["tests"]) {
      ++ran;
      // RFC 5246 §4.7: "implementations MUST accept both without parameters and with NULL
      // parameters."
      const bool missing_null = vector["flags"] == nlohmann::json({"MissingNull"});
      if (vector["result"] == "acceptable" && !missing_null) continue;
      EXPECT_EQ(VerifySignature(version, scheme, key, Hex(vector["msg"]), Hex(vector["sig"])),
                vector["result"] == "valid" || missing_null)
          << vector["tcId"] << " " << vector["comment"];
    }
  }
  EXPECT_EQ(ran, expected);
}

TEST(VerifySignature, WycheproofEcdsa) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/ecdsa_secp256r1_sha256_test.json", 484);
  RunVectors(path, ProtocolVersion::kTls13, SignatureScheme::kEcdsaSecp256r1Sha256, 484);
  RunVectors(path, ProtocolVersion::kTls12, SignatureScheme::kEcdsaSecp256r1Sha256, 484);
}

TEST(VerifySignature, WycheproofEd25519) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/ed25519_test.json", 151);
  RunVectors(path, ProtocolVersion::kTls13, SignatureScheme::kEd25519, 151);
}

// RFC 5246 §4.7: other encodings of the DigestInfo than DER are among them.
TEST(VerifySignature, WycheproofRsaPkcs1) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/rsa_signature_2048_sha256_test.json", 259);
  RunVectors(path, ProtocolVersion::kTls12, SignatureScheme::kRsaPkcs1Sha256, 259);
}

TEST(VerifySignature, WycheproofRsaPss) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json", 108);
  RunVectors(path, ProtocolVersion::kTls13, SignatureScheme::kRsaPssRsaeSha256, 108);
}

}  // namespace
}  // namespace handfast::tls
