#include "tests/interop/socket_records.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tls/record/deframer.h"
#include "tls/wire/messages.h"

namespace handfast::tls::test {

bool WaitFor(int fd, int16_t events, Deadline deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{fd, events, 0};
    const int n = poll(&ready, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (n >= 0) return n == 1;
    if (errno == EINTR) continue;
    std::perror("poll");
    std::abort();
  }
}

SocketRecords::SocketRecords(int fd, Deadline end) : fd_(fd), end_(end) {
  if (fd_ < 0) Trouble("nobody listens");
}

SocketRecords::~SocketRecords() {
  if (fd_ >= 0) close(fd_);
}

void SocketRecords::Trouble(const std::string& what) {
  if (trouble_.empty()) trouble_ = what;
}

SocketRecords::Got SocketRecords::Receive(Bytes& buffer, Deadline deadline) {
  if (fd_ < 0) return Got::kEnd;
  if (!WaitFor(fd_, POLLIN, deadline)) return Got::kNothingInTime;
  uint8_t chunk[16384];
  const ssize_t n = recv(fd_, chunk, sizeof(chunk), 0);
  if (n <= 0) return Got::kEnd;
  Append(buffer, ByteView(chunk, static_cast<size_t>(n)));
  return Got::kBytes;
}

void SocketRecords::Send(ByteView bytes) {
  while (fd_ >= 0 && !bytes.empty()) {
    if (!WaitFor(fd_, POLLOUT, end_)) return Trouble("the peer does not read");
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;  // it has gone, which the next read sees as well
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void SocketRecords::EndSending() { shutdown(fd_, SHUT_WR); }

void SocketRecords::Drain() {
  Bytes ignored;
  Got got;
  while ((got = Receive(ignored)) == Got::kBytes) ignored.clear();
  if (got == Got::kNothingInTime) Trouble("the peer does not close");
}

void SocketRecords::Begin(Result<ReleasedKeys> keys, Bytes behind, size_t max_fragment) {
  max_fragment_ = max_fragment;
  stream_ = std::move(behind);
  if (!keys.ok()) return Trouble("no keys");
  Result<RecordKeys> write = RecordKeys::Create(std::move(keys->write), AeadDirection::kSeal);
  Result<RecordKeys> read = RecordKeys::Create(std::move(keys->read), AeadDirection::kOpen);
  if (!write.ok() || !read.ok()) return Trouble("keys of the wrong kind");
  sealer_.Install(*std::move(write));
  opener_.Install(*std::move(read));
}

std::optional<SocketRecords::Piece> SocketRecords::Next() {
  while (trouble_.empty()) {
    if (std::optional<Piece> message = NextMessage()) {
      if (message->content[0] != static_cast<uint8_t>(HandshakeType::kKeyUpdate)) return message;
      OnKeyUpdate(message->content);
    } else if (std::optional<Piece> record = NextRecord()) {
      if (record->type != ContentType::kHandshake) return record;
      Append(messages_, record->content);
    } else if (trouble_.empty()) {
      const Got got = Receive(stream_);
      if (got == Got::kNothingInTime) Trouble("no end in time");
      if (got != Got::kBytes) return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<SocketRecords::Piece> SocketRecords::NextMessage() {
  if (messages_.size() < kHandshakeHeaderSize) return std::nullopt;
  const size_t length = size_t{messages_[1]} << 16 | size_t{messages_[2]} << 8 | messages_[3];
  const size_t size = kHandshakeHeaderSize + length;
  if (messages_.size() < size) return std::nullopt;
  const auto end = messages_.begin() + static_cast<ptrdiff_t>(size);
  Piece piece{ContentType::kHandshake, Bytes(messages_.begin(), end)};
  messages_.erase(messages_.begin(), end);
  return piece;
}

std::optional<SocketRecords::Piece> SocketRecords::NextRecord() {
  const Result<std::optional<RecordHeader>> header = PeekRecord(stream_, false);
  if (!header.ok()) {
    Trouble("not a record");
    return std::nullopt;
  }
  if (!*header || stream_.size() < kRecordHeaderSize + (*header)->length) return std::nullopt;
  const size_t size = kRecordHeaderSize + (*header)->length;
  const Result<OpenedRecord> opened = opener_.Open(std::span(stream_).first(size));
  if (!opened.ok()) {
    Trouble("a record does not open: " + std::string(Describe(opened.reason()).label));
    return std::nullopt;
  }
  Piece piece{opened->type, Copy(opened->fragment)};
  stream_.erase(stream_.begin(), stream_.begin() + static_cast<ptrdiff_t>(size));
  return piece;
}

void SocketRecords::Write(ContentType type, ByteView content) {
  Bytes records;
  if (!sealer_.Seal(type, content, max_fragment_, records).ok()) {
    return Trouble("a record does not seal");
  }
  Send(records);
}

void SocketRecords::WriteCloseNotify() {
  const uint8_t close_notify[] = {1, 0};
  Write(ContentType::kAlert, close_notify);
}

void SocketRecords::UpdateKeys() { SendKeyUpdate(true); }

void SocketRecords::SendKeyUpdate(bool request) {
  Bytes message;
  if (!AppendMessage(message, KeyUpdate{request ? uint8_t{1} : uint8_t{0}})) {
    return Trouble("no KeyUpdate");
  }
  Write(ContentType::kHandshake, message);
  if (sealer_.keys() == nullptr || !sealer_.keys()->Update().ok()) Trouble("no newer keys");
}

void SocketRecords::OnKeyUpdate(const Bytes& message) {
  const auto update = Parse<KeyUpdate>(ByteView(message).subspan(kHandshakeHeaderSize));
  // RFC 8446 §5.1: nothing of the old keys may follow it.
  if (!update || update->request_update > 1 || !messages_.empty()) return Trouble("bad KeyUpdate");
  ++key_updates_;
  if (!opener_.keys()->Update().ok()) return Trouble("no newer keys");
  if (update->request_update == 1) SendKeyUpdate(false);
}

}  // namespace handfast::tls::test
