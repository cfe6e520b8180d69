#include "tests/interop/tcp_client.h"

#include <utility>

#include "tests/interop/tcp_server.h"
#include "tests/support/net.h"

namespace handfast::tls::test {

std::string Spoken::ToText() const {
  std::string text = "client: state " + state;
  if (established != nullptr) {
    text += ", " + Name(established->version) + " " + Name(established->cipher_suite) + " " +
            Name(established->group) + (established->resumed ? ", resumed" : "");
  }
  if (failure) text += ", failed: " + std::string(Describe(failure->reason).label);
  if (failure && failure->alert) text += " (" + std::string(AlertName(*failure->alert)) + ")";
  if (alert) text += ", then an alert: " + std::string(AlertName(*alert));
  if (!trouble.empty()) text += ", trouble: " + trouble;
  return text + "\nserver's content:\n" + content;
}

TcpClient::TcpClient(uint16_t port, const ServerKit& kit, ConnectionOptions options,
                     std::optional<Session> session)
    : kit_(kit),
      records_(handfast::test::ConnectTo(port), std::chrono::steady_clock::now() + kPatience),
      driver_(Driver(kit, Traced(std::move(options)), std::move(session))) {}

ConnectionOptions TcpClient::Traced(ConnectionOptions options) {
  options.trace = true;
  return options;
}

ServerDriver TcpClient::Driver(const ServerKit& kit, ConnectionOptions options,
                               std::optional<Session> session) {
  if (!session) return ServerDriver(kit, std::move(options));
  return ServerDriver(kit, std::move(options), *std::move(session));
}

bool TcpClient::Handshake() {
  records_.Send(driver_.Begin());
  Bytes received;
  while (driver_.established() == nullptr && !driver_.failure()) {
    Bytes chunk;
    Bytes to_peer;
    switch (records_.Receive(chunk)) {
      case SocketRecords::Got::kBytes:
        Append(received, chunk);
        to_peer = driver_.Receive(chunk);
        break;
      case SocketRecords::Got::kEnd:
        to_peer = driver_.Give(PeerClosed{});
        break;
      case SocketRecords::Got::kNothingInTime:
        to_peer = driver_.Give(GiveUp{Reason::kDeadlineExceeded});
        break;
    }
    records_.Send(to_peer);
  }
  spoken_.established = driver_.established();
  spoken_.failure = driver_.failure();
  spoken_.state = driver_.connection().state_name();
  for (const TracedMessage& message : driver_.messages()) {
    if (message.content_type != ContentType::kHandshake) continue;
    const auto type = static_cast<HandshakeType>(message.bytes[0]);
    if (!message.from_peer && type == HandshakeType::kClientHello) ++spoken_.client_hellos;
    if (message.from_peer && type == HandshakeType::kCertificate) {
      spoken_.certificate_received = true;
    }
  }
  if (spoken_.established == nullptr) return false;
  // TLS 1.2 gives its ticket within the handshake.
  if (std::optional<Session> session = TakeSession(driver_.connection())) {
    spoken_.sessions.push_back(*std::move(session));
  }
  const auto consumed = static_cast<ptrdiff_t>(driver_.connection().consumed());
  records_.Begin(ReleaseKeys(driver_.connection()),
                 Bytes(received.begin() + consumed, received.end()),
                 spoken_.established->max_fragment);
  return true;
}

void TcpClient::Write(std::string_view text) {
  records_.Write(ContentType::kApplicationData, AsBytes(text));
}

bool TcpClient::ReadUntil(std::string_view text) {
  while (spoken_.content.find(text) == std::string::npos) {
    if (!ReadPiece()) return false;
  }
  return true;
}

bool TcpClient::ReadPiece() {
  const std::optional<SocketRecords::Piece> piece = records_.Next();
  if (!piece) return false;
  if (piece->type == ContentType::kAlert) {
    OnAlert(piece->content);
    return false;
  }
  if (piece->type == ContentType::kApplicationData) {
    spoken_.content += AsText(piece->content);
    return true;
  }
  Result<Session> session =
      ReadNewSessionTicket(driver_.connection(), piece->content, kit_.now_unix_s);
  if (!session.ok()) {
    records_.Trouble("no NewSessionTicket: " + std::string(Describe(session.reason()).label));
    return false;
  }
  spoken_.sessions.push_back(*std::move(session));
  return true;
}

void TcpClient::OnAlert(ByteView alert) {
  if (alert.size() != 2) return records_.Trouble("alert " + ToHex(alert));
  spoken_.close_notify = alert[1] == 0;
  if (!spoken_.close_notify) spoken_.alert = alert[1];
}

Spoken TcpClient::End() {
  if (spoken_.established != nullptr && !spoken_.alert && records_.trouble().empty()) {
    records_.WriteCloseNotify();
  }
  records_.EndSending();
  if (spoken_.established != nullptr && !spoken_.close_notify && !spoken_.alert) {
    while (ReadPiece()) continue;
  }
  records_.Drain();
  spoken_.key_updates = records_.key_updates();
  spoken_.trouble = records_.trouble();
  return std::move(spoken_);
}

}  // namespace handfast::tls::test
