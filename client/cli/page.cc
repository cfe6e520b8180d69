#include "client/cli/page.h"

#include <sys/socket.h>

#include <utility>
#include <vector>

#include "client/cli/socket.h"
#include "tls/base/reason.h"

namespace handfast::cli {
namespace {

// Of a request, and of an answer's first line.
constexpr size_t kMaxText = size_t{16} * 1024;

// What a peer says on a connection, as text.
class PlainText {
 public:
  PlainText(int fd, client::RecordLayer& records, tls::Bytes stream)
      : fd_(fd), records_(records), stream_(std::move(stream)) {}

  // Reads until `end` has come. False, with error(): it did not.
  bool ReadUntil(const std::string& end) {
    while (text_.find(end) == std::string::npos) {
      if (text_.size() > kMaxText) return Fail("it goes on without an end");
      if (!OpenWhatCame()) return false;
      if (text_.find(end) != std::string::npos) break;
      if (records_.peer_closed()) return Fail("close_notify came first");
      switch (ReadSome(fd_, stream_)) {
        case Came::kBytes:
          break;
        case Came::kEnd:
          return Fail("the transport ended first");
        case Came::kSilence:
          return Fail("the peer was silent");
      }
    }
    return true;
  }

  bool Write(const std::string& text) {
    tls::Bytes out;
    return records_.Seal(tls::AsBytes(text), out).ok() && WriteAll(fd_, out);
  }

  // Says close_notify. Where nothing is read behind it the page could be lost in a reset.
  void CloseAndDrain() {
    tls::Bytes out;
    records_.Close(out);
    (void)WriteAll(fd_, out);
    shutdown(fd_, SHUT_WR);
    do {
      stream_.clear();
    } while (ReadSome(fd_, stream_) == Came::kBytes);
  }

  const std::string& text() const { return text_; }
  const std::string& error() const { return error_; }

 private:
  bool OpenWhatCame() {
    std::vector<tls::ByteView> pieces;
    tls::Bytes answer;
    const auto opened = records_.Open(stream_, pieces, answer);
    for (const tls::ByteView piece : pieces) text_ += tls::AsText(piece);
    stream_.erase(stream_.begin(), stream_.begin() + static_cast<ptrdiff_t>(opened.used));
    if (!WriteAll(fd_, answer)) return Fail("the peer takes nothing more");
    if (!opened.failure) return true;
    return Fail(std::string("the connection failed: ") +
                std::string(tls::Describe(*opened.failure).label));
  }

  bool Fail(std::string why) {
    error_ = std::move(why);
    return false;
  }

  const int fd_;
  client::RecordLayer& records_;
  tls::Bytes stream_;
  std::string text_;
  std::string error_;
};

}  // namespace

void AnswerPage(int fd, client::RecordLayer& records, tls::Bytes stream,
                const v1::Established& established) {
  PlainText peer(fd, records, std::move(stream));
  if (!peer.ReadUntil("\r\n\r\n")) return;
  std::string body = "Handfast performed this handshake: " + established.cipher_suite();
  if (!established.group().empty()) body += ", " + established.group();
  body += ".\n";
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n\r\n";
  if (peer.Write(head + body)) peer.CloseAndDrain();
}

Fetched FetchPage(int fd, client::RecordLayer& records, tls::Bytes stream,
                  const std::string& server_name) {
  PlainText peer(fd, records, std::move(stream));
  const std::string request = "GET / HTTP/1.1\r\nHost: " + server_name +
                              "\r\nUser-Agent: handfast\r\nConnection: close\r\n\r\n";
  if (!peer.Write(request)) return {.status_line = {}, .error = "the peer takes nothing"};
  if (!peer.ReadUntil("\r\n")) return {.status_line = {}, .error = peer.error()};
  tls::Bytes goodbye;
  records.Close(goodbye);
  (void)WriteAll(fd, goodbye);
  return {.status_line = peer.text().substr(0, peer.text().find("\r\n")), .error = {}};
}

}  // namespace handfast::cli
