#include "tls/wire/client_hello_extensions.h"

#include <algorithm>

namespace handfast::tls {
namespace {

// RFC 1035 §2.3.4, in its textual form.
constexpr size_t kMaxHostName = 253;

bool IsHostNameCharacter(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

Result<std::string> ReadHostName(const ServerNameList& list) {
  const ServerName* host = nullptr;
  for (const ServerName& name : list.names) {
    if (name.name_type != 0) continue;
    // RFC 6066 §3: "The ServerNameList MUST NOT contain more than one name of the same name_type."
    if (host != nullptr) return Reason::kBadServerName;
    host = &name;
  }
  if (host == nullptr) return std::string();
  std::string name(AsText(host->host_name));
  const bool clean = std::all_of(name.begin(), name.end(), IsHostNameCharacter);
  if (!clean || name.size() > kMaxHostName || name.front() == '.' || name.back() == '.') {
    return Reason::kBadServerName;
  }
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

template <class Body>
bool Read(const Extension& extension, std::optional<Body>& body) {
  body = Parse<Body>(extension.data);
  return body.has_value();
}

Result<void> ReadOne(const Extension& extension, ClientHelloExtensions& known) {
  bool well_formed = true;
  switch (extension.type) {
    case ExtensionType::kServerName: {
      const auto list = Parse<ServerNameList>(extension.data);
      if (!list) return Reason::kDecodeError;
      Result<std::string> name = ReadHostName(*list);
      if (!name.ok()) return name.reason();
      known.server_name = *std::move(name);
      break;
    }
    case ExtensionType::kSupportedVersions:
      well_formed = Read(extension, known.supported_versions);
      break;
    case ExtensionType::kSupportedGroups:
      well_formed = Read(extension, known.supported_groups);
      break;
    case ExtensionType::kSignatureAlgorithms:
      // RFC 5246 §7.4.1.4.1: "TLS servers MUST support receiving this extension."
      well_formed = Read(extension, known.signature_algorithms);
      break;
    // RFC 8446 §9.2: "In the absence of an application profile standard specifying otherwise, a
    // TLS-compliant application MUST implement the following TLS extensions:" this one and
    // supported_versions, signature_algorithms, supported_groups, key_share, server_name; cookie,
    // which no server of ours asks for, is the client's.
    case ExtensionType::kSignatureAlgorithmsCert:
      well_formed = Read(extension, known.signature_algorithms_cert);
      break;
    case ExtensionType::kKeyShare:
      well_formed = Read(extension, known.key_share);
      break;
    case ExtensionType::kAlpn:
      well_formed = Read(extension, known.alpn);
      break;
    case ExtensionType::kEcPointFormats:
      well_formed = Read(extension, known.ec_point_formats);
      break;
    case ExtensionType::kRecordSizeLimit:
      well_formed = Read(extension, known.record_size_limit);
      break;
    case ExtensionType::kRenegotiationInfo:
      well_formed = Read(extension, known.renegotiation_info);
      break;
    case ExtensionType::kExtendedMasterSecret:
      well_formed = extension.data.empty();
      known.extended_master_secret = true;
      break;
    case ExtensionType::kStatusRequest: {
      const auto request = Parse<CertificateStatusRequest>(extension.data);
      well_formed = request.has_value();
      known.status_request = well_formed && request->status_type == kStatusTypeOcsp;
      break;
    }
    case ExtensionType::kSessionTicket:
      known.session_ticket = extension.data;
      break;
    case ExtensionType::kEncryptThenMac:
      well_formed = extension.data.empty();
      known.encrypt_then_mac = true;
      break;
    case ExtensionType::kPskKeyExchangeModes:
      well_formed = Read(extension, known.psk_key_exchange_modes);
      break;
    case ExtensionType::kPreSharedKey:
      well_formed = Read(extension, known.pre_shared_key);
      break;
    case ExtensionType::kEarlyData:
      well_formed = extension.data.empty();
      known.early_data = true;
      break;
    // RFC 8446 §4.1.2: "Servers MUST ignore unrecognized extensions." §9.3: "A server receiving a
    // ClientHello MUST correctly ignore all unrecognized cipher suites, extensions, and other
    // parameters." §4.4.2.1: "TLS 1.3 servers MUST be able to process ClientHello messages that
    // include it, as it MAY be sent by clients that wish to use it in earlier protocol versions."
    // And: "TLS 1.3 servers MUST NOT act upon its presence or information in it when processing
    // ClientHello messages; in particular, they MUST NOT send the status_request_v2 extension in
    // the EncryptedExtensions, CertificateRequest, or Certificate messages." §D.5: "Implementations
    // MUST NOT use the Truncated HMAC extension, defined in Section 7 of [RFC6066], as it is not
    // applicable to AEAD algorithms and has been shown to be insecure in some scenarios."
    default:
      break;
  }
  if (!well_formed) return Reason::kDecodeError;
  return {};
}

}  // namespace

Result<ClientHelloExtensions> ReadExtensions(const ClientHello& hello) {
  // RFC 8446 §4.2: "There MUST NOT be more than one extension of the same type in a given
  // extension block."
  if (HasDuplicates(hello.extensions)) return Reason::kDuplicateExtension;
  Result<ClientHelloExtensions> read(std::in_place);
  ClientHelloExtensions& known = *read;
  for (const Extension& extension : hello.extensions) {
    if (Result<void> one = ReadOne(extension, known); !one.ok()) return one.reason();
  }
  // RFC 8446 §4.2.11: "The "pre_shared_key" extension MUST be the last extension in the
  // ClientHello [...] Servers MUST check that it is the last extension and otherwise fail the
  // handshake with an "illegal_parameter" alert."
  if (known.pre_shared_key && hello.extensions.back().type != ExtensionType::kPreSharedKey) {
    return Reason::kPskNotLast;
  }
  // RFC 8446 §4.2.11: "binders: A series of HMAC values, one for each value in the identities list
  // and in the same order".
  if (known.pre_shared_key &&
      known.pre_shared_key->identities.size() != known.pre_shared_key->binders.size()) {
    return Reason::kBinderCount;
  }
  return read;
}

}  // namespace handfast::tls
