// A listening TCP socket for one client at a time.
#ifndef HANDFAST_CLIENT_CLI_LISTENER_H_
#define HANDFAST_CLIENT_CLI_LISTENER_H_

#include <optional>
#include <string>

namespace handfast::cli {

class Listener {
 public:
  Listener() = default;
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // What is wrong with "HOST:PORT", or nullopt.
  std::optional<std::string> Open(const std::string& address);
  // Where it listens, with the port that the system chose for port 0.
  std::string address() const;
  // Waits for a client; a blocking socket and where it comes from, or -1.
  int Accept(std::string& peer);

 private:
  int fd_ = -1;
};

}  // namespace handfast::cli

#endif  // HANDFAST_CLIENT_CLI_LISTENER_H_
