// The body of a ClientHello, and the extensions that a server reads from it.
#include <algorithm>

#include "tests/fuzz/layout_properties.h"
#include "tls/wire/client_hello_extensions.h"

namespace handfast::fuzz {
namespace {

using namespace tls;  // NOLINT(google-build-using-namespace): a target speaks of nothing else

bool IsLowerHostName(const std::string& name) {
  constexpr size_t kMaxHostName = 253;
  return name.size() <= kMaxHostName && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

// What was read of an extension is all that stood in it.
template <class Body>
void CheckBody(const ClientHello& hello, ExtensionType type, const std::optional<Body>& body) {
  const Extension* extension = Find(hello.extensions, type);
  Require(body.has_value() == (extension != nullptr), "every_extension");
  if (!body) return;
  Bytes again = Serialize(*body);
  if (Mutant("every_extension")) again.push_back(0);
  Require(Equal(again, extension->data), "every_extension");
}

void CheckExtensions(const ClientHello& hello, const ClientHelloExtensions& known) {
  using enum ExtensionType;
  Require(!HasDuplicates(hello.extensions), "every_extension");
  CheckBody(hello, kSupportedVersions, known.supported_versions);
  CheckBody(hello, kSupportedGroups, known.supported_groups);
  CheckBody(hello, kSignatureAlgorithms, known.signature_algorithms);
  CheckBody(hello, kSignatureAlgorithmsCert, known.signature_algorithms_cert);
  CheckBody(hello, kKeyShare, known.key_share);
  CheckBody(hello, kAlpn, known.alpn);
  CheckBody(hello, kEcPointFormats, known.ec_point_formats);
  CheckBody(hello, kRecordSizeLimit, known.record_size_limit);
  CheckBody(hello, kRenegotiationInfo, known.renegotiation_info);
  CheckBody(hello, kPreSharedKey, known.pre_shared_key);
  CheckBody(hello, kPskKeyExchangeModes, known.psk_key_exchange_modes);
}

}  // namespace

void OnInput(ByteView input) {
  CheckLayout<ClientHello>(input);
  const auto hello = Parse<ClientHello>(input);
  if (!hello) return;
  const Result<ClientHelloExtensions> known = ReadExtensions(*hello);
  if (!known.ok()) {
    const Reason reason = Mutant("reason") ? Reason::kInternalError : known.reason();
    Require(reason == Reason::kDecodeError || reason == Reason::kDuplicateExtension ||
                reason == Reason::kBadServerName || reason == Reason::kPskNotLast ||
                reason == Reason::kBinderCount,
            "reason");
    return;
  }
  std::string name = known->server_name;
  if (Mutant("server_name")) name += 'A';
  Require(IsLowerHostName(name), "server_name");
  CheckExtensions(*hello, *known);
}

}  // namespace handfast::fuzz
