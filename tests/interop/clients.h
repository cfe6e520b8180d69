// The foreign stacks as client programs: how each is told what to do, and how it is run.
#ifndef HANDFAST_TESTS_INTEROP_CLIENTS_H_
#define HANDFAST_TESTS_INTEROP_CLIENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/interop/cell.h"
#include "tests/interop/tcp_server.h"

namespace handfast::tls::test {

// What a client is asked to do: connect to 127.0.0.1 for kServerName, verify the server by Root(),
// then GET / (curl) or send kLine (all others), and print what comes back.
struct Errand {
  Stack stack{};
  ProtocolVersion version{};                // this one alone
  std::optional<KeyType> certificate = {};  // shows ClientLeaf() of this type
  std::vector<NamedGroup> groups = {};  // offers these, a share for the first; empty: its default
  std::string alpn = {};                // offers this protocol
  std::string suites = {};              // openssl alone: its own names
};

inline constexpr char kLine[] = "hello from afar\n";

// The Debian package of the program that is missing for `stack`; empty where it is installed.
std::string MissingPackage(Stack stack);

std::vector<std::string> CommandOf(const Errand& errand, uint16_t port);

// What became of one client, and of its connection at our engine where that served it.
struct Outcome {
  Served server = {};
  std::optional<int> exit_code;  // nullopt: it had to be killed
  std::string output;

  bool established() const { return server.established != nullptr; }
  // The client ended well and printed what was to come back.
  bool client_content(Stack stack) const;
  std::string ToText() const;
};

// The client against our engine.
Outcome RunClient(const Errand& errand, const ServerKit& kit, const ServeOptions& options = {});

// Against whoever listens on this port: `server` says nothing.
Outcome RunClient(const Errand& errand, uint16_t port);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_CLIENTS_H_
