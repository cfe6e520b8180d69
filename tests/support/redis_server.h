// A Redis of the test's own, on a Unix socket in a folder of its own, without persistence unless
// the test says SAVE or {"--appendonly", "yes"}; and plain commands to it, past the store.
#ifndef HANDFAST_TESTS_SUPPORT_REDIS_SERVER_H_
#define HANDFAST_TESTS_SUPPORT_REDIS_SERVER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/process.h"

namespace handfast::test {

class RedisServer {
 public:
  // Where it is not, tests skip.
  static bool IsInstalled();

  // `settings` are options of redis-server: {"--requirepass", "x"}.
  explicit RedisServer(std::vector<std::string> settings = {});

  // Returns when it takes connections. What the last SAVE wrote is there again.
  void Start();
  // As a crash: SIGKILL, and its end.
  void Kill();
  void Signal(int number) { process_->Signal(number); }
  // While it is up.
  pid_t pid() const { return process_->pid(); }

  // The answer as text: a string, a number, lines for an array, "(nil)", "(error) ...".
  std::string Do(const std::vector<std::string>& words) const;
  // Names of entries, without the store's own bookkeeping.
  std::vector<std::string> EntryNames(std::string_view space = "test") const;

  // "unix:/tmp/hf.xxxxxx/redis.sock", as a configuration names it.
  std::string address() const { return "unix:" + socket(); }
  std::string socket() const { return File("redis.sock"); }
  // In the folder where Redis keeps what it persists: "dump.rdb".
  std::string File(std::string_view name) const { return folder_.File(name); }

 private:
  TempFolder folder_;
  const std::vector<std::string> settings_;
  std::unique_ptr<Process> process_;
};

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_REDIS_SERVER_H_
