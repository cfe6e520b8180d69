#include "tests/interop/tcp_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/interop/socket_records.h"

namespace handfast::tls::test {
namespace {

using Clock = std::chrono::steady_clock;

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "tcp_server: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

// One accepted connection, from its first byte to its close.
class Session {
 public:
  Session(int fd, const ServerKit& kit, const ServeOptions& options, Deadline end)
      : kit_(kit),
        options_(options),
        end_(end),
        driver_(kit, Traced(options.connection)),
        records_(fd, end) {}

  Served Run() {
    Handshake();
    if (served_.established != nullptr) Records();
    records_.EndSending();
    records_.Drain();
    served_.trouble = records_.trouble();
    served_.key_updates = records_.key_updates();
    return std::move(served_);
  }

 private:
  using Got = SocketRecords::Got;

  static ConnectionOptions Traced(ConnectionOptions options) {
    options.trace = true;
    return options;
  }

  void Handshake() {
    const Deadline deadline = std::min(end_, Clock::now() + options_.handshake_deadline);
    while (driver_.established() == nullptr && !driver_.failure()) {
      Bytes chunk;
      Bytes to_peer;
      switch (records_.Receive(chunk, deadline)) {
        case Got::kBytes:
          Append(received_, chunk);
          to_peer = driver_.Receive(chunk);
          break;
        case Got::kEnd:
          to_peer = driver_.Give(PeerClosed{});
          break;
        case Got::kNothingInTime:
          to_peer = driver_.Give(GiveUp{Reason::kDeadlineExceeded});
          break;
      }
      Append(served_.sent, to_peer);
      records_.Send(to_peer);
    }
    served_.established = driver_.established();
    served_.failure = driver_.failure();
    served_.credential_holders = kit_.credential.use_count();
    served_.state = driver_.connection().state_name();
    for (const TracedMessage& message : driver_.messages()) {
      if (message.content_type != ContentType::kHandshake) continue;
      const auto type = static_cast<HandshakeType>(message.bytes[0]);
      if (message.from_peer && type == HandshakeType::kClientHello) ++served_.client_hellos;
      if (!message.from_peer && type == HandshakeType::kCertificate) {
        served_.certificate_sent = true;
      }
    }
  }

  void Records() {
    if (std::optional<tls::Session> session = TakeSession(driver_.connection())) {
      served_.kept = std::make_shared<const tls::Session>(*std::move(session));
    }
    const auto consumed = static_cast<ptrdiff_t>(driver_.connection().consumed());
    records_.Begin(ReleaseKeys(driver_.Take()),
                   Bytes(received_.begin() + consumed, received_.end()),
                   served_.established->max_fragment);
    while (const std::optional<SocketRecords::Piece> piece = records_.Next()) {
      if (!OnPiece(*piece)) return;
    }
  }

  bool OnPiece(const SocketRecords::Piece& piece) {
    if (piece.type == ContentType::kAlert) {
      served_.close_notify = piece.content.size() == 2 && piece.content[1] == 0;
      if (!served_.close_notify) records_.Trouble("alert " + ToHex(piece.content));
      return false;
    }
    if (piece.type != ContentType::kApplicationData) {
      records_.Trouble("an unexpected " + Name(piece.type));
      return false;
    }
    served_.request += AsText(piece.content);
    const std::optional<std::string> answer = AnswerTo(served_.request);
    if (!answer || replied_) return true;
    replied_ = true;
    if (options_.update_keys) records_.UpdateKeys();
    records_.Write(ContentType::kApplicationData, AsBytes(*answer));
    records_.WriteCloseNotify();
    records_.EndSending();
    return true;
  }

  const ServerKit& kit_;
  const ServeOptions& options_;
  const Deadline end_;
  ServerDriver driver_;
  SocketRecords records_;
  Bytes received_;
  bool replied_ = false;
  Served served_;
};

}  // namespace

std::string ReplyTo(const std::string& line) { return "you said: " + line; }

std::optional<std::string> AnswerTo(const std::string& request) {
  if (!request.starts_with("GET ")) {
    return request.ends_with("\n") ? std::make_optional(ReplyTo(request)) : std::nullopt;
  }
  if (request.find("\r\n\r\n") == std::string::npos) return std::nullopt;
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
         std::to_string(std::strlen(kBody)) + "\r\n\r\n" + kBody;
}

std::string Served::ToText() const {
  std::string text = "server: state " + state;
  if (established != nullptr) {
    text += ", " + Name(established->version) + " " + Name(established->cipher_suite) + " " +
            Name(established->group) + " " + Name(established->signature_scheme) +
            (established->resumed ? ", resumed" : "");
  }
  if (failure) text += ", failed: " + std::string(Describe(failure->reason).label);
  if (failure && failure->alert) text += " (" + std::string(AlertName(*failure->alert)) + ")";
  if (!trouble.empty()) text += ", trouble: " + trouble;
  return text;
}

TcpServer::TcpServer() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  Require(listener_ >= 0 && bind(listener_, generic, size) == 0 && listen(listener_, 8) == 0 &&
              getsockname(listener_, generic, &size) == 0,
          "listen");
  port_ = ntohs(address.sin_port);
}

TcpServer::~TcpServer() { close(listener_); }

Served TcpServer::Serve(const ServerKit& kit, const ServeOptions& options) {
  const Deadline end = Clock::now() + options.patience;
  Served nobody;
  nobody.trouble = "nobody connected";
  if (!WaitFor(listener_, POLLIN, end)) return nobody;
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return nobody;
  return Session(fd, kit, options, end).Run();
}

}  // namespace handfast::tls::test
