#include "tests/support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace handfast::test {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "process: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

std::string_view NameOf(std::string_view line) { return line.substr(0, line.find('=')); }

// Our environment with `changes` laid over it.
std::vector<std::string> EnvironmentWith(const std::vector<std::string>& changes) {
  std::vector<std::string> lines = changes;
  for (char** line = environ; *line != nullptr; ++line) {
    bool replaced = false;
    for (const std::string& change : changes) replaced |= NameOf(change) == NameOf(*line);
    if (!replaced) lines.emplace_back(*line);
  }
  return lines;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// What a program inherits must not be what this process chose for itself.
void ResetSignals(posix_spawnattr_t& attributes) {
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &broken_pipe);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
}

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::string FindProgram(std::string_view name) {
  const char* path = std::getenv("PATH");
  std::string folders = path == nullptr ? "/usr/bin:/bin" : path;
  folders += ":/usr/local/sbin:/usr/sbin:/sbin:";
  for (size_t at = 0, end; (end = folders.find(':', at)) != std::string::npos; at = end + 1) {
    std::string file = folders.substr(at, end - at).append("/").append(name);
    if (end != at && access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

Process::Process(const std::vector<std::string>& argv,
                 const std::vector<std::string>& environment) {
  // Writing to a program that has ended is then an error of write(), which Write() reports.
  std::signal(SIGPIPE, SIG_IGN);
  int in[2];
  int out[2];
  Require(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  ResetSignals(attributes);
  const std::vector<std::string> lines = EnvironmentWith(environment);
  errno = posix_spawn(&pid_, argv.at(0).c_str(), &actions, &attributes, Pointers(argv).data(),
                      Pointers(lines).data());
  Require(errno == 0, argv[0].c_str());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  input_ = in[1];
  output_ = out[0];
  // glibc 2.36 declares pidfd_open() for C alone.
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  Require(pidfd_ >= 0, "pidfd_open");
  stop_ = eventfd(0, EFD_CLOEXEC);
  Require(stop_ >= 0, "eventfd");
  reader_ = std::thread([this] { ReadOutput(); });
}

Process::~Process() {
  CloseInput();
  if (!exit_code_) {
    kill(pid_, SIGKILL);
    int status = 0;
    waitpid(pid_, &status, 0);
  }
  const uint64_t one = 1;
  Require(write(stop_, &one, sizeof(one)) == sizeof(one), "eventfd");
  reader_.join();
  close(pidfd_);
  close(output_);
  close(stop_);
}

// A thread of its own, for a program whose output nobody takes stands still.
void Process::ReadOutput() {
  char chunk[4096];
  for (;;) {
    pollfd ready[] = {{output_, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;
    const ssize_t n = ready[1].revents != 0 ? 0 : read(output_, chunk, sizeof(chunk));
    if (n < 0 && errno == EINTR) continue;
    std::lock_guard lock(mutex_);
    if (n > 0) text_.append(chunk, static_cast<size_t>(n));
    if (n <= 0) ended_ = true;
    changed_.notify_all();
    if (n <= 0) return;
  }
}

bool Process::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(input_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

void Process::CloseInput() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

void Process::Signal(int number) {
  // Until it is reaped, its pid is nobody else's.
  if (exit_code_) return;
  kill(pid_, number);
  if (number != SIGSTOP) return;
  // Its threads stop one by one, and may do a thing or two meanwhile.
  siginfo_t info;
  Require(waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WEXITED | WNOWAIT) == 0,
          "waitid");
}

std::string Process::output() const {
  std::lock_guard lock(mutex_);
  return text_;
}

bool Process::WaitForOutput(std::string_view text, Duration timeout) {
  std::unique_lock lock(mutex_);
  const auto found = [&] { return text_.find(text) != std::string::npos; };
  changed_.wait_for(lock, timeout, [&] { return ended_ || found(); });
  return found();
}

std::optional<int> Process::WaitForExit(Duration timeout) {
  if (exit_code_) return exit_code_;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const auto left = [deadline] {
    const auto rest = deadline - std::chrono::steady_clock::now();
    return std::max(Duration(0), std::chrono::ceil<Duration>(rest));
  };
  pollfd ended{pidfd_, POLLIN, 0};
  int polled = 0;
  do {
    polled = poll(&ended, 1, static_cast<int>(left().count()));
  } while (polled < 0 && errno == EINTR);
  if (polled == 0) return std::nullopt;
  int status = 0;
  Require(waitpid(pid_, &status, 0) == pid_, "waitpid");
  exit_code_ = ExitCode(status);
  // A child of its own may hold the stream open for longer: that is not waited for beyond the time.
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, left(), [this] { return ended_; });
  return exit_code_;
}

}  // namespace handfast::test
