// Handshake messages and the two small protocols beside them, each with its wire image stated
// once. A parsed message holds views into the bytes that were parsed.
#ifndef HANDFAST_TLS_WIRE_MESSAGES_H_
#define HANDFAST_TLS_WIRE_MESSAGES_H_

#include <cstdint>
#include <vector>

#include "tls/base/bytes.h"
#include "tls/base/reader.h"
#include "tls/base/registry.h"
#include "tls/wire/extensions.h"

namespace handfast::tls {

constexpr size_t kRandomSize = 32;
// msg_type and a 24-bit length (RFC 8446 §4).
constexpr size_t kHandshakeHeaderSize = 4;

// RFC 8446 §4.1.2; RFC 5246 §7.4.1.2, where the extensions may be absent.
struct ClientHello {
  static constexpr HandshakeType kType = HandshakeType::kClientHello;
  ProtocolVersion legacy_version{};
  ByteView random;
  ByteView legacy_session_id;
  std::vector<CipherSuite> cipher_suites;
  ByteView legacy_compression_methods;
  bool has_extensions = true;
  Extensions extensions;
  static bool Layout(auto& io, auto& m) {
    return io.U16(m.legacy_version) && io.Fixed(m.random, kRandomSize) &&
           io.Opaque8(m.legacy_session_id, {.min = 0, .max = 32}) &&
           io.List16(m.cipher_suites, {.min = 2, .max = 0xfffe}) &&
           io.Opaque8(m.legacy_compression_methods, {.min = 1, .max = 255}) &&
           io.Present(m.has_extensions) &&
           (!m.has_extensions || io.List16(m.extensions, kExtensionsBounds));
  }
};

// RFC 8446 §4.1.3; a HelloRetryRequest (§4.1.4) is one with a special random. RFC 5246 §7.4.1.3.
struct ServerHello {
  static constexpr HandshakeType kType = HandshakeType::kServerHello;
  // RFC 8446 §4.1.3: "In TLS 1.3, the TLS server indicates its version using the
  // "supported_versions" extension (Section 4.2.1), and the legacy_version field MUST be set to
  // 0x0303, which is the version number for TLS 1.2." §4.2.1: "It MUST set the
  // ServerHello.legacy_version field to 0x0303 (TLS 1.2)."
  ProtocolVersion legacy_version = ProtocolVersion::kTls12;
  ByteView random;
  ByteView legacy_session_id_echo;
  CipherSuite cipher_suite{};
  // RFC 8446 §4.1.3: "legacy_compression_method: A single byte which MUST have the value 0."
  uint8_t legacy_compression_method = 0;
  bool has_extensions = true;
  Extensions extensions;
  static bool Layout(auto& io, auto& m) {
    return io.U16(m.legacy_version) && io.Fixed(m.random, kRandomSize) &&
           io.Opaque8(m.legacy_session_id_echo, {.min = 0, .max = 32}) && io.U16(m.cipher_suite) &&
           io.U8(m.legacy_compression_method) && io.Present(m.has_extensions) &&
           (!m.has_extensions || io.List16(m.extensions, kExtensionsBounds));
  }
};

// RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest".
extern const uint8_t kHelloRetryRequestRandom[kRandomSize];

// RFC 8446 §4.3.1.
struct EncryptedExtensions {
  static constexpr HandshakeType kType = HandshakeType::kEncryptedExtensions;
  Extensions extensions;
  static bool Layout(auto& io, auto& m) { return io.List16(m.extensions, kExtensionsBounds); }
};

// RFC 8446 §4.4.3; RFC 5246 §7.4.8.
struct CertificateVerify {
  static constexpr HandshakeType kType = HandshakeType::kCertificateVerify;
  SignatureScheme algorithm{};
  ByteView signature;
  static bool Layout(auto& io, auto& m) {
    return io.U16(m.algorithm) && io.Opaque16(m.signature, {.min = 0, .max = 0xffff});
  }
};

// RFC 8446 §4.4.4; RFC 5246 §7.4.9.
struct Finished {
  static constexpr HandshakeType kType = HandshakeType::kFinished;
  ByteView verify_data;
  static bool Layout(auto& io, auto& m) { return io.Rest(m.verify_data); }
};

// RFC 5246 §7.4.5.
struct ServerHelloDone {
  static constexpr HandshakeType kType = HandshakeType::kServerHelloDone;
  static bool Layout(auto&, auto&) { return true; }
};

// RFC 6066 §8: a message of TLS 1.2; in TLS 1.3 the body of the leaf's status_request extension
// (RFC 8446 §4.4.2.1).
struct CertificateStatus {
  static constexpr HandshakeType kType = HandshakeType::kCertificateStatus;
  uint8_t status_type = kStatusTypeOcsp;
  ByteView ocsp_response;
  static bool Layout(auto& io, auto& m) {
    return io.U8(m.status_type) && io.Opaque24(m.ocsp_response, {.min = 1, .max = 0xffffff});
  }
};

// ---- TLS 1.3 forms of messages that TLS 1.2 lays out otherwise.
namespace tls13 {

// RFC 8446 §4.3.2.
struct CertificateRequest {
  static constexpr HandshakeType kType = HandshakeType::kCertificateRequest;
  ByteView certificate_request_context;
  Extensions extensions;
  static bool Layout(auto& io, auto& m) {
    return io.Opaque8(m.certificate_request_context, {.min = 0, .max = 255}) &&
           io.List16(m.extensions, {.min = 2, .max = 0xffff, .max_items = kMaxExtensions});
  }
};

// RFC 8446 §4.4.2.
struct CertificateEntry {
  ByteView cert_data;
  Extensions extensions;
  static bool Layout(auto& io, auto& e) {
    return io.Opaque24(e.cert_data, {.min = 1, .max = 0xffffff}) &&
           io.List16(e.extensions, kExtensionsBounds);
  }
};
struct Certificate {
  static constexpr HandshakeType kType = HandshakeType::kCertificate;
  ByteView certificate_request_context;
  std::vector<CertificateEntry> certificate_list;
  static bool Layout(auto& io, auto& m) {
    return io.Opaque8(m.certificate_request_context, {.min = 0, .max = 255}) &&
           io.List24(m.certificate_list, {.min = 0, .max = 0xffffff, .max_items = kMaxListedItems});
  }
};

// RFC 8446 §4.6.1.
struct NewSessionTicket {
  static constexpr HandshakeType kType = HandshakeType::kNewSessionTicket;
  uint32_t ticket_lifetime = 0;  // seconds
  uint32_t ticket_age_add = 0;
  ByteView ticket_nonce;
  ByteView ticket;
  Extensions extensions;
  static bool Layout(auto& io, auto& m) {
    return io.U32(m.ticket_lifetime) && io.U32(m.ticket_age_add) &&
           io.Opaque8(m.ticket_nonce, {.min = 0, .max = 255}) &&
           io.Opaque16(m.ticket, {.min = 1, .max = 0xffff}) &&
           io.List16(m.extensions, {.min = 0, .max = 0xfffe, .max_items = kMaxExtensions});
  }
};

}  // namespace tls13

// ---- TLS 1.2 forms.
namespace tls12 {

// RFC 5246 §7.4.2.
struct CertificateEntry {
  ByteView cert_data;
  static bool Layout(auto& io, auto& e) {
    return io.Opaque24(e.cert_data, {.min = 1, .max = 0xffffff});
  }
};
struct Certificate {
  static constexpr HandshakeType kType = HandshakeType::kCertificate;
  std::vector<CertificateEntry> certificate_list;
  static bool Layout(auto& io, auto& m) {
    return io.List24(m.certificate_list, {.min = 0, .max = 0xffffff, .max_items = kMaxListedItems});
  }
};

// RFC 8422 §5.4: named_curve is the only curve_type left.
struct ServerEcdhParams {
  static constexpr uint8_t kNamedCurve = 3;
  uint8_t curve_type = kNamedCurve;
  NamedGroup named_curve{};
  ByteView point;
  static bool Layout(auto& io, auto& e) {
    return io.U8(e.curve_type) && io.U16(e.named_curve) &&
           io.Opaque8(e.point, {.min = 1, .max = 255});
  }
};
// RFC 5246 §7.4.3.
struct ServerDhParams {
  ByteView dh_p;
  ByteView dh_g;
  ByteView dh_ys;
  static bool Layout(auto& io, auto& e) {
    return io.Opaque16(e.dh_p, {.min = 1, .max = 0xffff}) &&
           io.Opaque16(e.dh_g, {.min = 1, .max = 0xffff}) &&
           io.Opaque16(e.dh_ys, {.min = 1, .max = 0xffff});
  }
};
// RFC 5246 §7.4.3: the parameters of an ephemeral exchange, and a signature over them and both
// randoms.
template <class Params>
struct SignedServerKeyExchange {
  static constexpr HandshakeType kType = HandshakeType::kServerKeyExchange;
  Params params;
  SignatureScheme algorithm{};
  ByteView signature;
  static bool Layout(auto& io, auto& m) {
    return Params::Layout(io, m.params) && io.U16(m.algorithm) &&
           io.Opaque16(m.signature, {.min = 0, .max = 0xffff});
  }
};
// RFC 8422 §5.4: under an ECDHE suite.
using ServerKeyExchange = SignedServerKeyExchange<ServerEcdhParams>;
// Under a DHE suite.
using DheServerKeyExchange = SignedServerKeyExchange<ServerDhParams>;

// RFC 5246 §7.4.3: either of them; which it is, the suite says.
struct AnyServerKeyExchange {
  static constexpr HandshakeType kType = HandshakeType::kServerKeyExchange;
  ByteView body;
  static bool Layout(auto& io, auto& m) { return io.Rest(m.body); }
};

// RFC 5246 §7.4.4.
struct CertificateRequest {
  static constexpr HandshakeType kType = HandshakeType::kCertificateRequest;
  ByteView certificate_types;
  std::vector<SignatureScheme> supported_signature_algorithms;
  std::vector<DistinguishedName> certificate_authorities;
  static bool Layout(auto& io, auto& m) {
    return io.Opaque8(m.certificate_types, {.min = 1, .max = 255}) &&
           io.List16(m.supported_signature_algorithms, {.min = 2, .max = 0xfffe}) &&
           io.List16(m.certificate_authorities, {.min = 0, .max = 0xffff});
  }
};

// RFC 5246 §7.4.7: what is in it, the suite's key exchange alone says.
struct ClientKeyExchange {
  static constexpr HandshakeType kType = HandshakeType::kClientKeyExchange;
  ByteView exchange_keys;
  static bool Layout(auto& io, auto& m) { return io.Rest(m.exchange_keys); }
};
// RFC 8422 §5.7: the client's ephemeral public value.
struct ClientEcdhPublic {
  ByteView point;
  static bool Layout(auto& io, auto& e) { return io.Opaque8(e.point, {.min = 1, .max = 255}); }
};
// RFC 5246 §7.4.7.1.
struct EncryptedPremasterSecret {
  ByteView encrypted;
  static bool Layout(auto& io, auto& e) {
    return io.Opaque16(e.encrypted, {.min = 0, .max = 0xffff});
  }
};
// RFC 5246 §7.4.7.2.
struct ClientDhPublic {
  ByteView dh_yc;
  static bool Layout(auto& io, auto& e) { return io.Opaque16(e.dh_yc, {.min = 1, .max = 0xffff}); }
};

// RFC 5077 §3.3. An empty ticket says that there is none after all.
struct NewSessionTicket {
  static constexpr HandshakeType kType = HandshakeType::kNewSessionTicket;
  uint32_t ticket_lifetime_hint = 0;  // seconds; 0: unspecified
  ByteView ticket;
  static bool Layout(auto& io, auto& m) {
    return io.U32(m.ticket_lifetime_hint) && io.Opaque16(m.ticket, {.min = 0, .max = 0xffff});
  }
};

}  // namespace tls12

// RFC 8446 §6.
struct AlertMessage {
  uint8_t level = 0;  // 1 warning, 2 fatal
  uint8_t description = 0;
  static bool Layout(auto& io, auto& m) { return io.U8(m.level) && io.U8(m.description); }
};

// RFC 8446 §4.6.3.
struct KeyUpdate {
  static constexpr HandshakeType kType = HandshakeType::kKeyUpdate;
  uint8_t request_update = 0;  // 0 update_not_requested, 1 update_requested
  static bool Layout(auto& io, auto& m) { return io.U8(m.request_update); }
};

// Appends header and body; false where a field exceeds its bounds.
template <class M>
[[nodiscard]] bool AppendMessage(Bytes& out, const M& message) {
  Writer writer(out);
  return writer.U8(M::kType) && writer.Prefixed(3, {.min = 0, .max = 0xffffff},
                                                [&] { return M::Layout(writer, message); });
}

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_WIRE_MESSAGES_H_
