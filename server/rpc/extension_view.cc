#include "server/rpc/extension_view.h"

#include <optional>

#include "absl/strings/str_cat.h"

#include "server/rpc/printable.h"
#include "tls/base/reader.h"

namespace handfast::rpc {
namespace {

std::string Text(const tls::ServerName& name) { return Printable(name.host_name); }
std::string Text(const tls::ProtocolName& name) { return Printable(name.name); }
std::string Text(const tls::KeyShareEntry& share) {
  return absl::StrCat(Name(share.group), " (", share.key_exchange.size(), " bytes)");
}
template <tls::WireEnum E>
std::string Text(E value) {
  return Name(value);
}

template <class Items>
std::string Join(const Items& items) {
  std::string joined;
  for (const auto& item : items) absl::StrAppend(&joined, joined.empty() ? "" : ", ", Text(item));
  return joined;
}

// The list that `Body` holds in `kMember`, joined; empty where it does not parse.
template <class Body, auto kMember>
std::string ListOf(tls::ByteView data) {
  const std::optional<Body> body = tls::Parse<Body>(data);
  return body ? Join((*body).*kMember) : "";
}

template <class Body, auto kMember>
std::string OneOf(tls::ByteView data) {
  const std::optional<Body> body = tls::Parse<Body>(data);
  return body ? Text((*body).*kMember) : "";
}

std::string KeyShare(tls::ByteView data, Within within) {
  switch (within) {
    case Within::kClientHello:
      return ListOf<tls::KeyShareClientHello, &tls::KeyShareClientHello::client_shares>(data);
    case Within::kHelloRetryRequest:
      return OneOf<tls::KeyShareHelloRetryRequest, &tls::KeyShareHelloRetryRequest::selected_group>(
          data);
    default:
      return OneOf<tls::KeyShareServerHello, &tls::KeyShareServerHello::server_share>(data);
  }
}

std::string Versions(tls::ByteView data, Within within) {
  if (within == Within::kClientHello) {
    return ListOf<tls::SupportedVersionsClientHello, &tls::SupportedVersionsClientHello::versions>(
        data);
  }
  return OneOf<tls::SupportedVersionsServerHello,
               &tls::SupportedVersionsServerHello::selected_version>(data);
}

std::string RecordSize(tls::ByteView data) {
  const auto body = tls::Parse<tls::RecordSizeLimit>(data);
  return body ? absl::StrCat(body->record_size_limit) : "";
}

}  // namespace

std::string Summary(const tls::Extension& extension, Within within) {
  const tls::ByteView data = extension.data;
  switch (extension.type) {
    case tls::ExtensionType::kServerName:
      return ListOf<tls::ServerNameList, &tls::ServerNameList::names>(data);
    case tls::ExtensionType::kAlpn:
      return ListOf<tls::ProtocolNameList, &tls::ProtocolNameList::names>(data);
    case tls::ExtensionType::kSupportedGroups:
      return ListOf<tls::NamedGroupList, &tls::NamedGroupList::groups>(data);
    case tls::ExtensionType::kSignatureAlgorithms:
    case tls::ExtensionType::kSignatureAlgorithmsCert:
      return ListOf<tls::SignatureSchemeList, &tls::SignatureSchemeList::schemes>(data);
    case tls::ExtensionType::kSupportedVersions:
      return Versions(data, within);
    case tls::ExtensionType::kKeyShare:
      return KeyShare(data, within);
    case tls::ExtensionType::kRecordSizeLimit:
      return RecordSize(data);
    default:
      return "";
  }
}

}  // namespace handfast::rpc
