#include "tls/crypto/prf.h"

#include <gtest/gtest.h>

#include "tests/tls/crypto/vectors.h"

namespace handfast::tls {
namespace {

using test::Case;
using test::Hex;
using test::ReadCases;

Bytes PrfOf(HashAlgorithm algorithm, ByteView secret, std::string_view label, ByteView seed1,
            ByteView seed2, size_t size) {
  Bytes out(size);
  Prf(algorithm, secret, label, seed1, seed2, out);
  return out;
}

std::optional<HashAlgorithm> AlgorithmIn(const std::string& text) {
  if (text.find("SHA256") != std::string::npos || text.find("SHA-256") != std::string::npos) {
    return HashAlgorithm::kSha256;
  }
  if (text.find("SHA384") != std::string::npos || text.find("SHA-384") != std::string::npos) {
    return HashAlgorithm::kSha384;
  }
  return std::nullopt;
}

// What follows the colon of "hexsecret:00ff".
std::string After(const std::string& text) {
  const size_t colon = text.find(':');
  return colon == std::string::npos ? "" : text.substr(colon + 1);
}

void RunOpenSsl(const std::string& path, const std::string& digest_field, int expected) {
  int ran = 0;
  for (const Case& vector : ReadCases(path, "Output")) {
    const std::optional<HashAlgorithm> algorithm = AlgorithmIn(vector.text(digest_field));
    if (!algorithm) continue;
    const std::string label = After(vector.text("Ctrl.label"));
    const Bytes client = Hex(After(vector.text("Ctrl.client_random")));
    const Bytes server = Hex(After(vector.text("Ctrl.server_random")));
    const Bytes output = vector.hex("Output");
    const Bytes secret = Hex(After(vector.text("Ctrl.Secret")));
    // RFC 5246 §8.1 and §6.3 take the two random values in opposite orders.
    const bool expansion = label == "key expansion";
    EXPECT_EQ(PrfOf(*algorithm, secret, label, expansion ? server : client,
                    expansion ? client : server, output.size()),
              output)
        << label;
    ++ran;
  }
  EXPECT_EQ(ran, expected);
}

TEST(Prf, OpenSsl) {
  HANDFAST_VECTORS_OR_SKIP(path, "openssl/evpkdf_tls12_prf.txt", 4);
  RunOpenSsl(path, "Ctrl.digest", 3);
}

TEST(Prf, OpenSslPkey) {
  HANDFAST_VECTORS_OR_SKIP(path, "openssl/evppkey_kdf_tls1_prf.txt", 7);
  RunOpenSsl(path, "Ctrl.md", 3);
}

TEST(Prf, Botan) {
  HANDFAST_VECTORS_OR_SKIP(path, "botan/kdf/tls_prf.vec", 36);
  int ran = 0;
  for (const Case& vector : ReadCases(path, "Output")) {
    const std::optional<HashAlgorithm> algorithm = AlgorithmIn(vector.section);
    if (!algorithm) continue;
    const Bytes output = vector.hex("Output");
    const Bytes label = vector.hex("Label");
    EXPECT_EQ(PrfOf(*algorithm, vector.hex("Secret"), AsText(label), vector.hex("Salt"), {},
                    output.size()),
              output);
    ++ran;
  }
  EXPECT_GE(ran, 2);
}

TEST(Prf, LabelAndSeedsAreOneString) {
  const Bytes secret(48, 7);
  const Bytes whole = PrfOf(HashAlgorithm::kSha384, secret, "abcdef", {}, {}, 100);
  EXPECT_EQ(PrfOf(HashAlgorithm::kSha384, secret, "ab", AsBytes("cd"), AsBytes("ef"), 100), whole);
  EXPECT_EQ(PrfOf(HashAlgorithm::kSha384, secret, "", AsBytes("abcdef"), {}, 100), whole);
}

TEST(Prf, AShorterOutputIsAPrefix) {
  const Bytes secret(48, 7);
  const Bytes whole = PrfOf(HashAlgorithm::kSha256, secret, "label", {}, {}, 200);
  for (size_t size = 0; size <= 200; ++size) {
    const Bytes got = PrfOf(HashAlgorithm::kSha256, secret, "label", {}, {}, size);
    EXPECT_TRUE(Equal(got, ByteView(whole).first(size))) << size;
  }
}

}  // namespace
}  // namespace handfast::tls
