// What the peers that are programs of ours on other people's libraries have in common.
//
// The command line is `--name value` pairs. A peer takes what fits it of
//   --port --ca --cert --key --version 1.2|1.3 --groups x25519,p256,... --alpn PROTOCOL
//   --auth none|optional|required (a server) --name SERVER_NAME --connections N (a client)
// A server prints "listening", and of each connection whether it was resumed, the protocol and the
// client's name; it answers each line. A client sends its standard input's first line on each
// connection and prints the same, and what comes back until the close_notify.
#ifndef HANDFAST_TESTS_INTEROP_PEER_H_
#define HANDFAST_TESTS_INTEROP_PEER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace peer {

class Flags {
 public:
  Flags(int argc, char** argv, int first) {
    for (int i = first; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
  }

  bool Has(const std::string& name) const { return values_.count(name) != 0; }
  // Empty where it is missing.
  std::string Get(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? "" : found->second;
  }
  std::vector<std::string> List(const std::string& name) const {
    std::vector<std::string> items;
    std::stringstream text(Get(name));
    for (std::string item; std::getline(text, item, ',');) items.push_back(item);
    return items;
  }

 private:
  std::map<std::string, std::string> values_;
};

// The process ends at the first failure, and its memory with it.
inline void Check(bool good, const std::string& what) {
  if (good) return;
  std::fprintf(stderr, "%s failed\n", what.c_str());
  std::exit(1);
}

inline void Say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

inline void SayOfConnection(bool resumed, const std::string& protocol, const std::string& name) {
  Say(std::string("resumed=") + (resumed ? "1" : "0") + " alpn=" + protocol + " peer=" + name);
}

inline sockaddr_in Loopback(const Flags& flags) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(flags.Get("--port"))));
  return address;
}

inline int Listen(const Flags& flags) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  const sockaddr_in address = Loopback(flags);
  Check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
            bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
            listen(fd, 8) == 0,
        "listen");
  Say("listening");
  return fd;
}

inline int Connect(const Flags& flags) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(flags);
  Check(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0, "connect");
  return fd;
}

// `read` and `write` are the library's: (bytes, size) to what was done, and 0 or less at the end.
template <class Read, class Write>
void AnswerLines(Read read, Write write) {
  std::string line;
  char chunk[1024];
  for (int n; (n = read(chunk, static_cast<int>(sizeof(chunk)))) > 0;) {
    line.append(chunk, static_cast<size_t>(n));
    if (!line.ends_with('\n')) continue;
    const std::string reply = "you said: " + line;
    write(reply.data(), static_cast<int>(reply.size()));
    line.clear();
  }
}

// The last result of `read`.
template <class Read>
int PrintAll(Read read) {
  char chunk[1024];
  int n;
  while ((n = read(chunk, static_cast<int>(sizeof(chunk)))) > 0) {
    std::fwrite(chunk, 1, static_cast<size_t>(n), stdout);
  }
  std::fflush(stdout);
  return n;
}

inline std::string LineOfInput() {
  char line[1024];
  Check(std::fgets(line, sizeof(line), stdin) != nullptr, "standard input");
  return line;
}

}  // namespace peer

#endif  // HANDFAST_TESTS_INTEROP_PEER_H_
