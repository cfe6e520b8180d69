#include "server/rpc/message_view.h"

#include <algorithm>
#include <optional>

#include "server/rpc/certificate_view.h"
#include "server/rpc/extension_view.h"
#include "server/rpc/printable.h"
#include "tls/base/reader.h"
#include "tls/crypto/kex.h"
#include "tls/wire/client_hello_extensions.h"
#include "tls/wire/messages.h"

namespace handfast::rpc {
namespace {

void SetBytes(tls::ByteView bytes, std::string* into) {
  into->assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// What supported_versions offers, else the legacy field.
std::string HighestVersion(const tls::ClientHello& hello,
                           const tls::Result<tls::ClientHelloExtensions>& extensions) {
  tls::ProtocolVersion highest = hello.legacy_version;
  if (extensions.ok() && extensions->supported_versions) {
    for (tls::ProtocolVersion version : extensions->supported_versions->versions) {
      // Beyond 1.3 there is only GREASE (RFC 8701).
      if (version <= tls::ProtocolVersion::kTls13) highest = std::max(highest, version);
    }
  }
  return Name(highest);
}

void ShowClientHello(const tls::ClientHello& hello, v1::ClientHello& into) {
  const auto extensions = tls::ReadExtensions(hello);
  into.set_version(HighestVersion(hello, extensions));
  SetBytes(hello.random, into.mutable_random());
  SetBytes(hello.legacy_session_id, into.mutable_session_id());
  for (tls::CipherSuite suite : hello.cipher_suites) into.add_cipher_suites(Name(suite));
  for (uint8_t method : hello.legacy_compression_methods) into.add_compression_methods(method);
  ShowExtensions(hello.extensions, Within::kClientHello, into);
  if (!extensions.ok()) return;
  into.set_server_name(Printable(extensions->server_name));
  if (!extensions->alpn) return;
  for (const tls::ProtocolName& protocol : extensions->alpn->names) {
    into.add_alpn(Printable(protocol.name));
  }
}

void ShowServerHello(const tls::ServerHello& hello, v1::ServerHello& into) {
  const bool retry = std::ranges::equal(hello.random, tls::kHelloRetryRequestRandom);
  const Within within = retry ? Within::kHelloRetryRequest : Within::kServerHello;
  tls::ProtocolVersion version = hello.legacy_version;
  if (const auto* extension = tls::Find(hello.extensions, tls::ExtensionType::kSupportedVersions)) {
    const auto selected = tls::Parse<tls::SupportedVersionsServerHello>(extension->data);
    if (selected) version = selected->selected_version;
  }
  into.set_version(Name(version));
  SetBytes(hello.random, into.mutable_random());
  SetBytes(hello.legacy_session_id_echo, into.mutable_session_id());
  into.set_cipher_suite(Name(hello.cipher_suite));
  into.set_compression_method(hello.legacy_compression_method);
  into.set_hello_retry_request(retry);
  ShowExtensions(hello.extensions, within, into);
}

void ShowChain12(const tls::tls12::Certificate& certificate, bool from_peer,
                 v1::Certificate& into) {
  for (const auto& entry : certificate.certificate_list) {
    ShowCertificate(entry.cert_data, from_peer, *into.add_entries());
  }
}

void ShowChain13(const tls::tls13::Certificate& certificate, bool from_peer,
                 v1::Certificate& into) {
  for (const auto& entry : certificate.certificate_list) {
    v1::CertificateEntry& shown = *into.add_entries();
    ShowCertificate(entry.cert_data, from_peer, shown);
    const auto* extension = tls::Find(entry.extensions, tls::ExtensionType::kStatusRequest);
    if (extension == nullptr) continue;
    const auto status = tls::Parse<tls::CertificateStatus>(extension->data);
    if (status) shown.set_ocsp_response_length(static_cast<uint32_t>(status->ocsp_response.size()));
  }
}

void ShowServerKeyExchange(const tls::tls12::ServerKeyExchange& message,
                           v1::ServerKeyExchange& into) {
  into.set_group(Name(message.params.named_curve));
  SetBytes(message.params.point, into.mutable_public_value());
  into.set_signature_scheme(Name(message.algorithm));
  into.set_signature_length(static_cast<uint32_t>(message.signature.size()));
}

// The suite says which of the two it is, and the body too: it begins with named_curve, which is 3,
// or with the length of a prime, at most 512.
void ShowServerKeyExchange(tls::ByteView body, v1::ServerKeyExchange& into) {
  if (!body.empty() && body[0] == tls::tls12::ServerEcdhParams::kNamedCurve) {
    if (const auto message = tls::Parse<tls::tls12::ServerKeyExchange>(body)) {
      ShowServerKeyExchange(*message, into);
    }
    return;
  }
  const auto message = tls::Parse<tls::tls12::DheServerKeyExchange>(body);
  if (!message) return;
  for (const auto group :
       {tls::NamedGroup::kFfdhe2048, tls::NamedGroup::kFfdhe3072, tls::NamedGroup::kFfdhe4096}) {
    if (tls::Equal(tls::ParametersOf(group).p, message->params.dh_p)) into.set_group(Name(group));
  }
  SetBytes(message->params.dh_ys, into.mutable_public_value());
  into.set_signature_scheme(Name(message->algorithm));
  into.set_signature_length(static_cast<uint32_t>(message->signature.size()));
}

// A point has a length of one byte before it, a finite field's value one of two.
tls::ByteView PublicValue(tls::ByteView exchange_keys) {
  if (const auto ecdh = tls::Parse<tls::tls12::ClientEcdhPublic>(exchange_keys)) {
    return ecdh->point;
  }
  const auto dh = tls::Parse<tls::tls12::ClientDhPublic>(exchange_keys);
  return dh ? dh->dh_yc : tls::ByteView();
}

void ShowRequest12(const tls::tls12::CertificateRequest& request, v1::CertificateRequest& into) {
  for (auto scheme : request.supported_signature_algorithms) {
    into.add_signature_schemes(Name(scheme));
  }
  into.set_authorities(static_cast<uint32_t>(request.certificate_authorities.size()));
}

void ShowRequest13(const tls::tls13::CertificateRequest& request, v1::CertificateRequest& into) {
  for (const tls::Extension& extension : request.extensions) {
    if (extension.type == tls::ExtensionType::kSignatureAlgorithms) {
      const auto list = tls::Parse<tls::SignatureSchemeList>(extension.data);
      if (!list) continue;
      for (auto scheme : list->schemes) into.add_signature_schemes(Name(scheme));
    } else if (extension.type == tls::ExtensionType::kCertificateAuthorities) {
      const auto list = tls::Parse<tls::CertificateAuthorities>(extension.data);
      if (list) into.set_authorities(static_cast<uint32_t>(list->authorities.size()));
    }
  }
}

template <class Message, class Show>
void WhereItParses(tls::ByteView body, Show&& show) {
  if (const std::optional<Message> message = tls::Parse<Message>(body)) show(*message);
}

void ShowTicket(uint32_t lifetime_s, tls::ByteView ticket, v1::NewSessionTicket& into) {
  into.set_lifetime_s(lifetime_s);
  into.set_ticket_length(static_cast<uint32_t>(ticket.size()));
}

// Certificate, CertificateRequest and NewSessionTicket are laid out otherwise in each version.
void ShowVersioned(tls::HandshakeType type, bool is13, bool from_peer, tls::ByteView body,
                   v1::HandshakeMessage& into) {
  if (type == tls::HandshakeType::kNewSessionTicket) {
    v1::NewSessionTicket& shown = *into.mutable_new_session_ticket();
    if (is13) {
      WhereItParses<tls::tls13::NewSessionTicket>(
          body, [&](auto& m) { ShowTicket(m.ticket_lifetime, m.ticket, shown); });
    } else {
      WhereItParses<tls::tls12::NewSessionTicket>(
          body, [&](auto& m) { ShowTicket(m.ticket_lifetime_hint, m.ticket, shown); });
    }
    return;
  }
  if (type == tls::HandshakeType::kCertificate) {
    v1::Certificate& shown = *into.mutable_certificate();
    if (is13) {
      WhereItParses<tls::tls13::Certificate>(body,
                                             [&](auto& m) { ShowChain13(m, from_peer, shown); });
    } else {
      WhereItParses<tls::tls12::Certificate>(body,
                                             [&](auto& m) { ShowChain12(m, from_peer, shown); });
    }
    return;
  }
  v1::CertificateRequest& shown = *into.mutable_certificate_request();
  if (is13) {
    WhereItParses<tls::tls13::CertificateRequest>(body, [&](auto& m) { ShowRequest13(m, shown); });
  } else {
    WhereItParses<tls::tls12::CertificateRequest>(body, [&](auto& m) { ShowRequest12(m, shown); });
  }
}

void ShowSmall(tls::HandshakeType type, tls::ByteView body, v1::HandshakeMessage& into) {
  switch (type) {
    case tls::HandshakeType::kServerHelloDone:
      into.mutable_server_hello_done();
      return;
    case tls::HandshakeType::kClientKeyExchange:
      into.mutable_client_key_exchange();
      return SetBytes(PublicValue(body),
                      into.mutable_client_key_exchange()->mutable_public_value());
    case tls::HandshakeType::kCertificateVerify:
      into.mutable_certificate_verify();
      return WhereItParses<tls::CertificateVerify>(body, [&](auto& m) {
        into.mutable_certificate_verify()->set_signature_scheme(Name(m.algorithm));
        into.mutable_certificate_verify()->set_signature_length(
            static_cast<uint32_t>(m.signature.size()));
      });
    case tls::HandshakeType::kCertificateStatus:
      into.mutable_certificate_status();
      return WhereItParses<tls::CertificateStatus>(body, [&](auto& m) {
        into.mutable_certificate_status()->set_ocsp_response_length(
            static_cast<uint32_t>(m.ocsp_response.size()));
      });
    case tls::HandshakeType::kFinished:
      return SetBytes(body, into.mutable_finished()->mutable_verify_data());
    default:
      return;
  }
}

void ShowHandshake(tls::HandshakeType type, bool is13, bool from_peer, tls::ByteView body,
                   v1::HandshakeMessage& into) {
  switch (type) {
    case tls::HandshakeType::kClientHello:
      into.mutable_client_hello();
      return WhereItParses<tls::ClientHello>(
          body, [&](auto& m) { ShowClientHello(m, *into.mutable_client_hello()); });
    case tls::HandshakeType::kServerHello:
      into.mutable_server_hello();
      return WhereItParses<tls::ServerHello>(
          body, [&](auto& m) { ShowServerHello(m, *into.mutable_server_hello()); });
    case tls::HandshakeType::kEncryptedExtensions:
      into.mutable_encrypted_extensions();
      return WhereItParses<tls::EncryptedExtensions>(body, [&](auto& m) {
        ShowExtensions(m.extensions, Within::kEncryptedExtensions,
                       *into.mutable_encrypted_extensions());
      });
    case tls::HandshakeType::kServerKeyExchange:
      return ShowServerKeyExchange(body, *into.mutable_server_key_exchange());
    case tls::HandshakeType::kCertificate:
    case tls::HandshakeType::kCertificateRequest:
    case tls::HandshakeType::kNewSessionTicket:
      return ShowVersioned(type, is13, from_peer, body, into);
    default:
      return ShowSmall(type, body, into);
  }
}

void ShowAlert(tls::ByteView body, v1::AlertMessage& into) {
  WhereItParses<tls::AlertMessage>(body, [&](auto& alert) {
    into.set_level(alert.level);
    into.set_description(alert.description);
    into.set_name(std::string(tls::AlertName(alert.description)));
  });
}

}  // namespace

void Show(const tls::TracedMessage& message, v1::HandshakeMessage& into) {
  into.set_sender(message.from_peer ? v1::HandshakeMessage::PEER : v1::HandshakeMessage::SERVICE);
  into.set_length(static_cast<uint32_t>(message.bytes.size()));
  into.set_encrypted(message.encrypted);
  const tls::ByteView bytes = message.bytes;
  if (message.content_type == tls::ContentType::kChangeCipherSpec) {
    into.mutable_change_cipher_spec();
  } else if (message.content_type == tls::ContentType::kAlert) {
    ShowAlert(bytes, *into.mutable_alert());
  } else if (bytes.size() >= tls::kHandshakeHeaderSize) {
    ShowHandshake(static_cast<tls::HandshakeType>(bytes[0]),
                  message.version == tls::ProtocolVersion::kTls13, message.from_peer,
                  bytes.subspan(tls::kHandshakeHeaderSize), into);
  }
}

}  // namespace handfast::rpc
