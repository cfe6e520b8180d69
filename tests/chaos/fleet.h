// Three real handfastd on one Redis: the same keys, the same configuration, and callers whom all
// three know by the same certificate. Replicas are killed, stopped and started again; whoever calls
// them meanwhile finds out as a caller does.
#ifndef HANDFAST_TESTS_CHAOS_FLEET_H_
#define HANDFAST_TESTS_CHAOS_FLEET_H_

#include <array>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "tests/support/files.h"
#include "tests/support/handfastd.h"
#include "tests/support/redis_server.h"
#include "tests/tls/crypto/test_ca.h"

namespace handfast::chaos {

inline constexpr size_t kReplicas = 3;

enum class As {
  kEdge,     // tenant default, may release keys
  kSibling,  // the same tenant, another principal
  kForeign,  // another tenant
};

// Its profiles, all with a deadline of 30 s, and releasing keys: durable; durable-mutual, which
// demands a client certificate; durable-outbound, for the client role; fleeting, which is not
// durable.
class Fleet {
 public:
  // Options of redis-server beside those that RedisServer has.
  explicit Fleet(std::vector<std::string> redis_settings = {});

  // All are up, and have their key. False, with words on standard error, where one does not come
  // up.
  bool Start();

  test::RedisServer& redis() { return *redis_; }
  const test::Handfastd& replica(size_t number) const { return *replicas_.at(number); }

  // SIGKILL, and its end.
  void Kill(size_t number);
  // After Kill(), on the same state; it listens on another port. False: it does not come up.
  bool Restart(size_t number);
  // SIGSTOP and SIGCONT.
  void Stop(size_t number) { replicas_[number]->Signal(SIGSTOP); }
  void Continue(size_t number) { replicas_[number]->Signal(SIGCONT); }
  void KillRedis();
  void RestartRedis();

  // Where the replica listens, or did until it was killed.
  std::string address(size_t number) const;
  // A connection of its own to that address.
  std::shared_ptr<grpc::Channel> Channel(size_t number, As caller = As::kEdge) const;
  // Returns when a replica is up, and Redis too: callers do not spin while none can be reached.
  // False: patience was over.
  bool AwaitService() const;

  // Who issues what the service shows to peers, and what peers show.
  const tls::test::TestCa& ca() const { return ca_; }

 private:
  std::string Document(const std::string& socket) const;
  bool StartOne(size_t number);

  const tls::test::TestCa ca_ = tls::test::TestCa::Create("peers");
  // Of the hop between callers and service.
  const tls::test::TestCa hop_ca_ = tls::test::TestCa::Create("hop");
  const tls::test::Leaf web_;
  std::array<tls::test::Leaf, 3> callers_;
  test::TempFolder files_;
  std::unique_ptr<test::RedisServer> redis_;
  std::array<std::unique_ptr<test::Handfastd>, kReplicas> replicas_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::array<std::string, kReplicas> addresses_;  // guarded by mutex_
  std::array<bool, kReplicas> up_{};              // guarded by mutex_
  bool redis_up_ = true;                          // guarded by mutex_
};

}  // namespace handfast::chaos

#endif  // HANDFAST_TESTS_CHAOS_FLEET_H_
