// HKDF as TLS 1.3 uses it, against RFC 8448: the values of §3 that the RFC prints, and every
// extraction and expansion of the whole RFC where its text is at hand.
#include <fstream>
#include <map>
#include <regex>

#include <gtest/gtest.h>

#include "tests/tls/crypto/vectors.h"
#include "tls/base/secret_access.h"
#include "tls/crypto/hkdf.h"
#include "tls/crypto/kex.h"

namespace handfast::tls {
namespace {

using test::Hex;

constexpr HashAlgorithm kSha256 = HashAlgorithm::kSha256;

// RFC 8448 §3.
constexpr char kClientPublic[] = "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c";
constexpr char kServerPrivate[] =
    "b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e";
constexpr char kServerPublic[] = "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f";
constexpr char kShared[] = "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d";
constexpr char kEarly[] = "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a";
constexpr char kHandshake[] = "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac";
constexpr char kMaster[] = "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919";
constexpr char kEmptyHash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kHelloHash[] = "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8";
constexpr char kServerFinishedHash[] =
    "9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13";
constexpr char kClientFinishedHash[] =
    "209145a96ee8e2a122ff810047cc952684658d6049e86429426db87c54ad143d";
constexpr char kServerHandshakeTraffic[] =
    "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38";
constexpr char kServerFinishedKey[] =
    "008d3b66f816ea559f96b537e885c31fc068bf492c652f01f288a1d8cdc19fc8";

HashSecret SecretOf(const char* hex) { return *HashSecret::From(Hex(hex)); }

std::string Derive(const char* secret, std::string_view label, const char* context, size_t size) {
  Bytes out(size);
  HkdfExpandLabel(kSha256, SecretOf(secret), label, Hex(context), out);
  return ToHex(out);
}

std::string Extract(const char* salt, const char* ikm) {
  return ToHex(SecretAccess::Open(HkdfExtract(kSha256, Hex(salt), Hex(ikm))));
}

TEST(Rfc8448, EphemeralKeys) {
  Result<KeyPair> server = KeyPair::FromPrivate(NamedGroup::kX25519, Hex(kServerPrivate));
  ASSERT_TRUE(server.ok());
  EXPECT_EQ(ToHex(server->public_key()), kServerPublic);
  const Result<SharedSecret> shared = (*std::move(server)).Derive(Hex(kClientPublic));
  ASSERT_TRUE(shared.ok());
  EXPECT_EQ(ToHex(SecretAccess::Open(*shared)), kShared);
}

TEST(Rfc8448, Stages) {
  const std::string zeros(64, '0');
  EXPECT_EQ(Extract("", zeros.c_str()), kEarly);
  const std::string early_derived = Derive(kEarly, "derived", kEmptyHash, 32);
  EXPECT_EQ(early_derived, "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
  EXPECT_EQ(Extract(early_derived.c_str(), kShared), kHandshake);
  const std::string handshake_derived = Derive(kHandshake, "derived", kEmptyHash, 32);
  EXPECT_EQ(handshake_derived, "43de77e0c77713859a944db9db2590b53190a65b3ee2e4f12dd7a0bb7ce254b4");
  EXPECT_EQ(Extract(handshake_derived.c_str(), zeros.c_str()), kMaster);
}

TEST(Rfc8448, TrafficSecrets) {
  EXPECT_EQ(Derive(kHandshake, "c hs traffic", kHelloHash, 32),
            "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
  EXPECT_EQ(Derive(kHandshake, "s hs traffic", kHelloHash, 32), kServerHandshakeTraffic);
  EXPECT_EQ(Derive(kMaster, "c ap traffic", kServerFinishedHash, 32),
            "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
  EXPECT_EQ(Derive(kMaster, "s ap traffic", kServerFinishedHash, 32),
            "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643");
  EXPECT_EQ(Derive(kMaster, "exp master", kServerFinishedHash, 32),
            "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50");
  EXPECT_EQ(Derive(kMaster, "res master", kClientFinishedHash, 32),
            "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c");
}

TEST(Rfc8448, TrafficKeys) {
  EXPECT_EQ(Derive(kServerHandshakeTraffic, "key", "", 16), "3fce516009c21727d0f2e4e86ee403bc");
  EXPECT_EQ(Derive(kServerHandshakeTraffic, "iv", "", 12), "5d313eb2671276ee13000b30");
}

TEST(Rfc8448, ResumptionSecret) {
  EXPECT_EQ(Derive("7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c", "resumption",
                   "0000", 32),
            "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3");
}

TEST(Rfc8448, FinishedKeyAndBinder) {
  EXPECT_EQ(Derive(kServerHandshakeTraffic, "finished", "", 32), kServerFinishedKey);
  // §4: the binder's MAC over its transcript hash.
  Hmac hmac(kSha256, Hex("5588673e72cb59c87d220caffe94f2dea9a3b1609f7d50e90a48227db9ed7eaa"));
  hmac.Update(Hex("63224b2e4573f2d3454ca84b9d009a04f6be9e05711a8396473aefa01e924a14"));
  Bytes binder(32);
  hmac.Finish(binder.data());
  EXPECT_EQ(ToHex(binder), "3add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d");
}

// The RFC's text without page breaks: "name (n octets): hex", continued on indented lines.
std::vector<std::pair<std::string, std::string>> PrintedValues(const std::string& path) {
  static const std::regex kValue(R"(^ +([A-Za-z ]+)\((\d+) octets\):  ?((?:[0-9a-f]{2} ?)*).*)");
  static const std::regex kMore(R"(^ +((?:[0-9a-f]{2} ?)+)$)");
  std::vector<std::pair<std::string, std::string>> values;
  size_t wanted = 0;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    std::string digits;
    if (std::regex_match(line, match, kValue)) {
      std::string name = match[1];
      name.erase(name.find_last_not_of(' ') + 1);
      values.emplace_back(name, "");
      wanted = std::stoul(match[2]) * 2;
      digits = match[3];
    } else if (!values.empty() && values.back().second.size() < wanted &&
               std::regex_match(line, match, kMore)) {
      digits = match[1];
    }
    for (char c : digits) {
      if (c != ' ') values.back().second.push_back(c);
    }
  }
  return values;
}

TEST(Rfc8448, EveryDerivationItPrints) {
  HANDFAST_VECTORS_OR_SKIP(path, "rfc/rfc8448.txt", "all derivations of RFC 8448");
  std::map<std::string, std::string> last;
  int expansions = 0;
  int extractions = 0;
  for (const auto& [name, hex] : PrintedValues(path)) {
    if (name == "expanded" || name == "key expanded" || name == "iv expanded") {
      const std::string info =
          name == "expanded" ? "info" : name.substr(0, name.find(' ')) + " info";
      Bytes out(hex.size() / 2);
      HkdfExpand(kSha256, Hex(last["PRK"]), Hex(last[info]), out);
      EXPECT_EQ(ToHex(out), hex) << name << " " << expansions;
      ++expansions;
    } else if (name == "secret") {
      EXPECT_EQ(Extract(last["salt"].c_str(), last["IKM"].c_str()), hex);
      last["salt"].clear();  // an early secret's has no octets, and so no value
      ++extractions;
    }
    last[name] = hex;
  }
  EXPECT_GT(expansions, 60);
  EXPECT_GT(extractions, 8);
}

}  // namespace
}  // namespace handfast::tls
