// The RFC's <min..max> of each vector, at both ends, and our own limits against parsing bombs.
#include <gtest/gtest.h>

#include "tls/wire/client_hello_extensions.h"
#include "tls/wire/extensions.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {
namespace {

Bytes Of(std::string_view hex) { return FromHex(hex).value(); }

std::string Repeat(std::string_view what, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += what;
  return text;
}

// A ClientHello's body from hex of its variable parts, each with its length.
Bytes HelloBody(const std::string& session_id, const std::string& suites,
                const std::string& compression, const std::string& rest) {
  return Of("0303" + Repeat("11", 32) + session_id + suites + compression + rest);
}

// RFC 8446 §4.1.2.
TEST(ClientHelloBounds, SessionIdOf32AtMost) {
  EXPECT_TRUE(Parse<ClientHello>(HelloBody("20" + Repeat("22", 32), "00021301", "0100", "0000")));
  EXPECT_FALSE(Parse<ClientHello>(HelloBody("21" + Repeat("22", 33), "00021301", "0100", "0000")));
}
TEST(ClientHelloBounds, CipherSuitesWholeAndNotEmpty) {
  EXPECT_TRUE(Parse<ClientHello>(HelloBody("00", "00021301", "0100", "")));
  EXPECT_FALSE(Parse<ClientHello>(HelloBody("00", "0000", "0100", "")));
  EXPECT_FALSE(Parse<ClientHello>(HelloBody("00", "0003130113", "0100", "")));
}
TEST(ClientHelloBounds, CompressionMethodsNotEmpty) {
  EXPECT_FALSE(Parse<ClientHello>(HelloBody("00", "00021301", "00", "")));
  EXPECT_TRUE(Parse<ClientHello>(HelloBody("00", "00021301", "0100", "")));
}
TEST(ClientHelloBounds, WithoutExtensionsIsNotWithNone) {
  const Bytes without = HelloBody("00", "00021301", "0100", "");
  const Bytes none = HelloBody("00", "00021301", "0100", "0000");
  EXPECT_FALSE(Parse<ClientHello>(without)->has_extensions);
  EXPECT_TRUE(Parse<ClientHello>(none)->has_extensions);
  EXPECT_EQ(Serialize(*Parse<ClientHello>(without)), without);
  EXPECT_EQ(Serialize(*Parse<ClientHello>(none)), none);
}

// `count` empty extensions of the types 0x4000 and up, with the block's length.
std::string ExtensionBlock(size_t count) {
  Bytes block;
  Writer writer(block);
  writer.U16(static_cast<uint16_t>(4 * count));
  for (size_t i = 0; i < count; ++i) {
    writer.U16(static_cast<uint16_t>(0x4000 + i));
    writer.U16(uint16_t{0});
  }
  return ToHex(block);
}

// T27: extension bombs.
TEST(T27_ExtensionCount, SixtyFourAndNoMore) {
  EXPECT_TRUE(Parse<ClientHello>(HelloBody("00", "00021301", "0100", ExtensionBlock(64))));
  EXPECT_FALSE(Parse<ClientHello>(HelloBody("00", "00021301", "0100", ExtensionBlock(65))));
  EXPECT_FALSE(Parse<ClientHello>(HelloBody("00", "00021301", "0100", ExtensionBlock(16000))));
}
TEST(T27_ListedItems, TwoHundredFiftySixAndNoMore) {
  const auto groups = [](size_t count) {
    Bytes body;
    Writer writer(body);
    writer.U16(static_cast<uint16_t>(2 * count));
    for (size_t i = 0; i < count; ++i) writer.U16(static_cast<uint16_t>(i));
    return body;
  };
  EXPECT_TRUE(Parse<NamedGroupList>(groups(256)));
  EXPECT_FALSE(Parse<NamedGroupList>(groups(257)));
  EXPECT_TRUE(Parse<SignatureSchemeList>(groups(256)));
  EXPECT_FALSE(Parse<SignatureSchemeList>(groups(257)));
}

struct Body {
  const char* what;
  bool (*parses)(ByteView);
  const char* hex;
  bool legal;
};

template <class T>
bool Parses(ByteView bytes) {
  return Parse<T>(bytes).has_value();
}

constexpr Body kBodies[] = {
    {"RFC 6066 §3: no names", Parses<ServerNameList>, "0000", false},
    {"RFC 6066 §3: an empty name", Parses<ServerNameList>, "0003000000", false},
    {"RFC 6066 §3: one name", Parses<ServerNameList>, "000400000161", true},
    {"RFC 7301 §3.1: no protocols", Parses<ProtocolNameList>, "0000", false},
    {"RFC 7301 §3.1: an empty protocol", Parses<ProtocolNameList>, "000100", false},
    {"RFC 7301 §3.1: the second is empty", Parses<ProtocolNameList>, "0003016100", false},
    {"RFC 8446 §4.2.1: no versions", Parses<SupportedVersionsClientHello>, "00", false},
    {"RFC 8446 §4.2.1: half a version", Parses<SupportedVersionsClientHello>, "0103", false},
    {"RFC 8446 §4.2.1: a version and a half", Parses<SupportedVersionsClientHello>, "03030403",
     false},
    {"RFC 8446 §4.2.7: no groups", Parses<NamedGroupList>, "0000", false},
    {"RFC 8446 §4.2.7: half a group", Parses<NamedGroupList>, "0001aa", false},
    {"RFC 8446 §4.2.3: no schemes", Parses<SignatureSchemeList>, "0000", false},
    {"RFC 8446 §4.2.8: no shares", Parses<KeyShareClientHello>, "0000", true},
    {"RFC 8446 §4.2.8: an empty share", Parses<KeyShareClientHello>, "0004001d0000", false},
    {"RFC 8446 §4.2.8: a share of one byte", Parses<KeyShareClientHello>, "0005001d0001aa", true},
    {"RFC 8446 §4.2.2: an empty cookie", Parses<Cookie>, "0000", false},
    {"RFC 8449 §4: one byte", Parses<RecordSizeLimit>, "40", false},
    {"RFC 8449 §4: three bytes", Parses<RecordSizeLimit>, "400000", false},
    {"RFC 5746 §3.2: nothing", Parses<RenegotiationInfo>, "", false},
    {"RFC 5746 §3.2: empty", Parses<RenegotiationInfo>, "00", true},
    {"RFC 8422 §5.1.2: no formats", Parses<EcPointFormatList>, "00", false},
    {"RFC 8446 §4.2.4: an empty name", Parses<CertificateAuthorities>, "00020000", false},
    {"RFC 8446 §4.4.2: an empty certificate", Parses<tls13::Certificate>, "000000050000000000",
     false},
    {"RFC 8446 §4.4.2: no certificates", Parses<tls13::Certificate>, "00000000", true},
    {"RFC 5246 §7.4.2: an empty certificate", Parses<tls12::Certificate>, "000003000000", false},
    {"RFC 5246 §7.4.2: no certificates", Parses<tls12::Certificate>, "000000", true},
    {"RFC 8422 §5.7: an empty point", Parses<tls12::ClientEcdhPublic>, "00", false},
    {"RFC 5246 §7.4.7.2: an empty dh_Yc", Parses<tls12::ClientDhPublic>, "0000", false},
    {"RFC 5246 §7.4.7.2: a byte of dh_Yc", Parses<tls12::ClientDhPublic>, "000102", true},
    {"RFC 5246 §7.4.3: an empty dh_p", Parses<tls12::ServerDhParams>, "0000000102000103", false},
    {"RFC 5246 §7.4.3: an empty dh_g", Parses<tls12::ServerDhParams>, "0001070000000103", false},
    {"RFC 5246 §7.4.3: an empty dh_Ys", Parses<tls12::ServerDhParams>, "0001070001020000", false},
    {"RFC 5246 §7.4.3: p, g, Ys", Parses<tls12::ServerDhParams>, "000107000102000103", true},
    {"RFC 5246 §7.4.4: no certificate types", Parses<tls12::CertificateRequest>, "00000204030000",
     false},
    {"RFC 5246 §7.4.4: no schemes", Parses<tls12::CertificateRequest>, "010100000000", false},
    {"RFC 5246 §7.4.4: no authorities", Parses<tls12::CertificateRequest>, "0101000204030000",
     true},
    {"RFC 8446 §4.3.2: no extensions", Parses<tls13::CertificateRequest>, "000000", false},
    {"RFC 8446 §4.6.3: an empty KeyUpdate", Parses<KeyUpdate>, "", false},
    {"RFC 8446 §6: half an alert", Parses<AlertMessage>, "02", false},
    {"RFC 8446 §6: an alert and a half", Parses<AlertMessage>, "020001", false},
};

TEST(Bounds, OfEveryVector) {
  for (const Body& body : kBodies) {
    EXPECT_EQ(body.parses(Of(body.hex)), body.legal) << body.what;
  }
}

// A writer refuses what a reader would: nothing illegal leaves.
TEST(Bounds, HoldForTheWriterToo) {
  const Bytes long_id(33, 1);
  const Bytes random(32, 2);
  const Bytes short_random(31, 2);
  ServerHello hello;
  hello.random = random;
  EXPECT_FALSE(Serialize(hello).empty());
  hello.legacy_session_id_echo = long_id;
  EXPECT_TRUE(Serialize(hello).empty());
  hello.legacy_session_id_echo = {};
  hello.random = short_random;
  EXPECT_TRUE(Serialize(hello).empty());
  EXPECT_TRUE(Serialize(Cookie{}).empty());
  EXPECT_TRUE(Serialize(NamedGroupList{}).empty());
  EXPECT_TRUE(Serialize(tls12::ClientEcdhPublic{}).empty());
  EXPECT_TRUE(Serialize(tls12::ClientDhPublic{}).empty());
  const Bytes long_point(256, 4);
  EXPECT_TRUE(Serialize(tls12::ClientEcdhPublic{long_point}).empty());
}

}  // namespace
}  // namespace handfast::tls::test
