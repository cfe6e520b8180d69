#include "client/edge/proxy_protocol.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "tls/base/reader.h"

namespace handfast::edge {
namespace {

using tls::Bytes;
using tls::ByteView;

constexpr std::array<uint8_t, 12> kSignature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr size_t kFixedPart = 16;
constexpr uint8_t kVersion2 = 0x20;
constexpr uint8_t kLocalCommand = 0x0;
constexpr uint8_t kProxyCommand = 0x1;
constexpr uint8_t kUnspecified = 0x00;
constexpr uint8_t kTcp4 = 0x11;
constexpr uint8_t kTcp6 = 0x21;
constexpr size_t kTcp4Size = 12;
constexpr size_t kTcp6Size = 36;

// Types of TLVs, §2.2.
constexpr uint8_t kTlvAlpn = 0x01;
constexpr uint8_t kTlvAuthority = 0x02;
constexpr uint8_t kTlvSsl = 0x20;
constexpr uint8_t kTlvSslVersion = 0x21;
constexpr uint8_t kTlvSslCommonName = 0x22;
constexpr uint8_t kTlvSslCipher = 0x23;
// Bits of the SSL TLV's `client`.
constexpr uint8_t kClientSsl = 0x01;
constexpr uint8_t kClientCertConnection = 0x02;

// The longest SPIFFE ID. A longer text is left out: cut, it would be somebody else's.
constexpr size_t kMaxTlvText = 2048;

Address MakeIpv4(ByteView host, ByteView port) {
  Address address;
  auto& in = reinterpret_cast<sockaddr_in&>(address.storage);
  in.sin_family = AF_INET;
  std::memcpy(&in.sin_addr, host.data(), sizeof in.sin_addr);
  std::memcpy(&in.sin_port, port.data(), sizeof in.sin_port);
  address.size = sizeof in;
  return address;
}

Address MakeIpv6(ByteView host, ByteView port) {
  Address address;
  auto& in6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  in6.sin6_family = AF_INET6;
  std::memcpy(&in6.sin6_addr, host.data(), sizeof in6.sin6_addr);
  std::memcpy(&in6.sin6_port, port.data(), sizeof in6.sin6_port);
  address.size = sizeof in6;
  return address;
}

bool ParseAddresses(uint8_t family, ByteView body, ProxyHeader& header) {
  if (family == kUnspecified) {
    header.is_local = true;
    return true;
  }
  if (family == kTcp4 && body.size() >= kTcp4Size) {
    header.source = MakeIpv4(body.subspan(0, 4), body.subspan(8, 2));
    header.destination = MakeIpv4(body.subspan(4, 4), body.subspan(10, 2));
    return true;
  }
  if (family == kTcp6 && body.size() >= kTcp6Size) {
    header.source = MakeIpv6(body.subspan(0, 16), body.subspan(32, 2));
    header.destination = MakeIpv6(body.subspan(16, 16), body.subspan(34, 2));
    return true;
  }
  return false;
}

void AppendRaw(Bytes& out, const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  out.insert(out.end(), bytes, bytes + size);
}

// The family's code; the addresses behind it.
uint8_t AppendAddresses(const Address& source, const Address& destination, Bytes& out) {
  if (source.family() == AF_INET && destination.family() == AF_INET) {
    const auto& from = reinterpret_cast<const sockaddr_in&>(source.storage);
    const auto& to = reinterpret_cast<const sockaddr_in&>(destination.storage);
    AppendRaw(out, &from.sin_addr, sizeof from.sin_addr);
    AppendRaw(out, &to.sin_addr, sizeof to.sin_addr);
    AppendRaw(out, &from.sin_port, sizeof from.sin_port);
    AppendRaw(out, &to.sin_port, sizeof to.sin_port);
    return kTcp4;
  }
  if (source.family() == AF_INET6 && destination.family() == AF_INET6) {
    const auto& from = reinterpret_cast<const sockaddr_in6&>(source.storage);
    const auto& to = reinterpret_cast<const sockaddr_in6&>(destination.storage);
    AppendRaw(out, &from.sin6_addr, sizeof from.sin6_addr);
    AppendRaw(out, &to.sin6_addr, sizeof to.sin6_addr);
    AppendRaw(out, &from.sin6_port, sizeof from.sin6_port);
    AppendRaw(out, &to.sin6_port, sizeof to.sin6_port);
    return kTcp6;
  }
  return kUnspecified;
}

void AppendTlv(uint8_t type, ByteView value, Bytes& out) {
  tls::Writer writer(out);
  writer.U8(type);
  writer.Opaque16(value, {.min = 0, .max = 0xffff});
}

void AppendTextTlv(uint8_t type, std::string_view text, Bytes& out) {
  if (!text.empty() && text.size() <= kMaxTlvText) AppendTlv(type, tls::AsBytes(text), out);
}

void AppendSslTlv(const ProxyTlsInfo& info, Bytes& out) {
  Bytes body;
  tls::Writer writer(body);
  writer.U8(static_cast<uint8_t>(kClientSsl | (info.client_verified ? kClientCertConnection : 0)));
  // Zero only where the client showed a certificate that was verified.
  writer.U32(info.client_verified ? 0 : 1);
  AppendTextTlv(kTlvSslVersion, info.version, body);
  AppendTextTlv(kTlvSslCommonName, info.client_common_name, body);
  AppendTextTlv(kTlvSslCipher, info.cipher, body);
  AppendTlv(kTlvSsl, body, out);
}

}  // namespace

ProxyParse ParseProxyHeader(ByteView stream, ProxyHeader& header) {
  const size_t seen = std::min(stream.size(), kSignature.size());
  if (!std::equal(stream.begin(), stream.begin() + static_cast<ptrdiff_t>(seen),
                  kSignature.begin())) {
    return ProxyParse::kMalformed;
  }
  if (stream.size() < kFixedPart) return ProxyParse::kNeedMore;
  const uint8_t command = stream[12] & 0x0f;
  const size_t length = size_t{stream[14]} << 8 | stream[15];
  if ((stream[12] & 0xf0) != kVersion2 || command > kProxyCommand ||
      kFixedPart + length > kMaxProxyHeader) {
    return ProxyParse::kMalformed;
  }
  if (stream.size() < kFixedPart + length) return ProxyParse::kNeedMore;
  header.size = kFixedPart + length;
  if (command == kLocalCommand) {
    header.is_local = true;
    return ProxyParse::kDone;
  }
  const bool parsed = ParseAddresses(stream[13], stream.subspan(kFixedPart, length), header);
  return parsed ? ProxyParse::kDone : ProxyParse::kMalformed;
}

void AppendProxyHeader(const Address& source, const Address& destination, const ProxyTlsInfo& info,
                       Bytes& out) {
  Bytes body;
  const uint8_t family = AppendAddresses(source, destination, body);
  AppendTextTlv(kTlvAlpn, info.alpn, body);
  AppendTextTlv(kTlvAuthority, info.server_name, body);
  AppendSslTlv(info, body);
  AppendTextTlv(kProxyIdentityTlv, info.client_uri, body);
  tls::Append(out, kSignature);
  out.push_back(kVersion2 | kProxyCommand);
  out.push_back(family);
  out.push_back(static_cast<uint8_t>(body.size() >> 8));
  out.push_back(static_cast<uint8_t>(body.size()));
  tls::Append(out, body);
}

}  // namespace handfast::edge
