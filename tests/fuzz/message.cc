// Each handshake message and the alert: the first byte says which, by its HandshakeType. The forms
// that are TLS 1.3's own have the highest bit set, and kAlert stands for an alert.
#include "tests/fuzz/layout_properties.h"
#include "tls/wire/messages.h"

namespace handfast::fuzz {
namespace {

constexpr uint8_t kTls13Form = 0x80;
constexpr uint8_t kAlert = 0x7f;

constexpr uint8_t Form13(tls::HandshakeType type) {
  return kTls13Form | static_cast<uint8_t>(type);
}

}  // namespace

void OnInput(ByteView input) {
  Choices choices(input);
  const uint8_t selector = choices.U8();
  const ByteView body = choices.rest();
  switch (selector) {
    case kAlert:
      return CheckLayout<tls::AlertMessage>(body);
    case Form13(tls::HandshakeType::kCertificate):
      return CheckLayout<tls::tls13::Certificate>(body);
    case Form13(tls::HandshakeType::kCertificateRequest):
      return CheckLayout<tls::tls13::CertificateRequest>(body);
    case Form13(tls::HandshakeType::kNewSessionTicket):
      return CheckLayout<tls::tls13::NewSessionTicket>(body);
    default:
      break;
  }
  switch (static_cast<tls::HandshakeType>(selector)) {
    case tls::HandshakeType::kClientHello:
      return CheckLayout<tls::ClientHello>(body);
    case tls::HandshakeType::kServerHello:
      return CheckLayout<tls::ServerHello>(body);
    case tls::HandshakeType::kEncryptedExtensions:
      return CheckLayout<tls::EncryptedExtensions>(body);
    case tls::HandshakeType::kCertificate:
      return CheckLayout<tls::tls12::Certificate>(body);
    case tls::HandshakeType::kServerKeyExchange:
      return CheckLayout<tls::tls12::ServerKeyExchange>(body);
    case tls::HandshakeType::kCertificateRequest:
      return CheckLayout<tls::tls12::CertificateRequest>(body);
    case tls::HandshakeType::kServerHelloDone:
      return CheckLayout<tls::ServerHelloDone>(body);
    case tls::HandshakeType::kCertificateVerify:
      return CheckLayout<tls::CertificateVerify>(body);
    case tls::HandshakeType::kClientKeyExchange:
      return CheckLayout<tls::tls12::ClientKeyExchange>(body, /*open_ended=*/true);
    case tls::HandshakeType::kFinished:
      return CheckLayout<tls::Finished>(body, /*open_ended=*/true);
    case tls::HandshakeType::kCertificateStatus:
      return CheckLayout<tls::CertificateStatus>(body);
    case tls::HandshakeType::kNewSessionTicket:
      return CheckLayout<tls::tls12::NewSessionTicket>(body);
    case tls::HandshakeType::kKeyUpdate:
      return CheckLayout<tls::KeyUpdate>(body);
    default:
      return;
  }
}

}  // namespace handfast::fuzz
