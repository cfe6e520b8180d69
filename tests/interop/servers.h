// The foreign stacks as server programs: how each is told what to do, what it is asked and answers,
// and what it says of a connection.
#ifndef HANDFAST_TESTS_INTEROP_SERVERS_H_
#define HANDFAST_TESTS_INTEROP_SERVERS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/interop/cell.h"
#include "tests/interop/held_port.h"
#include "tests/interop/programs.h"
#include "tests/support/process.h"

namespace handfast::tls::test {

// What a server is asked for: ServerLeaf(key) for its own certificate, clients' by Root().
struct Post {
  Stack stack{};
  ProtocolVersion version{};  // this one alone
  KeyType key{};
  Auth auth = Auth::kNone;
  std::vector<NamedGroup> groups = {};  // these alone; empty: its default
  std::string alpn = {};                // the protocol that it has; empty: none
  std::string own_groups = {};          // openssl alone: its own names, instead of `groups`
  std::string root = {};                // likewise: see OpensslIn
  std::string status_file = {};         // likewise: the OCSP response that it staples, DER
};

// The only protocol that all of them can be told to have.
inline constexpr char kProtocol[] = "http/1.1";

// The command for this port; HAProxy's takes over a socket, listening, that it inherits.
Argv CommandOf(const Post& post, uint16_t port, int inherited);

// What a server can say of a connection.
enum class Fact : uint8_t { kResumed, kProtocol, kCertificate };

class ForeignServer {
 public:
  // Starts it, and waits until it listens.
  explicit ForeignServer(const Post& post);

  bool ready() const { return ready_; }
  uint16_t port() const { return port_.port(); }
  std::string output() const { return process_->output(); }
  // For what is typed at some.
  handfast::test::Process& process() { return *process_; }

  // What to send on the connection of this number, from 1 on, and what must come back.
  std::string Request(int number) const;
  std::string Reply(int number) const;
  // Once the request was sent: tells a server that does not answer by itself what to answer. False
  // where the request does not arrive.
  bool Answer(int number);

  // Whether it can say so at all; else our side alone is asked.
  bool CanSay(Fact fact) const;
  // Whether it says so of the last connection, on which `content` came back: now, or in a while.
  bool Says(Fact fact, const std::string& content) const;
  bool SaysInTime(Fact fact, const std::string& content);
  // Whether `content` is how it refuses a client behind the handshake, without an alert.
  bool Refuses(const std::string& content) const;

 private:
  Post post_;
  HeldPort port_;
  std::unique_ptr<handfast::test::Process> process_;
  bool ready_ = false;
};

}  // namespace handfast::tls::test

#endif  // HANDFAST_TESTS_INTEROP_SERVERS_H_
