#include "tls/crypto/hkdf.h"

#include <gtest/gtest.h>

#include "tests/tls/crypto/vectors.h"
#include "tls/base/secret_access.h"

namespace handfast::tls {
namespace {

using test::Case;
using test::Hex;
using test::ReadCases;
using test::TestGroups;

Bytes HmacOf(HashAlgorithm algorithm, ByteView key, ByteView message) {
  Hmac hmac(algorithm, key);
  hmac.Update(message);
  Bytes out(DigestSize(algorithm));
  hmac.Finish(out.data());
  return out;
}

Bytes Hkdf(HashAlgorithm algorithm, ByteView salt, ByteView ikm, ByteView info, size_t size) {
  const HashSecret secret = HkdfExtract(algorithm, salt, ikm);
  Bytes out(size);
  HkdfExpand(algorithm, SecretAccess::Open(secret), info, out);
  return out;
}

// RFC 4231 §4.2 and §4.7 (a key longer than a block).
TEST(Hmac, Rfc4231) {
  EXPECT_EQ(ToHex(HmacOf(HashAlgorithm::kSha256, Bytes(20, 0x0b), AsBytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(ToHex(HmacOf(HashAlgorithm::kSha384, Bytes(20, 0x0b), AsBytes("Hi There"))),
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
            "faea9ea9076ede7f4af152e8b2fa9cb6");
  EXPECT_EQ(ToHex(HmacOf(HashAlgorithm::kSha256, Bytes(131, 0xaa),
                         AsBytes("Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, AKeyedCopyStandsForTheKey) {
  const Hmac keyed(HashAlgorithm::kSha384, AsBytes("key"));
  for (std::string_view message : {"", "one", "another"}) {
    Hmac copy = keyed;
    copy.Update(AsBytes(message));
    Bytes out(48);
    copy.Finish(out.data());
    EXPECT_EQ(out, HmacOf(HashAlgorithm::kSha384, AsBytes("key"), AsBytes(message)));
  }
}

TEST(Hmac, Wycheproof) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/hmac_sha256_test.json", 174);
  int ran = 0;
  for (const auto& group : TestGroups(path)) {
    const size_t tag_size = group["tagSize"].get<size_t>() / 8;
    for (const auto& vector : group["tests"]) {
      Bytes mac = HmacOf(HashAlgorithm::kSha256, Hex(vector["key"]), Hex(vector["msg"]));
      mac.resize(tag_size);
      EXPECT_EQ(ConstantTimeEqual(mac, Hex(vector["tag"])), vector["result"] == "valid")
          << vector["tcId"];
      ++ran;
    }
  }
  EXPECT_EQ(ran, 174);
}

TEST(Hkdf, Wycheproof) {
  HANDFAST_VECTORS_OR_SKIP(path, "wycheproof/hkdf_sha256_test.json", 86);
  int ran = 0;
  for (const auto& group : TestGroups(path)) {
    for (const auto& vector : group["tests"]) {
      const size_t size = vector["size"].get<size_t>();
      ++ran;
      if (vector["result"] != "valid") {
        // The only invalid ones ask for too much, which ends the process here.
        EXPECT_GT(size, 255u * 32);
        continue;
      }
      EXPECT_EQ(ToHex(Hkdf(HashAlgorithm::kSha256, Hex(vector["salt"]), Hex(vector["ikm"]),
                           Hex(vector["info"]), size)),
                vector["okm"].get<std::string>())
          << vector["tcId"];
    }
  }
  EXPECT_EQ(ran, 86);
}

TEST(Hkdf, Botan) {
  HANDFAST_VECTORS_OR_SKIP(path, "botan/kdf/hkdf.vec", 37);
  int ran = 0;
  for (const Case& vector : ReadCases(path, "Output")) {
    if (vector.section.find("SHA-256") == std::string::npos) continue;
    const Bytes output = vector.hex("Output");
    const Bytes salt = vector.hex("Salt");
    const Bytes secret = vector.hex("Secret");
    const Bytes label = vector.hex("Label");
    Bytes got(output.size());
    if (vector.section.starts_with("HKDF-Extract")) {
      const HashSecret extracted = HkdfExtract(HashAlgorithm::kSha256, salt, secret);
      got = Copy(SecretAccess::Open(extracted).first(output.size()));
    } else if (vector.section.starts_with("HKDF-Expand")) {
      HkdfExpand(HashAlgorithm::kSha256, secret, salt, got);  // where Botan has the info
    } else {
      got = Hkdf(HashAlgorithm::kSha256, salt, secret, label, output.size());
    }
    EXPECT_EQ(got, output) << vector.section;
    ++ran;
  }
  EXPECT_EQ(ran, 9);
}

// "hexinfo:00ff" or "info:text".
Bytes Control(const Case& vector, const std::string& name) {
  const std::string text = vector.text(name);
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return {};
  const std::string value = text.substr(colon + 1);
  return text.starts_with("hex") ? Hex(value) : Copy(AsBytes(value));
}

TEST(Hkdf, OpenSsl) {
  HANDFAST_VECTORS_OR_SKIP(path, "openssl/evpkdf_hkdf.txt", 28);
  int ran = 0;
  for (const Case& vector : ReadCases(path, "Output")) {
    if (vector.text("Ctrl.digest") != "digest:SHA256") continue;
    const Bytes output = vector.hex("Output");
    const Bytes key = Control(vector, "Ctrl.IKM");
    const Bytes salt = Control(vector, "Ctrl.salt");
    const Bytes info = Control(vector, "Ctrl.info");
    const std::string mode = vector.text("Ctrl.mode");
    Bytes got(output.size());
    if (mode == "mode:EXTRACT_ONLY") {
      got = Copy(SecretAccess::Open(HkdfExtract(HashAlgorithm::kSha256, salt, key)));
    } else if (mode == "mode:EXPAND_ONLY") {
      HkdfExpand(HashAlgorithm::kSha256, key, info, got);
    } else {
      got = Hkdf(HashAlgorithm::kSha256, salt, key, info, output.size());
    }
    EXPECT_EQ(got, output);
    ++ran;
  }
  EXPECT_EQ(ran, 9);
}

// These use a draft's prefix, so the label is written here and expanded plainly.
TEST(HkdfExpand, HkdfLabelOfBotan) {
  HANDFAST_VECTORS_OR_SKIP(path, "botan/hkdf_label.vec", 4);
  int ran = 0;
  for (const Case& vector : ReadCases(path, "Output")) {
    const Bytes output = vector.hex("Output");
    const std::string label = vector.text("Label");
    const Bytes context = vector.hex("HashValue");
    Bytes info = {static_cast<uint8_t>(output.size() >> 8), static_cast<uint8_t>(output.size()),
                  static_cast<uint8_t>(label.size())};
    Append(info, AsBytes(label));
    info.push_back(static_cast<uint8_t>(context.size()));
    Append(info, context);
    Bytes got(output.size());
    HkdfExpand(vector.section == "SHA-256" ? HashAlgorithm::kSha256 : HashAlgorithm::kSha384,
               vector.hex("Secret"), info, got);
    EXPECT_EQ(got, output);
    ++ran;
  }
  EXPECT_EQ(ran, 4);
}

TEST(HkdfExpandLabel, IsExpandOfTheLabelStructure) {
  const HashSecret secret = *HashSecret::From(Bytes(32, 0x42));
  Bytes got(16);
  HkdfExpandLabel(HashAlgorithm::kSha256, secret, "key", {}, got);
  Bytes expected(16);
  HkdfExpand(HashAlgorithm::kSha256, SecretAccess::Open(secret),
             *FromHex("0010"
                      "09"
                      "746c733133206b6579"
                      "00"),
             expected);
  EXPECT_EQ(got, expected);
}

TEST(HkdfExpandLabel, TakesTheLargestLabelAndContext) {
  const HashSecret secret = *HashSecret::From(Bytes(48, 0x42));
  Bytes out(size_t{255} * 48);
  HkdfExpandLabel(HashAlgorithm::kSha384, secret, std::string(kMaxLabelSize, 'x'), Bytes(255, 1),
                  out);
  EXPECT_NE(ToHex(ByteView(out).last(48)), std::string(96, '0'));
}

// RFC 5869 §2.3.
TEST(HkdfDeathTest, ImpossibleLengthsEndTheProcess) {
  const HashSecret secret = *HashSecret::From(Bytes(32, 0x42));
  Bytes out(32);
  Bytes too_much(255 * 32 + 1);
  const std::string label(kMaxLabelSize + 1, 'x');
  EXPECT_DEATH(HkdfExpandLabel(HashAlgorithm::kSha256, secret, label, {}, out), "");
  EXPECT_DEATH(HkdfExpandLabel(HashAlgorithm::kSha256, secret, "x", Bytes(256, 1), out), "");
  EXPECT_DEATH(HkdfExpand(HashAlgorithm::kSha256, out, {}, too_much), "");
}

TEST(ConstantTimeEqual, ComparesContentAndLength) {
  EXPECT_TRUE(ConstantTimeEqual({}, {}));
  EXPECT_TRUE(ConstantTimeEqual(AsBytes("abc"), AsBytes("abc")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("abc"), AsBytes("abd")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("abc"), AsBytes("xbc")));
  EXPECT_FALSE(ConstantTimeEqual(AsBytes("abc"), AsBytes("ab")));
}

}  // namespace
}  // namespace handfast::tls
