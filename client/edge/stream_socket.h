// A non-blocking stream socket in an edge-triggered epoll, with what could not be written yet.
#ifndef HANDFAST_CLIENT_EDGE_STREAM_SOCKET_H_
#define HANDFAST_CLIENT_EDGE_STREAM_SOCKET_H_

#include <cstdint>
#include <span>

#include "tls/base/bytes.h"

namespace handfast::edge {

class StreamSocket {
 public:
  StreamSocket() = default;
  ~StreamSocket() { Close(); }
  StreamSocket(const StreamSocket&) = delete;
  StreamSocket& operator=(const StreamSocket&) = delete;

  // Takes over `fd`, whose events will carry `tag`. False: epoll refused it; it is closed then.
  bool Open(int epoll_fd, int fd, uint64_t tag);
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  void OnEvents(uint32_t events);

  struct ReadResult {
    enum Kind : uint8_t { kBytes, kNothing, kEnd, kBroken } kind;
    size_t size = 0;
  };
  ReadResult Read(std::span<uint8_t> into);
  // A read may bring something.
  bool readable() const { return readable_; }

  // Each writes what can be written now and keeps the rest. False: the socket is broken.
  [[nodiscard]] bool Write(tls::ByteView bytes);
  [[nodiscard]] bool Write(std::span<const tls::ByteView> pieces);
  [[nodiscard]] bool Flush();
  // Only keeps them: they go with the next write.
  void Queue(tls::ByteView bytes);
  size_t pending() const { return kept_.size() - sent_; }

  // Says that nothing follows what was written; pending bytes must be gone.
  void ShutdownWrite();
  void Close();
  // Ends it so that the other side sees an error, not an end.
  void Reset();

 private:
  bool OnWriteError();
  // Until a write fails to write all, nobody needs to be told of room.
  void WatchRoom();

  int fd_ = -1;
  int epoll_fd_ = -1;
  uint64_t tag_ = 0;
  bool readable_ = false;
  bool writable_ = true;
  bool hung_up_ = false;  // an end or an error waits behind the bytes
  bool watches_room_ = false;
  bool write_shut_ = false;
  tls::Bytes kept_;
  size_t sent_ = 0;  // of kept_
};

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_STREAM_SOCKET_H_
