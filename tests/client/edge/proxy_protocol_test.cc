#include "client/edge/proxy_protocol.h"

#include <gtest/gtest.h>

namespace handfast::edge {
namespace {

using tls::Bytes;

Bytes Header(const char* source, const char* destination, const ProxyTlsInfo& info = {}) {
  Bytes out;
  AppendProxyHeader(*ParseAddress(source), *ParseAddress(destination), info, out);
  return out;
}

// The bytes of the specification's §2.2, by hand.
TEST(ProxyProtocolTest, WritesTheLayoutOfTheSpecification) {
  ProxyTlsInfo info;
  info.version = "TLSv1.3";
  info.server_name = "a.b";
  EXPECT_EQ(tls::ToHex(Header("192.0.2.1:258", "192.0.2.2:443", info)),
            "0d0a0d0a000d0a515549540a"  // signature
            "2111"
            "0024"  // version 2, PROXY; TCP over IPv4; 36 bytes
            "c0000201"
            "c0000202"
            "0102"
            "01bb"
            "02"
            "0003"
            "612e62"  // AUTHORITY
            "20"
            "000f"
            "01"
            "00000001"  // SSL, not verified
            "21"
            "0007"
            "544c5376312e33");
}

TEST(ProxyProtocolTest, ReadsWhatItWrote) {
  for (const auto& [from, to] :
       {std::pair{"192.0.2.1:1", "192.0.2.2:2"}, std::pair{"[2001:db8::1]:1", "[2001:db8::2]:2"}}) {
    const Bytes bytes = Header(from, to);
    ProxyHeader header;
    ASSERT_EQ(ParseProxyHeader(bytes, header), ProxyParse::kDone);
    EXPECT_EQ(ToText(header.source), from);
    EXPECT_EQ(ToText(header.destination), to);
    EXPECT_EQ(header.size, bytes.size());
    EXPECT_FALSE(header.is_local);
  }
}

TEST(ProxyProtocolTest, NeedsAllOfIt) {
  const Bytes whole = Header("192.0.2.1:1", "192.0.2.2:2");
  for (size_t size = 0; size < whole.size(); ++size) {
    ProxyHeader header;
    EXPECT_EQ(ParseProxyHeader(tls::ByteView(whole).first(size), header), ProxyParse::kNeedMore);
  }
}

TEST(ProxyProtocolTest, EachWrongByteOfTheFixedPartIsMalformedOrLocal) {
  const Bytes whole = Header("192.0.2.1:1", "192.0.2.2:2");
  for (size_t i = 0; i < 14; ++i) {
    Bytes wrong = whole;
    wrong[i] ^= 0x80;
    ProxyHeader header;
    EXPECT_EQ(ParseProxyHeader(wrong, header), ProxyParse::kMalformed) << i;
  }
  Bytes huge = whole;
  huge[14] = 0xff;
  ProxyHeader header;
  EXPECT_EQ(ParseProxyHeader(huge, header), ProxyParse::kMalformed);
}

TEST(ProxyProtocolTest, LocalAndUnspecifiedKeepTheSocketsOwnAddresses) {
  for (const std::pair<uint8_t, uint8_t> kind : {std::pair{0x20, 0x00}, std::pair{0x21, 0x00}}) {
    Bytes bytes = Header("192.0.2.1:1", "192.0.2.2:2");
    bytes[12] = kind.first;
    bytes[13] = kind.second;
    ProxyHeader header;
    ASSERT_EQ(ParseProxyHeader(bytes, header), ProxyParse::kDone);
    EXPECT_TRUE(header.is_local);
    EXPECT_EQ(header.size, bytes.size());
  }
}

TEST(ProxyProtocolTest, AnAddressTooShortForItsFamilyIsMalformed) {
  Bytes bytes = Header("192.0.2.1:1", "192.0.2.2:2");
  bytes[13] = 0x21;  // says IPv6
  bytes[15] = 12;
  bytes.resize(16 + 12);
  ProxyHeader header;
  EXPECT_EQ(ParseProxyHeader(bytes, header), ProxyParse::kMalformed);
}

TEST(ProxyProtocolTest, TellsTheVerifiedIdentity) {
  ProxyTlsInfo info;
  info.client_verified = true;
  info.client_common_name = "web";
  info.client_uri = "spiffe://test/web";
  const std::string bytes(tls::AsText(Header("192.0.2.1:1", "192.0.2.2:2", info)));
  EXPECT_NE(bytes.find(std::string("\x03\x00\x00\x00\x00", 5)), std::string::npos);
  EXPECT_NE(bytes.find(std::string("\x22\x00\x03web", 6)), std::string::npos);
  EXPECT_NE(bytes.find(std::string("\xe1\x00\x11spiffe://test/web", 20)), std::string::npos);
}

TEST(ProxyProtocolTest, ATextThatIsTooLongIsLeftOutAndNotCut) {
  ProxyTlsInfo info;
  info.client_verified = true;
  const std::string longest = "spiffe://test/" + std::string(2048 - 14, 'a');
  info.client_uri = longest;
  EXPECT_NE(tls::AsText(Header("192.0.2.1:1", "192.0.2.2:2", info)).find(longest),
            std::string::npos);
  info.client_uri = longest + "b";
  EXPECT_EQ(tls::AsText(Header("192.0.2.1:1", "192.0.2.2:2", info)).find("spiffe"),
            std::string::npos);
}

}  // namespace
}  // namespace handfast::edge
