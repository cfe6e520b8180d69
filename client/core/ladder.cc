#include "client/core/ladder.h"

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include "tls/base/bytes.h"

namespace handfast::client {
namespace {

using Message = v1::HandshakeMessage;

// Between the posts; with them and the indent a line fits a terminal of 100 columns.
constexpr size_t kWidth = 72;
constexpr std::string_view kIndent = "  ";
// Of a random: enough to tell two apart.
constexpr size_t kShownBytes = 4;

std::string Hex(const std::string& bytes) {
  const std::string head = bytes.substr(0, kShownBytes);
  return tls::ToHex(tls::AsBytes(head)) + (bytes.size() > kShownBytes ? "..." : "");
}

std::string Join(const auto& items) {
  std::string joined;
  for (const auto& item : items) {
    if (!joined.empty()) joined += ", ";
    joined += item;
  }
  return joined;
}

// The front of the text that fits, cut at a space where there is one; the rest stays.
std::string TakeLine(std::string& text, size_t width) {
  size_t cut = text.size();
  if (cut > width) {
    cut = text.rfind(' ', width);
    cut = cut == std::string::npos || cut == 0 ? width : cut;
  }
  std::string line = text.substr(0, cut);
  text.erase(0, text[cut] == ' ' ? cut + 1 : cut);
  return line;
}

// A name and a text, cut into lines that fit; the name stands in the first only.
void AddField(std::string_view name, std::string text, Lines& lines) {
  constexpr size_t kNameWidth = 13;
  constexpr size_t kTextWidth = kWidth - kNameWidth - 5;
  std::string label(name);
  text = Printable(std::move(text));
  do {
    std::string line = "    " + label;
    line.append(kNameWidth + 4 - std::min(line.size(), kNameWidth + 4), ' ');
    line += TakeLine(text, kTextWidth);
    line.append(kWidth - std::min(line.size(), kWidth), ' ');
    lines.push_back(std::string(kIndent) + "|" + line + "|");
    label.clear();
  } while (!text.empty());
}

void AddArrow(const std::string& name, bool to_server, std::string_view note, Lines& lines) {
  std::string line = "-- " + name + " ";
  if (to_server) {
    line.append(kWidth - 1 - std::min(line.size(), kWidth - 1), '-');
    line += '>';
  } else {
    line = " " + name + " --";
    line.insert(0, kWidth - 1 - std::min(line.size(), kWidth - 1), '-');
    line.insert(0, "<");
  }
  lines.push_back(std::string(kIndent) + "|" + line + "|");
  if (!note.empty()) lines.back() += " " + std::string(note);
}

std::string SessionId(const std::string& id) {
  return id.empty() ? "empty" : Hex(id) + " (" + std::to_string(id.size()) + " bytes)";
}

std::string Extensions(const auto& extensions) {
  std::vector<std::string> shown;
  for (const v1::Extension& extension : extensions) {
    shown.push_back(extension.summary().empty() ? extension.name()
                                                : extension.name() + "=" + extension.summary());
  }
  return Join(shown);
}

std::string Compression(uint32_t method) { return method == 0 ? "null" : std::to_string(method); }

std::string Date(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  char text[16];
  gmtime_r(&time, &parts);
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return {text, size};
}

void AddClientHello(const v1::ClientHello& hello, Lines& lines) {
  AddField("version", hello.version(), lines);
  AddField("random", Hex(hello.random()), lines);
  AddField("session id", SessionId(hello.session_id()), lines);
  AddField("suites", Join(hello.cipher_suites()), lines);
  std::vector<std::string> methods;
  for (const uint32_t method : hello.compression_methods()) methods.push_back(Compression(method));
  AddField("compression", Join(methods), lines);
  AddField("extensions", Extensions(hello.extensions()), lines);
}

// A suite's name says what it is made of; that of TLS 1.3 leaves the key exchange to extensions.
void AddSuite(std::string_view suite, Lines& lines) {
  constexpr std::string_view kPrefix = "TLS_";
  constexpr std::string_view kWith = "_WITH_";
  constexpr std::string_view kDigest = "_SHA";
  AddField("suite", std::string(suite), lines);
  if (suite.rfind(kPrefix, 0) != 0) return;
  suite.remove_prefix(kPrefix.size());
  std::string_view key_exchange = "by extension";
  if (const size_t with = suite.find(kWith); with != std::string_view::npos) {
    key_exchange = suite.substr(0, with);
    suite.remove_prefix(with + kWith.size());
  }
  AddField("key exchange", std::string(key_exchange), lines);
  const size_t digest = suite.rfind(kDigest);
  AddField("cipher", std::string(suite.substr(0, digest)), lines);
  if (digest == std::string_view::npos) return;
  AddField("digest", std::string(suite.substr(digest + 1)), lines);
}

void AddServerHello(const v1::ServerHello& hello, Lines& lines) {
  AddField("version", hello.version(), lines);
  AddField("random", Hex(hello.random()), lines);
  AddField("session id", SessionId(hello.session_id()), lines);
  AddSuite(hello.cipher_suite(), lines);
  AddField("compression", Compression(hello.compression_method()), lines);
  AddField("extensions", Extensions(hello.extensions()), lines);
}

std::string Stapled(uint32_t length) {
  return "OCSP response of " + std::to_string(length) + " bytes";
}

void AddCertificate(const v1::Certificate& certificate, Lines& lines) {
  if (certificate.entries().empty()) AddField("chain", "empty", lines);
  for (const v1::CertificateEntry& entry : certificate.entries()) {
    const std::string subject = entry.subject().empty() ? "no subject" : entry.subject();
    std::string text = subject + ", issued by " + entry.issuer() + ", until " +
                       Date(entry.not_after()) + ", " + std::to_string(entry.length()) + " bytes";
    if (!entry.names().empty()) text += "; names " + Join(entry.names());
    if (entry.ocsp_response_length() != 0) text += "; " + Stapled(entry.ocsp_response_length());
    AddField("certificate", std::move(text), lines);
  }
}

void AddSignature(const std::string& scheme, uint32_t length, Lines& lines) {
  AddField("signature", scheme + ", " + std::to_string(length) + " bytes", lines);
}

void AddPublicValue(const std::string& value, Lines& lines) {
  AddField("public value", Hex(value) + " (" + std::to_string(value.size()) + " bytes)", lines);
}

void AddFields(const Message& message, Lines& lines) {
  switch (message.message_case()) {
    case Message::kClientHello:
      return AddClientHello(message.client_hello(), lines);
    case Message::kServerHello:
      return AddServerHello(message.server_hello(), lines);
    case Message::kEncryptedExtensions: {
      const std::string text = Extensions(message.encrypted_extensions().extensions());
      return AddField("extensions", text.empty() ? "none" : text, lines);
    }
    case Message::kCertificate:
      return AddCertificate(message.certificate(), lines);
    case Message::kServerKeyExchange: {
      const v1::ServerKeyExchange& exchange = message.server_key_exchange();
      AddField("group", exchange.group(), lines);
      AddPublicValue(exchange.public_value(), lines);
      return AddSignature(exchange.signature_scheme(), exchange.signature_length(), lines);
    }
    case Message::kCertificateRequest:
      AddField("schemes", Join(message.certificate_request().signature_schemes()), lines);
      return AddField("authorities", std::to_string(message.certificate_request().authorities()),
                      lines);
    case Message::kClientKeyExchange:
      return AddPublicValue(message.client_key_exchange().public_value(), lines);
    case Message::kCertificateVerify:
      return AddSignature(message.certificate_verify().signature_scheme(),
                          message.certificate_verify().signature_length(), lines);
    case Message::kCertificateStatus:
      return AddField("status", Stapled(message.certificate_status().ocsp_response_length()),
                      lines);
    case Message::kNewSessionTicket:
      AddField("lifetime", std::to_string(message.new_session_ticket().lifetime_s()) + " s", lines);
      return AddField(
          "ticket", std::to_string(message.new_session_ticket().ticket_length()) + " bytes", lines);
    case Message::kFinished:
      return AddField("verify data", Hex(message.finished().verify_data()), lines);
    case Message::kAlert:
      return AddField(message.alert().level() == 1 ? "warning" : "fatal", message.alert().name(),
                      lines);
    case Message::MESSAGE_NOT_SET:
      return AddField("length", std::to_string(message.length()) + " bytes", lines);
    default:
      return;
  }
}

std::string NameOf(const Message& message) {
  switch (message.message_case()) {
    case Message::kClientHello:
      return "ClientHello";
    case Message::kNewSessionTicket:
      return "NewSessionTicket";
    case Message::kServerHello:
      return message.server_hello().hello_retry_request() ? "HelloRetryRequest" : "ServerHello";
    case Message::kEncryptedExtensions:
      return "EncryptedExtensions";
    case Message::kCertificate:
      return "Certificate";
    case Message::kServerKeyExchange:
      return "ServerKeyExchange";
    case Message::kCertificateRequest:
      return "CertificateRequest";
    case Message::kServerHelloDone:
      return "ServerHelloDone";
    case Message::kClientKeyExchange:
      return "ClientKeyExchange";
    case Message::kCertificateVerify:
      return "CertificateVerify";
    case Message::kCertificateStatus:
      return "CertificateStatus";
    case Message::kChangeCipherSpec:
      return "ChangeCipherSpec";
    case Message::kFinished:
      return "Finished";
    case Message::kAlert:
      return "Alert";
    case Message::MESSAGE_NOT_SET:
      break;
  }
  return "message";
}

const char* PeerName(v1::Role service) { return service == v1::ROLE_CLIENT ? "server" : "client"; }

// A sentence below a line, cut into lines that fit.
void AddIndented(std::string text, Lines& lines) {
  text = Printable(std::move(text));
  while (!text.empty()) lines.push_back(std::string(kIndent) + "    " + TakeLine(text, kWidth));
}

}  // namespace

std::string Printable(std::string text) {
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

Lines DrawHead(v1::Role service) {
  const bool is_client = service == v1::ROLE_CLIENT;
  std::string line = is_client ? "service" : "client";
  const std::string right = is_client ? "server" : "service";
  // The names end above the posts.
  line.append(kWidth + 2 - line.size() - right.size(), ' ');
  return {std::string(kIndent) + line + right};
}

Lines DrawMessage(const Message& message, v1::Role service, std::string_view note) {
  Lines lines;
  const bool from_peer = message.sender() == Message::PEER;
  const bool to_server = from_peer == (service != v1::ROLE_CLIENT);
  std::string name = NameOf(message);
  if (message.encrypted()) name += " *";
  AddArrow(name, to_server, note, lines);
  AddFields(message, lines);
  return lines;
}

Lines DrawEstablished(const v1::Established& established, v1::Role service) {
  const bool tls13 = established.version() == v1::PROTOCOL_VERSION_TLS13;
  std::string text = std::string(kIndent) + "= established: " + (tls13 ? "TLSv1.3" : "TLSv1.2");
  // Static RSA has no group, and who shows no certificate signs nothing.
  for (const std::string& value :
       {established.cipher_suite(), established.group(), established.signature_scheme()}) {
    if (!value.empty()) text += ", " + value;
  }
  if (!established.server_name().empty()) text += ", server name " + established.server_name();
  if (!established.alpn().empty()) text += ", alpn " + established.alpn();
  Lines lines = {Printable(std::move(text))};
  if (established.has_peer()) {
    const auto& peer = established.peer();
    const bool is_client = service == v1::ROLE_CLIENT;
    const auto& names = is_client ? peer.dns_names() : peer.uris();
    lines.push_back(Printable(std::string(kIndent) + "= the " + PeerName(service) + " is " +
                              (names.empty() ? peer.subject() : Join(names))));
  }
  for (const v1::Explanation& explanation : established.explanations()) {
    std::string line = std::string(kIndent) + "? " + explanation.what() + " ";
    line += explanation.value().empty() ? "(none)" : explanation.value();
    lines.push_back(Printable(std::move(line)));
    AddIndented(explanation.why(), lines);
  }
  return lines;
}

Lines DrawFailure(const v1::Failure& failure, v1::Role service) {
  std::string text = std::string(kIndent) + "x failed: " + failure.reason();
  if (failure.has_alert()) {
    text += failure.origin() == v1::Failure::PEER_ALERT
                ? ", the " + std::string(PeerName(service)) + "'s alert "
                : ", alert ";
    text += failure.alert_name();
  }
  if (!failure.detail().empty()) text += ": " + failure.detail();
  text = Printable(std::move(text));
  // Has a section sign, and is the service's own word.
  if (!failure.rfc().empty()) text += " (" + failure.rfc() + ")";
  return {std::move(text)};
}

}  // namespace handfast::client
