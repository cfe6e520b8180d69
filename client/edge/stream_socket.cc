#include "client/edge/stream_socket.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace handfast::edge {
namespace {

constexpr uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;
// Pieces in one writev: four chunks of the largest records.
constexpr size_t kMaxPieces = 64;
// An idle connection keeps no buffer larger than this.
constexpr size_t kKeptCapacity = size_t{16} * 1024;

}  // namespace

bool StreamSocket::Open(int epoll_fd, int fd, uint64_t tag) {
  fd_ = fd;
  epoll_fd_ = epoll_fd;
  tag_ = tag;
  epoll_event event{};
  event.events = kReadEvents;
  event.data.u64 = tag;
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0) return true;
  Close();
  return false;
}

void StreamSocket::OnEvents(uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  if ((events & EPOLLIN) != 0 || hung_up_) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) writable_ = true;
}

StreamSocket::ReadResult StreamSocket::Read(std::span<uint8_t> into) {
  ssize_t got;
  do {
    got = recv(fd_, into.data(), into.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    // What comes after a short read raises a new event; an end that is known of has raised its own.
    if (static_cast<size_t>(got) < into.size() && !hung_up_) readable_ = false;
    return {ReadResult::kBytes, static_cast<size_t>(got)};
  }
  readable_ = false;
  if (got == 0) return {ReadResult::kEnd};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {ReadResult::kNothing};
  return {ReadResult::kBroken};
}

bool StreamSocket::Write(tls::ByteView bytes) { return Write(std::span(&bytes, 1)); }

bool StreamSocket::Write(std::span<const tls::ByteView> pieces) {
  if (pending() > 0) {
    for (const tls::ByteView piece : pieces) Queue(piece);
    return Flush();
  }
  std::array<iovec, kMaxPieces> vectors;
  while (!pieces.empty() && writable_) {
    const size_t count = std::min(pieces.size(), vectors.size());
    size_t wanted = 0;
    for (size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<uint8_t*>(pieces[i].data()), pieces[i].size()};
      wanted += pieces[i].size();
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = count;
    const ssize_t wrote = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (wrote < 0) {
      if (errno == EINTR) continue;
      if (!OnWriteError()) return false;
      break;
    }
    auto left = static_cast<size_t>(wrote);
    if (left < wanted) {
      WatchRoom();
      size_t i = 0;
      while (left >= pieces[i].size()) left -= pieces[i++].size();
      Queue(pieces[i].subspan(left));
      pieces = pieces.subspan(i + 1);
      break;
    }
    pieces = pieces.subspan(count);
  }
  for (const tls::ByteView piece : pieces) Queue(piece);
  return true;
}

bool StreamSocket::Flush() {
  while (pending() > 0 && writable_) {
    const ssize_t wrote = send(fd_, kept_.data() + sent_, pending(), MSG_NOSIGNAL);
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return OnWriteError();
    }
    sent_ += static_cast<size_t>(wrote);
    if (pending() > 0) WatchRoom();
  }
  if (pending() == 0 && sent_ > 0) {
    sent_ = 0;
    kept_.clear();
    if (kept_.capacity() > kKeptCapacity) kept_.shrink_to_fit();
  }
  return true;
}

void StreamSocket::Queue(tls::ByteView bytes) { tls::Append(kept_, bytes); }

// True: there is no room now.
bool StreamSocket::OnWriteError() {
  // ENOTCONN: a connect is still under way.
  if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOTCONN) return false;
  WatchRoom();
  return true;
}

void StreamSocket::WatchRoom() {
  writable_ = false;
  if (std::exchange(watches_room_, true)) return;
  epoll_event event{};
  event.events = kReadEvents | EPOLLOUT;
  event.data.u64 = tag_;
  (void)epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd_, &event);
}

void StreamSocket::ShutdownWrite() {
  if (fd_ < 0 || std::exchange(write_shut_, true)) return;
  shutdown(fd_, SHUT_WR);
}

void StreamSocket::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
  kept_ = {};
  sent_ = 0;
  readable_ = false;
}

void StreamSocket::Reset() {
  if (fd_ < 0) return;
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

}  // namespace handfast::edge
