// Addresses of TCP and Unix sockets, and sockets made from them.
#ifndef HANDFAST_CLIENT_EDGE_ADDRESS_H_
#define HANDFAST_CLIENT_EDGE_ADDRESS_H_

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace handfast::edge {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
};

// "192.0.2.7:443", "[2001:db8::7]:443", "localhost:443" (resolved now, first answer), "*:443" and
// ":443" (any address), "unix:/path". Nullopt where it is none of these or does not resolve.
std::optional<Address> ParseAddress(std::string_view text);

// "192.0.2.7:443"; "unix:/path".
std::string ToText(const Address& address);

// A listening, non-blocking socket; -1 with errno.
int Listen(const Address& address);
// A non-blocking socket on its way to `address`; -1 with errno. Errors that come later show when
// it is read or written.
int Connect(const Address& address);

}  // namespace handfast::edge

#endif  // HANDFAST_CLIENT_EDGE_ADDRESS_H_
