// How many gRPC connections may be open at once, all listeners together. gRPC takes the descriptors
// and closes them without a word; which are still there is found out by looking.
#ifndef HANDFAST_SERVER_RPC_CONNECTION_CAP_H_
#define HANDFAST_SERVER_RPC_CONNECTION_CAP_H_

#include <sys/types.h>

#include <cstddef>
#include <mutex>
#include <vector>

namespace handfast::rpc {

class ConnectionCap {
 public:
  // The lower of `most` and what RLIMIT_NOFILE leaves when the service has its own descriptors.
  explicit ConnectionCap(size_t most);

  // Takes note of an accepted socket. False: there are as many as may be, close it.
  bool Admit(int fd);

  size_t most() const { return most_; }

 private:
  struct Open {
    int fd;
    ino_t inode;  // another socket under the same number has another
  };
  void ForgetClosed();

  const size_t most_;
  std::mutex mutex_;
  std::vector<Open> open_;
};

}  // namespace handfast::rpc

#endif  // HANDFAST_SERVER_RPC_CONNECTION_CAP_H_
