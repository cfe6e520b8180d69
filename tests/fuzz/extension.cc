// The body of each extension: two bytes say which, by its ExtensionType, and a third in whose
// message it stands.
#include "tests/fuzz/layout_properties.h"
#include "tls/wire/messages.h"

namespace handfast::fuzz {
namespace {

using namespace tls;  // NOLINT(google-build-using-namespace): a target speaks of nothing else

enum class Place : uint8_t { kClientHello, kServerHello, kHelloRetryRequest };

void CheckKeyShare(Place place, ByteView body) {
  switch (place) {
    case Place::kServerHello:
      return CheckLayout<KeyShareServerHello>(body);
    case Place::kHelloRetryRequest:
      return CheckLayout<KeyShareHelloRetryRequest>(body);
    default:
      return CheckLayout<KeyShareClientHello>(body);
  }
}

}  // namespace

void OnInput(ByteView input) {
  Choices choices(input);
  const auto type = static_cast<ExtensionType>(choices.U16());
  const auto place = static_cast<Place>(choices.U8());
  const ByteView body = choices.rest();
  const bool from_client = place == Place::kClientHello;
  switch (type) {
    case ExtensionType::kServerName:
      return CheckLayout<ServerNameList>(body);
    case ExtensionType::kSupportedGroups:
      return CheckLayout<NamedGroupList>(body);
    case ExtensionType::kEcPointFormats:
      return CheckLayout<EcPointFormatList>(body);
    case ExtensionType::kSignatureAlgorithms:
    case ExtensionType::kSignatureAlgorithmsCert:
      return CheckLayout<SignatureSchemeList>(body);
    case ExtensionType::kAlpn:
      return CheckLayout<ProtocolNameList>(body);
    case ExtensionType::kRecordSizeLimit:
      return CheckLayout<RecordSizeLimit>(body);
    case ExtensionType::kPreSharedKey:
      return from_client ? CheckLayout<OfferedPsks>(body)
                         : CheckLayout<PreSharedKeyServerHello>(body);
    case ExtensionType::kSupportedVersions:
      return from_client ? CheckLayout<SupportedVersionsClientHello>(body)
                         : CheckLayout<SupportedVersionsServerHello>(body);
    case ExtensionType::kCookie:
      return CheckLayout<Cookie>(body);
    case ExtensionType::kPskKeyExchangeModes:
      return CheckLayout<PskKeyExchangeModes>(body);
    case ExtensionType::kCertificateAuthorities:
      return CheckLayout<CertificateAuthorities>(body);
    case ExtensionType::kKeyShare:
      return CheckKeyShare(place, body);
    case ExtensionType::kRenegotiationInfo:
      return CheckLayout<RenegotiationInfo>(body);
    case ExtensionType::kStatusRequest:
      // A client's may be of any type, and then ends anywhere.
      if (!from_client) CheckLayout<CertificateStatus>(body);
      return;
    default:
      // Anything else: the block of extensions itself.
      return CheckLayout<EncryptedExtensions>(body);
  }
}

}  // namespace handfast::fuzz
