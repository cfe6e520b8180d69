// A connected socket, and TLS records on it with the keys that a handshake gave away: what
// tcp_server and tcp_client share. It follows the peer's KeyUpdates. One thread, poll and
// deadlines.
#ifndef HANDFAST_TESTS_INTEROP_SOCKET_RECORDS_H_
#define HANDFAST_TESTS_INTEROP_SOCKET_RECORDS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tls/base/bytes.h"
#include "tls/base/registry.h"
#include "tls/connection/connection.h"
#include "tls/record/protection.h"

namespace handfast::tls::test {

using Deadline = std::chrono::steady_clock::time_point;

// False when the deadline came first.
bool WaitFor(int fd, int16_t events, Deadline deadline);

class SocketRecords {
 public:
  // Closes `fd` in the end; -1: nobody is there, which is trouble. After `end` nothing waits any
  // more.
  SocketRecords(int fd, Deadline end);
  ~SocketRecords();
  SocketRecords(const SocketRecords&) = delete;
  SocketRecords& operator=(const SocketRecords&) = delete;

  // What could not be done, for want of time or because of the peer; empty: nothing. The first
  // counts.
  const std::string& trouble() const { return trouble_; }
  void Trouble(const std::string& what);

  // ---- Bytes.
  enum class Got : uint8_t { kBytes, kEnd, kNothingInTime };
  // Appends to `buffer`. A reset counts as an end.
  Got Receive(Bytes& buffer, Deadline deadline);
  Got Receive(Bytes& buffer) { return Receive(buffer, end_); }
  void Send(ByteView bytes);
  void EndSending();
  // Until the peer has closed, lest a reset overtake what was sent last.
  void Drain();

  // ---- Records. `behind`: what has come behind the handshake's end.
  void Begin(Result<ReleasedKeys> keys, Bytes behind, size_t max_fragment);

  struct Piece {
    ContentType type{};  // handshake: one whole message, and never a KeyUpdate
    Bytes content;
  };
  // The next piece that comes; nullopt at the end of the stream, and in trouble.
  std::optional<Piece> Next();
  void Write(ContentType type, ByteView content);
  void WriteCloseNotify();
  // Sends a KeyUpdate, and asks for the peer's.
  void UpdateKeys();
  int key_updates() const { return key_updates_; }  // the peer's

 private:
  std::optional<Piece> NextMessage();
  // Opens the first record of the stream; nullopt where it is not there yet, or in trouble.
  std::optional<Piece> NextRecord();
  void SendKeyUpdate(bool request);
  void OnKeyUpdate(const Bytes& message);

  const int fd_;
  const Deadline end_;
  RecordSealer sealer_;
  RecordOpener opener_;
  size_t max_fragment_ = 0;
  Bytes stream_;    // behind the handshake's end
  Bytes messages_;  // handshake messages, the last one perhaps unfinished
  int key_updates_ = 0;
  std::string trouble_;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_SOCKET_RECORDS_H_
