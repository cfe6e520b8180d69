// One connection to Redis 7 through hiredis, and the store's script run over it. Blocking, each
// call within its timeout, and not thread-safe. No status quotes what Redis answered beyond the
// error's code: Redis repeats arguments in its errors. hiredis calls write(2) on sockets that may
// be dead: the process ignores SIGPIPE, as main.cc sets it.
#ifndef HANDFAST_SERVER_STORE_REDIS_CONNECTION_H_
#define HANDFAST_SERVER_STORE_REDIS_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "tls/base/bytes.h"
#include "tls/base/secret.h"

struct redisContext;
struct redisReply;

namespace handfast::store {

struct RedisOptions {
  // A path; where it is empty, host and port.
  std::string unix_socket;
  std::string host;
  int port = 6379;
  // Empty: none is given.
  tls::Secret<512> password;
  int database = 0;
  // Redis is in the same machine or the same rack: what takes longer is an outage.
  std::chrono::milliseconds connect_timeout{200};
  std::chrono::milliseconds command_timeout{200};
  // How long nobody asks a Redis that failed, before one caller does.
  std::chrono::milliseconds probe_interval{250};
  // As many calls run at once; each is a thread of the service.
  size_t connections = 16;
};

// "Redis at unix:/run/redis.sock, database 0", for statuses.
std::string Describe(const RedisOptions& options);

// What the script returned: {outcome, epoch, bytes}.
struct ScriptReply {
  std::string outcome;
  uint64_t epoch = 0;
  tls::Bytes bytes;
};

class RedisConnection {
 public:
  // UNAVAILABLE where there is no answer in time; FAILED_PRECONDITION where Redis refuses password,
  // database or script.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Open(const RedisOptions& options);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // False where the other side has closed it, or has said what nobody asked.
  bool IsAlive() const;

  // EVALSHA, or EVAL where Redis has forgotten the script. UNAVAILABLE: it did not answer, and the
  // connection is of no more use; the script may have run. RESOURCE_EXHAUSTED: Redis is out of
  // memory. INTERNAL: anything else.
  absl::StatusOr<ScriptReply> Run(std::span<const std::string> keys,
                                  std::span<const std::string> arguments);

 private:
  struct FreeReply {
    void operator()(redisReply* reply) const;
  };
  using Reply = std::unique_ptr<redisReply, FreeReply>;

  RedisConnection(redisContext* context, std::string where);
  absl::Status SetUp(const RedisOptions& options);
  // Null where the connection broke.
  Reply Command(std::span<const std::string_view> words);
  absl::Status Broken(std::string_view doing) const;
  absl::Status StatusOf(const redisReply& error) const;
  absl::StatusOr<ScriptReply> Parse(const redisReply& reply) const;

  redisContext* const context_;
  const std::string where_;
  std::string script_id_;
};

}  // namespace handfast::store

#endif  // HANDFAST_SERVER_STORE_REDIS_CONNECTION_H_
