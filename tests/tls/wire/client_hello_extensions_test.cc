// ReadExtensions: what a server makes of a ClientHello's extension block.
#include "tls/wire/client_hello_extensions.h"

#include <gtest/gtest.h>

namespace handfast::tls::test {
namespace {

using Block = std::vector<std::pair<ExtensionType, std::string>>;

// The bytes of the extensions' data live as long as the call.
Result<ClientHelloExtensions> Read(const Block& block) {
  static std::vector<Bytes> data;
  data.clear();
  data.reserve(block.size());
  ClientHello hello;
  for (const auto& [type, hex] : block) {
    data.push_back(FromHex(hex).value());
    hello.extensions.push_back({type, data.back()});
  }
  return ReadExtensions(hello);
}

std::string NameExtension(std::string_view name) {
  Bytes body;
  const ServerNameList list{{{0, AsBytes(name)}}};
  EXPECT_TRUE(AppendSerialized(body, list));
  return ToHex(body);
}

// One identity of one byte, and its binder.
const std::string kPsk =
    "0007"
    "000178"
    "00000000"
    "0021"
    "20" +
    std::string(64, '0');

// A legal body of each known extension.
const Block& KnownExtensions() {
  static const Block known = {
      {ExtensionType::kServerName, NameExtension("example.test")},
      {ExtensionType::kSupportedVersions, "020304"},
      {ExtensionType::kSupportedGroups, "0002001d"},
      {ExtensionType::kSignatureAlgorithms, "00020807"},
      {ExtensionType::kSignatureAlgorithmsCert, "00020401"},
      {ExtensionType::kKeyShare, "0005001d0001aa"},
      {ExtensionType::kAlpn, "0003026832"},
      {ExtensionType::kEcPointFormats, "0100"},
      {ExtensionType::kRecordSizeLimit, "4001"},
      {ExtensionType::kRenegotiationInfo, "00"},
      {ExtensionType::kExtendedMasterSecret, ""},
      {ExtensionType::kStatusRequest, "0100000000"},
      {ExtensionType::kEarlyData, ""},
      {ExtensionType::kEncryptThenMac, ""},
      {ExtensionType::kPskKeyExchangeModes, "0101"},
      {ExtensionType::kPreSharedKey, kPsk},
  };
  return known;
}

TEST(ReadExtensions, AllKnown) {
  const auto read = Read(KnownExtensions());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->server_name, "example.test");
  EXPECT_EQ(read->supported_versions->versions.size(), 1u);
  EXPECT_EQ(read->supported_groups->groups.front(), NamedGroup::kX25519);
  EXPECT_EQ(read->signature_algorithms->schemes.front(), SignatureScheme::kEd25519);
  EXPECT_EQ(read->signature_algorithms_cert->schemes.front(), SignatureScheme::kRsaPkcs1Sha256);
  EXPECT_EQ(read->key_share->client_shares.front().key_exchange.size(), 1u);
  EXPECT_EQ(AsText(read->alpn->names.front().name), "h2");
  EXPECT_EQ(read->record_size_limit->record_size_limit, 16385);
  EXPECT_TRUE(read->renegotiation_info->renegotiated_connection.empty());
  EXPECT_TRUE(read->extended_master_secret);
  EXPECT_TRUE(read->status_request);
  EXPECT_TRUE(read->early_data);
  EXPECT_TRUE(read->encrypt_then_mac);
  EXPECT_EQ(ToHex(read->psk_key_exchange_modes->ke_modes), "01");
  ASSERT_EQ(read->pre_shared_key->identities.size(), 1u);
  EXPECT_EQ(AsText(read->pre_shared_key->identities[0].identity), "x");
  EXPECT_EQ(read->pre_shared_key->binders[0].binder.size(), 32u);
}

// RFC 8446 §4.2: "There MUST NOT be more than one extension of the same type in a given extension
// block."
TEST(T27_DuplicateExtension, EachKnownOne) {
  for (const auto& extension : KnownExtensions()) {
    const auto read = Read({extension, extension});
    ASSERT_FALSE(read.ok()) << Name(extension.first);
    EXPECT_EQ(read.reason(), Reason::kDuplicateExtension) << Name(extension.first);
    EXPECT_TRUE(Read({extension}).ok()) << Name(extension.first);
  }
}
TEST(T27_DuplicateExtension, AnUnknownOneToo) {
  const auto unknown = static_cast<ExtensionType>(0x1234);
  EXPECT_EQ(Read({{unknown, ""}, {unknown, ""}}).reason(), Reason::kDuplicateExtension);
}

// RFC 8701 §3.1: GREASE values are ignored like any unknown one.
TEST(T27_Grease, IsPassedOver) {
  Block block = KnownExtensions();
  for (int i = 0; i < 16; ++i) {
    const auto grease = static_cast<ExtensionType>(0x0a0a + 0x1010 * i);
    block.insert(block.begin(), {grease, i % 2 == 0 ? "" : "00"});
  }
  EXPECT_TRUE(Read(block).ok());
}

// T11: each known body cut at every byte, and with a byte too many.
TEST(T11_ExtensionBodies, CutOrTooLong) {
  for (const auto& [type, hex] : KnownExtensions()) {
    for (size_t digits = 0; digits < hex.size(); digits += 2) {
      const auto read = Read({{type, hex.substr(0, digits)}});
      ASSERT_FALSE(read.ok()) << Name(type) << " " << digits / 2;
      EXPECT_EQ(read.reason(), Reason::kDecodeError);
    }
    const auto read = Read({{type, hex + "00"}});
    ASSERT_FALSE(read.ok()) << Name(type);
    EXPECT_EQ(read.reason(), Reason::kDecodeError) << Name(type);
  }
}

// RFC 8446 §4.2.11: pre_shared_key is the last one.
TEST(T26_PreSharedKey, MustBeLast) {
  EXPECT_TRUE(
      Read({{ExtensionType::kAlpn, "0003026832"}, {ExtensionType::kPreSharedKey, kPsk}}).ok());
  EXPECT_EQ(
      Read({{ExtensionType::kPreSharedKey, kPsk}, {ExtensionType::kAlpn, "0003026832"}}).reason(),
      Reason::kPskNotLast);
}

// RFC 8446 §4.2.11: a binder for each identity.
TEST(T26_PreSharedKey, ABinderForEachIdentity) {
  const std::string identity =
      "000178"
      "00000000";
  const std::string binder = "20" + std::string(64, '0');
  const auto reason = [](const std::string& hex) {
    const auto read = Read({{ExtensionType::kPreSharedKey, hex}});
    return read.ok() ? std::nullopt : std::optional(read.reason());
  };
  EXPECT_EQ(reason("000e" + identity + identity + "0042" + binder + binder), std::nullopt);
  EXPECT_EQ(reason("000e" + identity + identity + "0021" + binder), Reason::kBinderCount);
  EXPECT_EQ(reason("0007" + identity + "0042" + binder + binder), Reason::kBinderCount);
  EXPECT_EQ(reason("0007" + identity + "0000"), Reason::kDecodeError);
  EXPECT_EQ(reason("0000"
                   "0021" +
                   binder),
            Reason::kDecodeError);
  EXPECT_EQ(reason("0007" + identity +
                   "0020"
                   "1f" +
                   std::string(62, '0')),
            Reason::kDecodeError)
      << "a binder has at least 32 bytes";
}

struct HostCase {
  std::string name;
  bool legal;
};

// RFC 6066 §3.
TEST(T27_ServerName, OnlyHostNames) {
  const HostCase kCases[] = {
      {"example.test", true},
      {"a", true},
      {"EXAMPLE.test", true},
      {"xn--bcher-kva.example", true},
      {"under_score.example", true},
      {std::string(253, 'a'), true},
      {std::string(254, 'a'), false},
      {"example.test.", false},
      {".example.test", false},
      {std::string("a\0b", 3), false},
      {"a b", false},
      {"a/b", false},
      {"*.example", false},
      {"b\xc3\xbc"
       "cher.example",
       false},
      {"a\nb", false},
      {"[::1]", false},
  };
  for (const HostCase& c : kCases) {
    const auto read = Read({{ExtensionType::kServerName, NameExtension(c.name)}});
    ASSERT_EQ(read.ok(), c.legal) << c.name;
    if (!c.legal) {
      EXPECT_EQ(read.reason(), Reason::kBadServerName) << c.name;
    }
  }
  EXPECT_EQ(Read({{ExtensionType::kServerName, NameExtension("EXAMPLE.test")}})->server_name,
            "example.test");
}
TEST(T27_ServerName, OneOfAKind) {
  EXPECT_EQ(Read({{ExtensionType::kServerName, "0008000001610000016200"}}).reason(),
            Reason::kDecodeError);
  EXPECT_EQ(Read({{ExtensionType::kServerName, "00080000016100000162"}}).reason(),
            Reason::kBadServerName);
  // Of an unknown kind: passed over.
  EXPECT_EQ(Read({{ExtensionType::kServerName, "00080500016100000162"}})->server_name, "b");
}

// RFC 6066 §8.
TEST(ReadExtensions, StatusRequest) {
  const auto asked = [](const std::string& hex) {
    const auto read = Read({{ExtensionType::kStatusRequest, hex}});
    EXPECT_TRUE(read.ok()) << hex;
    return read.ok() && read->status_request;
  };
  EXPECT_TRUE(asked("0100000000"));
  EXPECT_TRUE(asked("01000400020102000130")) << "with responders and extensions";
  EXPECT_FALSE(asked("02")) << "of another type, which is not ours to read";
  EXPECT_FALSE(asked("ff0011223344"));
  EXPECT_FALSE(Read({})->status_request);
  for (const char* broken :
       {"", "01", "0100", "010000", "01000000", "010000000000", "0100010000", "0100000001"}) {
    EXPECT_EQ(Read({{ExtensionType::kStatusRequest, broken}}).reason(), Reason::kDecodeError)
        << broken;
  }
}

}  // namespace
}  // namespace handfast::tls::test
