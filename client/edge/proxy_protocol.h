// The PROXY protocol, version 2 (haproxy.org, proxy-protocol.txt, §2.2): who the client is, said in
// front of a connection. In: from a load balancer that is trusted. Out: to the backend, with what
// TLS found out.
#ifndef HANDFAST_CLIENT_EDGE_PROXY_PROTOCOL_H_
#define HANDFAST_CLIENT_EDGE_PROXY_PROTOCOL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "client/edge/address.h"
#include "tls/base/bytes.h"

namespace handfast::edge {

// Addresses and a few TLVs need some hundred bytes; more is not what a load balancer sends.
constexpr size_t kMaxProxyHeader = 4096;

struct ProxyHeader {
  // The balancer speaks for itself (a health check): the socket's own addresses hold.
  bool is_local = false;
  Address source;
  Address destination;
  // Of the whole header; the client's first byte follows.
  size_t size = 0;
};

enum class ProxyParse : uint8_t { kNeedMore, kDone, kMalformed };

// TLVs are skipped: whatever a balancer says about TLS is not about this connection.
ProxyParse ParseProxyHeader(tls::ByteView stream, ProxyHeader& header);

// Our own type, in the range that the protocol leaves to applications (0xE0 to 0xEF): the verified
// identity of the client, the first URI of its certificate, as text.
constexpr uint8_t kProxyIdentityTlv = 0xe1;

// What TLS found out. Empty fields are left out.
struct ProxyTlsInfo {
  std::string version;  // "TLSv1.3"
  std::string cipher;   // "TLS_AES_128_GCM_SHA256"
  std::string server_name;
  std::string alpn;
  bool client_verified = false;
  std::string client_common_name;
  std::string client_uri;
};

// Appends a header. Addresses that are not both IPv4 or both IPv6 are left out (UNSPEC), and so is
// a text of more than 2048 bytes.
void AppendProxyHeader(const Address& source, const Address& destination, const ProxyTlsInfo& info,
                       tls::Bytes& out);

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_PROXY_PROTOCOL_H_
