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

#include "tls/record/deframer.h"
#include "tls/record/protection.h"

namespace handfast::tls::test {
namespace {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "tcp_server: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

// False when the deadline came first.
bool WaitFor(int fd, int16_t events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd ready{fd, events, 0};
    const int n = poll(&ready, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (n >= 0) return n == 1;
    Require(errno == EINTR, "poll");
  }
}

// One accepted connection, from its first byte to its close.
class Session {
 public:
  Session(int fd, const ServerKit& kit, const ServeOptions& options, Deadline end)
      : fd_(fd),
        kit_(kit),
        options_(options),
        end_(end),
        driver_(kit, Traced(options.connection)) {}
  ~Session() { close(fd_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Served Run() {
    Handshake();
    if (served_.established != nullptr) Records();
    shutdown(fd_, SHUT_WR);
    Drain();
    return std::move(served_);
  }

 private:
  enum class Got { kBytes, kEnd, kNothingInTime };

  static ConnectionOptions Traced(ConnectionOptions options) {
    options.trace = true;
    return options;
  }

  // Appends to `buffer`. A reset counts as an end.
  Got Receive(Bytes& buffer, Deadline deadline) {
    if (!WaitFor(fd_, POLLIN, deadline)) return Got::kNothingInTime;
    uint8_t chunk[16384];
    const ssize_t n = recv(fd_, chunk, sizeof(chunk), 0);
    if (n <= 0) return Got::kEnd;
    Append(buffer, ByteView(chunk, static_cast<size_t>(n)));
    return Got::kBytes;
  }

  void Send(ByteView bytes) {
    while (!bytes.empty()) {
      if (!WaitFor(fd_, POLLOUT, end_)) return Trouble("the peer does not read");
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;  // it has gone, which the next read sees as well
      bytes = bytes.subspan(static_cast<size_t>(n));
    }
  }

  void Trouble(const std::string& what) {
    if (served_.trouble.empty()) served_.trouble = what;
  }

  void Handshake() {
    const Deadline deadline = std::min(end_, Clock::now() + options_.handshake_deadline);
    Bytes received;
    while (driver_.established() == nullptr && !driver_.failure()) {
      Bytes chunk;
      Bytes to_peer;
      switch (Receive(chunk, deadline)) {
        case Got::kBytes:
          Append(received, chunk);
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
      Send(to_peer);
    }
    served_.established = driver_.established();
    served_.failure = driver_.failure();
    served_.credential_holders = kit_.credential.use_count();
    served_.state = driver_.connection().state_name();
    for (const TracedMessage& message : driver_.messages()) {
      const bool handshake = message.content_type == ContentType::kHandshake;
      const auto client_hello = static_cast<uint8_t>(HandshakeType::kClientHello);
      if (message.from_peer && handshake && message.bytes[0] == client_hello) {
        ++served_.client_hellos;
      }
    }
    const uint64_t consumed = driver_.connection().consumed();
    stream_.assign(received.begin() + static_cast<ptrdiff_t>(consumed), received.end());
  }

  void Records() {
    Result<ReleasedKeys> keys = ReleaseKeys(driver_.Take());
    if (!keys.ok()) return Trouble("no keys");
    Result<RecordKeys> write = RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal);
    Result<RecordKeys> read = RecordKeys::Create(std::move(keys->read), AeadDirection::kOpen);
    if (!write.ok() || !read.ok()) return Trouble("keys of the wrong kind");
    sealer_.Install(*std::move(write));
    opener_.Install(*std::move(read));
    while (OpenAll()) {
      const Got got = Receive(stream_, end_);
      if (got == Got::kNothingInTime) Trouble("no end in time");
      if (got != Got::kBytes) return;
    }
  }

  // Opens all whole records of the stream. False when no more is to be read.
  bool OpenAll() {
    for (;;) {
      const Result<std::optional<RecordHeader>> header = PeekRecord(stream_, false);
      if (!header.ok()) {
        Trouble("not a record");
        return false;
      }
      if (!*header || stream_.size() < kRecordHeaderSize + (*header)->length) return true;
      const size_t size = kRecordHeaderSize + (*header)->length;
      const Result<OpenedRecord> opened = opener_.Open(std::span(stream_).first(size));
      if (!opened.ok()) {
        Trouble("a record does not open: " + std::string(Describe(opened.reason()).label));
        return false;
      }
      if (!OnRecord(*opened)) return false;
      stream_.erase(stream_.begin(), stream_.begin() + static_cast<ptrdiff_t>(size));
    }
  }

  bool OnRecord(const OpenedRecord& record) {
    if (record.type == ContentType::kAlert) {
      served_.close_notify = record.fragment.size() == 2 && record.fragment[1] == 0;
      if (!served_.close_notify) Trouble("alert " + ToHex(record.fragment));
      return false;
    }
    if (record.type != ContentType::kApplicationData) {
      Trouble("an unexpected " + Name(record.type));
      return false;
    }
    served_.request += AsText(record.fragment);
    const std::optional<std::string> answer = AnswerTo(served_.request);
    if (answer && !replied_) Reply(*answer);
    return true;
  }

  void Reply(const std::string& text) {
    replied_ = true;
    const uint8_t close_notify[] = {1, 0};
    Bytes records;
    const size_t largest = served_.established->max_fragment;
    if (!sealer_.Seal(ContentType::kApplicationData, AsBytes(text), largest, records).ok() ||
        !sealer_.Seal(ContentType::kAlert, close_notify, largest, records).ok()) {
      return Trouble("a record does not seal");
    }
    Send(records);
    shutdown(fd_, SHUT_WR);
  }

  void Drain() {
    Bytes ignored;
    Got got;
    while ((got = Receive(ignored, end_)) == Got::kBytes) ignored.clear();
    if (got == Got::kNothingInTime) Trouble("the peer does not close");
  }

  const int fd_;
  const ServerKit& kit_;
  const ServeOptions& options_;
  const Deadline end_;
  ServerDriver driver_;
  RecordSealer sealer_;
  RecordOpener opener_;
  Bytes stream_;  // behind the handshake's end
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
            Name(established->group) + " " + Name(established->signature_scheme);
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
