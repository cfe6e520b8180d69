// TCP for commands that serve or call one peer at a time, with a person watching: blocking, and out
// of patience after a while.
#ifndef HANDFAST_CLIENT_CLI_SOCKET_H_
#define HANDFAST_CLIENT_CLI_SOCKET_H_

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "tls/base/bytes.h"

namespace handfast::cli {

// Whoever takes longer has gone away.
constexpr int kPatienceMs = 15000;
constexpr uint32_t kHandshakeDeadlineMs = 10000;
// Of one read.
constexpr size_t kReadSize = size_t{16} * 1024;

struct HostAndPort {
  std::string host;  // an IPv6 address without its brackets
  std::string port;
};
// Of "HOST:PORT" or "[ADDRESS]:PORT"; nullopt where it is neither.
std::optional<HostAndPort> SplitAddress(const std::string& text);
// True for an IPv4 or IPv6 address, false for a name.
bool IsAddress(const std::string& host);
// "192.0.2.7:443".
std::string AddressText(const sockaddr_storage& address, socklen_t size);

struct Connected {
  int fd = -1;
  std::string address;  // where it went
  std::string error;    // why there is no fd
};
Connected Connect(const HostAndPort& to);

// False: the peer takes no more.
bool WriteAll(int fd, tls::ByteView bytes);

enum class Came : uint8_t { kBytes, kEnd, kSilence };
// Adds what comes next to `stream`.
Came ReadSome(int fd, tls::Bytes& stream);

}  // namespace handfast::cli

#endif  // HANDFAST_CLIENT_CLI_SOCKET_H_
