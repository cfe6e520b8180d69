// A program that a test starts, talks to and stops: foreign peers, and our own servers. Only a
// process made here is ever signalled, by its pid, and none outlives its object.
//
//   Process client({FindProgram("openssl"), "s_client", "-connect", "127.0.0.1:4433"});
//   ASSERT_TRUE(client.WaitForOutput("Verify return code: 0", std::chrono::seconds(10)));
//   client.Write("hello\n");
//   EXPECT_EQ(client.WaitForExit(std::chrono::seconds(10)), 0) << client.output();
#ifndef HANDFAST_TESTS_SUPPORT_PROCESS_H_
#define HANDFAST_TESTS_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace handfast::test {

// The program's full path, from PATH and from the sbin folders, which a test's PATH lacks. Empty
// where it is not installed.
std::string FindProgram(std::string_view name);

class Process {
 public:
  using Duration = std::chrono::milliseconds;

  // `argv[0]` is a path. `environment` holds "NAME=value" lines that are added to our own, or
  // replace them. Ends the test process where the program cannot be started.
  explicit Process(const std::vector<std::string>& argv,
                   const std::vector<std::string>& environment = {});
  // Kills it if it still runs, and reaps it.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // To its standard input. False when the program no longer reads.
  bool Write(std::string_view text);
  void CloseInput();
  // Nothing once it has ended. With SIGSTOP it returns when all of it has stopped.
  void Signal(int number);

  // What it has printed so far on either stream.
  std::string output() const;
  // False when the time is up, or the program closed its streams, before it printed `text`.
  bool WaitForOutput(std::string_view text, Duration timeout);
  // The exit code, or 128 and the signal's number; nullopt when the time is up. The output is
  // whole then.
  std::optional<int> WaitForExit(Duration timeout);

 private:
  void ReadOutput();

  pid_t pid_ = -1;
  int pidfd_ = -1;
  int input_ = -1;
  int output_ = -1;
  int stop_ = -1;  // readable: the reader ends, whoever still holds the other end of output_
  std::optional<int> exit_code_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;    // guarded by mutex_
  bool ended_ = false;  // guarded by mutex_: no more output comes
  std::thread reader_;
};

}  // namespace handfast::test

#endif  // HANDFAST_TESTS_SUPPORT_PROCESS_H_
