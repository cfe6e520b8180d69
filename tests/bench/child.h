// A program under measurement: started, waited for, timed by its CPU clock, stopped by its pid.
#ifndef HANDFAST_TESTS_BENCH_CHILD_H_
#define HANDFAST_TESTS_BENCH_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace handfast::bench {

class Child {
 public:
  // The program's output goes to `log`.
  Child(const std::vector<std::string>& argv, const std::string& log);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // CPU time so far, all threads; with its own children (nginx's workers).
  double CpuMicros() const;

 private:
  pid_t pid_;
};

// CPU time of one process so far, all threads.
double CpuMicrosOf(pid_t pid);

// Runs a program to its end; true where it exits with 0.
bool RunToEnd(const std::vector<std::string>& argv, const std::string& log);

// Waits until something accepts on 127.0.0.1:port.
void AwaitPort(int port);
// Waits until the file is there.
void AwaitFile(const std::string& path);
int FreePort();

}  // namespace handfast::bench

#endif  // HANDFAST_TESTS_BENCH_CHILD_H_
