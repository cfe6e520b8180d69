// The extensions of a ClientHello that a server understands, read once.
#ifndef HANDFAST_TLS_WIRE_CLIENT_HELLO_EXTENSIONS_H_
#define HANDFAST_TLS_WIRE_CLIENT_HELLO_EXTENSIONS_H_

#include <optional>
#include <string>

#include "tls/base/result.h"
#include "tls/wire/messages.h"

namespace handfast::tls {

struct ClientHelloExtensions {
  // Lower case, without a trailing dot; empty: none was named.
  std::string server_name;
  std::optional<SupportedVersionsClientHello> supported_versions;
  std::optional<NamedGroupList> supported_groups;
  std::optional<SignatureSchemeList> signature_algorithms;
  std::optional<SignatureSchemeList> signature_algorithms_cert;
  std::optional<KeyShareClientHello> key_share;
  std::optional<ProtocolNameList> alpn;
  std::optional<EcPointFormatList> ec_point_formats;
  std::optional<RecordSizeLimit> record_size_limit;
  std::optional<RenegotiationInfo> renegotiation_info;
  bool extended_master_secret = false;
  bool status_request = false;  // for an OCSP response; one for anything else is passed over
  std::optional<OfferedPsks> pre_shared_key;
  std::optional<PskKeyExchangeModes> psk_key_exchange_modes;
  bool early_data = false;
  bool encrypt_then_mac = false;
  std::optional<ByteView> session_ticket;  // RFC 5077; empty where one is asked for
};

// kDecodeError, kDuplicateExtension, kBadServerName, kPskNotLast, kBinderCount. Unknown extensions,
// GREASE (RFC 8701) among them, are passed over.
Result<ClientHelloExtensions> ReadExtensions(const ClientHello& hello);

}  // namespace handfast::tls

#endif  // HANDFAST_TLS_WIRE_CLIENT_HELLO_EXTENSIONS_H_
