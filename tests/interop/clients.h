// The foreign stacks as client programs: how each is told what to do, and how it is run.
#ifndef HANDFAST_TESTS_INTEROP_CLIENTS_H_
#define HANDFAST_TESTS_INTEROP_CLIENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/interop/cell.h"
#include "tests/interop/programs.h"
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
  std::string own_groups = {};          // likewise, instead of `groups`
  std::string root = {};                // likewise: see OpensslIn
  // Connects twice, and offers the second time the session that the first one left. OpenSSL's
  // client keeps it in a file, from one process to the next.
  bool twice = false;
  std::string keep_session = {};   // openssl alone, by RunClientTwice
  std::string offer_session = {};  // likewise
};

inline constexpr char kLine[] = "hello from afar\n";

// wolfSSL's client of TLS 1.2 sends no renegotiation_info: lets that pass.
void Accommodate(Stack stack, Profile& profile);

Argv CommandOf(const Errand& errand, uint16_t port);

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

// The client against our engine, twice: `first` is what our server saw of its first connection, the
// rest is of the second.
struct Resumption {
  Served first = {};
  Outcome second = {};

  // The client says that it resumed a session.
  bool client_says_so(Stack stack) const;
  std::string ToText() const { return first.ToText() + "\n" + second.ToText(); }
};
Resumption RunClientTwice(Errand errand, const ServerKit& kit, const ServeOptions& options = {});

// Against whoever listens on this port: `server` says nothing.
Outcome RunClient(const Errand& errand, uint16_t port);

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_CLIENTS_H_
