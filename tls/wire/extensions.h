// Extensions: the block as it travels, and the bodies of those that are understood. Each states
// its wire image once. Views point into the bytes that were parsed, or that the writer was given.
#ifndef HANDFAST_TLS_WIRE_EXTENSIONS_H_
#define HANDFAST_TLS_WIRE_EXTENSIONS_H_

#include <cstdint>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reader.h"
#include "tls/base/registry.h"

namespace handfast::tls {

// Browsers send fewer than 25, GREASE included; more than this is an attack on the parser.
constexpr size_t kMaxExtensions = 64;
// A client offers a handful of shares; each would cost us a comparison.
constexpr size_t kMaxListedItems = 256;

// RFC 8446 §4.2.
struct Extension {
  ExtensionType type{};
  ByteView data;
  static bool Layout(auto& io, auto& e) {
    return io.U16(e.type) && io.Opaque16(e.data, {.min = 0, .max = 0xffff});
  }
};
using Extensions = std::vector<Extension>;
constexpr Bounds kExtensionsBounds{.min = 0, .max = 0xffff, .max_items = kMaxExtensions};

const Extension* Find(const Extensions& extensions, ExtensionType type);
bool HasDuplicates(const Extensions& extensions);

// RFC 6066 §3.
struct ServerName {
  uint8_t name_type = 0;  // 0: host_name
  ByteView host_name;
  static bool Layout(auto& io, auto& e) {
    return io.U8(e.name_type) && io.Opaque16(e.host_name, {.min = 1, .max = 0xffff});
  }
};
struct ServerNameList {
  std::vector<ServerName> names;
  static bool Layout(auto& io, auto& e) {
    return io.List16(e.names, {.min = 1, .max = 0xffff, .max_items = kMaxListedItems});
  }
};

// RFC 7301 §3.1.
struct ProtocolName {
  ByteView name;
  static bool Layout(auto& io, auto& e) { return io.Opaque8(e.name, {.min = 1, .max = 255}); }
};
struct ProtocolNameList {
  std::vector<ProtocolName> names;
  static bool Layout(auto& io, auto& e) {
    return io.List16(e.names, {.min = 2, .max = 0xffff, .max_items = kMaxListedItems});
  }
};

// RFC 8446 §4.2.1.
struct SupportedVersionsClientHello {
  std::vector<ProtocolVersion> versions;
  static bool Layout(auto& io, auto& e) { return io.List8(e.versions, {.min = 2, .max = 254}); }
};
struct SupportedVersionsServerHello {
  ProtocolVersion selected_version{};
  static bool Layout(auto& io, auto& e) { return io.U16(e.selected_version); }
};

// RFC 8446 §4.2.7.
struct NamedGroupList {
  std::vector<NamedGroup> groups;
  static bool Layout(auto& io, auto& e) {
    return io.List16(e.groups, {.min = 2, .max = 0xffff, .max_items = kMaxListedItems});
  }
};

// RFC 8446 §4.2.3, also RFC 5246 §7.4.1.4.1.
struct SignatureSchemeList {
  std::vector<SignatureScheme> schemes;
  static bool Layout(auto& io, auto& e) {
    return io.List16(e.schemes, {.min = 2, .max = 0xfffe, .max_items = kMaxListedItems});
  }
};

// RFC 8446 §4.2.8.
struct KeyShareEntry {
  NamedGroup group{};
  ByteView key_exchange;
  static bool Layout(auto& io, auto& e) {
    return io.U16(e.group) && io.Opaque16(e.key_exchange, {.min = 1, .max = 0xffff});
  }
};
struct KeyShareClientHello {
  std::vector<KeyShareEntry> client_shares;
  static bool Layout(auto& io, auto& e) {
    return io.List16(e.client_shares, {.min = 0, .max = 0xffff, .max_items = kMaxListedItems});
  }
};
struct KeyShareServerHello {
  KeyShareEntry server_share;
  static bool Layout(auto& io, auto& e) { return KeyShareEntry::Layout(io, e.server_share); }
};
struct KeyShareHelloRetryRequest {
  NamedGroup selected_group{};
  static bool Layout(auto& io, auto& e) { return io.U16(e.selected_group); }
};

// RFC 8446 §4.2.2.
struct Cookie {
  ByteView cookie;
  static bool Layout(auto& io, auto& e) { return io.Opaque16(e.cookie, {.min = 1, .max = 0xffff}); }
};

// RFC 8446 §4.2.11.
struct PskIdentity {
  ByteView identity;
  uint32_t obfuscated_ticket_age = 0;
  static bool Layout(auto& io, auto& e) {
    return io.Opaque16(e.identity, {.min = 1, .max = 0xffff}) && io.U32(e.obfuscated_ticket_age);
  }
};
struct PskBinderEntry {
  ByteView binder;
  static bool Layout(auto& io, auto& e) { return io.Opaque8(e.binder, {.min = 32, .max = 255}); }
};
struct OfferedPsks {
  std::vector<PskIdentity> identities;
  std::vector<PskBinderEntry> binders;
  static bool Layout(auto& io, auto& e) {
    return io.List16(e.identities, {.min = 7, .max = 0xffff, .max_items = kMaxListedItems}) &&
           io.List16(e.binders, {.min = 33, .max = 0xffff, .max_items = kMaxListedItems});
  }
};
struct PreSharedKeyServerHello {
  uint16_t selected_identity = 0;
  static bool Layout(auto& io, auto& e) { return io.U16(e.selected_identity); }
};

// RFC 8446 §4.2.9.
struct PskKeyExchangeModes {
  static constexpr uint8_t kPskDheKe = 1;
  ByteView ke_modes;
  static bool Layout(auto& io, auto& e) { return io.Opaque8(e.ke_modes, {.min = 1, .max = 255}); }
};

// RFC 6066 §8. What a client knows of responders is looked at by nobody: there is one response.
constexpr uint8_t kStatusTypeOcsp = 1;
struct CertificateStatusRequest {
  uint8_t status_type = kStatusTypeOcsp;
  ByteView responder_id_list;
  ByteView request_extensions;
  ByteView other;  // the request, where it is of another type
  static bool Layout(auto& io, auto& e) {
    if (!io.U8(e.status_type)) return false;
    if (e.status_type != kStatusTypeOcsp) return io.Rest(e.other);
    return io.Opaque16(e.responder_id_list, {.min = 0, .max = 0xffff}) &&
           io.Opaque16(e.request_extensions, {.min = 0, .max = 0xffff});
  }
};

// RFC 8449 §4.
struct RecordSizeLimit {
  uint16_t record_size_limit = 0;
  static bool Layout(auto& io, auto& e) { return io.U16(e.record_size_limit); }
};

// RFC 5746 §3.2.
struct RenegotiationInfo {
  ByteView renegotiated_connection;
  static bool Layout(auto& io, auto& e) {
    return io.Opaque8(e.renegotiated_connection, {.min = 0, .max = 255});
  }
};

// RFC 8422 §5.1.2.
struct EcPointFormatList {
  ByteView formats;
  static bool Layout(auto& io, auto& e) { return io.Opaque8(e.formats, {.min = 1, .max = 255}); }
};

// RFC 8446 §4.2.4; in TLS 1.2 the last field of CertificateRequest.
struct DistinguishedName {
  ByteView der;
  static bool Layout(auto& io, auto& e) { return io.Opaque16(e.der, {.min = 1, .max = 0xffff}); }
};
struct CertificateAuthorities {
  std::vector<DistinguishedName> authorities;
  static bool Layout(auto& io, auto& e) {
    return io.List16(e.authorities, {.min = 3, .max = 0xffff});
  }
};

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_WIRE_EXTENSIONS_H_
