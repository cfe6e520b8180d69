// A TLS client on libssl: the independent peer of our own side.
#ifndef HANDFAST_TESTS_SUPPORT_TLS_CLIENT_H_
#define HANDFAST_TESTS_SUPPORT_TLS_CLIENT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace handfast::test {

struct TlsClientOptions {
  std::string server_name = "www.test";
  // Who must have signed the server's certificate.
  std::string ca_file;
  // 0x0303 or 0x0304; 0: either.
  int version = 0;
  std::vector<std::string> alpn;
  std::string certificate_file;
  std::string key_file;
  // Sent in the clear in front of the handshake.
  std::string preface;
  // Of the socket, set before it connects; 0: the system's.
  int receive_buffer = 0;
};

class TlsClient {
 public:
  // Connects to 127.0.0.1:PORT and shakes hands; see ok().
  TlsClient(int port, const TlsClientOptions& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool ok() const { return ok_; }
  // libssl's words, where something failed.
  const std::string& error() const { return error_; }
  std::string version() const;
  std::string alpn() const;
  int fd() const { return fd_; }

  bool Write(std::string_view bytes);
  // At least one byte, at most `size`; empty at the end or an error: see ended_cleanly().
  std::string Read(size_t size = 65536);
  std::string ReadExactly(size_t size);
  std::string ReadAll();
  // The last read found the server's close_notify.
  bool ended_cleanly() const;

  // Says close_notify; reading goes on.
  void CloseWrite();
  // Ends the transport: without close_notify unless that was said.
  void Drop();
  // Asks for new keys: ours, and with `request` the server's too. TLS 1.3.
  bool UpdateKeys(bool request);
  // Begins a renegotiation, TLS 1.2. False where the server refuses.
  bool Renegotiate();

 private:
  void NoteError(const char* what);

  struct State;
  std::unique_ptr<State> state_;
  int fd_ = -1;
  bool ok_ = false;
  bool ended_cleanly_ = false;
  std::string error_;
};

// The record of a ClientHello, for a client that goes no further.
std::string MakeClientHello(const std::string& server_name);

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_TLS_CLIENT_H_
