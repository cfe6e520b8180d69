#include "tests/badpeer/length_fields.h"

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "tls/wire/messages.h"

namespace handfast::tls::badpeer {
namespace {

using test::LengthField;

// The lengths in an extension's body.
std::vector<LengthField> InExtension(ExtensionType type, HandshakeType message) {
  switch (type) {
    case ExtensionType::kServerName:
      return {{0, 2}, {3, 2}};
    case ExtensionType::kAlpn:
      return {{0, 2}, {2, 1}};
    case ExtensionType::kKeyShare:
      if (message == HandshakeType::kServerHello) return {{2, 2}};
      return {{0, 2}, {4, 2}};
    case ExtensionType::kCertificateAuthorities:
      return {{0, 2}, {2, 2}};
    case ExtensionType::kSupportedGroups:
    case ExtensionType::kSignatureAlgorithms:
    case ExtensionType::kSignatureAlgorithmsCert:
      return {{0, 2}};
    case ExtensionType::kStatusRequest:
      if (message != HandshakeType::kClientHello) return {};
      return {{1, 2}, {3, 2}};
    case ExtensionType::kSupportedVersions:
      if (message == HandshakeType::kServerHello) return {};
      return {{0, 1}};
    case ExtensionType::kPskKeyExchangeModes:
    case ExtensionType::kEcPointFormats:
    case ExtensionType::kRenegotiationInfo:
      return {{0, 1}};
    default:
      return {};
  }
}

class Collector {
 public:
  explicit Collector(const Bytes& message) : message_(message) {}

  template <class M>
  void Take() {
    const auto parsed = Parse<M>(ByteView(message_).subspan(kHandshakeHeaderSize));
    if (!parsed) return;
    known_ = true;
    for (const LengthField& field : test::LengthFieldsOf(*parsed)) {
      fields_.push_back({field.offset + kHandshakeHeaderSize, field.width});
    }
    if constexpr (requires { parsed->extensions; }) {
      for (const Extension& extension : parsed->extensions) TakeExtension(extension);
    }
  }
  void TakeNothing() { known_ = true; }

  std::vector<LengthField> fields() const {
    if (known_) return fields_;
    std::fprintf(stderr, "no lengths are known of message %d\n", message_[0]);
    std::abort();
  }

 private:
  void TakeExtension(const Extension& extension) {
    const auto start = static_cast<size_t>(extension.data.data() - message_.data());
    const auto type = static_cast<HandshakeType>(message_[0]);
    for (const LengthField& field : InExtension(extension.type, type)) {
      if (field.offset + field.width > extension.data.size()) continue;
      fields_.push_back({start + field.offset, field.width});
    }
  }

  const Bytes& message_;
  bool known_ = false;
  std::vector<LengthField> fields_ = {kHeaderLength};
};

}  // namespace

std::vector<LengthField> LengthFieldsIn(const Bytes& message, ProtocolVersion version) {
  const bool tls13 = version == ProtocolVersion::kTls13;
  Collector collector(message);
  switch (static_cast<HandshakeType>(message[0])) {
    case HandshakeType::kClientHello:
      collector.Take<ClientHello>();
      break;
    case HandshakeType::kServerHello:
      collector.Take<ServerHello>();
      break;
    case HandshakeType::kEncryptedExtensions:
      collector.Take<EncryptedExtensions>();
      break;
    case HandshakeType::kCertificateRequest:
      tls13 ? collector.Take<tls13::CertificateRequest>()
            : collector.Take<tls12::CertificateRequest>();
      break;
    case HandshakeType::kCertificate:
      tls13 ? collector.Take<tls13::Certificate>() : collector.Take<tls12::Certificate>();
      break;
    case HandshakeType::kServerKeyExchange:
      collector.Take<tls12::ServerKeyExchange>();
      break;
    case HandshakeType::kClientKeyExchange:
      collector.Take<tls12::ClientKeyExchange>();
      break;
    case HandshakeType::kCertificateVerify:
      collector.Take<CertificateVerify>();
      break;
    case HandshakeType::kFinished:
    case HandshakeType::kServerHelloDone:
      collector.TakeNothing();
      break;
    default:
      break;
  }
  return collector.fields();
}

}  // namespace handfast::tls::badpeer
